(module
  (memory $m i64 1)
  (data $d "a")
  (func (result i64)
    (memory.fill (i64.const 0) (i32.const 0) (i64.const 0))
    (memory.init $d (i64.const 0) (i32.const 0) (i32.const 0))
    (i32.store (i64.const 0) (i32.load (i64.const 0)))
    (drop (memory.grow (i64.const 0)))
    (memory.size)))
;;= all: valid

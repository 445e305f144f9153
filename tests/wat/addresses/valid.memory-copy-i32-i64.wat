(module
  (memory $d 1)
  (memory $s i64 1)
  (func (memory.copy $d $s (i32.const 0) (i64.const 0) (i32.const 0))))
;;= all: valid

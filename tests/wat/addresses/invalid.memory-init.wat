(module
  (memory i64 1)
  (table $t i64 1 funcref)
  (data $d "a")
  (elem $e func)
  (type $f (func))
  (func (memory.init $d (i64.const 0) (i64.const 0) (i64.const 0))))
;;= all: invalid
;;=   TypeMismatch { expected: i32, found: Found(Some(i64)) }
;;=   type mismatch: expected i32, found i64 (at offset 0x31, function 0, while reading a function body)

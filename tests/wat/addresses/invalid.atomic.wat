(module
  (memory i64 1)
  (table $t i64 1 funcref)
  (data $d "a")
  (elem $e func)
  (type $f (func))
  (func (drop (i32.atomic.load (i32.const 0)))))
;;= all: invalid
;;=   TypeMismatch { expected: i64, found: Found(Some(i32)) }
;;=   type mismatch: expected i64, found i32 (at offset 0x2a, function 0, while reading a function body)

(module
  (memory i64 1)
  (table $t i64 1 funcref)
  (data $d "a")
  (elem $e func)
  (type $f (func))
  (func (drop (i32.eqz (table.size $t)))))
;;= all: invalid
;;=   TypeMismatch { expected: i32, found: Found(Some(i64)) }
;;=   type mismatch: expected i32, found i64 (at offset 0x2b, function 0, while reading a function body)

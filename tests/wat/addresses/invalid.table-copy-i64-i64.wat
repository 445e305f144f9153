;; The length is of the smaller address type.
(module
  (table $d i64 1 funcref)
  (table $s i64 1 funcref)
  (func (table.copy $d $s (i64.const 0) (i64.const 0) (i32.const 0))))
;;= all: invalid
;;=   TypeMismatch { expected: i64, found: Found(Some(i32)) }
;;=   type mismatch: expected i64, found i32 (at offset 0x26, function 0, while reading a function body)

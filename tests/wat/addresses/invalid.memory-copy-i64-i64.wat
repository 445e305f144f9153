;; The length is of the smaller address type.
(module
  (memory $d i64 1)
  (memory $s i64 1)
  (func (memory.copy $d $s (i64.const 0) (i64.const 0) (i32.const 0))))
;;= all: invalid
;;=   TypeMismatch { expected: i64, found: Found(Some(i32)) }
;;=   type mismatch: expected i64, found i32 (at offset 0x24, function 0, while reading a function body)

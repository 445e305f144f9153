;; The length is of the smaller address type.
(module
  (memory $d 1)
  (memory $s i64 1)
  (func (memory.copy $d $s (i32.const 0) (i64.const 0) (i64.const 0))))
;;= all: invalid
;;=   TypeMismatch { expected: i32, found: Found(Some(i64)) }
;;=   type mismatch: expected i32, found i64 (at offset 0x24, function 0, while reading a function body)

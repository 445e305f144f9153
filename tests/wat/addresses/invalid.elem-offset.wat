(module
  (table i64 1 funcref)
  (elem (offset i32.const 0) func))
;;= all: invalid
;;=   TypeMismatch { expected: i64, found: Found(Some(i32)) }
;;=   type mismatch: expected i64, found i32 (at offset 0x14, while reading a constant expression)

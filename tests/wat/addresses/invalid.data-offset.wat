(module
  (memory i64 1)
  (data (offset i32.const 0) "a"))
;;= all: invalid
;;=   TypeMismatch { expected: i64, found: Found(Some(i32)) }
;;=   type mismatch: expected i64, found i32 (at offset 0x13, while reading a constant expression)

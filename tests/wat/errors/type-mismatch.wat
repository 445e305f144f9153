(module (func (result i32) (i64.const 0)))
;;= all: invalid
;;=   TypeMismatch { expected: i32, found: Found(Some(i64)) }
;;=   type mismatch: expected i32, found i64 (at offset 0x1a, function 0, while reading a function body)

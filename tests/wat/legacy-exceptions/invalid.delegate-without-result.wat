(module
  (func (result i32)
    try (result i32)
    delegate 0))
;;= all: invalid
;;=   TypeMismatch { expected: i32, found: Found(None) }
;;=   type mismatch: expected i32, found nothing on the stack (at offset 0x1a, function 0, while reading a function body)

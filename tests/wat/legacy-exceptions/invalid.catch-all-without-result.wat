(module
  (func (result i32)
    try (result i32)
      i32.const 0
    catch_all
    end))
;;= all: invalid
;;=   TypeMismatch { expected: i32, found: Found(None) }
;;=   type mismatch: expected i32, found nothing on the stack (at offset 0x1d, function 0, while reading a function body)

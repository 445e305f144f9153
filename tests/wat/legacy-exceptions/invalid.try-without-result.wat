(module
  (tag $e)
  (func (result i32)
    try (result i32)
    catch $e
      i32.const 0
    end))
;;= all: invalid
;;=   TypeMismatch { expected: i32, found: Found(None) }
;;=   type mismatch: expected i32, found nothing on the stack (at offset 0x22, function 0, while reading a function body)

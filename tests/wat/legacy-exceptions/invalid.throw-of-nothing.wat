(module
  (tag $e (param f32))
  (func
    throw $e))
;;= all: invalid
;;=   TypeMismatch { expected: f32, found: Found(None) }
;;=   type mismatch: expected f32, found nothing on the stack (at offset 0x20, function 0, while reading a function body)

;; The parameters of the `try` are those of its body, not of its catches.
(module
  (tag $e)
  (func (param i32)
    local.get 0
    try (param i32)
      drop
    catch $e
      drop
    end))
;;= all: invalid
;;=   TypeMismatch { expected: any type, found: Found(None) }
;;=   type mismatch: expected any type, found nothing on the stack (at offset 0x27, function 0, while reading a function body)

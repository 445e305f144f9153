;; What lies below a `try` is out of reach.
(module
  (func
    i32.const 0
    try
      drop
    catch_all
    end))
;;= all: invalid
;;=   TypeMismatch { expected: any type, found: Found(None) }
;;=   type mismatch: expected any type, found nothing on the stack (at offset 0x1b, function 0, while reading a function body)

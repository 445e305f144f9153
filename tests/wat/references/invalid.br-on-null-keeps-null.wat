;; The label gets nothing of the reference.
(module
  (func (param anyref) (result anyref)
    (block (result anyref) (br_on_null 0 (local.get 0)))))
;;= all: invalid
;;=   TypeMismatch { expected: anyref, found: Found(None) }
;;=   type mismatch: expected anyref, found nothing on the stack (at offset 0x1d, function 0, while reading a function body)

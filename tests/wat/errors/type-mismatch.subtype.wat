;; An `anyref` where an `eqref` is wanted.
(module (func (param anyref) (result eqref) (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: eqref, found: Found(Some(anyref)) }
;;=   type mismatch: expected eqref, found anyref (at offset 0x1b, function 0, while reading a function body)

(module
  (func (param anyref anyref) (result i32)
    (ref.eq (local.get 0) (local.get 1))))
;;= all: invalid
;;=   TypeMismatch { expected: eqref, found: Found(Some(anyref)) }
;;=   type mismatch: expected eqref, found anyref (at offset 0x1e, function 0, while reading a function body)

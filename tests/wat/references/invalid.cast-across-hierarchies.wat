(module
  (func (param anyref) (result funcref)
    (ref.cast funcref (local.get 0))))
;;= all: invalid
;;=   TypeMismatch { expected: funcref, found: Found(Some(anyref)) }
;;=   type mismatch: expected funcref, found anyref (at offset 0x1b, function 0, while reading a function body)

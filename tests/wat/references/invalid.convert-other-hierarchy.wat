(module
  (func (param funcref) (result externref)
    (extern.convert_any (local.get 0))))
;;= all: invalid
;;=   TypeMismatch { expected: anyref, found: Found(Some(funcref)) }
;;=   type mismatch: expected anyref, found funcref (at offset 0x1b, function 0, while reading a function body)

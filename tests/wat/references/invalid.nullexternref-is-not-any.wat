(module
  (func (param nullexternref) (result anyref)
    (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: anyref, found: Found(Some(nullexternref)) }
;;=   type mismatch: expected anyref, found nullexternref (at offset 0x1b, function 0, while reading a function body)

(module
  (func (result anyref)
    (ref.null noexn)))
;;= all: invalid
;;=   TypeMismatch { expected: anyref, found: Found(Some(nullexnref)) }
;;=   type mismatch: expected anyref, found nullexnref (at offset 0x1a, function 0, while reading a function body)

(module
  (func (param externref) (result (ref any))
    (any.convert_extern (local.get 0))))
;;= all: invalid
;;=   TypeMismatch { expected: (ref any), found: Found(Some(anyref)) }
;;=   type mismatch: expected (ref any), found anyref (at offset 0x1e, function 0, while reading a function body)

(module
  (func (param anyref) (result (ref extern))
    (extern.convert_any (local.get 0))))
;;= all: invalid
;;=   TypeMismatch { expected: (ref extern), found: Found(Some(externref)) }
;;=   type mismatch: expected (ref extern), found externref (at offset 0x1e, function 0, while reading a function body)

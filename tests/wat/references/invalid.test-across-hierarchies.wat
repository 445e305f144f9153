(module
  (func (param externref) (result i32)
    (ref.test anyref (local.get 0))))
;;= all: invalid
;;=   TypeMismatch { expected: anyref, found: Found(Some(externref)) }
;;=   type mismatch: expected anyref, found externref (at offset 0x1b, function 0, while reading a function body)

(module
  (func (param anyref) (result (ref any))
    (br_on_cast_fail 0 anyref (ref i31) (local.get 0)) (drop) (unreachable)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref any), found: Found(Some(anyref)) }
;;=   type mismatch: expected (ref any), found anyref (at offset 0x1c, function 0, while reading a function body)

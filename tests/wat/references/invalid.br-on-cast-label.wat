;; The label does not take the target type.
(module
  (func (param anyref) (result structref)
    (br_on_cast 0 anyref i31ref (local.get 0)) (drop) (unreachable)))
;;= all: invalid
;;=   TypeMismatch { expected: structref, found: Found(Some(i31ref)) }
;;=   type mismatch: expected structref, found i31ref (at offset 0x1b, function 0, while reading a function body)

;; The operand is not of the source type.
(module
  (func (param anyref) (result i31ref)
    (br_on_cast 0 eqref i31ref (local.get 0)) (drop) (unreachable)))
;;= all: invalid
;;=   TypeMismatch { expected: eqref, found: Found(Some(anyref)) }
;;=   type mismatch: expected eqref, found anyref (at offset 0x1b, function 0, while reading a function body)

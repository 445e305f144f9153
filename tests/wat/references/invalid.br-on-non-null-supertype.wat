;; Without null the operand must match the label.
(module
  (func (param anyref) (result (ref eq))
    (br_on_non_null 0 (local.get 0)) (unreachable)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref eq), found: Found(Some((ref any))) }
;;=   type mismatch: expected (ref eq), found (ref any) (at offset 0x1c, function 0, while reading a function body)

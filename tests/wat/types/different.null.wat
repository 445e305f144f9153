;; A reference with null is not one without.
(module
  (type $a (array anyref))
  (type $b (array (ref any)))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref 1), found: Found(Some((ref 0))) }
;;=   type mismatch: expected (ref 1), found (ref 0) (at offset 0x24, function 0, while reading a function body)

;; A reference to the own group is not one to an equal type outside of it.
(module
  (type $a (struct (field (ref null $a))))
  (type $b (struct (field (ref null $a))))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref 1), found: Found(Some((ref 0))) }
;;=   type mismatch: expected (ref 1), found (ref 0) (at offset 0x27, function 0, while reading a function body)

;; A group of one is not a member of a group of two.
(module
  (type $a (struct))
  (rec (type $b (struct)) (type $b2 (struct)))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref 1), found: Found(Some((ref 0))) }
;;=   type mismatch: expected (ref 1), found (ref 0) (at offset 0x25, function 0, while reading a function body)

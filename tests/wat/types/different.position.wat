;; The second member of one group is not the first of an equal one.
(module
  (rec (type $a0 (struct)) (type $a (struct)))
  (rec (type $b (struct)) (type $b0 (struct)))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref 2), found: Found(Some((ref 1))) }
;;=   type mismatch: expected (ref 2), found (ref 1) (at offset 0x29, function 0, while reading a function body)

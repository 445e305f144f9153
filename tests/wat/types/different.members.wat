;; Members of a group that refer to the other one, and to themselves.
(module
  (rec (type $a (struct (field (ref null $a)))) (type $a2 (struct (field (ref null $a2)))))
  (rec (type $b (struct (field (ref null $b2)))) (type $b2 (struct (field (ref null $b)))))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref 2), found: Found(Some((ref 0))) }
;;=   type mismatch: expected (ref 2), found (ref 0) (at offset 0x35, function 0, while reading a function body)

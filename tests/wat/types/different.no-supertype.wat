;; A type that extends one is not a type that extends none.
(module
  (type $s (sub (struct)))
  (type $a (sub $s (struct (field i32))))
  (type $b (sub (struct (field i32))))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref 2), found: Found(Some((ref 1))) }
;;=   type mismatch: expected (ref 2), found (ref 1) (at offset 0x2e, function 0, while reading a function body)

;; A field more.
(module
  (type $a (struct (field i32)))
  (type $b (struct (field i32) (field i32)))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref 1), found: Found(Some((ref 0))) }
;;=   type mismatch: expected (ref 1), found (ref 0) (at offset 0x27, function 0, while reading a function body)

;; Packed types differ.
(module
  (type $a (array i8))
  (type $b (array i16))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref 1), found: Found(Some((ref 0))) }
;;=   type mismatch: expected (ref 1), found (ref 0) (at offset 0x23, function 0, while reading a function body)

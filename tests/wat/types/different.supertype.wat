;; Types that extend different ones.
(module
  (type $s (sub (struct))) (type $t (sub (struct (field i32))))
  (type $a (sub $s (struct (field i32) (field i64))))
  (type $b (sub $t (struct (field i32) (field i64))))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref 3), found: Found(Some((ref 2))) }
;;=   type mismatch: expected (ref 3), found (ref 2) (at offset 0x39, function 0, while reading a function body)

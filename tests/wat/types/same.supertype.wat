;; Types that extend equal ones, and are equal otherwise.
(module
  (type $s (sub (struct))) (type $t (sub (struct)))
  (type $a (sub $s (struct (field i32))))
  (type $b (sub $t (struct (field i32))))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: valid

;; References to equal types are equal.
(module
  (type $f (func)) (type $g (func))
  (type $a (struct (field (ref $f))))
  (type $b (struct (field (ref $g))))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: valid

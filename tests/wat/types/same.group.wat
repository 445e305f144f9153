;; Groups of the same shape are one, member by member.
(module
  (rec (type $a (struct (field (ref null $a2)))) (type $a2 (struct (field (ref null $a)))))
  (rec (type $b (struct (field (ref null $b2)))) (type $b2 (struct (field (ref null $b)))))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: valid

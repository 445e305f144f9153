;; Two types of the same shape are one.
(module
  (type $a (func (param i32) (result i64)))
  (type $b (func (param i32) (result i64)))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: valid

;; The last of many equal types is the first.
(module
  (type (array (mut f32)))
  (type (array (mut f64)))
  (type (array (mut f32)))
  (type (array (mut f64)))
  (type (array (mut f32)))
  (type (array (mut f64)))
  (type $a (array (mut f32)))
  (type $x (array (mut f64)))
  (type $b (array (mut f32)))
  (func (param (ref $a)) (result (ref $b)) (local.get 0)))
;;= all: valid

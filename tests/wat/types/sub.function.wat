;; Parameters vary the other way than results.
(module
  (type $a (sub (func (param eqref) (result anyref))))
  (type (sub $a (func (param anyref) (result eqref)))))
;;= all: valid

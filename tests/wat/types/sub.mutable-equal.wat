;; A mutable field of an equal type.
(module
  (type $f (func)) (type $g (func))
  (type $a (sub (array (mut (ref null $f)))))
  (type (sub $a (array (mut (ref null $g))))))
;;= all: valid

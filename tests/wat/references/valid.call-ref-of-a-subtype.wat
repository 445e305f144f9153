(module
  (type $f (sub (func)))
  (type $g (sub $f (func)))
  (func (param (ref $g))
    (call_ref $f (local.get 0))))
;;= all: valid

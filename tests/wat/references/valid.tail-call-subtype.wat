(module
  (type $f (func (result eqref)))
  (func (param (ref $f)) (result anyref)
    (return_call_ref $f (local.get 0))))
;;= all: valid

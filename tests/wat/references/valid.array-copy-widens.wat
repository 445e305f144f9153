(module
  (type $any (array (mut anyref)))
  (type $eq (array (mut eqref)))
  (func (param (ref $any) (ref $eq))
    (array.copy $any $eq (local.get 0) (i32.const 0) (local.get 1) (i32.const 0) (i32.const 0))))
;;= all: valid

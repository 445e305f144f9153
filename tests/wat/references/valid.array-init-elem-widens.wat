(module
  (type $any (array (mut anyref)))
  (type $eq (array (mut eqref)))
  (elem $e i31ref)
  (elem $x externref)
  (func (param (ref $eq))
    (array.init_elem $eq $e (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0))))
;;= all: valid

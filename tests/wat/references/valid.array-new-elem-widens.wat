(module
  (type $any (array (mut anyref)))
  (type $eq (array (mut eqref)))
  (elem $e i31ref)
  (elem $x externref)
  (func (result (ref $any))
    (array.new_elem $any $e (i32.const 0) (i32.const 0))))
;;= all: valid

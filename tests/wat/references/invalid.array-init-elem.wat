(module
  (type $any (array (mut anyref)))
  (type $eq (array (mut eqref)))
  (elem $e i31ref)
  (elem $x externref)
  (func (param (ref $eq))
    (array.init_elem $eq $x (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0))))
;;= all: invalid
;;=   ArrayElement { found: eqref, wanted: "a supertype of the segment's entries" }
;;=   type mismatch: array element type is eqref, a supertype of the segment's entries is needed (at offset 0x30, function 0, while reading a function body)

(module
  (type $any (array (mut anyref)))
  (type $eq (array (mut eqref)))
  (func (param (ref $any) (ref $eq))
    (array.copy $eq $any (local.get 1) (i32.const 0) (local.get 0) (i32.const 0) (i32.const 0))))
;;= all: invalid
;;=   ArrayElement { found: anyref, wanted: "an element type that matches the destination's" }
;;=   type mismatch: array element type is anyref, an element type that matches the destination's is needed (at offset 0x2b, function 0, while reading a function body)

(module (type $d (array (mut i8))) (type $s (array i16))
  (func (param (ref $d) (ref $s))
    (array.copy $d $s (local.get 0) (i32.const 0) (local.get 1) (i32.const 0) (i32.const 0))))
;;= all: invalid
;;=   ArrayElement { found: i16, wanted: "an element type that matches the destination's" }
;;=   type mismatch: array element type is i16, an element type that matches the destination's is needed (at offset 0x2b, function 0, while reading a function body)

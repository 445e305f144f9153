(module (type $a (array externref)) (elem funcref)
  (func (drop (array.new_elem $a 0 (i32.const 0) (i32.const 0)))))
;;= all: invalid
;;=   ArrayElement { found: externref, wanted: "a supertype of the segment's entries" }
;;=   type mismatch: array element type is externref, a supertype of the segment's entries is needed (at offset 0x24, function 0, while reading a function body)

(module (table $e 1 externref) (table $f 1 funcref)
  (func (table.copy $e $f (i32.const 0) (i32.const 0) (i32.const 0))))
;;= all: invalid
;;=   IncompatibleTypes { what: "the source's elements do not match the destination's" }
;;=   type mismatch: the source's elements do not match the destination's (at offset 0x26, function 0, while reading a function body)

(module
  (table $any 1 anyref)
  (table $eq 1 eqref)
  (elem $e i31ref)
  (func
    (table.copy $eq $any (i32.const 0) (i32.const 0) (i32.const 0))))
;;= all: invalid
;;=   IncompatibleTypes { what: "the source's elements do not match the destination's" }
;;=   type mismatch: the source's elements do not match the destination's (at offset 0x2c, function 0, while reading a function body)

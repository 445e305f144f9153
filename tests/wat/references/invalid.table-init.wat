(module
  (table $t 1 i31ref)
  (elem $e eqref)
  (func
    (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 0))))
;;= all: invalid
;;=   IncompatibleTypes { what: "the segment's entries do not match the table's elements" }
;;=   type mismatch: the segment's entries do not match the table's elements (at offset 0x29, function 0, while reading a function body)

(module
  (table 1 i31ref)
  (elem (table 0) (i32.const 0) eqref))
;;= all: invalid
;;=   IncompatibleTypes { what: "the segment's entries do not match the table's elements" }
;;=   type mismatch: the segment's entries do not match the table's elements (at offset 0x11, while reading the element section)

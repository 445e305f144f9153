(module (elem (table 5) (i32.const 0) func))
;;= all: invalid
;;=   UnknownIndex { space: Table, index: 5, len: 0 }
;;=   unknown table 5: there are 0 (at offset 0xb, while reading the element section)

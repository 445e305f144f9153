(module (table 1 funcref) (elem (i32.const 0) func 5))
;;= all: invalid
;;=   UnknownIndex { space: Function, index: 5, len: 0 }
;;=   unknown function 5: there are 0 (at offset 0x11, while reading the element section)

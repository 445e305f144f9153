(module (table 1 funcref) (func (table.init 0 5 (i32.const 0) (i32.const 0) (i32.const 0))))
;;= all: invalid
;;=   UnknownIndex { space: Element, index: 5, len: 0 }
;;=   unknown elem segment 5: there are 0 (at offset 0x23, function 0, while reading a function body)

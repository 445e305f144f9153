(module (func (elem.drop 5)))
;;= all: invalid
;;=   UnknownIndex { space: Element, index: 5, len: 0 }
;;=   unknown elem segment 5: there are 0 (at offset 0x17, function 0, while reading a function body)

(module (func (local (ref null 5))))
;;= all: invalid
;;=   UnknownIndex { space: Type, index: 5, len: 1 }
;;=   unknown type 5: there are 1 (at offset 0x16, function 0, while reading a function body)

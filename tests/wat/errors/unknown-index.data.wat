(module (memory 1) (data "") (func (data.drop 5)))
;;= all: invalid
;;=   UnknownIndex { space: Data, index: 5, len: 1 }
;;=   unknown data segment 5: there are 1 (at offset 0x1f, function 0, while reading a function body)

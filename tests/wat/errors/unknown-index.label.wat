(module (func (block (br 5))))
;;= all: invalid
;;=   UnknownIndex { space: Label, index: 5, len: 2 }
;;=   unknown label 5: there are 2 (at offset 0x19, function 0, while reading a function body)

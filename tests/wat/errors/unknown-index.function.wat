(module (func call 5))
;;= all: invalid
;;=   UnknownIndex { space: Function, index: 5, len: 1 }
;;=   unknown function 5: there are 1 (at offset 0x17, function 0, while reading a function body)

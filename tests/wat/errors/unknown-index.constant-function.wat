(module (global funcref (ref.func 5)))
;;= all: invalid
;;=   UnknownIndex { space: Function, index: 5, len: 0 }
;;=   unknown function 5: there are 0 (at offset 0xd, while reading a constant expression)

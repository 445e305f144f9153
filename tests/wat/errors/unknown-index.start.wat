(module (start 5))
;;= all: invalid
;;=   UnknownIndex { space: Function, index: 5, len: 0 }
;;=   unknown function 5: there are 0 (at offset 0xa, while reading the start section)

(module (global (ref null 5) (ref.null nofunc)))
;;= all: invalid
;;=   UnknownIndex { space: Type, index: 5, len: 0 }
;;=   unknown type 5: there are 0 (at offset 0xb, while reading the global section)

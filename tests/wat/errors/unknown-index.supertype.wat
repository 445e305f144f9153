(module (type (sub 5 (func))))
;;= all: invalid
;;=   UnknownIndex { space: Type, index: 5, len: 0 }
;;=   unknown type 5: there are 0 (at offset 0xb, while reading the type section)

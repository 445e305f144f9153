;; A type does not extend itself.
(module (type $f (sub $f (func))))
;;= all: invalid
;;=   UnknownIndex { space: Type, index: 0, len: 0 }
;;=   unknown type 0: there are 0 (at offset 0xb, while reading the type section)

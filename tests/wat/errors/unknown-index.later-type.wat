;; A type may refer to those before it and to its own group.
(module (type (struct (field (ref null 1)))) (type (struct)))
;;= all: invalid
;;=   UnknownIndex { space: Type, index: 1, len: 1 }
;;=   unknown type 1: there are 1 (at offset 0xb, while reading the type section)

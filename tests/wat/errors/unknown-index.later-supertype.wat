;; Within its group a type extends only those before it.
(module (rec (type (sub 1 (struct))) (type (sub (struct)))))
;;= all: invalid
;;=   UnknownIndex { space: Type, index: 1, len: 0 }
;;=   unknown type 1: there are 0 (at offset 0xd, while reading the type section)

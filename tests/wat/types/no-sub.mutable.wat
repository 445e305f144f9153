;; A mutable field stays what it is.
(module
  (type $a (sub (struct (field (mut anyref)))))
  (type (sub $a (struct (field (mut eqref))))))
;;= all: invalid
;;=   SubtypeMismatch { index: 1, super_index: 0 }
;;=   sub type 1 does not match super type 0 (at offset 0x11, while reading the type section)

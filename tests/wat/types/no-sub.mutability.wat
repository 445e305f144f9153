;; A field may not become mutable.
(module
  (type $a (sub (array i32)))
  (type (sub $a (array (mut i32)))))
;;= all: invalid
;;=   SubtypeMismatch { index: 1, super_index: 0 }
;;=   sub type 1 does not match super type 0 (at offset 0x10, while reading the type section)

;; An array extends no structure.
(module
  (type $a (sub (struct)))
  (type (sub $a (array i32))))
;;= all: invalid
;;=   SubtypeMismatch { index: 1, super_index: 0 }
;;=   sub type 1 does not match super type 0 (at offset 0xf, while reading the type section)

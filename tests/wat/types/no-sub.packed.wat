;; A packed field is of one type only.
(module
  (type $a (sub (array i16)))
  (type (sub $a (array i8))))
;;= all: invalid
;;=   SubtypeMismatch { index: 1, super_index: 0 }
;;=   sub type 1 does not match super type 0 (at offset 0x10, while reading the type section)

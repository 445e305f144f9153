;; Fields may not be left out.
(module
  (type $a (sub (struct (field i32) (field i32))))
  (type (sub $a (struct (field i32)))))
;;= all: invalid
;;=   SubtypeMismatch { index: 1, super_index: 0 }
;;=   sub type 1 does not match super type 0 (at offset 0x13, while reading the type section)

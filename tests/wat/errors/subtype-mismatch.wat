(module (type $a (sub (struct (field i32)))) (type $b (sub $a (struct (field i64)))))
;;= all: invalid
;;=   SubtypeMismatch { index: 1, super_index: 0 }
;;=   sub type 1 does not match super type 0 (at offset 0x11, while reading the type section)

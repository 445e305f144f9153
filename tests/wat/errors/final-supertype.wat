(module (type $a (struct)) (type $b (sub $a (struct))))
;;= all: invalid
;;=   FinalSupertype { index: 1, super_index: 0 }
;;=   sub type 1 extends final type 0 (at offset 0xd, while reading the type section)

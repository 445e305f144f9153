;; A result may not become wider.
(module
  (type $a (sub (func (result eqref))))
  (type (sub $a (func (result anyref)))))
;;= all: invalid
;;=   SubtypeMismatch { index: 1, super_index: 0 }
;;=   sub type 1 does not match super type 0 (at offset 0x11, while reading the type section)

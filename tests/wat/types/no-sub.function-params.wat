;; A parameter may not become narrower.
(module
  (type $a (sub (func (param anyref))))
  (type (sub $a (func (param eqref)))))
;;= all: invalid
;;=   SubtypeMismatch { index: 1, super_index: 0 }
;;=   sub type 1 does not match super type 0 (at offset 0x11, while reading the type section)

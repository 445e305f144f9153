(module
  (type $s (struct))
  (tag (type $s)))
;;= all: invalid
;;=   WrongCompositeType { index: 0, wanted: "function" }
;;=   type mismatch: type 0 is no function type (at offset 0x11, while reading the tag section)

(module (type $s (struct)) (func (param (ref $s)) (call_ref $s (local.get 0))))
;;= all: invalid
;;=   WrongCompositeType { index: 0, wanted: "function" }
;;=   type mismatch: type 0 is no function type (at offset 0x1d, function 0, while reading a function body)

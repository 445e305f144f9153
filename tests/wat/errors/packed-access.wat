(module (type $s (struct (field i8))) (func (param (ref $s)) (drop (struct.get $s 0 (local.get 0)))))
;;= all: invalid
;;=   PackedAccess
;;=   packed field needs `_s` or `_u`, any other field neither (at offset 0x1f, function 0, while reading a function body)

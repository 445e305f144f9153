(module (type $a (array i32)) (func (param (ref $a)) (drop (array.get_s $a (local.get 0) (i32.const 0)))))
;;= all: invalid
;;=   PackedAccess
;;=   packed field needs `_s` or `_u`, any other field neither (at offset 0x20, function 0, while reading a function body)

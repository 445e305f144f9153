(module (type $s (struct (field i32))) (func (param (ref $s)) (struct.set $s 0 (local.get 0) (i32.const 0))))
;;= all: invalid
;;=   ImmutableField { index: 0, field: 0 }
;;=   field is immutable: field 0 of type 0 (at offset 0x21, function 0, while reading a function body)

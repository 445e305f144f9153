(module (type $a (array i32))
  (func (param (ref $a)) (array.set $a (local.get 0) (i32.const 0) (i32.const 0))))
;;= all: invalid
;;=   ImmutableArray { index: 0 }
;;=   array is immutable: type 0 (at offset 0x22, function 0, while reading a function body)

(module (global $g i32 (i32.const 0)) (func (global.set $g (i32.const 1))))
;;= all: invalid
;;=   ImmutableGlobal { index: 0 }
;;=   immutable global 0: global is immutable (at offset 0x21, function 0, while reading a function body)

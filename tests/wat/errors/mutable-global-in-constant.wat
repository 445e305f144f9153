(module (import "m" "g" (global $g (mut i32))) (global i32 (global.get $g)))
;;= all: invalid
;;=   MutableGlobalInConstant { index: 0 }
;;=   constant expression required: global 0 is mutable (at offset 0x17, while reading a constant expression)

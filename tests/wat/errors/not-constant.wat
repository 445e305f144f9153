(module (global i32 (i32.div_u (i32.const 1) (i32.const 1))))
;;= all: invalid
;;=   NotConstant { op: "i32.div_u" }
;;=   constant expression required: `i32.div_u` is not constant (at offset 0x11, while reading a constant expression)

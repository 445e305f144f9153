(module (func (export "f") i32.const 0 i32.add drop))
;;= all: invalid
;;=   TypeMismatch { expected: i32, found: Found(None) }
;;=   type mismatch: expected i32, found nothing on the stack (at offset 0x20, function 0, while reading a function body)

(module (memory 1) (func (drop (i32.load16_u align=2 (i32.const 0))) (drop (i32.load align=8 (i32.const 0)))))
;;= all: invalid
;;=   AlignmentTooLarge { align: 3, natural: 4 }
;;=   alignment must not be larger than natural: 2**3, the access has 4 bytes (at offset 0x24, function 0, while reading a function body)

(module (memory 1) (func (drop (i32.load offset=0x1_0000_0000 (i32.const 0)))))
;;= all: invalid
;;=   OffsetOutOfRange { offset: 4294967296 }
;;=   offset out of range: 4294967296 in a memory with 32-bit addresses (at offset 0x1e, function 0, while reading a function body)

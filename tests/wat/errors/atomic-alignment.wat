(module (memory 1) (func (drop (i32.atomic.load align=2 (i32.const 0)))))
;;= all: invalid
;;=   AtomicAlignment { align: 1, natural: 4 }
;;=   atomic alignment must be natural: 2**1, the access has 4 bytes (at offset 0x1e, function 0, while reading a function body)

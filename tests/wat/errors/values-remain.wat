(module (func (i32.const 0) (i32.const 1)))
;;= all: invalid
;;=   ValuesRemain { extra: 2 }
;;=   type mismatch: 2 values remain on the stack at the end of the block (at offset 0x1b, function 0, while reading a function body)

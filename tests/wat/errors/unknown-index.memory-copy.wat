(module (memory 1) (func (memory.copy 0 5 (i32.const 0) (i32.const 0) (i32.const 0))))
;;= all: invalid
;;=   UnknownIndex { space: Memory, index: 5, len: 1 }
;;=   unknown memory 5: there are 1 (at offset 0x22, function 0, while reading a function body)

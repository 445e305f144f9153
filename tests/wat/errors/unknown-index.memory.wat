(module (func (drop (memory.size 5))))
;;= all: invalid
;;=   UnknownIndex { space: Memory, index: 5, len: 0 }
;;=   unknown memory 5: there are 0 (at offset 0x17, function 0, while reading a function body)

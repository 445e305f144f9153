(module (data (memory 5) (i32.const 0) ""))
;;= all: invalid
;;=   UnknownIndex { space: Memory, index: 5, len: 0 }
;;=   unknown memory 5: there are 0 (at offset 0xb, while reading the data section)

(module (type $a (array i8)) (data "") (func (drop (array.new_data $a 5 (i32.const 0) (i32.const 0)))))
;;= all: invalid
;;=   UnknownIndex { space: Data, index: 5, len: 1 }
;;=   unknown data segment 5: there are 1 (at offset 0x21, function 0, while reading a function body)

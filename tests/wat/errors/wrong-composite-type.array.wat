(module (type $f (func)) (func (drop (array.new_default $f (i32.const 0)))))
;;= all: invalid
;;=   WrongCompositeType { index: 0, wanted: "array" }
;;=   type mismatch: type 0 is no array type (at offset 0x19, function 0, while reading a function body)

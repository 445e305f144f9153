(module (type $f (func)) (func (drop (struct.new $f))))
;;= all: invalid
;;=   WrongCompositeType { index: 0, wanted: "structure" }
;;=   type mismatch: type 0 is no structure type (at offset 0x17, function 0, while reading a function body)

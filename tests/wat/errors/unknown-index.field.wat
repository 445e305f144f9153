(module (type $s (struct (field i32))) (func (param (ref $s)) (drop (struct.get $s 5 (local.get 0)))))
;;= all: invalid
;;=   UnknownIndex { space: Field, index: 5, len: 1 }
;;=   unknown field 5: there are 1 (at offset 0x1f, function 0, while reading a function body)

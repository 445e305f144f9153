(module (type $s (struct (field (ref func)))) (func (drop (struct.new_default $s))))
;;= all: invalid
;;=   NotDefaultable { index: 0 }
;;=   non-defaultable type 0: a field has no default value (at offset 0x1c, function 0, while reading a function body)

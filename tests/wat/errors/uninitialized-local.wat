(module (func (local (ref func)) (drop (local.get 0))))
;;= all: invalid
;;=   UninitializedLocal { index: 0 }
;;=   uninitialized local 0 (at offset 0x1a, function 0, while reading a function body)

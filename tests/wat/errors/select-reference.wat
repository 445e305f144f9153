(module (func (param funcref) (drop (select (local.get 0) (local.get 0) (i32.const 0)))))
;;= all: invalid
;;=   SelectReference { found: funcref }
;;=   type mismatch: `select` without a type takes numbers and vectors, found funcref (at offset 0x1e, function 0, while reading a function body)

(module (func (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.const 1)))))
;;= all: invalid
;;=   ElseMissing
;;=   type mismatch: `if` without `else` must have the same parameters and results (at offset 0x1f, function 0, while reading a function body)

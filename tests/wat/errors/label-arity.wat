;; The default label takes nothing, the other one a value.
(module (func (result i32) (block (result i32) (block (br_table 1 0 (i32.const 0))) (i32.const 0))))
;;= all: invalid
;;=   LabelArity { op: "br_table", expected: 0, found: 1 }
;;=   type mismatch: the label of `br_table` takes 1 values, 0 are needed (at offset 0x1e, function 0, while reading a function body)

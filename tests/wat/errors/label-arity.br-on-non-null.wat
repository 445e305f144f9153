;; The label takes nothing that the reference could be.
(module (func (param funcref) (block (br_on_non_null 0 (local.get 0)))))
;;= all: invalid
;;=   LabelArity { op: "br_on_non_null", expected: 1, found: 0 }
;;=   type mismatch: the label of `br_on_non_null` takes 0 values, 1 are needed (at offset 0x1c, function 0, while reading a function body)

(module (table 1 externref) (type $f (func)) (func (call_indirect 0 (type $f) (i32.const 0))))
;;= all: invalid
;;=   IncompatibleTypes { what: "an indirect call needs a table of functions" }
;;=   type mismatch: an indirect call needs a table of functions (at offset 0x1f, function 0, while reading a function body)

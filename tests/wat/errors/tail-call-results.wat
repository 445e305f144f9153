(module (func $long (result i64) (i64.const 0)) (func (result i32) (return_call $long)))
;;= all: invalid
;;=   TailCallResults
;;=   type mismatch: tail call of a function whose results differ from the caller's (at offset 0x22, function 1, while reading a function body)

(module (func (drop (ref.is_null (i32.const 0)))))
;;= all: invalid
;;=   ReferenceExpected { found: Found(Some(i32)) }
;;=   type mismatch: expected a reference, found i32 (at offset 0x19, function 0, while reading a function body)

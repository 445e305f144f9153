(module
  (func (param i32)
    (drop (ref.as_non_null (local.get 0)))))
;;= all: invalid
;;=   ReferenceExpected { found: Found(Some(i32)) }
;;=   type mismatch: expected a reference, found i32 (at offset 0x1a, function 0, while reading a function body)

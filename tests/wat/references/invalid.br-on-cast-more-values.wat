(module
  (func (param anyref) (result i64 i31ref)
    (i32.const 0) (br_on_cast 0 anyref i31ref (local.get 0)) (unreachable)))
;;= all: invalid
;;=   TypeMismatch { expected: i64, found: Found(Some(i32)) }
;;=   type mismatch: expected i64, found i32 (at offset 0x1e, function 0, while reading a function body)

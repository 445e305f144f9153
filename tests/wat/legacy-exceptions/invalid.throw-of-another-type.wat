(module
  (tag $e (param f32))
  (func
    i32.const 0
    throw $e))
;;= all: invalid
;;=   TypeMismatch { expected: f32, found: Found(Some(i32)) }
;;=   type mismatch: expected f32, found i32 (at offset 0x22, function 0, while reading a function body)

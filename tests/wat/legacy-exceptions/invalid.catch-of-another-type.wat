(module
  (tag $e (param f32))
  (func (result i32)
    try (result i32)
      i32.const 0
    catch $e
    end))
;;= all: invalid
;;=   TypeMismatch { expected: i32, found: Found(Some(f32)) }
;;=   type mismatch: expected i32, found f32 (at offset 0x27, function 0, while reading a function body)

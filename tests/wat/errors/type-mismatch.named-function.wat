;; The function's name is in the message.
(module (func $add_all (param i32 f32) (result i32) (i32.add (local.get 0) (local.get 1))))
;;= all: invalid
;;=   TypeMismatch { expected: i32, found: Found(Some(f32)) }
;;=   type mismatch: expected i32, found f32 (at offset 0x1e, function 0 <add_all>, while reading a function body)

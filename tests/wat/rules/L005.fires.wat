;;! L005 warning
(module (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (memory 1 1) (func (export "f") (loop $l (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))) (br_if $l (i32.load (i32.const 0))))))

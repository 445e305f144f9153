;;! no I002
(module (import "env" "_dl_js" (func $host (param i32))) (func (export "f") (call $host (i32.const 0))))

;;! I002 warning
(module (import "env" "_dlopen_js" (func $host (param i32))) (func (export "f") (call $host (i32.const 0))))

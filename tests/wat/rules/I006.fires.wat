;;! I006 warning
(module (import "trealla" "host-call" (func $host (param i32))) (func (export "f") (call $host (i32.const 0))))

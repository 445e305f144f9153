;;! I001 warning
(module (import "env" "emscripten_run_script" (func $host (param i32))) (func (export "f") (call $host (i32.const 0))))

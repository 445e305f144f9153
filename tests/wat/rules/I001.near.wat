;;! no I001
(module (import "env" "emscripten_get_heap_max" (func $host (result i32))) (func (export "f") (drop (call $host))))

;;! M006 warning
(module (memory 1 1) (func $gets (param i32) (result i32) (local.get 0)) (func (export "f") (drop (call $gets (i32.const 0)))))

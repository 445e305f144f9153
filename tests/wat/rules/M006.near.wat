;;! no M006
(module (memory 1 1) (func $fgets (param i32) (result i32) (local.get 0)) (func (export "f") (drop (call $fgets (i32.const 0)))))

;;! no L006
(module (func $g (param i32)) (func $f (export "f") (param i32) (if (local.get 0) (then (call $g (i32.const 0))))))

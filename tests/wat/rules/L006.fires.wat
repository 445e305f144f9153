;;! L006 info
(module (func $f (export "f") (param i32) (if (local.get 0) (then (call $f (i32.const 0))))))

;;! no M001
(module (memory 1 1) (global $n (mut i32) (i32.const 0)) (func (export "f") (global.set $n (i32.add (global.get $n) (i32.const 1)))))

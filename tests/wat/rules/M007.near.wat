;;! no M007
(module (table 2 funcref) (elem (i32.const 0) $a $a) (func $a) (func (export "f") (param i32) (call_indirect (i32.and (local.get 0) (i32.const 1)))))

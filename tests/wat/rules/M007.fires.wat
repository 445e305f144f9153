;;! M007 info
(module (table 2 funcref) (elem (i32.const 0) $a $a) (func $a) (func (export "f") (param i32) (call_indirect (local.get 0))))

;;! C004 info
(module (table 2 funcref) (elem (i32.const 0) $a $b) (func $a) (func $b) (memory 1 1) (func (export "f") (param i32) (call_indirect (i32.load (local.get 0)))))

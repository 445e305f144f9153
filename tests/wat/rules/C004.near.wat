;;! no C004
(module (table 2 funcref) (elem (i32.const 0) $a $b) (func $a) (func $b) (func (export "f") (call_indirect (i32.const 1))))

;;! no C001
(module (table 2 funcref) (elem (i32.const 0) $a) (func $a) (func (export "f") (param i32) (call_indirect (i32.load8_u (local.get 0)))) (memory 1 1))

;;! C003 warning
(module (table 2 funcref) (elem declare func $a) (func $a) (func (export "f") (table.set 0 (i32.const 0) (ref.func $a))))

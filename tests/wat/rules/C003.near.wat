;;! no C003
(module (table 2 externref) (func (export "f") (param externref) (table.set 0 (i32.const 0) (local.get 0))))

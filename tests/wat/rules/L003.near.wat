;;! no L003
(module (memory 1 9) (func (export "f") (result i32) (memory.grow (i32.const 1))))

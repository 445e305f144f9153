;;! no C008
(module (func $used) (func (export "f") (call $used)))

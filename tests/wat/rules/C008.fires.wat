;;! C008 info
(module (func $dead) (func (export "f")))

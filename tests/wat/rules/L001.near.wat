;;! no L001
(module (func (export "f") (param i32) (loop $l (br_if $l (local.get 0)))))

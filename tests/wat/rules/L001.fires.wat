;;! L001 warning
(module (func (export "f") (loop $l (br $l))))

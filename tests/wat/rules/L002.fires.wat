;;! L002 info
(module (import "env" "mapping_callback" (func $ask (result i32))) (func (export "f") (loop $l (br_if $l (i32.eqz (call $ask))))))

;;! no L002
(module (import "env" "mapping_callback" (func $ask (result i32))) (func (export "f") (param $n i32) (drop (call $ask)) (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))

;;! L003 warning
(module (memory 1 9) (func (export "f") (loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))))

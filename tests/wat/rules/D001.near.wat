;;! no D001
(module (memory 1 1) (data (i32.const 0) "key AKIAABCDEFGHIJKL end"))

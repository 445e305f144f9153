;;! D001 warning
(module (memory 1 1) (data (i32.const 0) "key AKIAABCDEFGHIJKLMNOP end"))

;;! D004 warning
(module (memory 1 1) (data (i32.const 0) "....\00asm\01\00\00\00...."))

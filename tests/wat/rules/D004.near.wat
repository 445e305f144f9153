;;! no D004
(module (memory 1 1) (data (i32.const 0) "....\00asm\02\00\00\00...."))

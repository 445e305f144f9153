;;! no M005
(module (memory 1 1) (data (i32.const 0) "max user bytes = %10lu\n"))

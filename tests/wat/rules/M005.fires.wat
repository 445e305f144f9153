;;! M005 info
(module (memory 1 1) (data (i32.const 0) "max system bytes = %10lu\n"))

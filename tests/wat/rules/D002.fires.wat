;;! D002 info
(module (memory 1 1) (data (i32.const 0) "https://collector.test/in"))

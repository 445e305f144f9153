;;! no D002
(module (memory 1 1) (data (i32.const 0) "https://docs.rs/regex"))

;;! X001 info
(module (@custom "x" "1") (@custom "x" "2"))

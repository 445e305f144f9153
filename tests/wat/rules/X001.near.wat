;;! no X001
(module (@custom "x" "1") (@custom "y" "2"))

;;! X002 info
(module (memory 1 1) (data (i32.const 0) "called `Option::unwrap()` on a `None` value") (@producers (language "Go" "1.22")))

;; The smallest program that can be seen to run: it logs one line and ends.
(module
  (import "wasmos" "log" (func $log (param $ptr i32) (param $len i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "hello from wasmos")
  (func $main (export "_start")
    (call $log (i32.const 0) (i32.const 17))))

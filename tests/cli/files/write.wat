;; Makes out.txt in the directory that it was given, with five bytes in it; ends with the errno if it cannot.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "out.txt")
  (data (i32.const 16) "hello")
  (data (i32.const 32) "\10\00\00\00\05\00\00\00")
  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (local.get $errno)))))
  (func (export "_start")
    (call $check
      (call $path_open
        (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 7) (i32.const 9)
        (i64.const 64) (i64.const 64) (i32.const 0) (i32.const 64)))
    (call $check
      (call $fd_write (i32.load (i32.const 64)) (i32.const 32) (i32.const 1) (i32.const 68)))))

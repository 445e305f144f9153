;; A module of WASI that came after preview 1.
(module
  (import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "_start")))

(module
  (import "env" "no\1bsuch" (func $missing (param i32) (result i64)))
  (func (export "_start") (drop (call $missing (i32.const 1))))
  (func (export "harmless") (result i32) (i32.const 7))
  (func (export "zero") (result i64) (call $missing (i32.const 1))))

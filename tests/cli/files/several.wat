(module
  (memory (export "memory") 1)
  (func (export "first"))
  (func (export "second\1b[0m") (result i32) (i32.const 2))
  (func (export "third") (param i32 f64)))

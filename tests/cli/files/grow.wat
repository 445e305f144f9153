(module
  (memory 1)
  (func (export "_start") (result i32 i32)
    (memory.grow (i32.const 3))
    (memory.grow (i32.const 1))))

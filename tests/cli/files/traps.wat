(module $traps
  (func $divide (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
  (func $"by\1b[1m\e2\80\aezero" (param i32) (result i32) (call $divide (local.get 0)))
  (func $main (export "main") (drop (call 1 (i32.const 0))))
  (func $deeper (export "deeper") (param i32) (call $deeper (local.get 0)))
  (func $spin (export "spin") (loop $again (br $again)))
  (func (export "unnamed") unreachable))

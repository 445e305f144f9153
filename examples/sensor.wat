;; Reads three sensors and keeps what they say in memory, one i32 each from address 0.
(module
  (import "wasmos" "read_sensor" (func $read_sensor (param $sensor_id i32) (result i32)))
  (memory (export "memory") 1)
  (global $sensors i32 (i32.const 3))
  (func $main (export "_start")
    (local $id i32)
    (loop $next
      (i32.store (i32.shl (local.get $id) (i32.const 2)) (call $read_sensor (local.get $id)))
      (local.set $id (i32.add (local.get $id) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $id) (global.get $sensors))))))

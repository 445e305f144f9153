;; Reads a sensor and sends an alert of level 2 if it is over a threshold.
(module
  (import "wasmos" "read_sensor" (func $read_sensor (param $sensor_id i32) (result i32)))
  (import "wasmos" "send_alert" (func $send_alert (param $ptr i32) (param $len i32) (param $level i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "temperature is high")
  (func $main (export "_start")
    (if (i32.gt_s (call $read_sensor (i32.const 1)) (i32.const 30))
      (then (call $send_alert (i32.const 0) (i32.const 19) (i32.const 2))))))

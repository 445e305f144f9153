;; One of everything that a screen shows.
(module $everything
  (type $unary (func (param i32) (result i32)))
  (rec
    (type $point (sub (struct (field i8) (field (mut i64)))))
    (type $list (sub final $point
      (struct (field i8) (field (mut i64)) (field (ref null $point))))))
  (import "env" "log" (func $log (param i32)))
  (import "env" "limit" (global i32))
  (memory (export "memory") 1 2)
  (memory i64 0)
  (table 10 20 funcref)
  (table i64 4 externref)
  (tag $failure (param i32))
  (global $count (mut i32) (i32.add (i32.const 1) (i32.const 2)))
  (global f32 (f32.const nan:0x200000))
  (global v128 (v128.const i64x2 1 2))
  (elem (i32.const 1) $run $log)
  (elem declare func $run)
  (elem funcref (ref.func $run) (ref.null func))
  (data (i32.const 4) "a \"string\"\00\ff that is longer than a line")
  (data "passive")
  (start $begin)
  (func $begin)
  (func $run (export "run") (type $unary) (local i32 i64 i64)
    block (result i32)
      loop $again
        local.get 0
        br_if $again
      end
      try_table (catch $failure 0)
        i32.const 5
        call $log
        i32.const 1
        throw $failure
      end
      local.get 0
      if (result i32)
        i32.const 1
      else
        i32.const -5
      end
    end
    (drop (v128.load8_lane 1 offset=4 align=1 3
      (i64.const 0) (v128.const i32x4 0 0 0 0)))
    try
      nop
    catch $failure
      drop
    catch_all
    end)
  (@custom "target_features" "\02+\0bmulti-value+\08sign-ext")
  (@producers
    (language "Rust" "1.95")
    (processed-by "rustc" "1.95.0")))

//! One op follows another without using the host's stack, in whatever way this build dispatches them.

use crate::harness::{End, Guest};

/// Ten million ops and more of every family, on a thread whose stack would not hold a frame for a hundredth of them.
#[test]
fn ops_do_not_grow_the_hosts_stack() {
    let run = || {
        let mut guest = Guest::new(
            r#"(module (memory 1) (table 2 funcref) (elem (i32.const 0) $leaf $leaf) (elem $passive func $leaf)
              (global $g (mut i64) (i64.const 0)) (data $d "0123456789")
              (type $t (func (param i32) (result i32)))
              (func $leaf (type $t) (i32.xor (local.get 0) (i32.const 5)))
              (func $tail (type $t) (return_call $leaf (local.get 0)))
              (func $many (result i32 f64 v128) (i32.const 1) (f64.const 2) (v128.const i64x2 3 4))
              (func (export "run") (param $n i32) (result i32)
                (local $x i32) (local $y i64) (local $f f32) (local $d f64) (local $v v128) (local $r funcref)
                (loop $next
                  (local.set $x (i32.rotl (i32.add (local.get $x) (local.get $n)) (i32.const 3)))
                  (local.set $y (i64.mul (i64.add (local.get $y) (i64.extend_i32_u (local.get $x))) (i64.const 7)))
                  (local.set $f (f32.add (local.get $f) (f32.sqrt (f32.convert_i32_u (local.get $x)))))
                  (local.set $d (f64.floor (f64.div (f64.promote_f32 (local.get $f)) (f64.const 3))))
                  (local.set $v (i32x4.add (local.get $v) (i32x4.splat (local.get $x))))
                  (v128.store offset=64 (i32.const 0) (local.get $v))
                  (i64.store (i32.const 8) (local.get $y))
                  (local.set $x (i32.add (local.get $x) (i32.load8_u (i32.and (local.get $x) (i32.const 63)))))
                  (drop (i32.atomic.rmw.add (i32.const 16) (local.get $x)))
                  (global.set $g (i64.add (global.get $g) (local.get $y)))
                  (local.set $x (call $leaf (local.get $x)))
                  (local.set $x (call $tail (local.get $x)))
                  (local.set $x (call_indirect (type $t) (local.get $x) (i32.and (local.get $x) (i32.const 1))))
                  (call $many) (drop) (drop) (drop)
                  (memory.fill (i32.const 200) (i32.const 1) (i32.const 8))
                  (memory.copy (i32.const 210) (i32.const 200) (i32.const 8))
                  (memory.init $d (i32.const 230) (i32.const 0) (i32.const 10))
                  (drop (memory.grow (i32.const 0)))
                  (local.set $r (table.get (i32.const 1)))
                  (table.set (i32.const 0) (local.get $r))
                  (table.init $passive (i32.const 0) (i32.const 0) (i32.const 1))
                  (drop (ref.is_null (ref.func $leaf)))
                  (local.set $x (select (local.get $x) (i32.const 1) (i64.eqz (local.get $y))))
                  (block (block (block (br_table 0 1 2 (i32.rem_u (local.get $n) (i32.const 3)))) (nop)) (nop))
                  (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $x)))"#,
        );
        let end = guest.call("run", &[100_000]);
        assert!(matches!(end, End::Returned(_)), "{end:?}");
        // Without leaving in between, which would give the stack back.
        assert!(guest.used() > 10_000_000, "{}", guest.used());
    };
    std::thread::Builder::new().stack_size(128 * 1024).spawn(run).unwrap().join().unwrap();
}

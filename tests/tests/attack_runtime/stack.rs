//! A032, A033: recursion without end stops by a depth in bytes that the same formula gives on every tier (promise P6).

use wasmos_runtime::{Engine, Limits, Outcome, TrapCode, Val};
use wasmos_tests::guard::on_small_stack;

use crate::{Guest, engines};

/// What a frame costs beside its slots.
const FRAME_BYTES: u32 = 32;
const DEPTH_BYTES: u32 = 1 << 20;

/// How often a function that calls itself without end was entered, and how it ended; on a host stack of 256 KiB.
fn entered(engine: &Engine, limits: Limits, text: &str) -> (TrapCode, Val) {
    on_small_stack(|| {
        let mut guest = Guest::new(engine, limits, text);
        let code = guest.trap("run", &[]);
        let first = guest.global("n");
        // The store is whole: the same again.
        assert_eq!(guest.trap("run", &[]), code);
        (code, first)
    })
}

fn depth(n: u32) -> (TrapCode, Val) {
    (TrapCode::CallStackExhausted, Val::I32(n as i32))
}

#[test]
fn a032_infinite_recursion_ends_at_the_depth_of_the_formula() {
    let text = r#"(module (global $n (export "n") (mut i32) (i32.const 0))
        (func $f (export "run") (global.set $n (i32.add (global.get $n) (i32.const 1))) (call $f)))"#;
    for engine in engines() {
        // Two operands at most.
        assert_eq!(entered(&engine, Limits::unlimited(), text), depth(DEPTH_BYTES / (FRAME_BYTES + 2 * 8)));
        let small = Limits { stack_bytes: 10_000, ..Limits::unlimited() };
        assert_eq!(entered(&engine, small, text), depth(10_000 / (FRAME_BYTES + 2 * 8)));
    }
}

#[test]
fn a032_the_trap_is_the_callees_first_instruction_and_the_trace_is_bounded() {
    let text = r#"(module (func $f (export "run") (call $g) (drop (i32.const 1))) (func $g (call $f)))"#;
    for engine in engines() {
        let mut guest = Guest::new(&engine, Limits::unlimited(), text);
        let Outcome::Trapped(trap) = guest.call("run", &[]) else { panic!("no trap") };
        assert_eq!(trap.code, TrapCode::CallStackExhausted);
        assert!(trap.backtrace.len() <= 100 && trap.left_out > 10_000, "{} frames", trap.backtrace.len());
    }
}

/// A function with so many parameters and locals that calls itself through a table.
fn indirect(params: usize, locals: usize) -> String {
    let (types, gets) = ("i64 ".repeat(params), "(local.get 0) ".repeat(params));
    let zeros = "(i64.const 0) ".repeat(params);
    format!(
        r#"(module (type $t (func (param {types}))) (global $n (export "n") (mut i32) (i32.const 0))
        (table funcref (elem $f))
        (func $f (type $t) (local {})
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (call_indirect (type $t) {gets} (i32.const 0)))
        (func (export "run") (call $f {zeros})))"#,
        "i64 ".repeat(locals)
    )
}

#[test]
fn a033_the_stack_is_counted_in_bytes_and_not_in_frames() {
    for (params, locals) in [(1, 0), (1, 1_000), (1_000, 0), (1_000, 1_000), (1_000, 49_000), (1, 49_999)] {
        let text = indirect(params, locals);
        for engine in engines() {
            // The highest operands are the arguments and the index, in the function and in what calls it first; or the
            // counter's two.
            let highest = (params + 1).max(2) as u32;
            let frame = FRAME_BYTES + 8 * (params as u32 + locals as u32 + highest);
            let first = FRAME_BYTES + 8 * params as u32;
            let wanted = (DEPTH_BYTES - first) / frame;
            assert_eq!(
                entered(&engine, Limits::unlimited(), &text),
                depth(wanted),
                "{params} parameters, {locals} locals"
            );
        }
    }
}

#[test]
fn a033_a_function_that_fits_nothing_traps_before_it_begins() {
    let text = indirect(1, 49_999);
    for engine in engines() {
        let limits = Limits { stack_bytes: 64 * 1024, ..Limits::unlimited() };
        assert_eq!(entered(&engine, limits, &text), depth(0));
    }
}

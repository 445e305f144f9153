//! A030, A031, A039, A040, A058: loops without end, the exact count, and limits at the edge of the numbers.

use std::time::Duration;

use wasmos_runtime::{HostFailure, Limits, Linker, Outcome, TrapCode, Val};
use wasmos_tests::guard::in_time;

use crate::{Guest, engines, fuelled, module, trap};

#[test]
fn a030_an_endless_loop_stops_at_exactly_its_fuel() {
    for engine in engines() {
        let module = module(&engine, r#"(module (func (export "run") (loop (br 0))))"#);
        for fuel in (0..100).chain([999, 1_000, 1_001, 123_456, 5_000_000]) {
            let mut guest = Guest::of(&engine, fuelled(fuel), &module);
            assert_eq!(guest.call("run", &[]), Outcome::OutOfFuel);
            assert_eq!(guest.store.fuel_used(), fuel);
        }
    }
}

#[test]
fn a030_the_state_at_the_stop_can_be_inspected() {
    let text = r#"(module (memory (export "memory") 1) (global $n (export "n") (mut i32) (i32.const 0))
        (func (export "run")
            (loop
                (global.set $n (i32.add (global.get $n) (i32.const 1)))
                (i32.store (i32.const 8) (global.get $n))
                (br 0))))"#;
    for engine in engines() {
        for fuel in [0, 7, 8, 100, 12_345] {
            let mut guest = Guest::new(&engine, fuelled(fuel), text);
            assert_eq!(guest.call("run", &[]), Outcome::OutOfFuel);
            // A round is eight instructions, and it is not begun unless all of it can be paid for.
            let rounds = fuel / 8;
            assert_eq!(guest.store.fuel_used(), rounds * 8);
            assert_eq!(guest.global("n"), Val::I32(rounds as i32));
            let memory = guest.memory();
            assert_eq!(memory.data(&guest.store)[8..12], (rounds as u32).to_le_bytes());
        }
    }
}

/// Loops of each kind that can be without end.
const ENDLESS: &str = r#"(module (table funcref (elem $a)) (type $t (func (param i32)))
    (func (export "loop") (loop (br 0)))
    (func (export "br_table") (loop (br_table 0 0 0 (i32.const 1))))
    (func $a (type $t) (return_call $b (local.get 0)))
    (func $b (type $t) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))
    (func (export "tail") (return_call $a (i32.const 5)))
    (func $nothing)
    (func (export "calls") (loop (call $nothing) (br 0))))"#;

#[test]
fn a031_an_endless_loop_stops_at_its_time() {
    for engine in engines() {
        let module = module(&engine, ENDLESS);
        for name in ["loop", "br_table", "tail", "calls"] {
            let (engine, module) = (engine.clone(), module.clone());
            let limits = Limits { timeout: Some(Duration::from_millis(20)), ..Limits::unlimited() };
            let outcome = in_time(move || Guest::of(&engine, limits, &module).call(name, &[]));
            assert_eq!(outcome, Outcome::Deadline, "{name}");
        }
    }
}

#[test]
fn a031_a_start_function_without_end_stops_at_its_time() {
    for engine in engines() {
        let module = module(&engine, "(module (func $f (loop (br 0))) (start $f))");
        let limits = Limits { timeout: Some(Duration::from_millis(20)), ..Limits::unlimited() };
        let linker = Linker::new(&engine);
        let error = in_time(move || Guest::linked(&linker, limits, (), &module).err()).unwrap();
        assert!(matches!(error, wasmos_runtime::Error::Guest(outcome) if *outcome == Outcome::Deadline));
    }
}

/// What traps, how many instructions it is with the trapping one, and the trap.
const TRAPS: &[(&str, u64, TrapCode)] = &[
    ("unreachable", 1, TrapCode::Unreachable),
    ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", 3, TrapCode::IntegerDivideByZero),
    ("(drop (i64.rem_u (i64.const 1) (i64.const 0)))", 3, TrapCode::IntegerDivideByZero),
    ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", 3, TrapCode::IntegerOverflow),
    ("(drop (i32.trunc_f32_s (f32.const nan)))", 2, TrapCode::InvalidConversion),
    ("(drop (i32.load (i32.const -1)))", 2, TrapCode::MemoryOutOfBounds),
    ("(i64.store (i32.const 65529) (i64.const 0))", 3, TrapCode::MemoryOutOfBounds),
    ("(memory.fill (i32.const 65535) (i32.const 0) (i32.const 1000000))", 4, TrapCode::MemoryOutOfBounds),
    ("(memory.init $d (i32.const 0) (i32.const 0) (i32.const 3))", 4, TrapCode::MemoryOutOfBounds),
    ("(drop (table.get (i32.const 2)))", 2, TrapCode::TableOutOfBounds),
    ("(table.fill (i32.const 1) (ref.null func) (i32.const 2))", 4, TrapCode::TableOutOfBounds),
    ("(call_indirect (type $t) (i32.const 2))", 2, TrapCode::UndefinedElement),
    ("(call_indirect (type $t) (i32.const 1))", 2, TrapCode::UninitializedElement),
    ("(call_indirect (type $t) (i32.const 0))", 2, TrapCode::IndirectCallType),
    ("(call_ref $t (ref.null $t))", 2, TrapCode::NullFunctionReference),
    ("(drop (ref.as_non_null (ref.null func)))", 2, TrapCode::NullReference),
];

#[test]
fn a039_fuel_at_a_trap_is_what_ran_with_the_trapping_instruction() {
    for (body, instructions, code) in TRAPS {
        // What stands behind the trap is charged with the block in front of it, and given back.
        let text = format!(
            r#"(module (type $t (func)) (memory 1) (data $d "ab") (table 2 funcref) (elem (i32.const 0) $other)
            (func $other (param i64))
            (func (export "run") (param $n i32)
                (loop $burn
                    (br_if $burn (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                {body} {}))"#,
            "(drop (i32.const 1))".repeat(50)
        );
        for engine in engines() {
            let module = module(&engine, &text);
            for rounds in [1_u16, 2, 1_000] {
                let mut guest = Guest::of(&engine, Limits::unlimited(), &module);
                assert_eq!(guest.trap("run", &[Val::I32(rounds.into())]), *code, "{body}");
                // local.get, i32.const, i32.sub, local.tee, br_if.
                let used = u64::from(rounds) * 5 + instructions;
                let counted = [guest.store.fuel_used(), guest.store.instructions()];
                assert_eq!(counted, [used, used], "{body}");
            }
        }
    }
}

#[test]
fn a040_without_fuel_nothing_runs() {
    let text = r#"(module (global $n (export "n") (mut i32) (i32.const 0))
        (func (export "run") (global.set $n (i32.const 1))) (func (export "empty")))"#;
    for engine in engines() {
        let mut guest = Guest::new(&engine, fuelled(0), text);
        assert_eq!(guest.call("run", &[]), Outcome::OutOfFuel);
        assert_eq!((guest.global("n"), guest.store.fuel_used()), (Val::I32(0), 0));
        // Nothing costs nothing.
        assert_eq!(guest.call("empty", &[]), Outcome::Returned(vec![]));
    }
}

/// A guest that lets the host charge what it likes, once for each call.
fn charged(engine: &wasmos_runtime::Engine, limits: Limits) -> Guest {
    let text = r#"(module (import "host" "charge" (func $charge (param i64)))
        (func (export "run") (param i64) (call $charge (local.get 0)))
        (func (export "loop") (loop (br 0))))"#;
    let mut linker = Linker::new(engine);
    let charge = |mut caller: wasmos_runtime::Caller<'_, ()>, units: u64| -> Result<(), HostFailure> {
        caller.charge(units)
    };
    linker.func_wrap("host", "charge", charge).unwrap();
    Guest::linked(&linker, limits, (), &module(engine, text)).unwrap()
}

#[test]
fn a040_a_host_call_that_costs_more_than_is_left_charges_nothing() {
    for engine in engines() {
        let mut guest = charged(&engine, fuelled(100));
        // Two instructions, and what is left after them.
        assert_eq!(guest.call("run", &[Val::I64(99)]), Outcome::OutOfFuel);
        assert_eq!(guest.store.fuel_used(), 2);
        assert_eq!(guest.call("run", &[Val::I64(96)]), Outcome::Returned(vec![]));
        assert_eq!((guest.store.fuel_used(), guest.store.instructions()), (100, 4));
        assert_eq!(guest.call("run", &[Val::I64(0)]), Outcome::OutOfFuel);
        guest.store.set_fuel_limit(u64::MAX);
        assert_eq!(guest.call("run", &[Val::I64(0)]), Outcome::Returned(vec![]));
        assert_eq!(guest.store.fuel_used(), 102);
    }
}

#[test]
fn a040_counts_at_the_edge_of_the_numbers_do_not_wrap() {
    for limits in [fuelled(u64::MAX), fuelled(u64::MAX - 1), Limits::unlimited()] {
        for engine in engines() {
            let mut guest = charged(&engine, limits.clone());
            assert_eq!(guest.call("run", &[Val::I64(-1)]), Outcome::OutOfFuel);
            assert_eq!(guest.store.fuel_used(), 2, "nothing is charged");
            assert_eq!(guest.call("run", &[Val::I64(-100)]), Outcome::Returned(vec![]));
            assert_eq!(guest.store.fuel_used(), u64::MAX - 95);
            assert_eq!(guest.call("run", &[Val::I64(1_000)]), Outcome::OutOfFuel);
            let outcome = in_time(move || {
                let outcome = guest.call("loop", &[]);
                (outcome, guest.store.fuel_used())
            });
            let all = limits.fuel.unwrap_or(u64::MAX);
            assert_eq!(outcome, (Outcome::OutOfFuel, all));
        }
    }
}

#[test]
fn a058_tail_calls_without_end_stop_at_their_fuel_in_one_frame() {
    let text = r#"(module (type $t (func (param i32 i64)))
        (func $a (type $t) (if (i32.eqz (local.get 0)) (then unreachable))
            (return_call $b (i32.sub (local.get 0) (i32.const 1)) (i64.const 1) (i64.const 2) (i64.const 3)))
        (func $b (param i32 i64 i64 i64) (local v128 v128) (return_call $a (local.get 0) (local.get 1)))
        (func (export "run") (param i32) (call $a (local.get 0) (i64.const 0))))"#;
    for engine in engines() {
        let mut guest = Guest::new(&engine, fuelled(1_000_000), text);
        assert_eq!(guest.call("run", &[Val::I32(-1)]), Outcome::OutOfFuel);
        let used = guest.store.fuel_used();
        assert!((999_000..=1_000_000).contains(&used), "{used}");

        // Half a million rounds are a million tail calls.
        let mut guest = Guest::new(&engine, Limits::unlimited(), text);
        let outcome = guest.call("run", &[Val::I32(500_000)]);
        let Outcome::Trapped(last) = &outcome else { panic!("{outcome:?}") };
        let frames: Vec<_> = last.backtrace.iter().map(|frame| frame.func.0).collect();
        assert_eq!((frames, last.left_out), (vec![0, 2], 0));
        assert_eq!(trap(outcome), TrapCode::Unreachable);
    }
}

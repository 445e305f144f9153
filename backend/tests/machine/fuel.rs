//! Promises P2 to P4: what is counted, where a run stops, and that slices change nothing.

use crate::harness::{End, Guest};
use wasmos_abi::TrapCode;
use wasmos_backend::vm::{Exit, Fuel, Machine};

/// Programs with their export `run: [i32] -> [i32]`, an argument, and what they use, counted by hand: a row costs 1;
/// `block`, `loop`, `else`, `end` and `nop` cost nothing.
pub(crate) const COUNTED: &[(&str, u64, u64)] = &[
    // Nothing but the end.
    ("(func (export \"run\") (param i32) (result i32) (local.get 0))", 0, 1),
    // get, const, add.
    ("(func (export \"run\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))", 0, 3),
    // get, if; then const; else const.
    ("(func (export \"run\") (param i32) (result i32)
        (if (result i32) (local.get 0) (then (i32.const 1) (nop)) (else (i32.const 2))))", 1, 3),
    ("(func (export \"run\") (param i32) (result i32)
        (if (local.get 0) (then (drop (i32.const 1)))) (i32.const 3))", 0, 3),
    ("(func (export \"run\") (param i32) (result i32)
        (if (local.get 0) (then (drop (i32.const 1)))) (i32.const 3))", 1, 5),
    // Six instructions for each of ten rounds (get, const, sub, tee, br_if is five), then get.
    ("(func (export \"run\") (param i32) (result i32)
        (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0))", 10, 51),
    // A branch that lands on a branch: get, br_if, and not taken const, drop; then br; then const.
    ("(func (export \"run\") (param i32) (result i32)
        (block $out (block $in (br_if $in (local.get 0)) (drop (i32.const 1))) (br $out)) (i32.const 7))", 1, 4),
    ("(func (export \"run\") (param i32) (result i32)
        (block $out (block $in (br_if $in (local.get 0)) (drop (i32.const 1))) (br $out)) (i32.const 7))", 0, 6),
    // A label with a value: const, get, br_if; not taken: drop, const.
    ("(func (export \"run\") (param i32) (result i32)
        (block (result i32) (br_if 0 (i32.const 5) (local.get 0)) (drop) (i32.const 6)))", 1, 3),
    ("(func (export \"run\") (param i32) (result i32)
        (block (result i32) (br_if 0 (i32.const 5) (local.get 0)) (drop) (i32.const 6)))", 0, 5),
    // br_table: get, br_table, then one or two constants with their drops, then const.
    ("(func (export \"run\") (param i32) (result i32)
        (block $a (block $b (br_table $a $b (local.get 0))) (drop (i32.const 1))) (i32.const 2))", 0, 3),
    ("(func (export \"run\") (param i32) (result i32)
        (block $a (block $b (br_table $a $b (local.get 0))) (drop (i32.const 1))) (i32.const 2))", 9, 5),
    // Recursion: each level get, if, get, const, sub, call, and at the bottom get, if, const; then get, add on the way.
    ("(func $f (export \"run\") (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (local.get 0) (call $f (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))", 4, 4 * 8 + 3),
    // memory.grow: const, grow and 16 for the page, drop, const; a failed one costs 1.
    ("(memory 1 2) (func (export \"run\") (param i32) (result i32) (drop (memory.grow (i32.const 1))) (i32.const 0))", 0, 4 + 16),
    ("(memory 1 2) (func (export \"run\") (param i32) (result i32) (memory.grow (i32.const 2)))", 0, 2),
    // memory.fill: three operands, fill and 100 for 6,400 bytes, const.
    ("(memory 1) (func (export \"run\") (param i32) (result i32)
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 6463)) (i32.const 0))", 0, 5 + 100),
    // table.grow: ref.null, const, grow and 2 for 16 elements.
    ("(table 0 funcref) (func (export \"run\") (param i32) (result i32) (table.grow (ref.null func) (i32.const 16)))", 0, 3 + 2),
];

fn module(body: &str) -> Guest {
    Guest::new(&format!("(module {body})"))
}

#[test]
fn what_is_counted_is_what_was_begun() {
    for (body, arg, units) in COUNTED {
        let mut guest = module(body);
        let end = guest.call("run", &[*arg]);
        assert!(matches!(end, End::Returned(_)), "{body}: {end:?}");
        assert_eq!(guest.used(), *units, "{body}");
    }
}

#[test]
fn what_was_printed_suffices_and_one_less_does_not() {
    for (body, arg, units) in COUNTED {
        let mut guest = module(body);
        guest.machine.set_fuel_limit(*units);
        assert!(matches!(guest.call("run", &[*arg]), End::Returned(_)), "{body}");
        let mut guest = module(body);
        guest.machine.set_fuel_limit(units - 1);
        let func = guest.func("run");
        guest.machine.start(func, &[*arg]).unwrap();
        let mut exit = guest.machine.resume(u64::MAX);
        assert_eq!(exit, Exit::OutOfFuel, "{body}");
        // The limit was never the reason to lose something: with a larger one the run goes on.
        guest.machine.set_fuel_limit(u64::MAX);
        while exit != Exit::Returned {
            exit = guest.machine.resume(1);
        }
        assert_eq!(guest.used(), *units, "{body}");
    }
}

#[test]
fn nothing_runs_without_fuel_and_an_endless_loop_ends_at_the_limit() {
    let mut guest = Guest::new(r#"(module (func (export "run") (loop (br 0))))"#);
    for limit in [0, 1, 2, 1_000_000] {
        guest.machine.set_fuel_limit(limit);
        let func = guest.func("run");
        guest.machine.start(func, &[]).unwrap();
        assert_eq!(guest.machine.resume(u64::MAX), Exit::OutOfFuel);
        assert_eq!(guest.used(), limit);
        guest.machine.abandon();
    }
}

#[test]
fn a_trap_gives_back_what_did_not_run() {
    // get, load, which traps; drop, const and what follows did not run.
    let cases = [
        ("(drop (i32.load (local.get 0))) (i32.const 1)", 2, TrapCode::MemoryOutOfBounds),
        (
            "(block (drop (i32.load (local.get 0)))) (drop (i32.const 1)) (i32.const 1)",
            2,
            TrapCode::MemoryOutOfBounds,
        ),
        // Behind a label that is reached by falling, whose charge was paid ahead.
        (
            "(block (br_if 0 (i32.eqz (local.get 0))) (drop (i32.const 3))) (drop (i32.load (local.get 0))) (i32.const 1)",
            3 + 2 + 2,
            TrapCode::MemoryOutOfBounds,
        ),
        (
            "(block (br_if 0 (local.get 0)) (drop (i32.const 3))) (drop (i32.load (local.get 0))) (i32.const 1)",
            2 + 2,
            TrapCode::MemoryOutOfBounds,
        ),
        // In front of such a label.
        (
            "(block (br_if 0 (i32.eqz (local.get 0))) (drop (i32.load (local.get 0)))) (drop (i32.const 1)) (i32.const 1)",
            3 + 2,
            TrapCode::MemoryOutOfBounds,
        ),
        // An address that is added up by the load itself: get, get, add, load.
        ("(i32.load (i32.add (local.get 0) (local.get 0)))", 4, TrapCode::MemoryOutOfBounds),
        ("(i32.div_u (i32.const 1) (i32.const 0)) (drop) (i32.const 1)", 3, TrapCode::IntegerDivideByZero),
        ("(unreachable) (i32.const 1)", 1, TrapCode::Unreachable),
        ("(drop (i32.const 1)) (unreachable)", 3, TrapCode::Unreachable),
        (
            "(memory.fill (i32.const 0) (i32.const 0) (i32.const -1)) (i32.const 1)",
            4,
            TrapCode::MemoryOutOfBounds,
        ),
    ];
    for (body, units, code) in cases {
        let text = format!("(module (memory 1) (func (export \"run\") (param i32) (result i32) {body}))");
        let mut guest = Guest::new(&text);
        assert_eq!(guest.trap("run", &[0x7fff_ffff]), code, "{body}");
        assert_eq!(guest.used(), units, "{body}");
    }
}

#[test]
fn a_bulk_operation_is_not_begun_without_fuel() {
    let mut guest = Guest::new(
        r#"(module (memory (export "m") 1)
          (func (export "run") (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536))))"#,
    );
    // Three operands and the fill fit, the surcharge of 1,024 does not.
    guest.machine.set_fuel_limit(4 + 1_023);
    let func = guest.func("run");
    guest.machine.start(func, &[]).unwrap();
    assert_eq!(guest.machine.resume(u64::MAX), Exit::OutOfFuel);
    assert_eq!(guest.machine.fuel(), Fuel { used: 4, surcharges: 0, limit: 4 + 1_023 });
    guest.machine.set_fuel_limit(4 + 1_024);
    assert_eq!(guest.machine.resume(u64::MAX), Exit::Returned);
    assert_eq!(guest.machine.fuel(), Fuel { used: 1_028, surcharges: 1_024, limit: 1_028 });
    guest.machine.abandon();
    // Out of bounds comes first, and pays nothing.
    guest.machine.set_fuel_limit(u64::MAX);
}

#[test]
fn a_long_operation_leaves_between_its_pieces_and_ends_as_one() {
    let mut guest = Guest::new(
        r#"(module (memory 4)
          (func (export "fill") (memory.fill (i32.const 5) (i32.const 7) (i32.const 200000)))
          (func (export "copy") (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 130000)))
          (func (export "at") (param i32) (result i32) (i32.load8_u (local.get 0)))
          (func (export "put") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))"#,
    );
    let func = guest.func("fill");
    guest.machine.start(func, &[]).unwrap();
    let mut polls = 0;
    while guest.machine.resume(u64::MAX) == Exit::Poll {
        polls += 1;
    }
    assert_eq!(polls, 3);
    guest.machine.abandon();
    assert_eq!([4, 5, 200_004, 200_005].map(|at| guest.get("at", &[at])), [0, 7, 7, 0]);
    for at in 0..130_000_u64 {
        guest.call("put", &[at, at % 251]);
    }
    // Up by less than the length, and down: both overlap.
    guest.call("copy", &[100, 0]);
    assert!((0..130_000).step_by(97).all(|at| guest.get("at", &[at + 100]) == at % 251));
    guest.call("copy", &[0, 100]);
    assert!((0..130_000).step_by(97).all(|at| guest.get("at", &[at]) == at % 251));
}

#[test]
fn the_hosts_costs_and_the_tests_around_its_calls() {
    let wat = r#"(module (import "h" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (call $f (i32.const 1)))))"#;
    let mut guest = Guest::new(wat);
    let end = guest.call_host("run", &[], u64::MAX, |machine: &mut Machine, _, args| {
        assert!(machine.charge(10));
        vec![args[0] + 1]
    });
    assert_eq!(end, End::Returned(vec![3]));
    let fuel = guest.machine.fuel();
    assert_eq!((fuel.used, fuel.surcharges), (3 + 20, 20));
    // With three units the second call is not made once the first has used the rest.
    guest.machine.set_fuel_limit(fuel.used + 3);
    let func = guest.func("run");
    guest.machine.start(func, &[]).unwrap();
    assert!(matches!(guest.machine.resume(u64::MAX), Exit::HostCall { host: 0, .. }));
    assert!(!guest.machine.charge(2) && guest.machine.charge(1));
    guest.machine.results_mut()[0] = 5;
    assert!(matches!(guest.machine.resume(u64::MAX), Exit::OutOfFuel));
    guest.machine.set_fuel_limit(u64::MAX);
    assert!(matches!(guest.machine.resume(u64::MAX), Exit::HostCall { .. }));
    assert_eq!(guest.machine.args(), [5]);
}

/// A program with every kind of edge: calls, recursion, tables, loops in loops, bulk operations.
pub(crate) const MIXED: &str = r#"(module (memory 1) (table funcref (elem $a $b)) (global $g (mut i32) (i32.const 0))
  (type $t (func (param i32) (result i32)))
  (func $a (type $t) (i32.add (local.get 0) (i32.const 3)))
  (func $b (type $t) (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
    (else (i32.add (call $b (i32.sub (local.get 0) (i32.const 1))) (call $b (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "run") (param i32) (result i32) (local $i i32) (local $j i32)
    (loop $outer
      (local.set $j (i32.const 0))
      (block $done
        (loop $inner
          (br_if $done (i32.ge_u (local.get $j) (local.get $i)))
          (i32.store8 (local.get $j) (i32.mul (local.get $i) (local.get $j)))
          (global.set $g (i32.add (global.get $g) (i32.load8_u (local.get $j))))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br $inner)))
      (global.set $g (i32.xor (global.get $g)
        (call_indirect (type $t) (i32.and (local.get $i) (i32.const 7)) (i32.and (local.get $i) (i32.const 1)))))
      (memory.fill (i32.const 100) (local.get $i) (i32.mul (local.get $i) (i32.const 50)))
      (memory.copy (i32.const 0) (i32.const 90) (i32.const 30))
      (block $c (block $b (block $a
        (br_table $a $b $c (i32.rem_u (local.get $i) (i32.const 4))))
        (global.set $g (i32.add (global.get $g) (i32.const 11))) (br $c))
        (global.set $g (i32.rotl (global.get $g) (i32.const 3))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $outer (i32.lt_u (local.get $i) (local.get 0))))
    (global.get $g)))"#;

#[test]
fn slices_of_any_size_change_nothing() {
    let whole = {
        let mut guest = Guest::new(MIXED);
        (guest.call("run", &[40]), guest.used(), memory(&guest))
    };
    assert!(matches!(whole.0, End::Returned(_)));
    let mut random = 88_172_645_463_325_252_u64;
    for most in [1, 2, 3, 10, 100, 1_000, 10_000] {
        let mut guest = Guest::new(MIXED);
        let func = guest.func("run");
        guest.machine.start(func, &[40]).unwrap();
        let mut exits = 0;
        let end = loop {
            // xorshift64.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            exits += 1;
            match guest.machine.resume(random % most) {
                Exit::Slice | Exit::Poll => {}
                Exit::Returned => break End::Returned(guest.machine.results().to_vec()),
                exit => panic!("{exit:?}"),
            }
        };
        guest.machine.abandon();
        assert_eq!((end, guest.used(), memory(&guest)), whole, "slices below {most}");
        assert!(exits as u64 > whole.1 / (most + 1_000), "{exits} exits");
    }
}

fn memory(guest: &Guest) -> Vec<u8> {
    let id = guest.memory0();
    guest.machine.memory(id).bytes().to_vec()
}

#[test]
fn a_limit_anywhere_stops_before_it_or_within_a_thousand() {
    let mut whole = Guest::new(MIXED);
    whole.call("run", &[12]);
    let used = whole.used();
    for limit in (0..used).step_by(7) {
        let mut guest = Guest::new(MIXED);
        guest.machine.set_fuel_limit(limit);
        let func = guest.func("run");
        guest.machine.start(func, &[12]).unwrap();
        let exit = loop {
            let exit = guest.machine.resume(u64::MAX);
            if exit != Exit::Poll {
                break exit;
            }
        };
        assert_eq!(exit, Exit::OutOfFuel, "limit {limit} of {used}");
        assert!(guest.used() <= limit + 1_000, "{} for {limit}", guest.used());
    }
}

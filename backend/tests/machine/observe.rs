//! Observed runs: nothing differs but that they can be watched, and what is seen is what runs.
#![allow(clippy::unwrap_used, reason = "in tests, as the configuration of the lints says")]

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::fuel::{COUNTED, MIXED};
use crate::harness::{End, Guest, code};
use wasmos_frontend::blocks;
use wasmos_frontend::types::{FuncIdx, ValType};

use wasmos_backend::vm::{Exit, MachineConfig, Place, Watch};

/// Calls `run`, hands each place that is stopped at to `see`, and returns how it ended.
fn watched(guest: &mut Guest, watch: Watch, arg: u64, mut see: impl FnMut(&mut Guest, Place)) -> End {
    let func = guest.func("run");
    guest.machine.watch(watch);
    guest.machine.start(func, &[arg]).unwrap();
    let end = loop {
        match guest.machine.resume(u64::MAX) {
            Exit::Step(place) => {
                assert_eq!(guest.machine.place(), Some(place));
                see(guest, place);
            }
            Exit::Returned => break End::Returned(guest.machine.results().to_vec()),
            Exit::Trap(code) => {
                let frames = guest.machine.backtrace().frames;
                break End::Trapped(code, frames.iter().map(|frame| frame.offset).collect());
            }
            Exit::Poll | Exit::Slice => {}
            exit => panic!("{exit:?}"),
        }
    };
    guest.machine.abandon();
    end
}

/// What the instruction at a place costs by its row.
fn row_cost(guest: &Guest, place: Place) -> u64 {
    let body = guest.module.body(place.func).unwrap();
    let (_, mut instrs) = guest.module.code(body).unwrap();
    let (_, instr) = instrs.find(|(offset, _)| *offset == place.offset).unwrap();
    instr.op().info().fuel.into()
}

fn programs() -> Vec<(String, u64)> {
    let counted = COUNTED.iter().map(|(body, arg, _)| (format!("(module {body})"), *arg));
    let traps = [
        ("(unreachable)", 1),
        ("(i32.div_u (i32.const 7) (local.get 0))", 0),
        ("(i32.add (i32.load (local.get 0)) (i32.const 1))", 0xffff_ffff),
        ("(drop (i32.const 1)) (nop) (block (unreachable)) (i32.const 1)", 0),
    ];
    let trap = |(body, arg): (&str, u64)| {
        let text = format!("(module (memory 1) (func (export \"run\") (param i32) (result i32) {body}))");
        (text, arg)
    };
    counted.chain(traps.into_iter().map(trap)).chain([(MIXED.to_owned(), 12)]).collect()
}

#[test]
fn an_observed_run_ends_as_any_other_with_the_same_fuel() {
    for (text, arg) in programs() {
        let mut plain = Guest::new(&text);
        let wanted = plain.call("run", &[arg]);
        for watch in [Watch::Nothing, Watch::Calls, Watch::Blocks, Watch::Instructions] {
            let mut guest = observed(&text);
            assert_eq!(watched(&mut guest, watch, arg, |_, _| {}), wanted, "{watch:?} {text}");
            assert_eq!(guest.machine.fuel(), plain.machine.fuel(), "{watch:?} {text}");
        }
    }
}

#[test]
fn what_is_seen_is_what_is_counted_at_each_instruction() {
    for (text, arg) in programs() {
        let mut guest = observed(&text);
        let mut begun = 0;
        watched(&mut guest, Watch::Instructions, arg, |guest, place| {
            let fuel = guest.machine.fuel();
            let seen = fuel.used - fuel.surcharges - u64::from(place.ahead);
            assert_eq!(seen, begun, "at {:#x} of {text}", place.offset);
            begun += row_cost(guest, place);
        });
        let fuel = guest.machine.fuel();
        assert_eq!(begun, fuel.used - fuel.surcharges, "{text}");
    }
}

#[test]
fn slices_and_limits_stop_an_observed_run_where_they_stop_another() {
    let stops = |mut guest: Guest, slice: u64| {
        let func = guest.func("run");
        guest.machine.start(func, &[12]).unwrap();
        let mut stops = Vec::new();
        while guest.machine.resume(slice) == Exit::Slice {
            stops.push((guest.machine.fuel().used, guest.machine.backtrace()));
        }
        stops
    };
    for slice in [1, 17, 400] {
        let plain = stops(Guest::new(MIXED), slice);
        assert!(plain.len() > 3);
        assert_eq!(stops(observed(MIXED), slice), plain);
    }
    for limit in [0, 1, 2, 100, 1_000] {
        let [plain, observed] = [Guest::new(MIXED), observed(MIXED)].map(|mut guest| {
            guest.machine.set_fuel_limit(limit);
            let func = guest.func("run");
            guest.machine.start(func, &[12]).unwrap();
            (guest.machine.resume(u64::MAX), guest.machine.fuel(), guest.machine.backtrace())
        });
        assert_eq!(plain, observed);
    }
}

#[test]
fn the_blocks_that_are_entered_are_those_of_the_plan() {
    let text = r#"(module (func (export "run") (param i32) (result i32)
        (if (result i32) (local.get 0) (then (i32.const 1) (nop)) (else (i32.const 2)))
        (drop) (i32.const 3)))"#;
    let covered = |arg: u64| {
        let mut guest = observed(text);
        let mut seen = BTreeSet::new();
        watched(&mut guest, Watch::Blocks, arg, |_, place| {
            assert!(seen.insert(place.offset), "each block runs once");
        });
        let body = guest.module.validate_body(FuncIdx(0)).unwrap().unwrap();
        let plan: BTreeSet<_> = blocks::plan(body).iter().map(|charge| charge.offset).collect();
        assert!(seen.is_subset(&plan));
        (seen, plan)
    };
    let ((one, plan), (other, _)) = (covered(1), covered(0));
    assert_eq!((plan.len(), one.len(), other.len()), (4, 3, 3));
    assert_eq!(one.union(&other).copied().collect::<BTreeSet<_>>(), plan);
}

#[test]
fn each_function_that_is_entered_is_seen_once() {
    let text = r#"(module
        (func $leaf)
        (func $loops (loop (call $leaf)))
        (func (export "run") (param i32) (result i32)
          (loop $again (call $loops) (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
          (i32.const 0)))"#;
    let mut guest = observed(text);
    let mut entered = Vec::new();
    watched(&mut guest, Watch::Calls, 2, |_, place| entered.push(place.func.0));
    assert_eq!(entered, [2, 1, 0, 1, 0]);
}

#[test]
fn a_breakpoint_stops_at_its_instruction_and_everything_can_be_read() {
    let text = r#"(module (func (export "run") (param $n i32) (result i32) (local $wide i64) (local $v v128) (local $f f64)
        (local.set $wide (i64.extend_i32_u (i32.mul (local.get $n) (i32.const 3))))
        (local.set $v (v128.const i64x2 5 6))
        (local.set $f (f64.const 0.5))
        (i32.sub (i32.const 50) (i32.add (local.get $n) (i32.const 8)))))"#;
    let mut guest = observed(text);
    let body = guest.module.body(FuncIdx(0)).unwrap();
    let (_, instrs) = guest.module.code(body).unwrap();
    let offsets: Vec<u32> = instrs.map(|(offset, _)| offset).collect();
    let add = offsets[offsets.len() - 3];
    assert!(guest.machine.set_breakpoint(guest.instance, add, true));
    // In the middle of an instruction, in front of the body, behind it.
    for wrong in [offsets[1] + 1, offsets[0] - 1, 0, u32::MAX] {
        assert!(!guest.machine.set_breakpoint(guest.instance, wrong, true), "{wrong:#x}");
    }
    let mut stops = 0;
    let end = watched(&mut guest, Watch::Nothing, 7, |guest, place| {
        stops += 1;
        assert_eq!((place.offset, place.is_breakpoint, place.is_watched), (add, true, false));
        let backtrace = guest.machine.backtrace();
        assert_eq!(backtrace.frames[0].offset, add);
        assert_eq!(
            guest.machine.locals(),
            [
                (ValType::I32, [7, 0]),
                (ValType::I64, [21, 0]),
                (ValType::V128, [5, 6]),
                (ValType::F64, [0.5_f64.to_bits(), 0])
            ]
        );
        let i32s = |values: [u64; 3]| values.map(|value| (ValType::I32, [value, 0])).to_vec();
        assert_eq!(guest.machine.operands(), i32s([50, 7, 8]));
    });
    assert_eq!((end, stops), (End::Returned(vec![35]), 1));
    assert!(guest.machine.set_breakpoint(guest.instance, add, false));
    watched(&mut guest, Watch::Nothing, 7, |_, place| panic!("{place:?}"));
    let mut plain = Guest::new(text);
    assert!(!plain.machine.set_breakpoint(plain.instance, add, true), "nothing can be observed there");
}

/// Makes an instance whose instructions can be observed.
fn observed(wat: &str) -> Guest {
    Guest::with(&Arc::new(code(wat).observed()), MachineConfig::default())
}

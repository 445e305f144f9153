//! Calls: depth, tail calls, indirect calls, calls between instances and by the host.

use crate::harness::{End, Guest, code, drive, instantiate};
use wasmos_abi::TrapCode;
use wasmos_backend::vm::{Exit, Machine, MachineConfig, Origin};
use wasmos_frontend::types::FuncIdx;

#[test]
fn depth_is_counted_in_bytes_and_tested_before_fuel() {
    // A frame of one parameter and two operands: 32 + 8 x 3 = 56 bytes.
    let wat = r#"(module (func $f (export "f") (param i32)
      (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))))))"#;
    let cost = {
        let code = code(wat);
        u64::from(code.runnable(FuncIdx(0)).unwrap().frame_cost().bytes())
    };
    let frames = 1_000;
    let config = MachineConfig { stack_bytes: (cost * frames) as u32, ..MachineConfig::default() };
    let mut guest = Guest::with(&code(wat), config);
    assert_eq!(guest.call("f", &[frames - 1]), End::Returned(vec![]));
    let before = guest.used();
    let End::Trapped(TrapCode::CallStackExhausted, offsets) = guest.call("f", &[frames]) else {
        panic!("one frame more does not fit")
    };
    // A thousand frames have run get, if, get, const, sub, call; the one that did not fit has run nothing.
    assert_eq!(guest.used() - before, frames * 6);
    // The callee's first instruction, then 79 calls: 64 innermost and 16 outermost frames are told.
    let module = &guest.module;
    let (_, mut instrs) = module.code(module.bodies[0]).unwrap();
    assert_eq!(offsets[0], instrs.offset());
    let call = instrs.find(|(_, instr)| instr.op().info().name == "call").unwrap().0;
    assert_eq!(offsets[1..], [call; 79]);
}

#[test]
fn the_backtrace_says_how_much_it_left_out() {
    let mut guest = Guest::new(
        r#"(module (func $f (export "f") (param i32)
          (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))) (else (unreachable)))))"#,
    );
    let func = guest.func("f");
    guest.machine.start(func, &[99]).unwrap();
    assert_eq!(guest.machine.resume(u64::MAX), Exit::Trap(TrapCode::Unreachable));
    let trace = guest.machine.backtrace();
    assert_eq!((trace.frames.len(), trace.left_out), (80, 20));
    guest.machine.abandon();
    assert_eq!(guest.machine.backtrace().frames, []);
    assert_eq!(guest.machine.stack_used_bytes(), 0);
}

#[test]
fn tail_calls_use_no_stack() {
    let mut guest = Guest::new(
        r#"(module (type $t (func (param i64 i64) (result i64))) (table funcref (elem $odd $even)) (elem declare func $even)
          (func $even (export "even") (type $t)
            (if (result i64) (i64.eqz (local.get 0)) (then (local.get 1))
              (else (return_call $odd (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 1))))))
          (func $odd (type $t)
            (if (result i64) (i64.eqz (local.get 0)) (then (i64.const -1))
              (else (return_call_indirect (type $t)
                (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 1)) (i32.const 1)))))
          (func $swap (export "swap") (param i64 i64 i64) (result i64)
            (if (result i64) (i64.eqz (local.get 2)) (then (i64.sub (local.get 0) (local.get 1)))
              (else (return_call $swap (local.get 1) (local.get 0) (i64.sub (local.get 2) (i64.const 1))))))
          (func $by_ref (export "by_ref") (param i64) (result i64)
            (return_call_ref $t (local.get 0) (i64.const 0) (ref.func $even))))"#,
    );
    assert_eq!(guest.get("even", &[1_000_000, 0]), 1_000_000);
    assert_eq!(guest.get("even", &[1_000_001, 0]), u64::MAX);
    assert_eq!(guest.get("swap", &[10, 3, 1_000_001]), -7_i64 as u64);
    assert_eq!(guest.get("by_ref", &[4]), 4);
}

#[test]
fn a_tail_call_pays_the_depth_of_the_callee_alone() {
    // The callee has 1,000 locals; it fits once, and as often as it replaces itself.
    let locals = "i64 ".repeat(1_000);
    let wat = format!(
        r#"(module (func $f (export "f") (param i32) (local {locals})
          (if (local.get 0) (then (return_call $f (i32.sub (local.get 0) (i32.const 1)))))))"#
    );
    let code = code(&wat);
    let cost = code.runnable(FuncIdx(0)).unwrap().frame_cost().bytes();
    let fits = |stack_bytes| {
        let mut guest = Guest::with(&code, MachineConfig { stack_bytes, ..MachineConfig::default() });
        guest.call("f", &[10_000])
    };
    assert_eq!(fits(cost), End::Returned(vec![]));
    assert!(matches!(fits(cost - 1), End::Trapped(TrapCode::CallStackExhausted, _)));
}

#[test]
fn indirect_calls_say_what_is_wrong() {
    let mut guest = Guest::new(
        r#"(module (type $ii (func (param i32) (result i32))) (type $same (func (param i32) (result i32)))
          (table 4 funcref) (elem (i32.const 0) $f $g)
          (func $f (type $same) (i32.add (local.get 0) (i32.const 1)))
          (func $g (result i32) (i32.const 5))
          (func (export "call") (param i32) (result i32) (call_indirect (type $ii) (i32.const 9) (local.get 0)))
          (func (export "tail") (param i32) (result i32) (return_call_indirect (type $ii) (i32.const 9) (local.get 0)))
          (func (export "ref") (param i32) (result i32) (local (ref null $ii)) (call_ref $ii (i32.const 9) (local.get 1))))"#,
    );
    for name in ["call", "tail"] {
        assert_eq!(guest.get(name, &[0]), 10);
        assert_eq!(guest.trap(name, &[1]), TrapCode::IndirectCallType);
        assert_eq!(guest.trap(name, &[2]), TrapCode::UninitializedElement);
        assert_eq!(guest.trap(name, &[4]), TrapCode::UndefinedElement);
        assert_eq!(guest.trap(name, &[0xffff_ffff]), TrapCode::UndefinedElement);
    }
    assert_eq!(guest.trap("ref", &[0]), TrapCode::NullFunctionReference);
}

/// Two instances with a memory each: the second calls the first, back and forth, by all kinds of calls.
fn two() -> Guest {
    let mut guest = Guest::new(
        r#"(module (memory 1) (data (i32.const 0) "\0b")
          (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
          (func (export "grow") (result i32) (memory.grow (i32.const 1)))
          (func (export "pair") (param i32) (result i32 i64) (i32.load8_u (local.get 0)) (i64.const -2)))"#,
    );
    let second = code(
        r#"(module
          (import "a" "load" (func $load (param i32) (result i32)))
          (import "a" "pair" (func $pair (param i32) (result i32 i64)))
          (memory 1) (data (i32.const 0) "\16")
          (table funcref (elem $load $own))
          (func $own (param i32) (result i32) (i32.add (i32.load8_u (local.get 0)) (i32.const 100)))
          (func (export "direct") (result i32)
            (i32.add (i32.mul (call $load (i32.const 0)) (i32.const 1000)) (i32.load8_u (i32.const 0))))
          (func (export "indirect") (param i32) (result i32)
            (i32.add (i32.mul (call_indirect (param i32) (result i32) (i32.const 0) (local.get 0)) (i32.const 1000))
                     (i32.load8_u (i32.const 0))))
          (func $tail (param i32) (result i32) (return_call_indirect (param i32) (result i32) (i32.const 0) (local.get 0)))
          (func (export "tail") (param i32) (result i32)
            (i32.add (i32.mul (call $tail (local.get 0)) (i32.const 1000)) (i32.load8_u (i32.const 0))))
          (func $tail2 (result i32 i64) (return_call $pair (i32.const 0)))
          (func (export "tail2") (result i64)
            (call $tail2) (drop) (i64.extend_i32_u) (i64.add (i64.load8_u (i32.const 0)))))"#,
    );
    let funcs = ["load", "pair"].map(|name| guest.func(name)).to_vec();
    let instance = instantiate(&mut guest.machine, &second, funcs);
    guest.at(&second, instance)
}

#[test]
fn a_call_into_another_instance_finds_its_memory_and_the_caller_finds_its_own() {
    let mut guest = two();
    assert_eq!(guest.get("direct", &[]), 11_022);
    assert_eq!(guest.get("indirect", &[0]), 11_022);
    assert_eq!(guest.get("indirect", &[1]), 122_022);
    assert_eq!(guest.get("tail", &[0]), 11_022);
    assert_eq!(guest.get("tail", &[1]), 122_022);
    assert_eq!(guest.get("tail2", &[]), 11 + 22);
}

#[test]
fn tail_calls_between_instances_use_no_stack() {
    let ping = code(
        r#"(module (type $t (func (param i32) (result i32))) (table (export "t") 2 funcref) (memory 1) (data (i32.const 0) "\07")
          (func $f (export "f") (type $t)
            (if (result i32) (local.get 0)
              (then (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 1)))
              (else (i32.load8_u (i32.const 0)))))
          (func (export "run") (type $t) (i32.add (call $f (local.get 0)) (i32.load8_u (i32.const 0)))))"#,
    );
    let mut guest = Guest::with(&ping, MachineConfig { stack_bytes: 4096, ..MachineConfig::default() });
    let pong = code(
        r#"(module (type $t (func (param i32) (result i32))) (import "a" "f" (func $f (type $t))) (memory 1) (data (i32.const 0) "\09")
          (func (export "g") (type $t)
            (if (result i32) (local.get 0)
              (then (return_call $f (i32.sub (local.get 0) (i32.const 1))))
              (else (i32.load8_u (i32.const 0))))))"#,
    );
    let f = guest.func("f");
    let second = instantiate(&mut guest.machine, &pong, vec![f]);
    let g = guest.machine.func(second, FuncIdx(1));
    let g = guest.machine.func_as_ref(g);
    let table = guest.table0();
    guest.machine.table_set(table, 1, g).unwrap();
    assert_eq!(guest.get("run", &[100_000]), 7 + 7);
    assert_eq!(guest.get("run", &[100_001]), 9 + 7);
    assert_eq!(guest.get("f", &[100_001]), 9);
}

#[test]
fn an_imported_function_that_grows_the_memory_is_noticed() {
    let wat = r#"(module (import "h" "grow" (func $grow)) (memory (export "m") 1)
      (func (export "run") (result i32)
        (call $grow) (i32.store (i32.const 65536) (i32.const 3)) (i32.add (i32.load (i32.const 65536)) (memory.size))))"#;
    let mut guest = Guest::new(wat);
    let memory = guest.memory0();
    let end = guest.call_host("run", &[], u64::MAX, |machine, _, _| {
        assert_eq!(machine.grow_memory(memory, 1), Some(1));
        Vec::new()
    });
    assert_eq!(end, End::Returned(vec![5]));
}

#[test]
fn the_host_calls_back_and_its_recursion_is_bounded() {
    let wat = r#"(module (import "h" "f" (func $f (param i32) (result i32)))
      (func (export "run") (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1))))"#;
    let mut guest = Guest::new(wat);
    let func = guest.func("run");
    // Each call of the host calls back until the argument is 0.
    fn host(machine: &mut Machine, func: wasmos_backend::vm::FuncRef, args: &[u64]) -> Vec<u64> {
        if args[0] == 0 {
            return vec![100];
        }
        machine.start(func, &[args[0] - 1]).unwrap();
        let end = drive(machine, 5, &mut |machine, _, args| host(machine, func, args));
        machine.abandon();
        match end {
            End::Returned(results) => results,
            End::Trapped(code, _) => {
                assert_eq!(code, TrapCode::CallStackExhausted);
                vec![0]
            }
        }
    }
    guest.machine.start(func, &[10]).unwrap();
    let end = drive(&mut guest.machine, u64::MAX, &mut |machine, _, args| host(machine, func, args));
    assert_eq!(end, End::Returned(vec![111]));
    guest.machine.abandon();
    // 1 MiB holds fewer than 256 activations of 4 KiB.
    guest.machine.start(func, &[100_000]).unwrap();
    let End::Returned(results) =
        drive(&mut guest.machine, u64::MAX, &mut |machine, _, args| host(machine, func, args))
    else {
        panic!("the innermost trapped and was answered for")
    };
    assert!((200..256).contains(&results[0]), "{results:?}");
}

#[test]
fn an_activation_finds_nothing_of_those_before_it() {
    let wat = r#"(module (import "h" "f" (func $f (param i64) (result i64)))
      (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
      (func (export "trap") unreachable)
      (func (export "endless") (loop (br 0)))
      (func (export "ask") (param i64) (result i64 i64) (call $f (local.get 0)) (i64.const 7)))"#;
    let mut guest = Guest::new(wat);
    let [add, trap, endless, ask] = ["add", "trap", "endless", "ask"].map(|name| guest.func(name));
    let host = guest.machine.func(guest.instance, FuncIdx(0));
    let machine = &mut guest.machine;
    fn is_host_call(exit: &Exit) -> bool {
        matches!(exit, Exit::HostCall { host: 0, .. })
    }
    let adds = |machine: &mut Machine| {
        machine.start(add, &[40, 2]).unwrap();
        assert_eq!((machine.resume(u64::MAX), machine.results()), (Exit::Returned, &[42][..]));
        machine.abandon();
    };
    adds(machine);
    // It trapped.
    machine.start(trap, &[]).unwrap();
    assert_eq!(machine.resume(u64::MAX), Exit::Trap(TrapCode::Unreachable));
    machine.abandon();
    adds(machine);
    // It was never entered.
    machine.start(ask, &[1]).unwrap();
    machine.abandon();
    adds(machine);
    // It had not ended.
    machine.start(endless, &[]).unwrap();
    assert_eq!(machine.resume(1), Exit::Slice);
    machine.abandon();
    adds(machine);
    // It waits for the host, and goes on afterwards; then it does not go on.
    for goes_on in [true, false] {
        machine.start(ask, &[5]).unwrap();
        assert!(is_host_call(&machine.resume(u64::MAX)));
        adds(machine);
        assert_eq!(machine.args(), [5]);
        machine.results_mut()[0] = 6;
        if goes_on {
            assert_eq!((machine.resume(u64::MAX), machine.results()), (Exit::Returned, &[6, 7][..]));
        }
        machine.abandon();
        adds(machine);
    }
    // It was of a function of the host.
    machine.start(host, &[5]).unwrap();
    assert!(is_host_call(&machine.resume(u64::MAX)));
    adds(machine);
    machine.abandon();
    adds(machine);
}

#[test]
fn a_function_of_the_host_can_be_called_directly_and_through_a_table() {
    let wat = r#"(module (import "h" "f" (func $f (param i64 f64) (result f64 i64))) (table funcref (elem $f))
      (func (export "run") (result i64) (local i64) (i64.const 3) (f64.const 2.5)
        (call_indirect (param i64 f64) (result f64 i64) (i32.const 0)) (local.set 0) (drop) (local.get 0)))"#;
    let mut guest = Guest::new(wat);
    let swap = |_: &mut Machine, host: u32, args: &[u64]| {
        assert_eq!(host, 0);
        vec![args[1], args[0]]
    };
    assert_eq!(guest.call_host("run", &[], u64::MAX, swap), End::Returned(vec![3]));
    let instance = guest.instance;
    let host = guest.machine.func(instance, FuncIdx(0));
    assert_eq!(guest.machine.func_origin(host), Origin::Host(0));
    guest.machine.start(host, &[1, 2]).unwrap();
    assert_eq!(guest.machine.resume(1), Exit::HostCall { host: 0, caller: None });
    guest.machine.results_mut().copy_from_slice(&[8, 9]);
    assert_eq!(guest.machine.resume(1), Exit::Returned);
    assert_eq!(guest.machine.results(), [8, 9]);
    guest.machine.abandon();
    assert_eq!(origin_of_run(&mut guest), Origin::Wasm(instance, FuncIdx(1)));
}

fn origin_of_run(guest: &mut Guest) -> Origin {
    let func = guest.func("run");
    let reference = guest.machine.func_as_ref(func);
    assert_eq!(guest.machine.ref_as_func(reference), Some(func));
    guest.machine.func_origin(func)
}

#[test]
fn a_failing_host_call_leaves_the_callers_frames_to_look_at() {
    let wat = r#"(module (import "h" "f" (func $f)) (func (export "run") (nop) (call $f)))"#;
    let mut guest = Guest::new(wat);
    let func = guest.func("run");
    guest.machine.start(func, &[]).unwrap();
    assert!(matches!(guest.machine.resume(9), Exit::HostCall { .. }));
    let frames = guest.machine.backtrace().frames;
    let (_, mut instrs) = guest.module.code(guest.module.bodies[0]).unwrap();
    let call = instrs.nth(1).unwrap().0;
    assert_eq!(
        frames.iter().map(|frame| (frame.func, frame.offset)).collect::<Vec<_>>(),
        [(FuncIdx(1), call)]
    );
    guest.machine.abandon();
    assert_eq!(guest.machine.activations(), 0);
}

#[test]
fn references_of_another_machine_are_refused() {
    let wat = r#"(module (table 1 funcref) (func (export "f") (param funcref)))"#;
    let (mut one, mut other) = (Guest::new(wat), Guest::new(wat));
    let func = other.func("f");
    let foreign = other.machine.func_as_ref(func);
    assert_eq!(one.machine.ref_from_bits(foreign.bits()), None);
    assert_eq!(one.machine.ref_from_bits(2), None);
    let func = one.func("f");
    let start =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one.machine.start(func, &[foreign.bits()])));
    assert!(start.is_err());
}

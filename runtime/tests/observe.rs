//! Observers, breakpoints and steps, as an embedder has them.
#![allow(clippy::unwrap_used, reason = "in tests, as the configuration of the lints says")]

use std::collections::BTreeSet;

use wasmos_runtime::{
    Caller, Engine, Func, Instance, Limits, Linker, Module, Observed, Outcome, Step, Store, Val, Watch,
};

/// `gcd(a, b)` by Euclid, and `twice`, which calls it through the host.
const TEXT: &str = r#"(module
    (import "host" "again" (func $again (param i32 i32) (result i32)))
    (func $gcd (export "gcd") (param $a i32) (param $b i32) (result i32) (local $rest i32)
        (loop $next
            (if (local.get $b) (then
                (local.set $rest (i32.rem_u (local.get $a) (local.get $b)))
                (local.set $a (local.get $b))
                (local.set $b (local.get $rest))
                (br $next))))
        (local.get $a))
    (func (export "twice") (param i32 i32) (result i32)
        (i32.add (call $gcd (local.get 0) (local.get 1)) (call $again (local.get 0) (local.get 1)))))"#;

#[derive(Default)]
struct Seen {
    count: u64,
    offsets: BTreeSet<u32>,
    fuel: Vec<u64>,
}

fn again(mut caller: Caller<'_, Seen>, a: i32, b: i32) -> Result<i32, wasmos_runtime::HostFailure> {
    let func = caller.instance().unwrap().get_typed_func::<(i32, i32), i32>(&mut caller, "gcd")?;
    Ok(func.call(&mut caller, (a, b))?)
}

fn instance(store: &mut Store<Seen>) -> Instance {
    let engine = store.engine().clone();
    let module = Module::new(&engine, wat::parse_str(TEXT).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "again", again).unwrap();
    linker.instantiate(store, &module).unwrap()
}

fn store() -> Store<Seen> {
    Store::with_limits(&Engine::default(), Seen::default(), Limits::standard()).unwrap()
}

fn func(store: &mut Store<Seen>, name: &str) -> Func {
    let instance = instance(store);
    instance.get_func(store, name).unwrap()
}

const ARGS: [Val; 2] = [Val::I32(1071), Val::I32(462)];

#[test]
fn an_observer_sees_each_instruction_that_is_counted() {
    let mut plain = store();
    let wanted = func(&mut plain, "twice").call(&mut plain, &ARGS).unwrap();
    assert_eq!(wanted, Outcome::Returned(vec![Val::I32(42)]));
    let mut store = store();
    store.observe(Watch::Instructions, |seen: &mut Seen, at: &Observed<'_>| {
        let module = at.module().decoded();
        let (_, mut instrs) = module.code(module.body(at.func()).unwrap()).unwrap();
        let (_, instr) = instrs.find(|(offset, _)| *offset == at.offset()).unwrap();
        assert_eq!(at.fuel_used(), seen.count);
        seen.count += u64::from(instr.op().info().fuel);
    });
    let func = func(&mut store, "twice");
    assert_eq!(func.call(&mut store, &ARGS).unwrap(), wanted);
    assert_eq!((store.fuel_used(), store.instructions()), (plain.fuel_used(), plain.instructions()));
    assert_eq!(store.data().count, plain.instructions());
}

#[test]
fn an_observer_of_blocks_tells_what_ran() {
    let covered = |args: [Val; 2]| {
        let mut store = store();
        store.observe(Watch::Blocks, |seen: &mut Seen, at: &Observed<'_>| {
            seen.offsets.insert(at.offset());
        });
        func(&mut store, "gcd").call(&mut store, &args).unwrap();
        let instance = instance(&mut store);
        let module = instance.module(&store);
        let valid = module.validate().unwrap();
        let plan = wasmos_frontend::blocks::plan(valid.valid_bodies().next().unwrap());
        (store.into_data().offsets, plan.iter().map(|charge| charge.offset).collect::<BTreeSet<_>>())
    };
    let ((all, plan), (some, _)) = (covered(ARGS), covered([Val::I32(5), Val::I32(0)]));
    assert_eq!(all, plan);
    assert!(some.is_subset(&plan) && some.len() + 1 == plan.len(), "{some:?} of {plan:?}");
}

#[test]
fn an_observer_of_calls_sees_functions_that_are_entered() {
    let mut store = store();
    store.observe(Watch::Calls, |seen: &mut Seen, at: &Observed<'_>| {
        seen.count += 1;
        seen.fuel.push(u64::from(at.func().0));
        assert_eq!(at.locals()[..2], ARGS);
    });
    func(&mut store, "twice").call(&mut store, &ARGS).unwrap();
    assert_eq!(store.data().fuel, [2, 1, 1]);
}

#[test]
fn a_run_pauses_at_a_breakpoint_and_goes_on() {
    let mut store = store();
    store.make_observable();
    let instance = instance(&mut store);
    let module = instance.module(&store);
    let (_, instrs) = module.decoded().code(module.decoded().bodies[0]).unwrap();
    let rem = instrs.into_iter().find(|(_, instr)| instr.to_string() == "i32.rem_u").unwrap().0;
    assert!(store.set_breakpoint(instance, rem) && !store.set_breakpoint(instance, 1));
    let gcd = instance.get_func(&mut store, "gcd").unwrap();
    let mut run = gcd.start(&mut store, &ARGS).unwrap();
    let mut operands = Vec::new();
    let outcome = loop {
        match run.resume(&mut store, u64::MAX).unwrap() {
            Step::Paused => {
                let at = store.paused().unwrap();
                assert_eq!((at.offset(), at.func().0, at.instance()), (rem, 1, instance));
                operands.push(at.operands());
            }
            Step::Suspended => {}
            Step::Done(outcome) => break outcome,
        }
    };
    assert_eq!(outcome, Outcome::Returned(vec![Val::I32(21)]));
    let pairs = [(1071, 462), (462, 147), (147, 21)];
    assert_eq!(operands, pairs.map(|(a, b)| vec![Val::I32(a), Val::I32(b)]));
    assert!(store.paused().is_none());
    // A call to the end passes over it, and without it nothing pauses.
    assert_eq!(gcd.call(&mut store, &ARGS).unwrap(), outcome);
    store.remove_breakpoint(instance, rem);
    let mut run = gcd.start(&mut store, &ARGS).unwrap();
    assert_eq!(run.resume(&mut store, u64::MAX).unwrap(), Step::Done(outcome));
}

#[test]
fn a_run_goes_step_by_step_and_the_count_with_it() {
    let mut store = store();
    store.make_observable();
    let mut run = func(&mut store, "twice").start(&mut store, &ARGS).unwrap();
    let (mut steps, mut last) = (0, 0);
    let outcome = loop {
        match run.step(&mut store).unwrap() {
            Step::Done(outcome) => break outcome,
            step => assert_eq!(step, Step::Paused),
        }
        assert!(store.fuel_used() >= last);
        (steps, last) = (steps + 1, store.fuel_used());
    };
    assert_eq!(outcome, Outcome::Returned(vec![Val::I32(42)]));
    // What the host function calls is no step of its own; instructions without cost are.
    assert!(steps > 10 && steps < store.instructions(), "{steps} of {}", store.instructions());
}

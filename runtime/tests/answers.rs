//! What a function of the host may do while its guest waits for it, on each tier: the native one has the call answered
//! above the guest's frames.

mod each;

use each::engines;
use wasmos_runtime::{
    AsStore, Backend, Caller, Engine, Error, Func, HostFailure, Limits, Linker, Module, Outcome, Store,
    TrapCode, Val,
};

/// Calls `host.f`, and reads its memory at the address that the function returns.
const GUEST: &str = r#"(module
    (import "host" "f" (func $f (param i32) (result i32)))
    (memory (export "memory") 1 4)
    (data (i32.const 65535) "\07")
    (func $outer (export "outer") (param i32) (result i32)
        (i32.load8_u (call $f (local.get 0)))))"#;

/// Traps by its memory's bounds, or goes on for ever.
const INNER: &str = r#"(module
    (memory 1)
    (func (export "fault") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "spin") (loop (br 0))))"#;

fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).expect("text")).expect("a module")
}

/// Calls `outer` with 7, on each tier, `host.f` being given modules to instantiate; returns how it ended.
fn outcomes(
    f: impl Fn(&mut Caller<'_, ()>, &Module, i32) -> Result<i32, Error> + Copy + Send + Sync + 'static,
) -> Vec<Outcome> {
    let outcome = |engine: Engine| {
        let inner = module(&engine, INNER);
        let mut linker = Linker::new(&engine);
        linker
            .func_wrap("host", "f", move |mut caller: Caller<'_, ()>, x: i32| {
                f(&mut caller, &inner, x).map_err(HostFailure::from)
            })
            .expect("a function");
        let mut store = Store::with_limits(&engine, (), Limits::standard()).expect("a store");
        let guest = linker.instantiate(&mut store, &module(&engine, GUEST)).expect("an instance");
        let outer = guest.get_func(&mut store, "outer").expect("it is exported");
        let outcome = outer.call(&mut store, &[Val::I32(7)]).expect("an outcome");
        // Whatever happened, the store can be used.
        let again = outer.call(&mut store, &[Val::I32(7)]).expect("an outcome");
        assert_eq!(format!("{outcome:?}"), format!("{again:?}"));
        outcome
    };
    engines().map(outcome).collect()
}

fn is_trap(outcome: &Outcome) -> bool {
    let Outcome::Trapped(trap) = outcome else { return false };
    let frames: Vec<_> = trap.backtrace.iter().map(|frame| frame.func.0).collect();
    trap.code == TrapCode::MemoryOutOfBounds && frames == [1]
}

fn fault(caller: &mut Caller<'_, ()>, inner: &Module, at: i32) -> Result<i32, Error> {
    let engine = caller.store().engine().clone();
    let inner = Linker::new(&engine).instantiate(caller.store_mut(), inner)?;
    inner.get_typed_func::<i32, i32>(caller, "fault")?.call(caller, at)
}

#[test]
fn a_guest_faults_after_instances_were_added_and_others_faulted() {
    // More than the machine's lists hold at first.
    let f = |caller: &mut Caller<'_, ()>, inner: &Module, x: i32| {
        for round in 0..70 {
            let result = fault(caller, inner, 65_533 + round % 2);
            assert!(matches!(result, Err(Error::Guest(outcome)) if matches!(*outcome, Outcome::Trapped(_))));
        }
        Ok(x + 65_536)
    };
    let outcomes = outcomes(f);
    assert!(outcomes.iter().all(is_trap), "{outcomes:?}");
}

#[test]
fn a_trap_of_a_guest_that_was_called_back_ends_the_outer_run() {
    let outcomes = outcomes(|caller, inner, _| fault(caller, inner, -1));
    for outcome in outcomes {
        let Outcome::Trapped(trap) = outcome else { panic!("{outcome:?}") };
        assert_eq!((trap.code, trap.backtrace.len()), (TrapCode::MemoryOutOfBounds, 2), "{trap:?}");
    }
}

#[test]
fn a_run_that_was_left_suspended_is_gone() {
    let f = |caller: &mut Caller<'_, ()>, inner: &Module, _| {
        let engine = caller.store().engine().clone();
        let inner = Linker::new(&engine).instantiate(caller.store_mut(), inner)?;
        let spin = inner.get_func(caller, "spin").unwrap();
        let mut run = spin.start(caller, &[])?;
        assert_eq!(run.resume(caller, 1_000)?, wasmos_runtime::Step::Suspended);
        Ok(65_535)
    };
    let outcomes = outcomes(f);
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Returned(vec![Val::I32(7)])), "{outcomes:?}");
}

#[test]
fn memory_that_was_grown_is_there_for_the_guest() {
    let f = |caller: &mut Caller<'_, ()>, _: &Module, _| {
        let memory = caller.memory().unwrap();
        assert!(memory.grow(caller, 1).is_some());
        memory.data_mut(caller)[65_536] = 9;
        // Functions of the host that are added move the list of them.
        for _ in 0..100 {
            Func::wrap(caller.store_mut(), |x: i32| x)?;
        }
        Ok(65_536)
    };
    let outcomes = outcomes(f);
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Returned(vec![Val::I32(9)])), "{outcomes:?}");
}

/// Set for the process that is to die.
const DIES: &str = "WASMOS_TEST_SWAPS_STORES";

#[test]
fn whoever_replaces_the_store_of_a_waiting_guest_ends_the_process() {
    if std::env::var_os(DIES).is_none() {
        let name = "whoever_replaces_the_store_of_a_waiting_guest_ends_the_process";
        let test = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(DIES, "1")
            .output()
            .unwrap();
        assert!(!test.status.success(), "{}", String::from_utf8_lossy(&test.stdout));
        return;
    }
    let native = |engine: &Engine| matches!(engine.backend(), Backend::Jit(_));
    let Some(engine) = engines().find(native) else { return };
    let mut linker = Linker::new(&engine);
    let own = engine.clone();
    linker
        .func_wrap("host", "f", move |mut caller: Caller<'_, ()>, x: i32| {
            *caller.store_mut() = Store::new(&own, ());
            x
        })
        .unwrap();
    let mut store = Store::new(&engine, ());
    let guest = linker.instantiate(&mut store, &module(&engine, GUEST)).unwrap();
    let outer = guest.get_func(&mut store, "outer").unwrap();
    drop(outer.call(&mut store, &[Val::I32(7)]));
}

//! What a function of the host may do while its guest waits for it, on each tier: the native one has the call answered
//! above the guest's frames.

use std::panic::{AssertUnwindSafe, catch_unwind};

mod each;

use each::engines;
use wasmos_runtime::{
    AsStore, Backend, Caller, Engine, Error, ExternRef, Func, HostFailure, Limits, Linker, Module, Outcome,
    Step, Store, TrapCode, Val,
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
        assert_eq!(run.resume(caller, 1_000)?, Step::Suspended);
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

#[test]
fn who_does_not_return_has_no_results_to_be_checked() {
    // Its argument would be no reference.
    let text = r#"(module (import "host" "f" (func $f (param i64) (result externref)))
        (func (export "outer") (drop (call $f (i64.const 2)))))"#;
    for engine in engines() {
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "f", |_: i64| Err::<Option<ExternRef>, _>(TrapCode::Unreachable)).unwrap();
        let none = Limits { host_calls: Some(0), ..Limits::standard() };
        for (limits, ended) in [(Limits::standard(), "unreachable"), (none, "host calls")] {
            let mut store = Store::with_limits(&engine, (), limits).unwrap();
            let guest = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
            let outer = guest.get_func(&mut store, "outer").unwrap();
            let outcome = outer.call(&mut store, &[]).unwrap();
            assert!(outcome.to_string().contains(ended), "{outcome}");
        }
    }
}

#[test]
fn a_panic_of_an_observer_reaches_the_embedder() {
    for engine in engines() {
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "f", |x: i32| x).unwrap();
        let mut store = Store::with_limits(&engine, (), Limits::standard()).unwrap();
        store.gate_mut().observe(Box::new(|_| panic!("as meant")));
        let guest = linker.instantiate(&mut store, &module(&engine, GUEST)).unwrap();
        let outer = guest.get_func(&mut store, "outer").unwrap();
        let call = AssertUnwindSafe(|| outer.call(&mut store, &[Val::I32(7)]));
        assert!(catch_unwind(call).is_err());
    }
}

#[test]
fn what_a_call_of_the_host_costs_belongs_to_no_slice() {
    let text = r#"(module (import "host" "f" (func $f)) (func (export "outer") (local i32)
        (loop (call $f) (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 200))))))"#;
    let suspended = |engine: Engine| {
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "f", |mut caller: Caller<'_, ()>| caller.charge(500)).unwrap();
        let mut store = Store::with_limits(&engine, (), Limits::standard()).unwrap();
        let guest = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let mut run = guest.get_func(&mut store, "outer").unwrap().start(&mut store, &[]).unwrap();
        let mut fuel = Vec::new();
        while run.resume(&mut store, 1_000).unwrap() == Step::Suspended {
            fuel.push(store.fuel_used());
        }
        fuel
    };
    let suspended: Vec<_> = engines().map(suspended).collect();
    assert!(!suspended[0].is_empty() && suspended.iter().all(|fuel| *fuel == suspended[0]), "{suspended:?}");
}

/// What a thread runs of two guests in turn, each of which waits for the host while the other runs.
#[test]
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn guests_that_wait_for_the_host_take_turns_on_a_thread() {
    use corosensei::{Coroutine, Yielder};
    let text = r#"(module (import "host" "f" (func $f (param i32) (result i32))) (memory 1)
        (func (export "outer") (param i32) (local i32)
            (drop (call $f (i32.const 1)))
            (loop (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 3000000))))
            (drop (i32.load (local.get 0)))))"#;
    for engine in engines() {
        let guest = || {
            let engine = engine.clone();
            Coroutine::new(move |yielder: &Yielder<(), ()>, ()| {
                let mut linker = Linker::new(&engine);
                linker
                    .func_wrap("host", "f", |caller: Caller<'_, &Yielder<(), ()>>, x: i32| {
                        caller.data().suspend(());
                        x
                    })
                    .unwrap();
                let mut store = Store::new(&engine, yielder);
                let guest = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
                let outer = guest.get_func(&mut store, "outer").unwrap();
                outer.call(&mut store, &[Val::I32(-1)]).unwrap()
            })
        };
        let mut guests = [guest(), guest()];
        assert!(guests.iter_mut().all(|guest| guest.resume(()).as_yield().is_some()));
        for guest in &mut guests {
            let outcome = guest.resume(()).as_return();
            let Some(Outcome::Trapped(trap)) = outcome else { panic!("{outcome:?}") };
            assert_eq!(trap.code, TrapCode::MemoryOutOfBounds);
        }
    }
}

//! What an embedder does: link, call, run in slices, limit, look at how it ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

mod each;

use each::engines;
use wasmos_runtime::error::LinkErrorKind;
use wasmos_runtime::linker::UnknownImports;
use wasmos_runtime::outcome::Quota;
use wasmos_runtime::{
    AsStore, Caller, Capability, Engine, Error, Extern, Func, FuncType, Global, GlobalType, HostFailure,
    Instance, Limits, Linker, Module, Outcome, Step, Store, TrapCode, Val, ValType, native,
};

fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).expect("text")).expect("a module")
}

fn instance(store: &mut Store<()>, text: &str) -> Instance {
    let engine = store.engine().clone();
    Linker::new(&engine).instantiate(store, &module(&engine, text)).expect("an instance")
}

fn limited(engine: &Engine, limits: Limits) -> Store<()> {
    Store::with_limits(engine, (), limits).expect("a store")
}

const FIB: &str = r#"(module (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
        (then (local.get 0))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                       (call $fib (i32.sub (local.get 0) (i32.const 2))))))))"#;

const SPIN: &str = r#"(module (func (export "spin") (loop (br 0))))"#;

#[test]
fn typed_and_dynamic_calls_give_the_same() {
    for engine in engines() {
        let mut store = limited(&engine, Limits::standard());
        let fib = instance(&mut store, FIB);
        let typed = fib.get_typed_func::<i32, i32>(&mut store, "fib").unwrap();
        assert_eq!(typed.call(&mut store, 20).unwrap(), 6_765);
        let used = store.fuel_used();
        let dynamic = fib.get_func(&mut store, "fib").unwrap();
        assert_eq!(
            dynamic.call(&mut store, &[Val::I32(20)]).unwrap(),
            Outcome::Returned(vec![Val::I32(6_765)])
        );
        assert_eq!(store.fuel_used(), 2 * used);
    }
}

#[test]
fn wrong_types_are_errors_of_the_embedder() {
    for engine in engines() {
        let mut store = limited(&engine, Limits::standard());
        let fib = instance(&mut store, FIB);
        assert!(matches!(fib.get_typed_func::<i64, i32>(&mut store, "fib"), Err(Error::WrongType { .. })));
        assert!(matches!(fib.get_typed_func::<i32, i32>(&mut store, "fob"), Err(Error::NoExport { .. })));
        let func = fib.get_func(&mut store, "fib").unwrap();
        assert!(matches!(func.call(&mut store, &[Val::I64(1)]), Err(Error::WrongType { .. })));
    }
}

#[test]
fn a_run_in_slices_ends_as_a_run_at_once() {
    for engine in engines() {
        let mut whole = limited(&engine, Limits::standard());
        let fib = instance(&mut whole, FIB).get_typed_func::<i32, i32>(&mut whole, "fib").unwrap();
        let result = fib.call(&mut whole, 15).unwrap();
        for slice in [1, 7, 100, 12_345] {
            let mut store = limited(&engine, Limits::standard());
            let fib = instance(&mut store, FIB).get_func(&mut store, "fib").unwrap();
            let mut run = fib.start(&mut store, &[Val::I32(15)]).unwrap();
            let mut suspended = 0;
            let outcome = loop {
                match run.resume(&mut store, slice).unwrap() {
                    Step::Suspended => suspended += 1,
                    Step::Done(outcome) => break outcome,
                    Step::Paused => panic!("there is no breakpoint"),
                }
            };
            assert_eq!(outcome, Outcome::Returned(vec![Val::I32(result)]));
            assert_eq!(store.fuel_used(), whole.fuel_used(), "slice {slice}");
            assert!(slice > 1_000 || suspended > 10, "slice {slice}: {suspended} stops");
        }
    }
}

#[test]
fn a_suspended_run_bars_others_until_it_is_abandoned() {
    for engine in engines() {
        let mut store = limited(&engine, Limits::standard());
        let spin = instance(&mut store, SPIN).get_func(&mut store, "spin").unwrap();
        let mut run = spin.start(&mut store, &[]).unwrap();
        assert_eq!(run.resume(&mut store, 1_000).unwrap(), Step::Suspended);
        assert!(matches!(spin.call(&mut store, &[]), Err(Error::RunOrder)));
        run.abandon(&mut store).unwrap();
        store.set_fuel_limit(store.fuel_used() + 10);
        assert_eq!(spin.call(&mut store, &[]).unwrap(), Outcome::OutOfFuel);
    }
}

#[test]
fn an_endless_loop_stops_at_exactly_the_limit() {
    for engine in engines() {
        for fuel in [0, 1, 2, 999, 1_000_000] {
            let mut store = limited(&engine, Limits { fuel: Some(fuel), ..Limits::standard() });
            let spin = instance(&mut store, SPIN).get_func(&mut store, "spin").unwrap();
            assert_eq!(spin.call(&mut store, &[]).unwrap(), Outcome::OutOfFuel);
            assert_eq!(store.fuel_used(), fuel);
        }
    }
}

#[test]
fn the_count_that_was_printed_suffices_and_one_less_does_not() {
    for engine in engines() {
        let mut store = limited(&engine, Limits::standard());
        let fib = instance(&mut store, FIB).get_typed_func::<i32, i32>(&mut store, "fib").unwrap();
        fib.call(&mut store, 10).unwrap();
        let used = store.fuel_used();
        for (fuel, enough) in [(used, true), (used - 1, false)] {
            let mut store = limited(&engine, Limits { fuel: Some(fuel), ..Limits::standard() });
            let fib = instance(&mut store, FIB).get_typed_func::<i32, i32>(&mut store, "fib").unwrap();
            assert_eq!(fib.call(&mut store, 10).is_ok(), enough, "fuel {fuel} of {used}");
        }
    }
}

#[test]
fn a_deadline_and_a_stop_end_an_endless_loop() {
    for engine in engines() {
        let mut store = limited(
            &engine,
            Limits { fuel: None, timeout: Some(Duration::from_millis(20)), ..Limits::standard() },
        );
        let spin = instance(&mut store, SPIN).get_func(&mut store, "spin").unwrap();
        assert_eq!(spin.call(&mut store, &[]).unwrap(), Outcome::Deadline);

        let mut store = limited(&engine, Limits::unlimited());
        let spin = instance(&mut store, SPIN).get_func(&mut store, "spin").unwrap();
        let handle = store.stop_handle();
        let stopper = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            handle.stop();
        });
        assert_eq!(spin.call(&mut store, &[]).unwrap(), Outcome::Stopped);
        stopper.join().unwrap();
    }
}

#[test]
fn a_deadline_ends_a_loop_of_host_calls() {
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        linker.func_wrap("h", "f", || ()).unwrap();
        let text = r#"(module (import "h" "f" (func $f)) (func (export "run") (loop (call $f) (br 0))))"#;
        let limits = Limits { timeout: Some(Duration::from_millis(20)), ..Limits::unlimited() };
        let mut store = Store::with_limits(&engine, (), limits).unwrap();
        let run = linker
            .instantiate(&mut store, &module(&engine, text))
            .unwrap()
            .get_func(&mut store, "run")
            .unwrap();
        assert_eq!(run.call(&mut store, &[]).unwrap(), Outcome::Deadline);
    }
}

#[test]
fn a_trap_says_where_and_how_it_got_there() {
    for engine in engines() {
        let text = r#"(module (memory 1)
        (func $inner (param i32) (result i32) (i32.load (local.get 0)))
        (func (export "outer") (result i32) (call $inner (i32.const 65533))))"#;
        let mut store = limited(&engine, Limits::standard());
        let outer = instance(&mut store, text);
        let valid = outer.module(&store);
        let outer = outer.get_func(&mut store, "outer").unwrap();
        let Outcome::Trapped(trap) = outer.call(&mut store, &[]).unwrap() else { panic!("it traps") };
        assert_eq!(trap.code, TrapCode::MemoryOutOfBounds);
        assert_eq!(valid.decoded().bytes()[trap.offset as usize], 0x28, "the offset is the load's");
        let names: Vec<_> =
            trap.backtrace.iter().map(|frame| frame.name.clone().unwrap_or_default()).collect();
        assert_eq!(names, ["inner", ""]);
        assert_eq!(
            valid.decoded().bytes()[trap.backtrace[1].offset as usize],
            0x10,
            "the caller's is the call's"
        );
        assert_eq!(store.fuel_used(), 4, "two constants are not begun twice: const, call, get, load");
    }
}

#[test]
fn host_functions_get_and_give_every_type() {
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        linker.func_wrap("h", "f", |a: i32, b: i64, c: f32, d: f64, e: u128| (e, d, c, b, a)).unwrap();
        let text = r#"(module
        (import "h" "f" (func $f (param i32 i64 f32 f64 v128) (result v128 f64 f32 i64 i32)))
        (func (export "f") (param i32 i64 f32 f64 v128) (result v128 f64 f32 i64 i32)
            (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4))))"#;
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let f = instance
            .get_typed_func::<(i32, i64, f32, f64, u128), (u128, f64, f32, i64, i32)>(&mut store, "f");
        let wide = 0x0123_4567_89ab_cdef_0011_2233_4455_6677;
        assert_eq!(
            f.unwrap().call(&mut store, (-1, -2, 0.5, -0.25, wide)).unwrap(),
            (wide, -0.25, 0.5, -2, -1)
        );
    }
}

#[test]
fn a_thousand_parameters_and_results_pass_both_ways() {
    for engine in engines() {
        let types = vec![ValType::I64; 1_000];
        let mut linker = Linker::<()>::new(&engine);
        let ty = FuncType::new(&types, &types);
        linker
            .func_new("h", "reverse", ty, |_, params, results| {
                results.iter_mut().zip(params.iter().rev()).for_each(|(result, param)| *result = *param);
                Ok(())
            })
            .unwrap();
        let list = "i64 ".repeat(1_000);
        let gets: String = (0..1_000).map(|index| format!("(local.get {index})")).collect();
        let text = format!(
            r#"(module (type $t (func (param {list}) (result {list}))) (import "h" "reverse" (func $r (type $t)))
            (func (export "f") (type $t) (call $r {gets})))"#
        );
        let mut store = Store::new(&engine, ());
        let f = linker
            .instantiate(&mut store, &module(&engine, &text))
            .unwrap()
            .get_func(&mut store, "f")
            .unwrap();
        let params: Vec<_> = (0..1_000).map(Val::I64).collect();
        let expected = params.iter().rev().copied().collect();
        assert_eq!(f.call(&mut store, &params).unwrap(), Outcome::Returned(expected));
    }
}

#[test]
fn a_host_function_calls_back_and_depth_is_bounded() {
    for engine in engines() {
        let mut linker = Linker::<u32>::new(&engine);
        linker
            .func_wrap("h", "again", |mut caller: Caller<'_, u32>| -> Result<(), HostFailure> {
                *caller.data_mut() += 1;
                let Some(Extern::Func(run)) = caller.get_export("run") else { return Ok(()) };
                match run.call(&mut caller, &[])? {
                    Outcome::Returned(_) => Ok(()),
                    outcome => Err(HostFailure::Guest(Box::new(outcome))),
                }
            })
            .unwrap();
        let text = r#"(module (import "h" "again" (func $again)) (func (export "run") (call $again)))"#;
        let mut store = Store::new(&engine, 0);
        let run = linker
            .instantiate(&mut store, &module(&engine, text))
            .unwrap()
            .get_func(&mut store, "run")
            .unwrap();
        let Outcome::Trapped(trap) = run.call(&mut store, &[]).unwrap() else { panic!("it traps") };
        assert_eq!(trap.code, TrapCode::CallStackExhausted);
        assert!((10..1_000).contains(store.data()), "{} calls deep", store.data());
        // The store can be used on.
        store.gate_mut().grants.deny(Capability::Log);
        assert!(matches!(run.call(&mut store, &[]).unwrap(), Outcome::Trapped(_)));
    }
}

#[test]
fn a_panic_in_a_host_function_is_an_error_and_the_store_lives() {
    for engine in engines() {
        let calls = Arc::new(AtomicU32::new(0));
        let seen = calls.clone();
        let mut linker = Linker::<()>::new(&engine);
        linker
            .func_wrap("h", "f", move || {
                assert!(seen.fetch_add(1, Ordering::Relaxed) > 0, "the first call fails")
            })
            .unwrap();
        let text = r#"(module (import "h" "f" (func $f)) (func (export "run") (call $f)))"#;
        let mut store = Store::new(&engine, ());
        let run = linker
            .instantiate(&mut store, &module(&engine, text))
            .unwrap()
            .get_func(&mut store, "run")
            .unwrap();
        let Err(Error::HostPanicked { name, message, .. }) = run.call(&mut store, &[]) else {
            panic!("it fails")
        };
        assert_eq!((name.as_str(), message.as_str()), ("f", "the first call fails"));
        assert_eq!(run.call(&mut store, &[]).unwrap(), Outcome::Returned(vec![]));
    }
}

#[test]
fn what_a_host_function_fails_with_ends_the_run() {
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        linker
            .func_wrap("h", "exit", |status: i32| -> Result<(), HostFailure> {
                Err(HostFailure::Exit(status))
            })
            .unwrap();
        linker.func_wrap("h", "trap", || -> Result<(), TrapCode> { Err(TrapCode::Unreachable) }).unwrap();
        linker
            .func_wrap("h", "fail", || -> Result<(), HostFailure> {
                Err(HostFailure::Error("no disk".into()))
            })
            .unwrap();
        let text = r#"(module (import "h" "exit" (func $exit (param i32))) (import "h" "trap" (func $trap))
        (import "h" "fail" (func $fail))
        (func (export "exit") (call $exit (i32.const 7)) unreachable)
        (func (export "trap") (call $trap)) (func (export "fail") (call $fail)))"#;
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let call =
            |store: &mut Store<()>, name: &str| instance.get_func(store, name).unwrap().call(store, &[]);
        assert_eq!(call(&mut store, "exit").unwrap(), Outcome::Exited(7));
        assert!(
            matches!(call(&mut store, "trap").unwrap(), Outcome::Trapped(trap) if trap.code == TrapCode::Unreachable)
        );
        assert!(
            matches!(call(&mut store, "fail"), Err(Error::Host(error)) if error.to_string() == "no disk")
        );
    }
}

#[test]
fn the_quota_of_host_calls_is_exact() {
    for engine in engines() {
        let mut linker = Linker::<u32>::new(&engine);
        linker.func_wrap("h", "f", |mut caller: Caller<'_, u32>| *caller.data_mut() += 1).unwrap();
        let text = r#"(module (import "h" "f" (func $f)) (func (export "run") (loop (call $f) (br 0))))"#;
        let limits = Limits { host_calls: Some(1_000), ..Limits::standard() };
        let mut store = Store::with_limits(&engine, 0, limits).unwrap();
        let run = linker
            .instantiate(&mut store, &module(&engine, text))
            .unwrap()
            .get_func(&mut store, "run")
            .unwrap();
        assert_eq!(run.call(&mut store, &[]).unwrap(), Outcome::Limit(Quota::HostCalls(1_000)));
        assert_eq!(*store.data(), 1_000);
        assert_eq!(store.host_call_counts(), [("h", "f", 1_000)]);
    }
}

fn link_error(
    linker: &Linker<native::Native>,
    store: &mut Store<native::Native>,
    text: &str,
) -> LinkErrorKind {
    let engine = store.engine().clone();
    match linker.instantiate(store, &module(&engine, text)) {
        Err(Error::Link(error)) => error.kind,
        other => panic!("linking fails, not {other:?}"),
    }
}

#[test]
fn unknown_wrong_and_withheld_imports_are_refused_by_name() {
    for engine in engines() {
        let mut linker = Linker::new(&engine);
        native::add_to_linker(&mut linker, |native| native).unwrap();
        let mut store = Store::new(&engine, native::Native::default());
        let unknown = r#"(module (import "env" "nothing" (func)))"#;
        assert_eq!(link_error(&linker, &mut store, unknown), LinkErrorKind::Unknown);
        let wrong = r#"(module (import "env" "log" (func (param i64))))"#;
        assert!(matches!(link_error(&linker, &mut store, wrong), LinkErrorKind::Incompatible { .. }));
        store.gate_mut().grants.deny(Capability::Log);
        let withheld = r#"(module (import "env" "log" (func (param i32 i32))))"#;
        assert_eq!(link_error(&linker, &mut store, withheld), LinkErrorKind::Denied(Capability::Log));
    }
}

#[test]
fn unknown_functions_trap_or_answer_zero_where_that_is_chosen() {
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        let text = r#"(module (import "x" "y" (func $f (result i64))) (func (export "run") (result i64) (call $f)))"#;
        for (choice, zero) in [(UnknownImports::Trap, false), (UnknownImports::Zero, true)] {
            linker.unknown_imports = choice;
            let mut store = Store::new(&engine, ());
            let run = linker
                .instantiate(&mut store, &module(&engine, text))
                .unwrap()
                .get_func(&mut store, "run")
                .unwrap();
            let outcome = run.call(&mut store, &[]).unwrap();
            assert_eq!(outcome == Outcome::Returned(vec![Val::I64(0)]), zero, "{outcome}");
        }
    }
}

#[test]
fn a_capability_that_is_withdrawn_denies_the_next_call() {
    for engine in engines() {
        let mut linker = Linker::new(&engine);
        native::add_to_linker(&mut linker, |native| native).unwrap();
        let text = r#"(module (import "env" "read_sensor" (func $f (param i32) (result i32)))
        (func (export "run") (result i32) (call $f (i32.const 1))))"#;
        let mut store = Store::new(&engine, native::Native::default());
        store.gate_mut().remember(10);
        let run = linker
            .instantiate(&mut store, &module(&engine, text))
            .unwrap()
            .get_func(&mut store, "run")
            .unwrap();
        assert!(matches!(run.call(&mut store, &[]).unwrap(), Outcome::Returned(_)));
        store.gate_mut().grants.deny(Capability::Sensor);
        assert_eq!(run.call(&mut store, &[]).unwrap(), Outcome::Denied(Capability::Sensor));
        assert_eq!(store.gate().events().len(), 2, "a call and a violation");
    }
}

#[test]
fn instances_share_what_they_export() {
    for engine in engines() {
        let mut store = limited(&engine, Limits::standard());
        let engine = store.engine().clone();
        let exporter = instance(
            &mut store,
            r#"(module (memory (export "memory") 1 2) (global (export "counter") (mut i32) (i32.const 5))
            (table (export "table") 2 funcref)
            (func (export "grow") (result i32) (memory.grow (i32.const 1))))"#,
        );
        let mut linker = Linker::new(&engine);
        linker.instance(&mut store, "m", exporter).unwrap();
        let text = r#"(module (import "m" "memory" (memory 1)) (import "m" "counter" (global $c (mut i32)))
        (import "m" "table" (table 1 funcref)) (import "m" "grow" (func $grow (result i32)))
        (elem (i32.const 1) $f) (func $f (result i32) (i32.const 9))
        (func (export "run") (result i32)
            (global.set $c (i32.add (global.get $c) (i32.const 1)))
            (drop (call $grow))
            (i32.store (i32.const 65536) (i32.const 7))
            (i32.add (call_indirect (result i32) (i32.const 1)) (i32.load (i32.const 65536)))))"#;
        let user = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        assert_eq!(
            user.get_typed_func::<(), i32>(&mut store, "run").unwrap().call(&mut store, ()).unwrap(),
            16
        );
        let counter = exporter.get_global(&mut store, "counter").unwrap();
        assert_eq!(counter.get(&store), Val::I32(6));
        assert_eq!(exporter.get_memory(&mut store, "memory").unwrap().data(&store)[65_536], 7);
        let table = exporter.get_table(&mut store, "table").unwrap();
        assert!(matches!(table.get(&store, 1), Some(Val::FuncRef(Some(_)))));
        assert_eq!((table.get(&store, 0), table.get(&store, 2)), (Some(Val::FuncRef(None)), None));
    }
}

#[test]
fn references_of_the_host_pass_through() {
    for engine in engines() {
        let mut store = limited(&engine, Limits::standard());
        let text = r#"(module (table $t 2 externref)
        (func (export "keep") (param externref) (table.set $t (i32.const 1) (local.get 0)))
        (func (export "give") (result externref) (table.get $t (i32.const 1))))"#;
        let instance = instance(&mut store, text);
        let reference = store.extern_ref("something").unwrap();
        let keep = instance.get_func(&mut store, "keep").unwrap();
        keep.call(&mut store, &[Val::ExternRef(Some(reference))]).unwrap();
        let give = instance.get_func(&mut store, "give").unwrap();
        assert_eq!(
            give.call(&mut store, &[]).unwrap(),
            Outcome::Returned(vec![Val::ExternRef(Some(reference))])
        );
        assert_eq!(
            store.extern_data(reference).and_then(|data| data.downcast_ref::<&str>()),
            Some(&"something")
        );
    }
}

#[test]
#[should_panic(expected = "a store that it does not belong to")]
fn a_handle_of_another_store_is_not_used() {
    for engine in engines() {
        let (mut one, mut other) =
            (limited(&engine, Limits::standard()), limited(&engine, Limits::standard()));
        let global =
            Global::new(&mut one, GlobalType { value: ValType::I32, mutable: true }, Val::I32(1)).unwrap();
        global.set(&mut other, Val::I32(2)).unwrap();
    }
}

#[test]
fn memory_grows_to_the_limit_of_the_store_and_no_further() {
    for engine in engines() {
        let text = r#"(module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
        let mut store = limited(&engine, Limits { memory_bytes: Some(3 << 16), ..Limits::standard() });
        let grow = instance(&mut store, text).get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
        let grown: Vec<_> = [1, 1, 1, -1, 0].map(|pages| grow.call(&mut store, pages).unwrap()).into();
        assert_eq!(grown, [1, 2, -1, -1, 3]);
        assert_eq!(store.memory_bytes(), 3 << 16);
    }
}

#[test]
fn a_function_of_the_host_can_be_called_by_the_host() {
    for engine in engines() {
        let mut store = limited(&engine, Limits::standard());
        let double = Func::wrap(&mut store, |x: i32| x * 2).unwrap();
        assert_eq!(double.call(&mut store, &[Val::I32(4)]).unwrap(), Outcome::Returned(vec![Val::I32(8)]));
        assert_eq!(double.typed::<i32, i32>(&store).unwrap().call(&mut store, 5).unwrap(), 10);
        assert_eq!(store.store().fuel_used(), 0);
    }
}

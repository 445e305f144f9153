//! What hostile modules and mistaken embedders once got away with.

use std::time::Duration;

mod each;

use each::engines;
use wasmos_frontend::types::{AddressType, Limits as Sizes};
use wasmos_runtime::{
    AsStore, Caller, Engine, Error, HostFailure, Instance, Limits, Linker, MAX_STACK_BYTES, Memory,
    MemoryType, Module, Outcome, Run, Step, Store, Table, TableType, TrapCode, Val, ValType,
};

fn instance<T: 'static>(store: &mut Store<T>, linker: &Linker<T>, text: &str) -> Instance {
    let bytes = wat::parse_str(text).expect("text");
    let module = Module::new(store.engine(), bytes).expect("a module");
    linker.instantiate(store, &module).expect("an instance")
}

fn plain(engine: &Engine, limits: Limits, text: &str) -> (Store<()>, Instance) {
    let mut store = Store::with_limits(engine, (), limits).expect("a store");
    let instance = instance(&mut store, &Linker::new(engine), text);
    (store, instance)
}

fn start(store: &mut Store<()>, instance: Instance, name: &str, params: &[Val]) -> Run {
    let func = instance.get_func(store, name).expect("an export");
    func.start(store, params).expect("it can be started")
}

/// The results of a callee do not count for the caller's frame, so that they may lie beyond what 16 bits can say.
#[test]
fn a_tail_call_from_a_frame_near_65536_slots_passes_its_arguments() {
    for engine in engines() {
        let (results, values) = ("v128 ".repeat(1000), "(v128.const i64x2 0 0)".repeat(1000));
        let text = format!(
            r#"(module (global $g (mut i32) (i32.const 0))
            (func $g (param i32 i32) (result {results})
                (global.set $g (i32.add (i32.mul (local.get 0) (i32.const 1000)) (local.get 1))) {values})
            (func $f (result {results}) (local {} {})
                (local.set 0 (i32.const 11)) (local.set 1462 (i32.const 22))
                (return_call $g (local.get 0) (local.get 1462)))
            (func (export "run") (result i32) (call $f) {} (global.get $g)))"#,
            "i32 ".repeat(2000),
            "v128 ".repeat(31_497),
            "drop ".repeat(1000),
        );
        let (mut store, instance) = plain(&engine, Limits::standard(), &text);
        let run = instance.get_typed_func::<(), i32>(&mut store, "run").expect("an export");
        assert_eq!(run.call(&mut store, ()).expect("it returns"), 11_022);
    }
}

const READER: &str = r#"(module (import "host" "first" (func $first (param i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "A")
    (table funcref (elem $first))
    (func (export "call") (result i32) (return_call $first (i32.const 0)))
    (func (export "indirect") (result i32)
        (return_call_indirect (param i32) (result i32) (i32.const 0) (i32.const 0)))
    (func (export "bad") (result i32) nop (return_call $first (i32.const -1))))"#;

/// A function of the host that is called in a tail position sees the memory of the function that calls it, and its trap
/// is at that call (promise P1).
#[test]
fn a_tail_call_of_the_host_comes_from_the_function_that_makes_it() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let first = |caller: Caller<'_, ()>, addr: i32| -> Result<i32, HostFailure> {
            Ok(i32::from(caller.read(addr as u32, 1)?[0]))
        };
        linker.func_wrap("host", "first", first).expect("a new name");
        let reader = instance(&mut store, &linker, READER);
        linker.instance(&mut store, "reader", reader).expect("new names");
        let other = instance(
            &mut store,
            &linker,
            r#"(module (import "reader" "call" (func $call (result i32))) (import "reader" "bad" (func $bad (result i32)))
            (memory (export "memory") 1) (data (i32.const 0) "B")
            (func (export "call") (result i32) (call $call))
            (func (export "tail") (result i32) (return_call $call))
            (func (export "after") (result i32) (drop (call $call)) (i32.load8_u (i32.const 0)))
            (func (export "bad") (result i32) (return_call $bad)))"#,
        );
        for (instance, name, wanted) in [
            (reader, "call", 'A'),
            (reader, "indirect", 'A'),
            (other, "call", 'A'),
            (other, "tail", 'A'),
            (other, "after", 'B'),
        ] {
            let func = instance.get_typed_func::<(), i32>(&mut store, name).expect("an export");
            assert_eq!(func.call(&mut store, ()).expect("it returns"), wanted as i32, "{name}");
        }
        for instance in [reader, other] {
            let func = instance.get_func(&mut store, "bad").expect("an export");
            let Outcome::Trapped(trap) = func.call(&mut store, &[]).expect("no mistake") else {
                panic!("it traps")
            };
            assert_eq!(trap.code, TrapCode::MemoryOutOfBounds);
            let module = reader.module(&store);
            let body = module.decoded().bodies[2].0;
            // Behind the count of locals, `nop` and the constant.
            assert_eq!((trap.offset, trap.backtrace[0].func.0), (body.start + 4, 3));
        }
    }
}

/// Each frame may overdraw the counter by 1,000 units until a test point: more frames than 31 bits hold would gain fuel.
#[test]
fn no_limit_admits_more_frames_than_the_counter_of_fuel_can_bear() {
    for engine in engines() {
        let limits = Limits { stack_bytes: u32::MAX, ..Limits::standard() };
        let (mut store, instance) = plain(
            &engine,
            limits,
            r#"(module (global $depth (export "depth") (mut i32) (i32.const 0))
            (func $f (export "f") (global.set $depth (i32.add (global.get $depth) (i32.const 1))) (call $f)))"#,
        );
        let f = instance.get_func(&mut store, "f").expect("an export");
        let Outcome::Trapped(trap) = f.call(&mut store, &[]).expect("no mistake") else { panic!("it traps") };
        assert_eq!(trap.code, TrapCode::CallStackExhausted);
        let depth = instance.get_global(&mut store, "depth").expect("an export").get(&store);
        let Val::I32(depth) = depth else { panic!("it is an i32") };
        assert!(i64::from(depth) * 1_000 < 1 << 31, "{depth} frames");
        assert!(u64::from(MAX_STACK_BYTES) / u64::try_from(depth).expect("a count") < 100, "{depth} frames");
    }
}

const SPIN: &str = r#"(module (func (export "spin") (param i32) (result i32) (loop (br 0)) (unreachable))
    (func (export "one") (result i32) (i32.const 1)))"#;

#[test]
fn a_run_belongs_to_its_store_and_ends_once() {
    for engine in engines() {
        let (mut a, in_a) = plain(&engine, Limits::standard(), SPIN);
        let (mut b, in_b) = plain(&engine, Limits::standard(), SPIN);
        let mut run_a = start(&mut a, in_a, "spin", &[Val::I32(1)]);
        let mut run_b = start(&mut b, in_b, "one", &[]);
        assert!(matches!(run_a.resume(&mut b, 10), Err(Error::RunOrder)));
        assert_eq!(
            run_b.resume(&mut b, 10).expect("its turn"),
            Step::Done(Outcome::Returned(vec![Val::I32(1)]))
        );
        let later = start(&mut b, in_b, "one", &[]);
        assert!(matches!(run_b.resume(&mut b, 10), Err(Error::RunOrder)));
        assert_eq!(later.finish(&mut b).expect("its turn"), Outcome::Returned(vec![Val::I32(1)]));
        assert_eq!(run_a.resume(&mut a, 10).expect("its turn"), Step::Suspended);
        drop(run_a);
        let one = in_a.get_func(&mut a, "one").expect("an export");
        assert!(matches!(one.call(&mut a, &[]), Err(Error::RunOrder)));
        a.abandon_runs();
        assert_eq!(
            one.call(&mut a, &[]).expect("nothing is in its way"),
            Outcome::Returned(vec![Val::I32(1)])
        );
    }
}

/// A run that has ended is not the run that a function of the host finds itself in.
#[test]
fn a_run_that_has_ended_drives_no_later_one() {
    for engine in engines() {
        let mut store = Store::new(&engine, None::<Run>);
        let mut linker = Linker::new(&engine);
        let again = |mut caller: Caller<'_, Option<Run>>| -> i32 {
            let Some(mut run) = caller.data_mut().take() else { return 0 };
            i32::from(matches!(run.resume(&mut caller, 10), Err(Error::RunOrder)))
        };
        linker.func_wrap("host", "again", again).expect("a new name");
        let text = r#"(module (import "host" "again" (func $again (result i32)))
        (func (export "run") (result i32) (call $again)))"#;
        let instance = instance(&mut store, &linker, text);
        let func = instance.get_func(&mut store, "run").expect("an export");
        let mut run = func.start(&mut store, &[]).expect("it can be started");
        assert_eq!(
            run.resume(&mut store, 100).expect("its turn"),
            Step::Done(Outcome::Returned(vec![Val::I32(0)]))
        );
        *store.data_mut() = Some(run);
        assert_eq!(func.call(&mut store, &[]).expect("no mistake"), Outcome::Returned(vec![Val::I32(1)]));
    }
}

/// Whoever stops a store stops everything that runs in it, also if a host function makes nothing of a nested call's end.
#[test]
fn a_stop_ends_the_outer_run_too() {
    for engine in engines() {
        let mut store = Store::new(&engine, None::<Instance>);
        let mut linker = Linker::new(&engine);
        let nested = |mut caller: Caller<'_, Option<Instance>>| {
            let Some(instance) = *caller.data() else { return };
            caller.store_mut().stop_handle().stop();
            let spin = instance.get_func(&mut caller, "spin").expect("an export");
            assert_eq!(spin.call(&mut caller, &[]).expect("no mistake"), Outcome::Stopped);
        };
        linker.func_wrap("host", "nested", nested).expect("a new name");
        let text = r#"(module (import "host" "nested" (func $nested)) (func (export "spin") (loop (br 0)))
        (func (export "run") (call $nested) (loop (br 0))) (func (export "end")))"#;
        let instance = instance(&mut store, &linker, text);
        *store.data_mut() = Some(instance);
        let run = instance.get_func(&mut store, "run").expect("an export");
        assert_eq!(run.call(&mut store, &[]).expect("no mistake"), Outcome::Stopped);
        let end = instance.get_func(&mut store, "end").expect("an export");
        assert_eq!(end.call(&mut store, &[]).expect("no mistake"), Outcome::Returned(vec![]));
    }
}

/// A host that calls back stands on the thread's own stack each time, whatever the limit on the guest's.
#[test]
fn calls_of_guest_and_host_nest_no_deeper_than_a_thread_bears() {
    for engine in engines() {
        let limits = Limits { stack_bytes: MAX_STACK_BYTES, ..Limits::standard() };
        let mut store = Store::with_limits(&engine, (), limits).expect("a store");
        let mut linker = Linker::new(&engine);
        let again = |mut caller: Caller<'_, ()>| -> Result<(), HostFailure> {
            let instance = caller.instance().expect("a guest calls");
            let run = instance.get_typed_func::<(), ()>(&mut caller, "run").expect("an export");
            run.call(&mut caller, ()).map_err(|error| match error {
                Error::Guest(outcome) => HostFailure::Guest(outcome),
                error => HostFailure::Error(error.into()),
            })
        };
        linker.func_wrap("host", "again", again).expect("a new name");
        let text = r#"(module (import "host" "again" (func $again)) (func (export "run") (call $again)))"#;
        let instance = instance(&mut store, &linker, text);
        let run = instance.get_func(&mut store, "run").expect("an export");
        let Outcome::Trapped(trap) = run.call(&mut store, &[]).expect("no mistake") else {
            panic!("it traps")
        };
        assert_eq!(trap.code, TrapCode::CallStackExhausted);
    }
}

/// Entries of passive segments stay in memory until they are dropped, at eight bytes each: a byte of the module.
#[test]
fn passive_element_segments_count_as_memory() {
    for engine in engines() {
        let text = format!(
            "(module (func $f) (elem func {}) (func (export \"drop\") (elem.drop 0)))",
            "$f ".repeat(10_000)
        );
        let module =
            |engine: &Engine| Module::new(engine, wat::parse_str(&text).expect("text")).expect("a module");
        let made = |bytes| {
            let limits = Limits { memory_bytes: Some(bytes), ..Limits::standard() };
            let mut store = Store::with_limits(&engine, (), limits).expect("a store");
            let made = Linker::new(&engine).instantiate(&mut store, &module(&engine));
            (store, made)
        };
        assert!(matches!(made(79_999).1, Err(Error::Limit { needed: 80_000, .. })));
        let (mut store, instance) = made(80_000);
        let drop = instance.expect("it fits").get_func(&mut store, "drop").expect("an export");
        drop.call(&mut store, &[]).expect("no mistake");
        assert_eq!((store.memory_bytes(), store.memory_peak_bytes()), (0, 80_000));
    }
}

/// Time that is up ends an instantiation between segments, and a store can be given new time.
#[test]
fn the_time_ends_an_instantiation_and_can_be_given_anew() {
    for engine in engines() {
        let limits = Limits { timeout: Some(Duration::ZERO), ..Limits::standard() };
        let mut store = Store::with_limits(&engine, (), limits).expect("a store");
        let bytes = wat::parse_str(r#"(module (memory 1) (data (i32.const 0) "a") (func (export "f")))"#)
            .expect("text");
        let module = Module::new(&engine, bytes).expect("a module");
        let late = Linker::new(&engine).instantiate(&mut store, &module);
        assert!(matches!(late, Err(Error::Guest(outcome)) if *outcome == Outcome::Deadline));
        store.set_timeout(Some(Duration::from_secs(600)));
        assert!(Linker::new(&engine).instantiate(&mut store, &module).is_ok());
    }
}

#[test]
fn a_memory_or_table_that_no_module_could_have_is_refused() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let ty = |min, max, page_size_log2, shared| MemoryType {
            address: AddressType::I32,
            limits: Sizes { min, max },
            shared,
            page_size_log2,
        };
        assert!(Memory::new(&mut store, ty(1, Some(2), 16, true)).is_ok());
        for bad in [
            ty(2, Some(1), 16, false),
            ty(0, None, 200, false),
            ty(0, None, 16, true),
            ty(65_537, None, 16, false),
        ] {
            assert!(matches!(Memory::new(&mut store, bad), Err(Error::BadType(_))), "{bad}");
        }
        let ty = TableType {
            element: ValType::FUNCREF,
            address: AddressType::I32,
            limits: Sizes { min: 2, max: Some(1) },
        };
        assert!(matches!(Table::new(&mut store, ty, Val::FuncRef(None)), Err(Error::BadType(_))));
    }
}

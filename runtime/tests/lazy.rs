//! Lazy validation: what is valid runs, what is not is refused at its first call, and nothing of it has run.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wasmos_frontend::types::FuncIdx;
use wasmos_frontend::{ErrorKind, Feature};
use wasmos_runtime::{
    Caller, Config, Engine, Error, Func, HostFailure, Instance, Linker, Module, Outcome, Store, Val,
    Validation,
};

fn lazy() -> Engine {
    Engine::new(Config { validation: Validation::Lazy, ..Config::default() })
}

fn bytes(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("text")
}

/// A store with an instance of the text, and how often the guest has called `host.note`.
fn guest(engine: &Engine, text: &str) -> (Store<()>, Instance, Arc<AtomicU32>) {
    let mut store = Store::new(engine, ());
    let mut linker = Linker::new(engine);
    let notes = Arc::new(AtomicU32::new(0));
    let counter = notes.clone();
    linker
        .func_wrap("host", "note", move || {
            counter.fetch_add(1, Ordering::Relaxed);
        })
        .unwrap();
    let instance = linker.instantiate(&mut store, &Module::new(engine, bytes(text)).unwrap()).unwrap();
    (store, instance, notes)
}

/// The function and the kind of the rule that an ending names.
fn refusal<T: std::fmt::Debug>(ended: Result<T, Error>) -> (FuncIdx, ErrorKind) {
    match ended {
        Err(Error::Module(error)) => (error.function.expect("a function"), error.kind.clone()),
        other => panic!("not a refusal: {other:?}"),
    }
}

/// `bad` notes before the instruction that breaks a rule; every way to call it has an export of its own.
const CALLS: &str = r#"(module
    (import "host" "note" (func $note))
    (type $f (func (result i32)))
    (table 1 funcref) (elem (i32.const 0) $bad)
    (func $bad (export "bad") (type $f) (call $note) (i64.const 1))
    (func (export "good") (type $f) (call $note) (i32.const 7))
    (func (export "call") (type $f) (i32.add (call $bad) (i32.const 1)))
    (func (export "tail") (type $f) (return_call $bad))
    (func (export "indirect") (type $f) (i32.add (call_indirect (type $f) (i32.const 0)) (i32.const 1)))
    (func (export "tail_indirect") (type $f) (return_call_indirect (type $f) (i32.const 0)))
    (func (export "reference") (type $f) (i32.add (call_ref $f (ref.func $bad)) (i32.const 1))))"#;

#[test]
fn what_is_valid_runs_and_what_is_not_is_refused_at_each_call_of_it() {
    let engine = lazy();
    let (mut store, instance, notes) = guest(&engine, CALLS);
    let mut call = |name: &str| {
        let func = instance.get_func(&mut store, name).unwrap();
        let before = store.fuel_used();
        (func.call(&mut store, &[]), store.fuel_used() - before)
    };
    // What the caller has begun is paid; of the callee nothing is.
    for (name, fuel) in [
        ("bad", 0),
        ("call", 1),
        ("bad", 0),
        ("tail", 1),
        ("indirect", 2),
        ("tail_indirect", 2),
        ("reference", 2),
    ] {
        let (ended, used) = call(name);
        assert_eq!(refusal(ended).0, FuncIdx(1), "{name}");
        assert_eq!(used, fuel, "{name}");
        assert_eq!(notes.load(Ordering::Relaxed), 0, "{name}: no instruction of a refused body runs");
    }
    assert_eq!(call("good").0.unwrap(), Outcome::Returned(vec![Val::I32(7)]));
    assert_eq!(notes.load(Ordering::Relaxed), 1);
    let typed = instance.get_typed_func::<(), i32>(&mut store, "bad").unwrap();
    assert_eq!(refusal(typed.call(&mut store, ())).0, FuncIdx(1));
}

#[test]
fn the_refusal_is_the_error_of_eager_validation() {
    let engine = lazy();
    let (mut store, instance, _) = guest(&engine, CALLS);
    let func = instance.get_func(&mut store, "bad").unwrap();
    let Err(Error::Module(late)) = func.call(&mut store, &[]) else { panic!("it is refused") };
    let Err(Error::Module(early)) = Module::new(&Engine::default(), bytes(CALLS)) else {
        panic!("it is refused")
    };
    assert_eq!(late, early);
    let module = Module::new(&engine, bytes(CALLS)).unwrap();
    let Err(Error::Module(all)) = module.validate() else { panic!("it is refused") };
    assert_eq!(all, early, "nothing is valid that was not checked");
}

#[test]
fn the_rest_is_validated_on_another_thread_while_the_guest_runs() {
    let text = r#"(module (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                           (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
        (func (export "unused") (result f64) (f64.const 1)))"#;
    let engine = lazy();
    let module = Module::new(&engine, bytes(text)).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    let fib = instance.get_typed_func::<i32, i32>(&mut store, "fib").unwrap();
    let valid = std::thread::scope(|scope| {
        let rest = scope.spawn(|| module.validate());
        assert_eq!(fib.call(&mut store, 15).unwrap(), 610);
        rest.join().unwrap().unwrap()
    });
    assert_eq!(valid.valid_bodies().count(), 2);

    let (mut eager, instance, _) = guest(&Engine::default(), text);
    let fib = instance.get_typed_func::<i32, i32>(&mut eager, "fib").unwrap();
    assert_eq!(fib.call(&mut eager, 15).unwrap(), 610);
    assert_eq!(eager.fuel_used(), store.fuel_used(), "when a body is validated costs no fuel");
}

#[test]
fn a_start_function_that_is_refused_ends_the_instantiation() {
    let engine = lazy();
    let module = Module::new(&engine, bytes("(module (func $f (drop)) (start $f))")).unwrap();
    let mut store = Store::new(&engine, ());
    let ended = Linker::new(&engine).instantiate(&mut store, &module);
    assert_eq!(refusal(ended).0, FuncIdx(0));
    assert_eq!(store.fuel_used(), 0);
}

#[test]
fn what_is_not_in_a_body_is_checked_at_once() {
    let text = r#"(module (func (export "a") (param i32)) (func $s (param i32)) (start $s))"#;
    let Err(Error::Module(error)) = Module::new(&lazy(), bytes(text)) else { panic!("it is refused") };
    assert_eq!((error.kind.clone(), error.function), (ErrorKind::StartType, None));
}

#[test]
fn a_host_function_that_calls_a_refused_function_is_told() {
    let engine = lazy();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap(
            "host",
            "call",
            |mut caller: Caller<'_, ()>, func: Option<Func>| -> Result<(), HostFailure> {
                func.expect("a function").call(&mut caller, &[])?;
                Ok(())
            },
        )
        .unwrap();
    let text = r#"(module (import "host" "call" (func $call (param funcref)))
        (elem declare func $bad) (func $bad (drop))
        (func (export "run") (call $call (ref.func $bad)))
        (func (export "after") (result i32) (i32.const 3)))"#;
    let instance = linker.instantiate(&mut store, &Module::new(&engine, bytes(text)).unwrap()).unwrap();
    let run = instance.get_func(&mut store, "run").unwrap();
    let Err(Error::Host(error)) = run.call(&mut store, &[]) else { panic!("the host function fails") };
    let error = error.downcast_ref::<Error>().expect("what the call ended with");
    assert!(matches!(error, Error::Module(error) if error.function == Some(FuncIdx(1))), "{error}");
    let after = instance.get_typed_func::<(), i32>(&mut store, "after").unwrap();
    assert_eq!(after.call(&mut store, ()).unwrap(), 3);
}

#[test]
fn a_run_in_slices_that_is_refused_has_ended() {
    let (mut store, instance, _) = guest(&lazy(), CALLS);
    let mut run = instance.get_func(&mut store, "call").unwrap().start(&mut store, &[]).unwrap();
    let ended = loop {
        match run.resume(&mut store, 1) {
            Ok(wasmos_runtime::Step::Suspended) => {}
            ended => break ended,
        }
    };
    assert_eq!(refusal(ended).0, FuncIdx(1));
    assert!(matches!(run.resume(&mut store, 1), Err(Error::RunOrder)));
}

#[test]
fn what_is_not_built_is_refused_where_it_is_called() {
    let text = r#"(module (type $s (struct))
        (func (export "gc") (drop (struct.new $s)))
        (func (export "plain") (result i32) (i32.const 1)))"#;
    let (mut store, instance, _) = guest(&lazy(), text);
    let gc = instance.get_func(&mut store, "gc").unwrap();
    let unsupported = wasmos_backend::Error::Unsupported { feature: Feature::Gc };
    assert!(matches!(gc.call(&mut store, &[]), Err(Error::Unsupported(error)) if error == unsupported));
    let plain = instance.get_typed_func::<(), i32>(&mut store, "plain").unwrap();
    assert_eq!(plain.call(&mut store, ()).unwrap(), 1);
    assert!(matches!(Module::new(&Engine::default(), bytes(text)), Err(Error::Unsupported(_))));

    // Constant expressions run at instantiation, so that they are looked at with the sections.
    let text = r#"(module (type $s (struct)) (global (ref $s) (struct.new $s)))"#;
    assert!(
        matches!(Module::new(&lazy(), bytes(text)), Err(Error::Unsupported(error)) if error == unsupported)
    );
}

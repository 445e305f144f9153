//! A047, A048, A062: what one instance leaves behind, and whether a run can be repeated.

use fastrand::Rng;
use wasmos_runtime::outcome::Quota;
use wasmos_runtime::{
    Caller, Error, FuncType, Limits, Linker, Module, Outcome, Step, Store, TrapCode, Val, ValType,
};

use crate::{Guest, engines, module};

/// Writes a secret wherever a guest can, and reports what it finds there without having written.
const SPY: &str = r#"(module
    (memory (export "memory") 1 3) (table (export "table") 16 funcref) (elem declare func $deep)
    (global (export "g") (mut i64) (i64.const 0))
    (func $deep (param $n i32) (local i64 i64 i64 i64 i64 i64 i64 i64)
        (local.set 1 (i64.const 0x5ec2e75ec2e7)) (local.set 8 (i64.const 0x5ec2e75ec2e7))
        (if (local.get $n) (then (call $deep (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "hide")
        (drop (memory.grow (i32.const 1)))
        (memory.fill (i32.const 0) (i32.const 0x5e) (i32.const 131072))
        (table.fill (i32.const 0) (ref.func $deep) (i32.const 16))
        (global.set 0 (i64.const 0x5ec2e75ec2e7))
        (call $deep (i32.const 50)))
    (func $find (export "find") (param $n i32) (result i64) (local i64 i64 i64 i64 i64 i64 i64 i64 v128)
        (i64.or (i64.or (i64.or (local.get 1) (local.get 2)) (i64.or (local.get 3) (local.get 4)))
            (i64.or (i64.or (i64.or (local.get 5) (local.get 6)) (i64.or (local.get 7) (local.get 8)))
                (i64.or (i64x2.extract_lane 1 (local.get 9))
                    (if (result i64) (local.get $n)
                        (then (call $find (i32.sub (local.get $n) (i32.const 1))))
                        (else (global.get 0)))))))
    (func (export "grow") (result i32) (memory.grow (i32.const 2))))"#;

#[track_caller]
fn finds_nothing(store: &mut Store<()>, instance: wasmos_runtime::Instance) {
    let find = instance.get_typed_func::<i32, i64>(store, "find").unwrap();
    assert_eq!(find.call(store, 50).unwrap(), 0);
    assert_eq!(instance.get_typed_func::<(), i32>(store, "grow").unwrap().call(store, ()).unwrap(), 1);
    let memory = instance.get_memory(store, "memory").unwrap();
    // Whole words, so that ten thousand rounds are soon done.
    let (before, words, after) = (&[], memory.data(store).as_chunks::<16>().0, &[]);
    assert_eq!((before, after), (&[0_u8; 0], &[0_u8; 0]));
    assert!(words.iter().all(|word| u128::from_ne_bytes(*word) == 0), "memory is not zero");
    let table = instance.get_table(store, "table").unwrap();
    assert!(
        (0..16).all(|index| table.get(store, index) == Some(Val::FuncRef(None))),
        "the table is not null"
    );
}

#[test]
fn a047_an_instance_finds_nothing_of_those_before() {
    for engine in engines() {
        let (module, linker) = (module(&engine, SPY), Linker::new(&engine));
        for round in 0..10_000 {
            let mut store = Store::with_limits(&engine, (), Limits::unlimited()).unwrap();
            // In every other round the two are in one store, and share the operand stack.
            let first = linker.instantiate(&mut store, &module).unwrap();
            first.get_typed_func::<(), ()>(&mut store, "hide").unwrap().call(&mut store, ()).unwrap();
            if round % 2 == 0 {
                store = Store::with_limits(&engine, (), Limits::unlimited()).unwrap();
            }
            let second = linker.instantiate(&mut store, &module).unwrap();
            finds_nothing(&mut store, second);
        }
    }
}

/// A module that shares its memory and table, and one that fails half-way.
const SHARED: &str = r#"(module (memory (export "memory") 1) (table (export "table") 4 funcref)
    (func (export "run") (param i32) (result i32) (i32.load8_u (local.get 0))))"#;

fn failing(rest: &str) -> String {
    format!(
        r#"(module (import "m" "memory" (memory 1)) (import "m" "table" (table 4 funcref))
        (func $f) (func $start (i32.store8 (i32.const 2) (i32.const 3)) unreachable) {rest})"#
    )
}

#[test]
fn a048_a_failure_half_way_leaves_what_the_specification_says_and_no_instance() {
    // What comes next, the trap, and the first bytes of the memory afterwards: segments are copied in order, elements
    // before data.
    let cases = [
        (
            r#"(elem (i32.const 0) $f) (elem (i32.const 4) $f) (data (i32.const 0) "a")"#,
            TrapCode::TableOutOfBounds,
            [0; 4],
        ),
        (
            r#"(data (i32.const 0) "a") (data (i32.const 65535) "bc") (data (i32.const 1) "d")"#,
            TrapCode::MemoryOutOfBounds,
            [b'a', 0, 0, 0],
        ),
        (r#"(data (i32.const 0) "ab") (start $start)"#, TrapCode::Unreachable, [b'a', b'b', 3, 0]),
    ];
    for (rest, code, bytes) in cases {
        for engine in engines() {
            let mut guest = Guest::new(&engine, Limits::unlimited(), SHARED);
            let mut linker = Linker::new(&engine);
            linker.instance(&mut guest.store, "m", guest.instance).unwrap();
            let error = linker.instantiate(&mut guest.store, &module(&engine, &failing(rest))).unwrap_err();
            let Error::Guest(outcome) = error else { panic!("{error}") };
            assert_eq!(crate::trap(*outcome), code, "{rest}");
            let memory = guest.memory();
            assert_eq!(memory.data(&guest.store)[..4], bytes, "{rest}");
            assert_eq!(memory.data(&guest.store)[65_535], 0, "a segment that does not fit writes nothing");
            assert_eq!(guest.value("run", &[Val::I32(0)]), Val::I32(bytes[0].into()));
        }
    }
}

#[test]
fn a048_a_module_that_cannot_be_linked_adds_nothing_to_the_store() {
    let text = r#"(module (import "host" "f" (func)) (import "host" "not there" (func)) (memory 10))"#;
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        linker.func_wrap("host", "f", || {}).unwrap();
        let mut store = Store::new(&engine, ());
        let module = module(&engine, text);
        for _ in 0..1_000 {
            assert!(matches!(linker.instantiate(&mut store, &module).unwrap_err(), Error::Link(_)));
        }
        assert_eq!((store.memory_bytes(), store.fuel_used()), (0, 0));
    }
}

#[test]
fn a048_a_limit_half_way_is_an_error_and_the_store_lives() {
    let text = "(module (memory 1) (memory 1) (memory 1000))";
    for engine in engines() {
        let limits = Limits { memory_bytes: Some(4 << 20), ..Limits::unlimited() };
        let mut guest = Guest::new(&engine, limits, SHARED);
        let linker = Linker::new(&engine);
        let error = linker.instantiate(&mut guest.store, &module(&engine, text)).unwrap_err();
        assert!(matches!(error, Error::Limit { quota: Quota::MemoryBytes(0x40_0000), .. }), "{error}");
        assert_eq!(guest.value("run", &[Val::I32(0)]), Val::I32(0));
    }
}

/// Sorts, hashes, grows, fills and asks the host, so that every kind of stop can come anywhere.
const BUSY: &str = include_str!("../../wat/run/busy.wat");

/// Everything that a run of `BUSY` shows.
#[derive(Debug, PartialEq)]
struct Seen {
    outcome: Outcome,
    fuel: [u64; 2],
    calls: Vec<(u64, i32)>,
    memory: Vec<u8>,
}

fn run(linker: &Linker<Vec<(u64, i32)>>, module: &Module, mut slice: impl FnMut() -> Option<u64>) -> Seen {
    let mut guest = Guest::linked(linker, Limits::unlimited(), vec![], module).unwrap();
    let mut run = guest.func("run").start(&mut guest.store, &[Val::I32(7)]).unwrap();
    let outcome = loop {
        let Some(units) = slice() else { break run.finish(&mut guest.store).unwrap() };
        if let Step::Done(outcome) = run.resume(&mut guest.store, units).unwrap() {
            break outcome;
        }
    };
    let memory = guest.memory();
    Seen {
        outcome,
        fuel: [guest.store.fuel_used(), guest.store.instructions()],
        memory: memory.data(&guest.store).to_vec(),
        calls: guest.store.into_data(),
    }
}

#[test]
fn a062_a_thousand_runs_in_slices_at_random_are_one_run() {
    let mut rng = Rng::with_seed(62);
    for engine in engines() {
        let mut linker = Linker::<Vec<(u64, i32)>>::new(&engine);
        let ty = FuncType::new(&[ValType::I32], &[ValType::I32]);
        let ask = |mut caller: Caller<'_, Vec<(u64, i32)>>, params: &[Val], results: &mut [Val]| {
            let [Val::I32(x)] = *params else { return Err(TrapCode::Unreachable.into()) };
            let fuel = wasmos_runtime::AsStore::store(&caller).fuel_used();
            caller.data_mut().push((fuel, x));
            caller.charge(13)?;
            results[0] = Val::I32(x.wrapping_mul(31) ^ 5);
            Ok(())
        };
        linker.func_new("host", "ask", ty, ask).unwrap();
        let module = module(&engine, BUSY);
        let at_once = run(&linker, &module, || None);
        assert!(matches!(at_once.outcome, Outcome::Returned(_)) && at_once.calls.len() > 20);
        for _ in 0..1_000 {
            let most = 1 << rng.u32(0..14);
            let sliced = run(&linker, &module, || Some(rng.u64(0..most)));
            assert!(sliced == at_once, "slices below {most}");
        }
    }
}

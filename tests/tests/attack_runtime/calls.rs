//! A035, A041, A046, A060, A076: calls between guest and host, through tables, and back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmos_runtime::{
    Caller, Error, FuncType, HostFailure, Limits, Linker, Module, Outcome, Store, TrapCode, Val, ValType,
};
use wasmos_tests::guard::on_small_stack;

use crate::{Guest, engines, module};

/// The host reads, calls the guest, which grows and writes, and reads again. A view that is kept over the call does not
/// compile: see the documentation of `Memory::data`.
#[test]
fn a035_the_host_sees_the_memory_that_the_guest_has_grown() {
    let text = r#"(module (import "host" "look" (func $look)) (memory (export "memory") 1)
        (func (export "grow")
            (drop (memory.grow (i32.const 200)))
            (i32.store8 (i32.const 0) (i32.const 2))
            (i32.store8 (i32.const 13172735) (i32.const 3)))
        (func (export "run") (result i32)
            (i32.store8 (i32.const 0) (i32.const 1))
            (call $look)
            (i32.add (i32.load8_u (i32.const 0)) (i32.load8_u (i32.const 65536)))))"#;
    for engine in engines() {
        let mut linker = Linker::<Vec<(usize, u8, u8)>>::new(&engine);
        let look = |mut caller: Caller<'_, Vec<(usize, u8, u8)>>| -> Result<(), HostFailure> {
            for _ in 0..2 {
                let (bytes, seen) = caller.memory_and_data();
                seen.push((bytes.len(), bytes[0], bytes[bytes.len() - 1]));
                if bytes.len() > 65_536 {
                    bytes[0] = 40;
                    bytes[65_536] = 2;
                    return Ok(());
                }
                let instance = caller.instance().ok_or(TrapCode::Unreachable)?;
                instance.get_typed_func::<(), ()>(&mut caller, "grow")?.call(&mut caller, ())?;
            }
            Ok(())
        };
        linker.func_wrap("host", "look", look).unwrap();
        let mut guest = Guest::linked(&linker, Limits::unlimited(), vec![], &module(&engine, text)).unwrap();
        assert_eq!(guest.value("run", &[]), Val::I32(42));
        assert_eq!(*guest.store.data(), [(65_536, 1, 0), (201 * 65_536, 2, 3)]);
    }
}

const MANY: usize = 1_000;

fn many_types() -> Vec<ValType> {
    let types = [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128, ValType::EXTERNREF];
    types.into_iter().cycle().take(MANY).collect()
}

fn many_vals() -> Vec<Val> {
    let val = |(index, ty): (usize, &ValType)| match Val::default_for(*ty) {
        Val::I32(_) => Val::I32(index as i32 - 500),
        Val::I64(_) => Val::I64(-(index as i64) << 33),
        Val::F32(_) => Val::F32((index as f32).to_bits()),
        Val::F64(_) => Val::F64((index as f64 / 3.0).to_bits()),
        Val::V128(_) => Val::V128((index as u128) << 100 | index as u128),
        null => null,
    };
    many_types().iter().enumerate().map(val).collect()
}

#[test]
fn a041_a_thousand_parameters_and_results_pass_in_both_directions() {
    let types: String = many_types().iter().map(|ty| format!("{ty} ")).collect();
    let gets: String = (0..MANY).map(|index| format!("(local.get {index}) ")).collect();
    let text = format!(
        r#"(module (type $t (func (param {types}) (result {types})))
        (import "host" "echo" (func $echo (type $t))) (table funcref (elem $own))
        (func $own (type $t) {gets})
        (func (export "own") (type $t) (call_indirect (type $t) {gets} (i32.const 0)))
        (func (export "host") (type $t) (call $echo {gets}))
        (func (export "tail") (type $t) (return_call $echo {gets})))"#
    );
    for engine in engines() {
        let mut linker = Linker::<usize>::new(&engine);
        let ty = FuncType::new(&many_types(), &many_types());
        let echo = |mut caller: Caller<'_, usize>, params: &[Val], results: &mut [Val]| {
            *caller.data_mut() += 1;
            assert_eq!(params, many_vals());
            results.copy_from_slice(params);
            Ok(())
        };
        linker.func_new("host", "echo", ty, echo).unwrap();
        let mut guest = Guest::linked(&linker, Limits::unlimited(), 0, &module(&engine, &text)).unwrap();
        for name in ["own", "host", "tail"] {
            assert_eq!(guest.call(name, &many_vals()), Outcome::Returned(many_vals()), "{name}");
        }
        assert_eq!(*guest.store.data(), 2);
    }
}

#[test]
fn a046_indirect_calls_of_what_is_not_there_trap() {
    let text = r#"(module (type $t (func (result i32))) (table 10 funcref)
        (elem (i32.const 0) $right $other $wide)
        (func $right (type $t) (i32.const 7)) (func $other (param i32)) (func $wide (result i64) (i64.const 1))
        (func (export "run") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
        (func (export "tail") (param i32) (result i32) (return_call_indirect (type $t) (local.get 0))))"#;
    for engine in engines() {
        for name in ["run", "tail"] {
            let mut guest = Guest::new(&engine, Limits::unlimited(), text);
            assert_eq!(guest.value(name, &[Val::I32(0)]), Val::I32(7));
            for (index, code) in [
                (1, TrapCode::IndirectCallType),
                (2, TrapCode::IndirectCallType),
                (3, TrapCode::UninitializedElement),
                (10, TrapCode::UndefinedElement),
                (i32::MIN, TrapCode::UndefinedElement),
                (-1, TrapCode::UndefinedElement),
            ] {
                assert_eq!(guest.trap(name, &[Val::I32(index)]), code, "{name} {index}");
            }
        }
    }
}

/// Types are compared by structure within an engine: a function of another module may be called by its type, whatever
/// its index there, and not by another one.
#[test]
fn a046_a_function_of_another_module_is_called_by_its_structure() {
    let caller = r#"(module (type $a (func (param i64) (result i64))) (type $b (func (param i32) (result i32)))
        (table (export "table") 2 funcref)
        (func (export "a") (result i64) (call_indirect (type $a) (i64.const 1) (i32.const 0)))
        (func (export "b") (result i32) (call_indirect (type $b) (i32.const 1) (i32.const 0))))"#;
    // Index 0 is the other module's index 1.
    let callee = r#"(module (import "m" "table" (table 2 funcref)) (elem (i32.const 0) $f)
        (func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 41))))"#;
    for engine in engines() {
        let mut guest = Guest::new(&engine, Limits::unlimited(), caller);
        let mut linker = Linker::new(&engine);
        linker.instance(&mut guest.store, "m", guest.instance).unwrap();
        linker.instantiate(&mut guest.store, &module(&engine, callee)).unwrap();
        assert_eq!(guest.value("b", &[]), Val::I32(42));
        assert_eq!(guest.trap("a", &[]), TrapCode::IndirectCallType);
    }
}

/// The registries of two engines number their types alike, so that only the engine tells them apart.
#[test]
fn a046_nothing_of_another_engine_or_store_is_used() {
    for (own, other) in engines().zip(engines()) {
        let table = r#"(module (type $t (func (param i64) (result i64))) (table (export "table") 1 funcref)
            (func (export "run") (call_indirect (type $t) (i64.const 1) (i32.const 0)) drop))"#;
        let func = r#"(module (func (export "f") (param i32) (result i32) (local.get 0)))"#;
        let mut guest = Guest::new(&own, Limits::unlimited(), table);
        let mut foreign = Guest::new(&other, Limits::unlimited(), func);
        let (table, func) = (guest.instance.get_table(&mut guest.store, "table").unwrap(), foreign.func("f"));
        let put = catch_unwind(AssertUnwindSafe(|| table.set(&mut guest.store, 0, Val::FuncRef(Some(func)))));
        assert!(put.is_err(), "a handle of another store is the embedder's mistake");
        assert_eq!(guest.trap("run", &[]), TrapCode::UninitializedElement);

        let linker = Linker::new(&own);
        let error = linker.instantiate(&mut guest.store, &module(&other, "(module)")).unwrap_err();
        assert!(matches!(error, Error::WrongType { .. }), "{error}");
    }
}

#[test]
fn a060_a_panic_of_a_host_function_is_an_error_and_everything_lives_on() {
    let text = r#"(module (import "host" "panic" (func $panic (param i32))) (memory (export "memory") 1)
        (func (export "run") (param i32) (i32.store (i32.const 0) (local.get 0)) (call $panic (local.get 0)))
        (func (export "nested") (param i32) (call $panic (i32.const 2))))"#;
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        let panic = |mut caller: Caller<'_, ()>, what: i32| -> Result<(), HostFailure> {
            match what {
                0 => Ok(()),
                // Like `panic!`, without its message on stderr.
                1 => std::panic::resume_unwind(Box::new("on purpose")),
                _ => {
                    let instance = caller.instance().ok_or(TrapCode::Unreachable)?;
                    Ok(instance.get_typed_func::<i32, ()>(&mut caller, "run")?.call(&mut caller, 1)?)
                }
            }
        };
        linker.func_wrap("host", "panic", panic).unwrap();
        let module = module(&engine, text);
        let mut guest = Guest::linked(&linker, Limits::unlimited(), (), &module).unwrap();
        let error = |guest: &mut Guest, name, param| {
            guest.func(name).call(&mut guest.store, &[Val::I32(param)]).unwrap_err()
        };
        let (first, nested) = (error(&mut guest, "run", 1), error(&mut guest, "nested", 0));
        let Error::HostPanicked { module: from, name, message } = &first else { panic!("{first}") };
        assert_eq!((&**from, &**name, &**message), ("host", "panic", "on purpose"));
        // The host function that called back got the error, and handed it on.
        let Error::Host(inner) = &nested else { panic!("{nested}") };
        assert!(inner.to_string().ends_with("panicked: on purpose"), "{inner}");

        // What the guest did before stays, and store, engine and others go on.
        let memory = guest.memory();
        assert_eq!(memory.data(&guest.store)[0], 1);
        for _ in 0..100 {
            assert_eq!(guest.call("run", &[Val::I32(0)]), Outcome::Returned(vec![]));
        }
        let other = std::thread::spawn(move || {
            let mut guest = Guest::linked(&linker, Limits::unlimited(), (), &module).unwrap();
            guest.call("run", &[Val::I32(0)])
        });
        assert_eq!(other.join().unwrap(), Outcome::Returned(vec![]));
    }
}

#[test]
fn a060_a_panic_in_a_start_function_is_an_error() {
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        let boom = || -> () { std::panic::resume_unwind(Box::new("on purpose")) };
        linker.func_wrap("host", "panic", boom).unwrap();
        let text = r#"(module (import "host" "panic" (func $panic)) (start $panic))"#;
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        let error = linker.instantiate(&mut store, &module).unwrap_err();
        assert!(matches!(&error, Error::HostPanicked { message, .. } if message == "on purpose"), "{error}");
        assert!(linker.instantiate(&mut store, &module).is_err());
    }
}

/// Guest and host call each other until the guest's limit on depth ends it: 1 MiB of nested calls at 4 KiB or more each,
/// long before a host stack of 8 MiB.
#[test]
fn a076_recursion_through_the_host_is_bounded() {
    let text = r#"(module (import "host" "again" (func $again)) (func (export "run") (call $again)))"#;
    for engine in engines() {
        let mut linker = Linker::<u32>::new(&engine);
        let again = |mut caller: Caller<'_, u32>| -> Result<(), HostFailure> {
            *caller.data_mut() += 1;
            let instance = caller.instance().ok_or(TrapCode::Unreachable)?;
            Ok(instance.get_typed_func::<(), ()>(&mut caller, "run")?.call(&mut caller, ())?)
        };
        linker.func_wrap("host", "again", again).unwrap();
        let module = module(&engine, text);
        for stack_bytes in [1 << 20, 64 * 1024] {
            let limits = Limits { stack_bytes, ..Limits::unlimited() };
            let mut guest = Guest::linked(&linker, limits, 0, &module).unwrap();
            assert_eq!(guest.trap("run", &[]), TrapCode::CallStackExhausted);
            let depth = *guest.store.data();
            assert!((stack_bytes / 8_192..=stack_bytes / 4_096).contains(&depth), "{depth} calls");
            assert_eq!(guest.trap("run", &[]), TrapCode::CallStackExhausted);
            assert_eq!(*guest.store.data(), 2 * depth);
        }
        // The host's own frames are few enough for a small stack with the smaller limit.
        let limits = Limits { stack_bytes: 64 * 1024, ..Limits::unlimited() };
        let code = on_small_stack(|| Guest::linked(&linker, limits, 0, &module).unwrap().trap("run", &[]));
        assert_eq!(code, TrapCode::CallStackExhausted);
    }
}

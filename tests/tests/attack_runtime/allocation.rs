//! A061, and the resident memory of A034: processes of their own, whose address space the test limits and measures.
//!
//! What a guest asks for by a number (memories, tables, the operand stack, the entries of segments) must fail as an error.
//! What is proportional to the bytes of a module is allocated as Rust allocates, and is not tested here.

use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmos_runtime::{Backend, Engine, Error, Limits, Linker, Module, Outcome, Store, Val};

use crate::{Guest, engines, module};

const VARIABLE: &str = "WASMOS_TESTS_IN_CHILD";
const MIB: u64 = 1 << 20;

/// Runs a test of this file in a process of its own for each tier, where [`in_child`] is its engine.
#[track_caller]
fn child(test: &str) {
    for (number, engine) in engines().enumerate() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("allocation::{test}"), "--test-threads=1"])
            .env(VARIABLE, number.to_string())
            .output()
            .unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{:?}: {}: {text}", engine.backend(), output.status);
        assert!(text.contains("1 passed"), "{text}");
    }
}

fn in_child() -> Option<Engine> {
    let number = std::env::var(VARIABLE).ok()?.parse().unwrap();
    engines().nth(number)
}

/// Reads a figure of this process, in bytes.
fn status(key: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim_matches([':', ' ', '\t']).trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Does `work` while the address space may grow by `room` bytes and no more.
fn with_room<T>(room: u64, work: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::As);
    let current = Some(status("VmSize") + room);
    setrlimit(Resource::As, Rlimit { current, ..before }).unwrap();
    let result = work();
    setrlimit(Resource::As, before).unwrap();
    result
}

#[track_caller]
fn is_resources(error: &Error) {
    assert!(matches!(error, Error::Resources(_)), "{error}");
}

#[test]
fn a061_what_the_system_refuses_is_an_error() {
    child("in_little_address_space");
}

/// The work of the test above; alone it has nothing to do.
#[test]
fn in_little_address_space() {
    let Some(engine) = in_child() else { return };
    stores(&engine);
    memories(&engine);
    tables(&engine);
    segments(&engine);
}

fn stores(engine: &Engine) {
    let limits = Limits { stack_bytes: 64 << 20, ..Limits::unlimited() };
    let mut guest = Guest::new(engine, limits, r#"(module (func (export "run")))"#);
    let run = guest.func("run");
    // The operand stack is made at the first call.
    is_resources(&with_room(MIB, || run.call(&mut guest.store, &[]).unwrap_err()));
    assert_eq!(run.call(&mut guest.store, &[]).unwrap(), Outcome::Returned(vec![]));
}

fn is_guarded(engine: &Engine) -> bool {
    matches!(engine.backend(), Backend::Jit(options) if options.bounds.is_guarded())
}

fn memories(engine: &Engine) {
    let text = |pages: u32| {
        format!(
            r#"(module (memory (export "memory") {pages})
            (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#
        )
    };
    let (big, small) = (module(engine, &text(10_000)), module(engine, &text(1)));
    let linker = Linker::new(engine);
    let mut store = Store::with_limits(engine, (), Limits::unlimited()).unwrap();
    let error = with_room(16 * MIB, || linker.instantiate(&mut store, &big).unwrap_err());
    is_resources(&error);
    assert_eq!(store.memory_bytes(), 0, "what was not had is not counted");

    if is_guarded(engine) {
        // There is no room for the guard without which the code is not safe.
        is_resources(&with_room(16 * MIB, || linker.instantiate(&mut store, &small).unwrap_err()));
        assert!(linker.instantiate(&mut store, &small).is_ok());
        return;
    }
    // As much is reserved as can be had; beyond it, growing answers -1.
    let mut guest = with_room(16 * MIB, || Guest::of(engine, Limits::unlimited(), &small));
    let fuel = guest.store.fuel_used();
    assert_eq!(guest.value("grow", &[Val::I32(10_000)]), Val::I32(-1));
    assert_eq!(guest.store.fuel_used() - fuel, 2, "a failed grow costs 1, and its operand");
    assert_eq!(guest.value("grow", &[Val::I32(1)]), Val::I32(1));

    // The same store goes on, and the same module when there is room.
    assert!(linker.instantiate(&mut store, &big).is_ok());
}

fn tables(engine: &Engine) {
    let text = r#"(module (table 1 funcref)
        (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))"#;
    let mut guest = Guest::new(engine, Limits::unlimited(), text);
    // The stack for guests is made at the first call.
    assert_eq!(guest.value("grow", &[Val::I32(0)]), Val::I32(1));
    let fuel = guest.store.fuel_used();
    // 80 MB: more than the allocator may keep in reserve for a thread.
    let grow = [Val::I32(9_999_999)];
    assert_eq!(with_room(4 * MIB, || guest.value("grow", &grow)), Val::I32(-1));
    assert_eq!((guest.store.fuel_used() - fuel, guest.store.memory_bytes()), (3, 8));
    assert_eq!(guest.value("grow", &grow), Val::I32(1));

    let big = module(engine, "(module (table 9999999 funcref))");
    let mut store = Store::with_limits(engine, (), Limits::unlimited()).unwrap();
    let linker = Linker::new(engine);
    is_resources(&with_room(4 * MIB, || linker.instantiate(&mut store, &big).unwrap_err()));
    assert!(linker.instantiate(&mut store, &big).is_ok());
}

/// Nine million entries take a byte each in the module and eight in an instance.
fn segments(engine: &Engine) {
    use wasmos_frontend::module::SectionId;
    use wasmos_tests::shapes::{body, func_type, repeated, section, vector};
    let passive = [&[1, 1, 0][..], &repeated(9_000_000, &[0])].concat();
    let bytes = wasmos_tests::shapes::module(&[
        section(SectionId::Type, vector([func_type(&[], &[])])),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Element, passive),
        section(SectionId::Code, vector([body(&[0], &[])])),
    ]);
    let big = Module::new(engine, bytes).unwrap();
    let mut store = Store::with_limits(engine, (), Limits::unlimited()).unwrap();
    let linker = Linker::new(engine);
    is_resources(&with_room(4 * MIB, || linker.instantiate(&mut store, &big).unwrap_err()));
    assert!(linker.instantiate(&mut store, &big).is_ok());
}

#[test]
fn a034_resident_memory_stays_within_the_cap() {
    child("growing_and_touching");
}

/// The work of the test above; alone it has nothing to do.
#[test]
fn growing_and_touching() {
    let Some(engine) = in_child() else { return };
    const CAP: u64 = 64 * MIB;
    let text = r#"(module (memory 0)
        (func (export "run") (param $times i32)
            (loop $again
                (drop (memory.grow (i32.const 1)))
                (memory.fill (i32.const 0) (i32.const 1) (i32.shl (memory.size) (i32.const 16)))
                (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))"#;
    let limits = Limits { memory_bytes: Some(CAP), ..Limits::unlimited() };
    let mut guest = Guest::new(&engine, limits, text);
    let before = status("VmHWM");
    guest.call("run", &[Val::I32(1_200)]);
    let grown = status("VmHWM") - before;
    assert!((CAP..CAP + 4 * MIB).contains(&grown), "{grown} bytes");
}

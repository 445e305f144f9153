//! A052 to A056 and A063: what only native code could get wrong, and what threads could.

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use wasmos_runtime::{Engine, Error, Limits, Linker, Module, Outcome, Store, TrapCode, Val};

use crate::{Guest, engines, module};

const VARIABLE: &str = "WASMOS_TESTS_IN_CHILD";

/// Returns the mappings of this process that are writable and executable.
fn writable_and_executable() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let both = |line: &&str| {
        line.split(' ').nth(1).is_some_and(|rights| rights.contains('w') && rights.contains('x'))
    };
    maps.lines().filter(both).map(str::to_owned).collect()
}

const SUM: &str = r#"(module (memory (export "memory") 1)
    (func (export "sum") (param $n i32) (result i32) (local $sum i32)
        (loop $next
            (local.set $sum (i32.add (local.get $sum) (local.get $n)))
            (i32.store (i32.and (i32.mul (local.get $n) (i32.const 4)) (i32.const 0xfffc)) (local.get $sum))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum)))"#;

#[test]
fn a052_no_page_is_ever_writable_and_executable() {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..50 {
                        for engine in engines() {
                            let mut guest = Guest::new(&engine, Limits::standard(), SUM);
                            assert_eq!(guest.value("sum", &[Val::I32(100)]), Val::I32(5_050));
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) || looks == 0 {
                assert_eq!(writable_and_executable(), Vec::<String>::new());
                looks += 1;
            }
        });
        let results: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        assert!(results.iter().all(Result::is_ok));
    });
}

/// What is too much to compile is refused as such, so that the interpreter can take it; what is not is right.
#[test]
fn a053_bodies_out_of_proportion_are_refused_or_run() {
    let blocks = format!(
        r#"(module (func (export "run") (result i32) (local i32) {} (local.get 0)))"#,
        "(block (br_if 0 (local.get 0)) (local.set 0 (i32.const 1))) (block (br_if 0 (i32.eqz (local.get 0))) (local.set 0 (i32.const 0)))"
            .repeat(10_000)
    );
    let locals = format!(
        r#"(module (func (export "run") (result i32) (local {}) {} (local.get 0)))"#,
        "i32 ".repeat(50_000),
        (0..2_000).map(|n| format!("(local.set {} (local.get {}))", n * 25, 49_999 - n)).collect::<String>(),
    );
    for text in [blocks, locals] {
        let bytes = wat::parse_str(&text).unwrap();
        for engine in engines() {
            match Module::new(&engine, &*bytes) {
                Ok(module) => {
                    let mut guest = Guest::of(&engine, Limits::standard(), &module);
                    assert_eq!(guest.value("run", &[]), Val::I32(0));
                }
                Err(Error::Unsupported(error)) => assert!(error.is_of_jit(), "{error}"),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Values that all live across a call must be spilled: the native frame is larger than what the depth counts it as.
#[test]
fn a054_frames_with_many_spills_end_at_the_depth() {
    let live = 2_000;
    let push = "(i64.add (local.get 0) (i64.load (i32.const 8)))".repeat(live);
    let text = format!(
        r#"(module (memory 1) (func $f (export "run") (param i64) (result i64)
            {push} (call $f (i64.add (local.get 0) (i64.const 1))) {}))"#,
        "i64.add ".repeat(live),
    );
    let bytes = wat::parse_str(text).unwrap();
    for engine in engines() {
        let module = match Module::new(&engine, &*bytes) {
            Err(Error::Unsupported(error)) if error.is_of_jit() => continue,
            module => module.unwrap(),
        };
        let mut guest = Guest::of(&engine, Limits::standard(), &module);
        assert_eq!(guest.trap("run", &[Val::I64(0)]), TrapCode::CallStackExhausted);
    }
}

/// Runs a test of this file in a process of its own and returns how it ended, and what it wrote.
fn child(test: &str) -> (ExitStatus, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("native::{test}"), "--test-threads=1", "--nocapture"])
        .env(VARIABLE, test)
        .output()
        .unwrap();
    (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn is_child(test: &str) -> bool {
    std::env::var_os(VARIABLE).is_some_and(|name| name == test)
}

/// Calls a function of the host from guests of all tiers but the interpreter.
fn in_the_host(act: fn()) {
    let text = r#"(module (import "host" "act" (func $act)) (memory 1)
        (func (export "trap") (drop (i32.load (i32.const 0x10000000)))) (func (export "run") (call $act)))"#;
    let engine = engines().nth(1).unwrap();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "act", act).unwrap();
    let mut guest = Guest::linked(&linker, Limits::standard(), (), &module(&engine, text)).unwrap();
    assert_eq!(guest.trap("trap", &[]), TrapCode::MemoryOutOfBounds);
    std::io::stderr().write_all(b"before\n").unwrap();
    guest.call("run", &[]);
    std::io::stderr().write_all(b"after\n").unwrap();
}

/// A fault in the guest is a trap; the same signal in a function of the host is nobody's trap, and kills.
#[test]
fn a055_a_fault_in_the_host_is_not_swallowed() {
    for (test, signal) in [("floating_point_in_the_host", 8), ("bad_instruction_in_the_host", 4)] {
        let (status, text) = child(test);
        assert_eq!(status.signal(), Some(signal), "{test}: {status}: {text}");
        assert!(text.contains("before") && !text.contains("after"), "{text}");
    }
    let (status, text) = child("overflow_in_the_host");
    assert_eq!(status.signal(), Some(6), "{status}: {text}");
    assert!(text.contains("overflowed its stack") && text.contains("before"), "{text}");
}

/// Any thread of the process may take the signal: this one waits for its end.
fn sent(signal: Signal) {
    kill_process(getpid(), signal).unwrap();
    thread::sleep(Duration::from_secs(10));
}

#[test]
fn floating_point_in_the_host() {
    if is_child("floating_point_in_the_host") {
        in_the_host(|| sent(Signal::FPE));
    }
}

#[test]
fn bad_instruction_in_the_host() {
    if is_child("bad_instruction_in_the_host") {
        in_the_host(|| sent(Signal::ILL));
    }
}

/// The standard library's own handler, which was there before, reports a thread that overflows its stack.
#[test]
fn overflow_in_the_host() {
    fn deeper(n: &mut u64) -> u64 {
        let mut next = std::hint::black_box(*n + 1);
        if next == 0 { 0 } else { deeper(&mut next) + *n }
    }
    if is_child("overflow_in_the_host") {
        in_the_host(|| assert_ne!(deeper(&mut 0), 0));
    }
}

/// Leaves a secret in memory, which the next instance in its place must not see.
const SECRET: &str = r#"(module (memory (export "memory") 2)
    (table (export "table") 8 funcref) (elem declare func $run)
    (func $run (export "run") (result i64) (local $found i64) (local $at i32)
        (loop $next
            (local.set $found (i64.or (local.get $found) (i64.load (local.get $at))))
            (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096))) (i32.const 131072))))
        (if (i32.eqz (ref.is_null (table.get (i32.const 3)))) (then (local.set $found (i64.const -1))))
        (table.set (i32.const 3) (ref.func $run))
        (memory.fill (i32.const 0) (i32.const 0x5e) (i32.const 131072))
        (local.get $found))
    (func (export "trap") (i64.store (i32.const 0x7fffffff) (i64.const 1)))
    (func $deep (export "deep") (call $deep)))"#;

#[test]
fn a063_threads_that_make_run_and_drop_instances_find_nothing_of_each_other() {
    fn hammer(engine: &Engine, module: &Module, thread: u64) {
        let mut rng = fastrand::Rng::with_seed(thread);
        let linker = Linker::new(engine);
        let mut stores = Vec::new();
        for _ in 0..300 {
            let mut store = Store::with_limits(engine, (), Limits::unlimited()).unwrap();
            let instance = linker.instantiate(&mut store, module).unwrap();
            let run = instance.get_typed_func::<(), i64>(&mut store, "run").unwrap();
            assert_eq!(run.call(&mut store, ()).unwrap(), 0);
            for name in ["trap", "deep"] {
                let func = instance.get_func(&mut store, name).unwrap();
                assert!(matches!(func.call(&mut store, &[]).unwrap(), Outcome::Trapped(_)));
            }
            stores.push(store);
            if stores.len() > 4 {
                stores.swap_remove(rng.usize(..stores.len()));
            }
        }
    }
    for engine in engines() {
        let module = module(&engine, SECRET);
        thread::scope(|scope| {
            for number in 0..8 {
                let (engine, module) = (&engine, &module);
                scope.spawn(move || hammer(engine, module, number));
            }
        });
    }
}

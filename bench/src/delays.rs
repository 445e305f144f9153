//! How late a guest that tries to starve the host is ended: the time from the limit to the return of the call.
//!
//! The one measurement without a peer: a delay is a promise to a person who waits, in milliseconds.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use wasmos_runtime::{Engine, Extern, Func, Instance, Limits, Linker, Module, Outcome, Store, TrapCode};

use crate::stats::spread;

/// When the end is due: so soon that a guest is still at its first large growth.
const DUE: Duration = Duration::from_millis(5);

/// What a guest does, and by what name it is shown.
struct Case {
    name: &'static str,
    text: String,
}

fn case(name: &'static str, body: &str) -> Case {
    let text = format!(
        r#"(module (import "host" "f" (func $host (param i32) (result i32)))
        (memory $m 65536) (memory $grown 0) (table $t 1000000 10000000 funcref) (table $g 0 10000000 funcref)
        (func $nothing) (elem declare func $nothing)
        {body})"#
    );
    Case { name, text }
}

/// Calls that clear 800 KB each, for the price of a call.
fn clearing() -> Case {
    let locals = "v128 ".repeat(49_999);
    case(
        "calls of a function of 50,000 vectors",
        &format!(r#"(func $f (local {locals})) (func (export "run") (loop (call $f) (br 0)))"#),
    )
}

/// Recursion through a table, over and over: each trap of the exhausted stack is left to the host, which calls again.
fn recursion(name: &'static str, params: usize, locals: usize) -> Case {
    let (types, gets) = ("i64 ".repeat(params), "(local.get 0) ".repeat(params));
    let (zeros, locals) = ("(i64.const 0) ".repeat(params), "i64 ".repeat(locals));
    case(
        name,
        &format!(
            r#"(type $p (func (param {types}))) (elem (table $t) (i32.const 0) func $f)
            (func $f (type $p) (local {locals}) (call_indirect $t (type $p) {gets} (i32.const 0)))
            (func (export "run") (call $f {zeros}))"#
        ),
    )
}

fn cases() -> Vec<Case> {
    let endless = |name, body: &str| case(name, &format!(r#"(func (export "run") (loop {body} (br 0)))"#));
    vec![
        endless("an empty loop", ""),
        endless("host calls", "(drop (call $host (i32.const 1)))"),
        endless("memory.grow", "(drop (memory.grow $grown (i32.const 1)))"),
        endless("memory.fill of 4 GiB", "(memory.fill $m (i32.const 0) (i32.const 1) (i32.const -1))"),
        endless("memory.copy of 4 GiB", "(memory.copy $m $m (i32.const 1) (i32.const 0) (i32.const -1))"),
        endless("table.grow by 9,000,000", "(drop (table.grow $g (ref.null func) (i32.const 9000000)))"),
        endless(
            "table.fill of 1,000,000",
            "(table.fill $t (i32.const 0) (ref.null func) (i32.const 1000000))",
        ),
        clearing(),
        recursion("recursion", 1, 0),
        recursion("recursion, 1,000 parameters", 1_000, 0),
        recursion("recursion, 50,000 locals", 1, 49_999),
        recursion("recursion, 1,000 parameters, 49,000 locals", 1_000, 49_000),
    ]
}

/// How the end comes.
#[derive(Clone, Copy)]
enum End {
    Deadline,
    Stop,
}

fn ready(engine: &Engine, module: &Module, end: End) -> Result<(Store<()>, Func)> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("host", "f", |x: i32| x)?;
    let timeout = matches!(end, End::Deadline).then_some(DUE);
    let mut store = Store::with_limits(engine, (), Limits { timeout, ..Limits::unlimited() })?;
    let instance: Instance = linker.instantiate(&mut store, module)?;
    let Some(Extern::Func(run)) = instance.get_export(&mut store, "run") else {
        anyhow::bail!("the module has no `run`");
    };
    Ok((store, run))
}

/// Milliseconds from the moment when the run was to end until it had.
fn delay(engine: &Engine, module: &Module, end: End) -> Result<f64> {
    // The clock of the timeout starts within the instantiation, after this.
    let start = Instant::now();
    let (mut store, run) = ready(engine, module, end)?;
    let stopper = matches!(end, End::Stop).then(|| {
        let handle = store.stop_handle();
        std::thread::spawn(move || {
            std::thread::sleep(DUE);
            let due = Instant::now();
            handle.stop();
            due
        })
    });
    let outcome = loop {
        match run.call(&mut store, &[])? {
            Outcome::Trapped(trap) if trap.code == TrapCode::CallStackExhausted => {}
            outcome => break outcome,
        }
    };
    let ended = Instant::now();
    let due = match stopper {
        Some(stopper) => stopper.join().map_err(|_| anyhow::anyhow!("the stopper panicked"))?,
        None => start + DUE,
    };
    let wanted = if matches!(end, End::Stop) { Outcome::Stopped } else { Outcome::Deadline };
    ensure!(outcome == wanted, "{outcome}");
    Ok(ended.saturating_duration_since(due).as_secs_f64() * 1e3)
}

/// Prints a row for each kind of guest.
pub fn run(rounds: usize, only: &str) -> Result<()> {
    println!(
        "| guest | after the time, ms: median (max) | after a stop, ms: median (max) |\n| --- | --: | --: |"
    );
    for Case { name, text } in cases().into_iter().filter(|case| case.name.contains(only)) {
        let engine = Engine::default();
        let module = Module::new(&engine, wat::parse_str(&text)?)?;
        let mut figures = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            figures[0].push(delay(&engine, &module, End::Deadline)?);
            figures[1].push(delay(&engine, &module, End::Stop)?);
        }
        let [time, stop] = figures.map(spread);
        println!("| {name} | {:.2} ({:.2}) | {:.2} ({:.2}) |", time[1], time[2], stop[1], stop[2]);
    }
    Ok(())
}

//! How fast bytes go through `fd_write` and `fd_read`, and what a host call costs at the gate.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wasmos_runtime as wasmos;
use wasmos_runtime::wasi::{self, Access, Output, WasiBuilder, WasiCtx};

use crate::stats::spread;

/// Bytes of one call.
const CHUNK: u32 = 64 << 10;
/// Calls of one round.
const CHUNKS: u32 = 8_192;
const CALLS: u32 = 100_000;

/// `open` makes a file and fills its first bytes, `write` and `read` move them `n` times, `stdout` writes `n` times to 1.
const TEXT: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 3)
    (data (i32.const 0) "file")
    (data (i32.const 16) "\00\00\01\00\00\00\01\00")
    (global $fd (mut i32) (i32.const 1))
    (func $check (param i32) (if (local.get 0) (then unreachable)))
    (func $rewind (call $check (call $fd_seek (global.get $fd) (i64.const 0) (i32.const 0) (i32.const 32))))
    (func (export "open")
        (call $check (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 9)
            (i64.const 0x66) (i64.const 0) (i32.const 0) (i32.const 24)))
        (global.set $fd (i32.load (i32.const 24))))
    (func (export "write") (param $n i32)
        (loop $again
            (call $rewind)
            (call $check (call $fd_write (global.get $fd) (i32.const 16) (i32.const 1) (i32.const 24)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "read") (param $n i32)
        (loop $again
            (call $rewind)
            (call $check (call $fd_read (global.get $fd) (i32.const 16) (i32.const 1) (i32.const 24)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "stdout") (param $n i32)
        (loop $again
            (call $check (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;

/// Returns gigabytes a second of each function.
fn throughput(
    bytes: &[u8],
    give: impl FnOnce(WasiBuilder) -> WasiBuilder,
    functions: &[&str],
) -> Result<Vec<f64>> {
    let engine = wasmos::Engine::default();
    let module = wasmos::Module::new(&engine, bytes)?;
    let mut linker = wasmos::Linker::new(&engine);
    wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx)?;
    let ctx = give(WasiCtx::builder()).build()?;
    let mut store = wasmos::Store::with_limits(&engine, ctx, wasmos::Limits::unlimited())?;
    let instance = linker.instantiate(&mut store, &module)?;
    if functions.contains(&"write") {
        instance.get_typed_func::<(), ()>(&mut store, "open")?.call(&mut store, ())?;
    }
    let mut results = Vec::new();
    for name in functions {
        let func = instance.get_typed_func::<i32, ()>(&mut store, name)?;
        let begin = Instant::now();
        func.call(&mut store, CHUNKS.cast_signed())?;
        results.push(f64::from(CHUNK) * f64::from(CHUNKS) / 1e9 / begin.elapsed().as_secs_f64());
    }
    Ok(results)
}

/// Returns nanoseconds a call: of a function that nothing guards, of one with a capability, and of that with every call
/// in the log.
fn host_calls() -> Result<[f64; 3]> {
    let bytes = wat::parse_str(
        r#"(module
            (import "env" "free" (func $free (param i32) (result i32)))
            (import "env" "guarded" (func $guarded (param i32) (result i32)))
            (func (export "free") (param $n i32)
                (loop $again
                    (drop (call $free (local.get $n)))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
            (func (export "guarded") (param $n i32)
                (loop $again
                    (drop (call $guarded (local.get $n)))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#,
    )?;
    let engine = wasmos::Engine::default();
    let module = wasmos::Module::new(&engine, bytes)?;
    let mut linker = wasmos::Linker::new(&engine);
    linker.func_wrap("env", "free", |x: i32| x)?;
    linker.func_wrap_guarded(("env", "guarded"), wasmos::Capability::Sensor, |x: i32| x)?;
    let time = |name: &str, events: usize| -> Result<f64> {
        let mut store = wasmos::Store::with_limits(&engine, (), wasmos::Limits::unlimited())?;
        store.gate_mut().remember(events);
        let instance = linker.instantiate(&mut store, &module)?;
        let func = instance.get_typed_func::<i32, ()>(&mut store, name)?;
        let begin = Instant::now();
        func.call(&mut store, CALLS.cast_signed())?;
        let nanoseconds = begin.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS);
        ensure!(store.gate().events().len() == events.min(CALLS as usize), "the log is full");
        Ok(nanoseconds)
    };
    Ok([time("free", 0)?, time("guarded", 0)?, time("guarded", CALLS as usize)?])
}

/// Prints both tables.
pub fn run(rounds: usize) -> Result<()> {
    let bytes = wat::parse_str(TEXT)?;
    let folder = std::env::temp_dir().join(format!("wasmos-bench-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let measured = measure(&bytes, &folder, rounds);
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn measure(bytes: &[u8], folder: &std::path::Path, rounds: usize) -> Result<()> {
    let mut speeds = [const { Vec::new() }; 5];
    let mut costs = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        let memory = throughput(bytes, |builder| builder.memory_dir("/"), &["write", "read"])?;
        let host =
            throughput(bytes, |builder| builder.dir(folder, "/", Access::ReadWrite), &["write", "read"])?;
        let null = std::fs::File::options().write(true).open("/dev/null").context("/dev/null")?;
        let stdout = throughput(bytes, |builder| builder.stdout(Output::File(null)), &["stdout"])?;
        let round = [memory, host, stdout].concat();
        speeds.iter_mut().zip(round).for_each(|(list, speed)| list.push(speed));
        costs.iter_mut().zip(host_calls()?).for_each(|(list, cost)| list.push(cost));
    }
    println!("| 64 KiB a call | GB/s (min–max) |\n| --- | --- |");
    let names = [
        "`fd_write`, a file in memory",
        "`fd_read`, a file in memory",
        "`fd_write`, a file of the host",
        "`fd_read`, a file of the host",
        "`fd_write`, stdout to /dev/null",
    ];
    for (name, list) in names.into_iter().zip(speeds) {
        let [least, median, most] = spread(list);
        println!("| {name} | {median:.1} ({least:.1}–{most:.1}) |");
    }
    println!("\n| a call of the host | ns (min–max) |\n| --- | --- |");
    for (name, list) in
        ["counted", "counted and guarded", "counted, guarded and logged"].into_iter().zip(costs)
    {
        let [least, median, most] = spread(list);
        println!("| {name} | {median:.1} ({least:.1}–{most:.1}) |");
    }
    Ok(())
}

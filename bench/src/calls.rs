//! Instantiation, calls from the host to the guest and from the guest to the host, in nanoseconds.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use wasmos_runtime as wasmos;

use crate::engines::wasmi_engine;
use crate::jit::{Setup, peer_engine};
use crate::stats::spread;

const CALLS: u32 = 100_000;
const INSTANCES: u32 = 1_000;

/// `add` is called by the host; `loop` calls the host `n` times.
const TEXT: &str = r#"(module
    (import "host" "f" (func $f (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "loop") (param $n i32)
        (loop $again
            (drop (call $f (local.get $n)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;

/// Nanoseconds for each of `n` rounds of `work`.
fn nanoseconds(n: u32, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(n))
}

/// Instantiation, host to guest, guest to host.
fn own(bytes: &[u8], backend: wasmos::Backend) -> Result<[f64; 3]> {
    let engine = wasmos::Engine::new(wasmos::Config { backend, ..Default::default() });
    let module = wasmos::Module::new(&engine, bytes)?;
    let mut linker = wasmos::Linker::new(&engine);
    linker.func_wrap("host", "f", |x: i32| x)?;
    let instantiate = nanoseconds(INSTANCES, || {
        for _ in 0..INSTANCES {
            let mut store = wasmos::Store::with_limits(&engine, (), wasmos::Limits::unlimited())?;
            black_box(linker.instantiate(&mut store, &module)?);
        }
        Ok(())
    })?;
    let mut store = wasmos::Store::with_limits(&engine, (), wasmos::Limits::unlimited())?;
    let instance = linker.instantiate(&mut store, &module)?;
    let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add")?;
    let to_guest = nanoseconds(CALLS, || {
        for i in 0..CALLS {
            black_box(add.call(&mut store, (i as i32, 1))?);
        }
        Ok(())
    })?;
    let repeat = instance.get_typed_func::<i32, ()>(&mut store, "loop")?;
    let to_host = nanoseconds(CALLS, || Ok(repeat.call(&mut store, CALLS as i32)?))?;
    Ok([instantiate, to_guest, to_host])
}

fn wasmi(bytes: &[u8]) -> Result<[f64; 3]> {
    let engine = wasmi_engine(true, wasmi::CompilationMode::Eager);
    let module = wasmi::Module::new(&engine, bytes)?;
    let mut linker = wasmi::Linker::new(&engine);
    linker.func_wrap("host", "f", |x: i32| x)?;
    let instantiate = nanoseconds(INSTANCES, || {
        for _ in 0..INSTANCES {
            let mut store = wasmi::Store::new(&engine, ());
            black_box(linker.instantiate_and_start(&mut store, &module)?);
        }
        Ok(())
    })?;
    let mut store = wasmi::Store::new(&engine, ());
    store.set_fuel(u64::MAX / 4)?;
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    let add = instance.get_typed_func::<(i32, i32), i32>(&store, "add")?;
    let to_guest = nanoseconds(CALLS, || {
        for i in 0..CALLS {
            black_box(add.call(&mut store, (i as i32, 1))?);
        }
        Ok(())
    })?;
    let repeat = instance.get_typed_func::<i32, ()>(&store, "loop")?;
    let to_host = nanoseconds(CALLS, || Ok(repeat.call(&mut store, CALLS as i32)?))?;
    Ok([instantiate, to_guest, to_host])
}

fn wasmtime(bytes: &[u8]) -> Result<[f64; 3]> {
    let engine = peer_engine(Setup::Fuel)?;
    let module = wasmtime::Module::new(&engine, bytes)?;
    let mut linker = wasmtime::Linker::new(&engine);
    linker.func_wrap("host", "f", |x: i32| x)?;
    let before = linker.instantiate_pre(&module)?;
    let instantiate = nanoseconds(INSTANCES, || {
        for _ in 0..INSTANCES {
            let mut store = wasmtime::Store::new(&engine, ());
            black_box(before.instantiate(&mut store)?);
        }
        Ok(())
    })?;
    let mut store = wasmtime::Store::new(&engine, ());
    store.set_fuel(u64::MAX / 2)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add")?;
    let to_guest = nanoseconds(CALLS, || {
        for i in 0..CALLS {
            black_box(add.call(&mut store, (i as i32, 1))?);
        }
        Ok(())
    })?;
    let repeat = instance.get_typed_func::<i32, ()>(&mut store, "loop")?;
    let to_host = nanoseconds(CALLS, || Ok(repeat.call(&mut store, CALLS as i32)?))?;
    Ok([instantiate, to_guest, to_host])
}

/// Prints a row for each figure.
pub fn run(rounds: usize) -> Result<()> {
    let bytes = wat::parse_str(TEXT)?;
    let mut figures: Vec<[[f64; 3]; 4]> = Vec::new();
    for _ in 0..rounds {
        figures.push([
            own(&bytes, wasmos::Backend::Interpreter)?,
            wasmi(&bytes)?,
            own(&bytes, wasmos::Backend::Jit(wasmos::JitOptions::default()))?,
            wasmtime(&bytes)?,
        ]);
    }
    println!(
        "| ns (min–max) | wasmos | wasmi + fuel | wasmos JIT | wasmtime + fuel |\n| --- | --- | --- | --- | --- |"
    );
    for (row, name) in ["a store and an instance", "host to guest", "guest to host"].iter().enumerate() {
        let column = |column: usize| {
            let [least, median, most] = spread(figures.iter().map(|figures| figures[column][row]).collect());
            format!("{median:.1} ({least:.1}–{most:.1})")
        };
        println!("| {name} | {} | {} | {} | {} |", column(0), column(1), column(2), column(3));
    }
    Ok(())
}

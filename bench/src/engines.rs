//! The engines that are compared, each behind a closure that is timed.

use anyhow::{Context, Result};
use wasmos_runtime as wasmos;

/// Fuel that no kernel uses up, and that wasmi's counter holds.
const PLENTY: u64 = u64::MAX / 4;

/// A call of an exported `run(i32) -> i64`.
pub type Kernel = Box<dyn FnMut(u32) -> Result<u64>>;

/// Returns wasmi's engine. It validates and translates when the module is made, unless the mode says otherwise.
pub fn wasmi_engine(fuel: bool, mode: wasmi::CompilationMode) -> wasmi::Engine {
    let mut config = wasmi::Config::default();
    config.consume_fuel(fuel).compilation_mode(mode);
    wasmi::Engine::new(&config)
}

/// Instantiates a kernel in wasmi.
pub fn wasmi_kernel(bytes: &[u8], fuel: bool) -> Result<Kernel> {
    let engine = wasmi_engine(fuel, wasmi::CompilationMode::Eager);
    let module = wasmi::Module::new(&engine, bytes)?;
    let mut store = wasmi::Store::new(&engine, ());
    if fuel {
        store.set_fuel(PLENTY)?;
    }
    let instance = wasmi::Linker::new(&engine).instantiate_and_start(&mut store, &module)?;
    let run = instance.get_typed_func::<u32, u64>(&store, "run")?;
    Ok(Box::new(move |n| Ok(run.call(&mut store, n)?)))
}

/// Instantiates a kernel in wasmos, metered as always.
pub fn wasmos_kernel(bytes: &[u8]) -> Result<Kernel> {
    let engine = wasmos::Engine::default();
    let module = wasmos::Module::new(&engine, bytes)?;
    let mut store = wasmos::Store::with_limits(&engine, (), wasmos::Limits::unlimited())?;
    let instance = wasmos::Linker::new(&engine).instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<u32, u64>(&mut store, "run").context("a kernel exports `run`")?;
    Ok(Box::new(move |n| Ok(run.call(&mut store, n)?)))
}

//! From bytes to the first instruction: decode, validate, prepare, instantiate, enter `_start`.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wasmos_runtime as wasmos;

use crate::engines::wasmi_engine;
use crate::stats::spread;

/// So little that a run ends where it begins.
const A_DROP: u64 = 1;

fn own(bytes: Vec<u8>) -> Result<f64> {
    let start = Instant::now();
    let engine = wasmos::Engine::default();
    let module = wasmos::Module::new(&engine, bytes)?;
    let limits = wasmos::Limits { fuel: Some(A_DROP), ..wasmos::Limits::unlimited() };
    let mut store = wasmos::Store::with_limits(&engine, (), limits)?;
    let mut linker = wasmos::Linker::new(&engine);
    linker.unknown_imports = wasmos::linker::UnknownImports::Trap;
    let instance = linker.instantiate(&mut store, &module)?;
    let func = instance.get_func(&mut store, "_start").context("the module has no `_start`")?;
    let outcome = func.call(&mut store, &[])?;
    ensure!(outcome == wasmos::Outcome::OutOfFuel, "{outcome}");
    Ok(start.elapsed().as_secs_f64())
}

fn wasmi(bytes: &[u8]) -> Result<f64> {
    let start = Instant::now();
    let engine = wasmi_engine(true, true);
    let module = wasmi::Module::new(&engine, bytes)?;
    let mut store = wasmi::Store::new(&engine, ());
    store.set_fuel(1_000_000_000)?;
    let mut linker = wasmi::Linker::new(&engine);
    for import in module.imports() {
        if let wasmi::ExternType::Func(ty) = import.ty() {
            linker.func_new(import.module(), import.name(), ty.clone(), |_, _, _| {
                Err(wasmi::Error::new("not there"))
            })?;
        }
    }
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    let func = instance.get_func(&store, "_start").context("the module has no `_start`")?;
    store.set_fuel(A_DROP)?;
    ensure!(func.call(&mut store, &[], &mut []).is_err(), "it ran without fuel");
    Ok(start.elapsed().as_secs_f64())
}

/// Prints both times and their ratio.
pub fn run(file: &Path, rounds: usize) -> Result<()> {
    let bytes = std::fs::read(file)?;
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (a, b) = (own(bytes.clone())?, wasmi(&bytes)?);
        ours.push(a * 1e3);
        theirs.push(b * 1e3);
        ratios.push(a / b);
    }
    let [ours, theirs, ratios] = [ours, theirs, ratios].map(spread);
    println!("| | ms (min–max) |\n| --- | --- |");
    println!("| wasmos | {:.1} ({:.1}–{:.1}) |", ours[1], ours[0], ours[2]);
    println!("| wasmi, lazy | {:.1} ({:.1}–{:.1}) |", theirs[1], theirs[0], theirs[2]);
    println!("| ratio | {:.2} ({:.2}–{:.2}) |", ratios[1], ratios[0], ratios[2]);
    Ok(())
}

//! From bytes to the first instruction: decode, validate, prepare, instantiate, enter `_start`.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wasmi::CompilationMode;
use wasmos_runtime as wasmos;
use wasmos_runtime::Validation;

use crate::engines::wasmi_engine;
use crate::stats::spread;

/// So little that a run ends where it begins.
const A_DROP: u64 = 1;

/// Seconds to the first instruction of `_start`.
pub fn own(bytes: Vec<u8>, validation: Validation) -> Result<f64> {
    let start = Instant::now();
    let engine = wasmos::Engine::new(wasmos::Config { validation, ..wasmos::Config::default() });
    let module = wasmos::Module::new(&engine, bytes)?;
    let limits = wasmos::Limits { fuel: Some(A_DROP), ..wasmos::Limits::unlimited() };
    let mut store = wasmos::Store::with_limits(&engine, (), limits)?;
    let mut linker = wasmos::Linker::new(&engine);
    linker.unknown_imports = wasmos::UnknownImports::Trap;
    let instance = linker.instantiate(&mut store, &module)?;
    let func = instance.get_func(&mut store, "_start").context("the module has no `_start`")?;
    let outcome = func.call(&mut store, &[])?;
    ensure!(outcome == wasmos::Outcome::OutOfFuel, "{outcome}");
    Ok(start.elapsed().as_secs_f64())
}

/// The same of the peer.
pub fn wasmi(bytes: &[u8], mode: CompilationMode) -> Result<f64> {
    let start = Instant::now();
    let engine = wasmi_engine(true, mode);
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

/// Prints the times, what is compared being validated at the same time.
pub fn run(file: &Path, rounds: usize) -> Result<()> {
    let bytes = std::fs::read(file)?;
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        let round = [
            own(bytes.clone(), Validation::Eager)?,
            wasmi(&bytes, CompilationMode::LazyTranslation)?,
            own(bytes.clone(), Validation::Lazy)?,
            wasmi(&bytes, CompilationMode::Lazy)?,
        ];
        times.iter_mut().zip(round).for_each(|(list, seconds)| list.push(seconds * 1e3));
    }
    println!("| a body is validated | wasmos, ms (min–max) | wasmi, ms (min–max) | ratio (min–max) |");
    println!("| --- | --- | --- | --- |");
    for (when, pair) in ["before anything runs", "at its first call"].into_iter().zip(times.chunks(2)) {
        let ratios = pair[0].iter().zip(&pair[1]).map(|(own, peer)| own / peer).collect();
        let [own, peer, ratio] = [pair[0].clone(), pair[1].clone(), ratios].map(|list| {
            let [least, median, most] = spread(list);
            format!("{median:.2} ({least:.2}–{most:.2})")
        });
        println!("| {when} | {own} | {peer} | {ratio} |");
    }
    Ok(())
}

//! Loading an artifact beside compiling its module.
//!
//! Loading is all that `run` does with an artifact but what it does with every module, which is decoding and validation:
//! the file is read, its MAC computed, and the code made executable for an engine.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wasmos_runtime::{Artifact, Backend, Config, Engine, JitOptions, MacKey, Module, Preparation, Source};

use crate::stats::spread;

/// Prints a row for each module.
pub fn run(files: &[PathBuf], rounds: usize) -> Result<()> {
    println!("| module | bytes | artifact, bytes | compiling, ms | loading, µs (min–max) | of compiling |");
    println!("| --- | --: | --: | --: | --- | --: |");
    files.iter().try_for_each(|file| row(file, rounds))
}

fn row(file: &Path, rounds: usize) -> Result<()> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    let len = bytes.len();
    let valid = wasmos_frontend::decode(bytes).and_then(wasmos_frontend::validate)?;
    let engine = || Engine::new(Config { backend: Backend::Jit(JitOptions::default()), ..Config::default() });
    let key = MacKey::new([5; 32]);
    let begin = Instant::now();
    let module = Module::from_valid(&engine(), valid.clone())?;
    let compiling = begin.elapsed().as_secs_f64();
    let artifact = module.artifact(&key, true)?.context("the code is native")?;
    let path = std::env::temp_dir().join(format!("wasmos-bench-{}.wcode", std::process::id()));
    fs::write(&path, &artifact)?;
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let engine = engine();
        let begin = Instant::now();
        let mut file = File::open(&path)?;
        let len = usize::try_from(file.metadata()?.len())?;
        let code = Artifact::read(&mut file, len)?.authenticate(&key).map_err(|(refusal, _)| refusal)?;
        let preparation = Preparation { artifact: Some(code), ..Preparation::default() };
        let prepared = Module::prepare_with(&engine, valid.clone(), preparation)?;
        times.push(begin.elapsed().as_secs_f64());
        ensure!(prepared.source == Source::Artifact, "{:?}", prepared.notices);
    }
    fs::remove_file(&path)?;
    let [low, middle, high] = spread(times);
    println!(
        "| {} | {len} | {} | {:.1} | {:.0} ({:.0}–{:.0}) | {:.2} % |",
        file.file_name().unwrap_or_default().display(),
        artifact.len(),
        compiling * 1e3,
        middle * 1e6,
        low * 1e6,
        high * 1e6,
        middle / compiling * 100.0,
    );
    Ok(())
}

//! Decoding and validation, in MB of code a second.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rayon::ThreadPool;

use crate::corpus::{self, Module};
use crate::memory::{Work, peak_bytes};
use crate::stats::{geometric_mean, spread};

/// A measurement repeats its work until it has taken this long.
const LEAST: Duration = Duration::from_millis(2);

/// Validates with the peer, all its features on.
pub fn wasmparser(bytes: &[u8]) -> Result<wasmparser::types::Types> {
    let mut validator = wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all());
    Ok(validator.validate_all(bytes)?)
}

fn wasmos(bytes: Vec<u8>) -> Result<wasmos_frontend::ValidModule> {
    Ok(wasmos_frontend::validate(wasmos_frontend::decode(bytes)?)?)
}

/// Returns the seconds that one call of `work` takes on what `prepare` makes; neither preparing nor dropping counts.
fn seconds<I, T>(prepare: impl Fn() -> I, work: impl Fn(I) -> Result<T>) -> Result<f64> {
    let (mut total, mut runs) = (Duration::ZERO, 0_u32);
    while total < LEAST {
        let input = prepare();
        let start = Instant::now();
        let output = black_box(work(black_box(input)));
        total += start.elapsed();
        runs += 1;
        output?;
    }
    Ok(total.as_secs_f64() / f64::from(runs))
}

/// One round of one module: seconds of the peer, of wasmos on one thread, of wasmos on all.
struct Round([f64; 3]);

fn measure(module: &Module, one: &ThreadPool, all: &ThreadPool) -> Result<Round> {
    let own = || module.bytes.clone();
    Ok(Round([
        seconds(|| &module.bytes, |bytes| wasmparser(bytes))?,
        one.install(|| seconds(own, wasmos))?,
        all.install(|| seconds(own, wasmos))?,
    ]))
}

/// Prints a row for each module and the geometric means.
pub fn run(corpus: &Path, rounds: usize, only: &str) -> Result<()> {
    let modules = corpus::load(corpus, only)?;
    let pool =
        |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("no thread pool");
    let (one, all) = (pool(1)?, pool(0)?);
    let mut measured: Vec<Vec<Round>> = modules.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (module, rows) in modules.iter().zip(&mut measured) {
            rows.push(measure(module, &one, &all)?);
        }
    }
    println!(
        "| module | code, kB | wasmparser, MB/s | wasmos 1 thread, MB/s | ratio (min–max) | threads: {} (min–max) |",
        all.current_num_threads()
    );
    println!("| --- | --: | --: | --: | --- | --- |");
    for (module, rows) in modules.iter().zip(&measured) {
        let rate = |index: usize| {
            let [_, median, _] = spread(rows.iter().map(|round| round.0[index]).collect());
            module.code_bytes as f64 / median / 1e6
        };
        let ratio =
            |a: usize, b: usize| format_spread(rows.iter().map(|round| round.0[a] / round.0[b]).collect());
        println!(
            "| {} | {:.1} | {:.0} | {:.0} | {} | {} |",
            module.name,
            module.code_bytes as f64 / 1e3,
            rate(0),
            rate(1),
            ratio(0, 1),
            ratio(1, 2)
        );
    }
    let mean = |a: usize, b: usize, least: usize| {
        let of_round = |round: usize| {
            let pairs = modules.iter().zip(&measured).filter(|(module, _)| module.code_bytes >= least);
            geometric_mean(pairs.map(|(_, rows)| rows[round].0[a] / rows[round].0[b]))
        };
        format_spread((0..rounds).map(of_round).collect())
    };
    println!("\ngeometric mean, all modules, one thread: {} × wasmparser", mean(0, 1, 0));
    println!(
        "geometric mean, modules over 1 MB of code, all threads: {} × one thread",
        mean(1, 2, 1_000_000)
    );
    print_peaks(&modules)
}

fn format_spread(values: Vec<f64>) -> String {
    let [least, median, most] = spread(values);
    format!("{median:.2} ({least:.2}–{most:.2})")
}

fn print_peaks(modules: &[Module]) -> Result<()> {
    println!("\n| module | size, MB | peak wasmos, MB | peak wasmparser, MB |\n| --- | --: | --: | --: |");
    let mut largest: Vec<_> = modules.iter().collect();
    largest.sort_by_key(|module| std::cmp::Reverse(module.bytes.len()));
    for module in largest.iter().take(6) {
        let peak = |work| peak_bytes(work, &module.path).map(|bytes| bytes as f64 / 1e6);
        let size = module.bytes.len() as f64 / 1e6;
        println!(
            "| {} | {size:.1} | {:.1} | {:.1} |",
            module.name,
            peak(Work::Wasmos)?,
            peak(Work::Wasmparser)?
        );
    }
    Ok(())
}

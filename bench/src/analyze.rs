//! The whole analysis, from the bytes of a module to its report, in MB of module a second; and how its time grows.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rayon::ThreadPool;
use wasmos_analysis::{Policy, Report, Verdict, analyze};

use crate::corpus::{self, Module};
use crate::memory::{Work, peak_bytes};
use crate::stats::{geometric_mean, spread};

/// A measurement repeats its work until it has taken this long.
const LEAST: Duration = Duration::from_millis(2);

/// Decodes, validates and analyses.
pub fn report(bytes: Vec<u8>) -> Result<Report> {
    let module = wasmos_frontend::validate(wasmos_frontend::decode(bytes)?)?;
    Ok(analyze(&module, &Policy::default()))
}

fn pool(threads: usize) -> Result<ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("no thread pool")
}

/// Returns the seconds of one analysis: of the whole, and of what follows validation.
fn seconds(bytes: &[u8]) -> Result<[f64; 2]> {
    let (mut whole, mut alone, mut runs) = (Duration::ZERO, Duration::ZERO, 0_u32);
    while whole < LEAST {
        let bytes = bytes.to_vec();
        let start = Instant::now();
        let module = wasmos_frontend::validate(wasmos_frontend::decode(bytes)?)?;
        let validated = Instant::now();
        black_box(analyze(&module, &Policy::default()));
        alone += validated.elapsed();
        whole += start.elapsed();
        runs += 1;
    }
    Ok([whole, alone].map(|time| time.as_secs_f64() / f64::from(runs)))
}

/// One round of one module: whole and alone on one thread, whole and alone on two.
struct Round([f64; 4]);

/// Prints a row for each module, the geometric means and the peaks of memory.
pub fn run(corpus: &Path, rounds: usize, only: &str) -> Result<()> {
    let modules = corpus::load(corpus, only)?;
    let (one, two) = (pool(1)?, pool(2)?);
    let mut measured: Vec<Vec<Round>> = modules.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (module, rows) in modules.iter().zip(&mut measured) {
            let [a, b] = one.install(|| seconds(&module.bytes))?;
            let [c, d] = two.install(|| seconds(&module.bytes))?;
            rows.push(Round([a, b, c, d]));
        }
    }
    println!(
        "| module | size, kB | seconds, 1 thread | MB/s (min–max) | analysis alone, MB/s | threads: 2 |"
    );
    println!("| --- | --: | --: | --- | --: | --: |");
    for (module, rows) in modules.iter().zip(&measured) {
        let of = |index: usize| spread(rows.iter().map(|round| round.0[index]).collect());
        let rate = |seconds: f64| module.bytes.len() as f64 / seconds / 1e6;
        let [least, median, most] = of(0);
        println!(
            "| {} | {:.1} | {median:.4} | {:.0} ({:.0}–{:.0}) | {:.0} | {:.2} |",
            module.name,
            module.bytes.len() as f64 / 1e3,
            rate(median),
            rate(most),
            rate(least),
            rate(of(1)[1]),
            median / of(2)[1]
        );
    }
    for (index, what) in
        [(0, "whole, 1 thread"), (1, "alone, 1 thread"), (2, "whole, 2 threads"), (3, "alone, 2 threads")]
    {
        let best = |rows: &[Round]| spread(rows.iter().map(|round| round.0[index]).collect())[1];
        let each = modules.iter().zip(&measured);
        let mean = geometric_mean(each.clone().map(|(it, rows)| it.bytes.len() as f64 / best(rows) / 1e6));
        let (bytes, seconds) =
            each.fold((0.0, 0.0), |sum, (it, rows)| (sum.0 + it.bytes.len() as f64, sum.1 + best(rows)));
        println!(
            "\n{what}: geometric mean {mean:.1} MB/s; all modules {seconds:.2} s, {:.1} MB/s",
            bytes / seconds / 1e6
        );
    }
    print_peak(&modules)
}

fn print_peak(modules: &[Module]) -> Result<()> {
    let Some(largest) = modules.iter().max_by_key(|module| module.bytes.len()) else { return Ok(()) };
    let peak = peak_bytes(Work::Analyze, &largest.path)? as f64 / 1e6;
    println!(
        "\npeak of memory, {} of {:.1} MB: {peak:.0} MB",
        largest.name,
        largest.bytes.len() as f64 / 1e6
    );
    Ok(())
}

/// A shape that makes careless algorithms slow, by its size.
type Shape = (&'static str, usize, fn(usize) -> String);

const SHAPES: [Shape; 4] = [
    ("one function, instructions", 2_000_000, one_function),
    ("small functions", 600_000, small_functions),
    ("nested blocks", 100_000, nested_blocks),
    ("targets of a br_table", 65_520, table),
];

fn one_function(n: usize) -> String {
    let round = "local.get 0 i32.const 77 i32.add local.set 0 ";
    format!("(module (func (export \"f\") (param i32) {}))", round.repeat(n / 4))
}

fn small_functions(n: usize) -> String {
    let function = "(func (param i32) (result i32) local.get 0 call 0)";
    format!("(module (export \"f\" (func 0)) {})", function.repeat(n))
}

fn nested_blocks(n: usize) -> String {
    format!(
        "(module (func (export \"f\") (param i32) {} {}))",
        "loop ".repeat(n),
        "local.get 0 br_if 0 end ".repeat(n)
    )
}

fn table(n: usize) -> String {
    let blocks = 2_000.min(n);
    let labels: String = (0..n).map(|at| format!("{} ", at % blocks)).collect();
    format!(
        "(module (func (export \"f\") (param i32) loop {} local.get 0 br_table {labels} {} end))",
        "block ".repeat(blocks),
        "end local.get 0 drop ".repeat(blocks)
    )
}

/// Prints how the time of one analysis grows with each shape.
pub fn shapes(rounds: usize) -> Result<()> {
    let one = pool(1)?;
    println!("| shape | n | size, kB | seconds | µs a kB | verdict |\n| --- | --: | --: | --: | --: | --- |");
    for (name, most, shape) in SHAPES {
        for part in [8, 4, 2, 1] {
            let bytes = wat::parse_str(shape(most / part))?;
            let times: Result<Vec<f64>> =
                (0..rounds).map(|_| one.install(|| seconds(&bytes)).map(|[whole, _]| whole)).collect();
            let [_, median, _] = spread(times?);
            let verdict = match report(bytes.clone())?.verdict {
                Verdict::Unknown => "budget exceeded",
                verdict => verdict.name(),
            };
            let kb = bytes.len() as f64 / 1e3;
            println!(
                "| {name} | {} | {kb:.0} | {median:.4} | {:.1} | {verdict} |",
                most / part,
                median / kb * 1e6
            );
        }
    }
    Ok(())
}

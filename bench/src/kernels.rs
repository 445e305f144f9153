//! Execution: kernels in `kernels/`, each an exported `run(n)`.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::engines::{Kernel, wasmi_kernel, wasmos_kernel};
use crate::stats::{geometric_mean, spread};

/// Name, text and size of each kernel: 10 to 100 ms in an interpreter.
pub const KERNELS: [(&str, &str, u32); 11] = [
    ("fib", include_str!("../kernels/fib.wat"), 30),
    ("matmul", include_str!("../kernels/matmul.wat"), 120),
    ("sieve", include_str!("../kernels/sieve.wat"), 4_000_000),
    ("sort", include_str!("../kernels/sort.wat"), 300_000),
    ("hash", include_str!("../kernels/hash.wat"), 100),
    ("sha", include_str!("../kernels/sha.wat"), 2_500),
    ("switch", include_str!("../kernels/switch.wat"), 400_000),
    ("memcpy", include_str!("../kernels/memcpy.wat"), 1_500),
    ("nbody", include_str!("../kernels/nbody.wat"), 60_000),
    ("state", include_str!("../kernels/state.wat"), 80),
    ("search", include_str!("../kernels/search.wat"), 40),
];

/// Returns the bytes and the size of a kernel.
pub fn find(name: &str) -> Result<(Vec<u8>, u32)> {
    let (_, text, n) = KERNELS.iter().find(|kernel| kernel.0 == name).context("no such kernel")?;
    Ok((wat::parse_str(text)?, *n))
}

/// Times one call on a new instance that has been warmed up, so that where memory lies averages out over the rounds.
pub fn seconds(mut kernel: Kernel, n: u32) -> Result<(f64, u64)> {
    kernel(n / 50 + 1)?;
    let start = Instant::now();
    let result = kernel(n)?;
    Ok((start.elapsed().as_secs_f64(), result))
}

/// Prints a row for each kernel and the geometric means, as ratios to wasmi with fuel.
pub fn run(rounds: usize, only: &str) -> Result<()> {
    println!("| kernel | wasmi + fuel, ms | wasmi | wasmos, metered (min–max) |\n| --- | --: | --: | --- |");
    let mut means: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for (name, text, n) in KERNELS.iter().filter(|kernel| kernel.0.contains(only)) {
        let bytes = wat::parse_str(text)?;
        let mut times: [Vec<f64>; 3] = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..rounds {
            let (fuel, expected) = seconds(wasmi_kernel(&bytes, true)?, *n)?;
            let (plain, _) = seconds(wasmi_kernel(&bytes, false)?, *n)?;
            let (own, result) = seconds(wasmos_kernel(&bytes)?, *n)?;
            ensure!(result == expected, "{name}: {result} is not {expected}");
            times.iter_mut().zip([fuel, plain / fuel, own / fuel]).for_each(|(list, value)| list.push(value));
        }
        let [fuel, plain, own] = times.map(spread);
        println!(
            "| {name} | {:.1} | {:.2} | {:.2} ({:.2}–{:.2}) |",
            fuel[1] * 1e3,
            plain[1],
            own[1],
            own[0],
            own[2]
        );
        means[0].push(plain[1]);
        means[1].push(own[1]);
    }
    let [plain, own] = means.map(geometric_mean);
    println!("| geometric mean | 1 | {plain:.3} | {own:.3} |");
    Ok(())
}

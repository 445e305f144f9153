//! What metering costs: the kernels beside a build of the interpreter that neither charges nor tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::engines::wasmos_kernel;
use crate::kernels::{KERNELS, find, seconds};
use crate::stats::{geometric_mean, spread};

/// Calls that one process times; the fastest counts.
const CALLS: usize = 5;

/// Prints the seconds of the fastest call of a kernel, in the build that this is.
pub fn print_time(name: &str) -> Result<()> {
    let (bytes, n) = find(name)?;
    let mut fastest = f64::INFINITY;
    for _ in 0..CALLS {
        fastest = fastest.min(seconds(wasmos_kernel(&bytes)?, n)?.0);
    }
    println!("{fastest}");
    Ok(())
}

/// Builds this program without metering, and returns where it is.
fn build() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = folder.join("target/unmetered");
    let status = Command::new("cargo")
        .args(["build", "--release", "--config", r#"build.rustflags=["--cfg","wasmos_unmetered"]"#])
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()?;
    ensure!(status.success(), "the build without metering failed");
    Ok(target.join("release/wasmos-bench"))
}

fn time(program: &Path, kernel: &str) -> Result<f64> {
    let output = Command::new(program).args(["time", kernel]).output()?;
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().with_context(|| format!("`time {kernel}` printed {text:?}"))
}

/// Prints a row for each kernel and the geometric mean.
pub fn run(rounds: usize) -> Result<()> {
    let (metered, unmetered) = (std::env::current_exe()?, build()?);
    println!("| kernel | unmetered, ms | metered (min–max) |\n| --- | --: | --- |");
    let mut medians = Vec::new();
    for (name, ..) in KERNELS {
        let (mut without, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let pair = (time(&metered, name)?, time(&unmetered, name)?);
            without.push(pair.1 * 1e3);
            ratios.push(pair.0 / pair.1);
        }
        let (without, [least, median, most]) = (spread(without)[1], spread(ratios));
        println!("| {name} | {without:.1} | {median:.3} ({least:.3}–{most:.3}) |");
        medians.push(median);
    }
    println!("| geometric mean | 1 | {:.3} |", geometric_mean(medians));
    Ok(())
}

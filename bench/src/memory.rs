//! Peaks of resident memory, each in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use wasmi::CompilationMode;
use wasmos_runtime::Validation;

use crate::engines::{wasmi_kernel, wasmos_kernel};
use crate::kernels::{KERNELS, find};
use crate::start;

/// Whose memory, doing what.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Work {
    /// Reading the file, which every other one does too.
    Read,
    /// Validating a module.
    Wasmos,
    /// The same by the peer.
    Wasmparser,
    /// Analysing a module.
    Analyze,
    /// Running a kernel.
    Kernel,
    /// The same by the peer, with fuel.
    KernelWasmi,
    /// From bytes to the first instruction, validated before.
    Start,
    /// The same by the peer.
    StartWasmi,
    /// From bytes to the first instruction, bodies being validated at their first call.
    Lazy,
    /// The same by the peer.
    LazyWasmi,
}

/// Works and prints the peak of resident memory, in KiB.
pub fn print_peak(work: Work, module: &Path) -> Result<()> {
    if let Work::Kernel | Work::KernelWasmi = work {
        let (bytes, n) = find(module.to_str().context("the name of a kernel")?)?;
        let mut kernel =
            if let Work::Kernel = work { wasmos_kernel(&bytes)? } else { wasmi_kernel(&bytes, true)? };
        std::hint::black_box(kernel(n)?);
        println!("{}", own_peak_kib()?);
        return Ok(());
    }
    let bytes = std::fs::read(module)?;
    match work {
        Work::Wasmos => {
            drop(std::hint::black_box(wasmos_frontend::validate(wasmos_frontend::decode(bytes)?)?))
        }
        Work::Wasmparser => drop(std::hint::black_box(crate::validate::wasmparser(&bytes)?)),
        Work::Analyze => drop(std::hint::black_box(crate::analyze::report(bytes)?)),
        Work::Start => drop(start::own(bytes, Validation::Eager)?),
        Work::StartWasmi => drop(start::wasmi(&bytes, CompilationMode::LazyTranslation)?),
        Work::Lazy => drop(start::own(bytes, Validation::Lazy)?),
        Work::LazyWasmi => drop(start::wasmi(&bytes, CompilationMode::Lazy)?),
        Work::Read | Work::Kernel | Work::KernelWasmi => drop(std::hint::black_box(bytes)),
    }
    println!("{}", own_peak_kib()?);
    Ok(())
}

fn own_peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("peak memory is read from /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Returns the peak of resident memory, in bytes.
pub fn peak_bytes(work: Work, module: &Path) -> Result<u64> {
    let value = work.to_possible_value().context("a value")?;
    let work = value.get_name();
    let output = Command::new(std::env::current_exe()?).args(["peak", work]).arg(module).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.trim().parse::<u64>().with_context(|| format!("`peak {work}` printed {text:?}"))? * 1024)
}

/// Prints a row for each kernel and for each module.
pub fn run(files: &[PathBuf]) -> Result<()> {
    let row = |name: &str, module: &Path, works: &[Work]| -> Result<()> {
        let peaks = works.iter().map(|work| Ok(format!("{:.1}", peak_bytes(*work, module)? as f64 / 1e6)));
        println!("| {name} | {} |", peaks.collect::<Result<Vec<_>>>()?.join(" | "));
        Ok(())
    };
    println!("| peak of a run, MB | wasmos | wasmi + fuel |\n| --- | --: | --: |");
    for (name, ..) in KERNELS {
        row(name, Path::new(name), &[Work::Kernel, Work::KernelWasmi])?;
    }
    println!(
        "\n| peak up to the first instruction, MB | the file alone | wasmos | wasmi | wasmos, lazy | wasmi, lazy |"
    );
    println!("| --- | --: | --: | --: | --: | --: |");
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        row(&name, file, &[Work::Read, Work::Start, Work::StartWasmi, Work::Lazy, Work::LazyWasmi])?;
    }
    Ok(())
}

//! Peak memory of decoding and validating one module, in a process of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Who validates.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Engine {
    /// This project.
    Wasmos,
    /// The peer.
    Wasmparser,
}

/// Validates `file` and prints the peak of resident memory, in KiB.
pub fn print_peak(engine: Engine, file: &Path) -> Result<()> {
    let bytes = std::fs::read(file)?;
    match engine {
        Engine::Wasmos => {
            std::hint::black_box(wasmos_frontend::validate(wasmos_frontend::decode(bytes)?)?);
        }
        Engine::Wasmparser => {
            std::hint::black_box(crate::validate::wasmparser(&bytes)?);
        }
    }
    println!("{}", own_peak_kib()?);
    Ok(())
}

fn own_peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("peak memory is read from /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Returns the peak of resident memory of validating `file`, in bytes.
pub fn peak_bytes(engine: &str, file: &Path) -> Result<u64> {
    let output = Command::new(std::env::current_exe()?).args(["peak", engine]).arg(file).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.trim().parse::<u64>().with_context(|| format!("`peak {engine}` printed {text:?}"))? * 1024)
}

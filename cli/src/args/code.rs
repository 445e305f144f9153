//! The grammar of `compile`, and of what `run` does with native code that was compiled before.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use wasmos_runtime::JitOptions;

use crate::args::{BoundsArgs, NanArgs};
use crate::units::{self, Limit};

/// How long a run waits for its code to be compiled, unless told otherwise.
const RUN_TIMEOUT: Duration = Duration::from_secs(60);

/// Compile a module to native code, which `run` takes in its place
///
/// Writes an artifact: native code for this machine's processor, with the module in it. `wasmos run` runs it without
/// compiling anything. Only the installation that wrote an artifact believes it, by a key of its own; anywhere else, or
/// when it was changed, the module in it is compiled again, with a note. Every verb takes an artifact as the module that is in it.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  \
    wasmos compile module.wasm -o module.wcode\n  \
    wasmos compile --bounds explicit --nan native module.wasm -o fast.wcode\n  \
    wasmos run module.wcode")]
pub(crate) struct CompileArgs {
    #[command(flatten)]
    bounds: BoundsArgs,

    #[command(flatten)]
    nan: NanArgs,

    /// Give up after T (30s, 5m); without end by default
    #[arg(long, value_name = "T", value_parser = units::time)]
    compile_timeout: Option<Limit<Duration>>,

    /// Write the artifact to this file
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,

    /// Module: .wasm, .wat (text, at most 16 MiB), or - for stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

impl CompileArgs {
    /// Returns what code is compiled with.
    pub(crate) fn options(&self) -> JitOptions {
        self.bounds.options(Some(&self.nan), None)
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.compile_timeout.and_then(Limit::at)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct CodeArgs {
    /// Neither look for code that was compiled before nor keep it
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// Keep code in this folder instead of the user's cache
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Interpret what takes longer than T to compile, 60s by default
    #[arg(long, value_name = "T", value_parser = units::time)]
    compile_timeout: Option<Limit<Duration>>,
}

impl CodeArgs {
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.compile_timeout.map_or(Some(RUN_TIMEOUT), Limit::at)
    }
}

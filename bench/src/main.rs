//! Measures wasmos beside its peers, in one run, interleaved.
//!
//! Absolute times of a shared machine mean nothing: every figure is a ratio of two measurements that were taken one
//! after the other, its median over the rounds, and its spread.

mod analyze;
mod calls;
mod corpus;
mod delays;
mod engines;
mod jit;
mod kernels;
mod load;
mod memory;
mod metering;
mod programs;
mod start;
mod stats;
mod validate;
mod wasi;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures wasmos beside its peers.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Decodes and validates each module of the corpus, beside wasmparser.
    Validate {
        /// Folder that `cargo xtask corpus` has filled.
        #[arg(long, env = "WASMOS_CORPUS", default_value = "target/corpus")]
        corpus: PathBuf,
        /// How often each pair is measured.
        #[arg(long, default_value_t = 11)]
        rounds: usize,
        /// Only modules whose path contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Analyses each module of the corpus, from its bytes to the report.
    Analyze {
        /// Folder that `cargo xtask corpus` has filled.
        #[arg(long, env = "WASMOS_CORPUS", default_value = "target/corpus")]
        corpus: PathBuf,
        /// How often each is measured.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Only modules whose path contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// How the time of an analysis grows with hostile shapes.
    AnalyzeShapes {
        /// How often each is measured.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Runs each kernel on the interpreter, metered, beside wasmi with and without its fuel.
    Kernels {
        /// How often each is measured.
        #[arg(long, default_value_t = 21)]
        rounds: usize,
        /// Only kernels whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// From bytes to the first instruction of a module, beside wasmi: validated before, and at first calls.
    Start {
        /// The module.
        file: PathBuf,
        /// How often each is measured.
        #[arg(long, default_value_t = 11)]
        rounds: usize,
    },
    /// Instantiation and calls in both directions, beside wasmi.
    Calls {
        /// How often each is measured.
        #[arg(long, default_value_t = 21)]
        rounds: usize,
    },
    /// Runs each kernel beside a build that does not meter, which is made first.
    Metering {
        /// How often each pair is measured.
        #[arg(long, default_value_t = 11)]
        rounds: usize,
    },
    /// Peak memory of the kernels, and of modules up to their first instruction, beside wasmi.
    Memory {
        /// The modules.
        files: Vec<PathBuf>,
    },
    /// How late guests that try to starve the host are ended.
    Delays {
        /// How often each is measured.
        #[arg(long, default_value_t = 21)]
        rounds: usize,
        /// Only guests whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Runs command-line programs of the corpus, whole processes, beside wasmi.
    Programs {
        /// Folder that has `runs.json`.
        #[arg(long, default_value = "../shared/corpus")]
        shared: PathBuf,
        /// Folder that `cargo xtask corpus` has filled.
        #[arg(long, env = "WASMOS_CORPUS", default_value = "target/corpus")]
        corpus: PathBuf,
        /// How often each pair is measured.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Only runs whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Times three programs from file to end on each engine, cold and compiled before, Node.js among them.
    Cold {
        /// Folder that has `runs.json`.
        #[arg(long, default_value = "../shared/corpus")]
        shared: PathBuf,
        /// Folder that `cargo xtask corpus` has filled.
        #[arg(long, env = "WASMOS_CORPUS", default_value = "target/corpus")]
        corpus: PathBuf,
        /// How often each is measured.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Runs kernels, libraries and programs on the JIT, without compilation, beside wasmtime.
    Jit {
        /// Folder that has `runs.json`.
        #[arg(long, default_value = "../shared/corpus")]
        shared: PathBuf,
        /// Folder that `cargo xtask corpus` has filled.
        #[arg(long, env = "WASMOS_CORPUS", default_value = "target/corpus")]
        corpus: PathBuf,
        /// How often each is measured.
        #[arg(long, default_value_t = 11)]
        rounds: usize,
        /// Only work whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
        /// Only columns whose heading contains one of these.
        #[arg(long = "setup")]
        setups: Vec<String>,
    },
    /// Compiles modules on one thread and on two, beside wasmtime.
    Compile {
        /// Folder that `cargo xtask corpus` has filled.
        #[arg(long, env = "WASMOS_CORPUS", default_value = "target/corpus")]
        corpus: PathBuf,
        /// How often each is measured.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Loads the artifact of each module, beside compiling it.
    Load {
        /// The modules.
        files: Vec<PathBuf>,
        /// How often each is loaded; it is compiled once.
        #[arg(long, default_value_t = 21)]
        rounds: usize,
    },
    /// Throughput of `fd_write` and `fd_read`, and the cost of a host call at the gate.
    Wasi {
        /// How often each is measured.
        #[arg(long, default_value_t = 11)]
        rounds: usize,
    },
    /// Runs one program and ends with its status (used by `programs`).
    Program {
        /// The engine.
        which: programs::Which,
        /// The module.
        module: PathBuf,
        /// Directories, HOST::GUEST.
        #[arg(long = "dir")]
        dirs: Vec<String>,
        /// Arguments.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Does one piece of work and prints the peak of resident memory in KiB (used by `validate` and `memory`).
    Peak {
        /// Whose memory, doing what.
        work: memory::Work,
        /// The module, or the name of a kernel.
        module: PathBuf,
    },
    /// Times a kernel in this build and prints the seconds (used by `metering`).
    Time {
        /// Its name.
        kernel: String,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Validate { corpus, rounds, only } => validate::run(&corpus, rounds, &only),
        Command::Analyze { corpus, rounds, only } => analyze::run(&corpus, rounds, &only),
        Command::AnalyzeShapes { rounds } => analyze::shapes(rounds),
        Command::Kernels { rounds, only } => kernels::run(rounds, &only),
        Command::Start { file, rounds } => start::run(&file, rounds),
        Command::Calls { rounds } => calls::run(rounds),
        Command::Metering { rounds } => metering::run(rounds),
        Command::Memory { files } => memory::run(&files),
        Command::Delays { rounds, only } => delays::run(rounds, &only),
        Command::Programs { shared, corpus, rounds, only } => programs::run(&shared, &corpus, rounds, &only),
        Command::Cold { shared, corpus, rounds } => programs::cold(&shared, &corpus, rounds),
        Command::Jit { shared, corpus, rounds, only, setups } => {
            jit::run(&jit::Work { shared: &shared, corpus: &corpus, rounds, only: &only, setups: &setups })
        }
        Command::Compile { corpus, rounds } => jit::compile(&corpus, rounds),
        Command::Load { files, rounds } => load::run(&files, rounds),
        Command::Wasi { rounds } => wasi::run(rounds),
        Command::Program { which, module, dirs, args } => programs::run_one(which, &module, &dirs, &args),
        Command::Peak { work, module } => memory::print_peak(work, &module),
        Command::Time { kernel } => metering::print_time(&kernel),
    }
}

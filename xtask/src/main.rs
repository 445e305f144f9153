//! The project's own chores, run as `cargo xtask COMMAND`: the checks of a change, blessing, the corpus.
//!
//! Nothing here ships. A check that needs no run of the product stands in `tidy`, which the tests call too.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a chore talks to the person who started it")]

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bless;
mod ci;
mod corpus;
mod examples;
mod pages;
mod product;
#[cfg(test)]
mod readme;
mod tidy;

/// The project's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every check that a change must pass: format, lints, tests, documentation, tidy.
    Ci {
        /// Leaves the tests out, for a caller that has just run them.
        #[arg(long)]
        no_test: bool,
    },
    /// Assembles the examples again and accepts what the golden tests produce now.
    Bless,
    /// Checks the rules that a compiler does not know: dependencies, fences, names, coverage of errors.
    Tidy,
    /// Compares what we say about the corpus of real modules with what is known about them.
    Corpus,
    /// Opens reports in a browser and says what is wrong with the pages; needs Chromium and npm.
    Pages,
}

fn main() -> anyhow::Result<ExitCode> {
    let root = root();
    let passed = match Args::parse().command {
        Command::Ci { no_test } => ci::run(root, no_test)?,
        Command::Bless => bless::run(root)?,
        Command::Tidy => tidy::run(root)?,
        Command::Corpus => corpus::run(root)?,
        Command::Pages => pages::run(root)?,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The repository: the folder above this package, wherever the command is started.
fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

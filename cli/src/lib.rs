//! The command line: it parses, makes one library call, prints, and chooses the exit code.
//!
//! Each verb is a file; what verbs share is `input` (a file becomes bytes), `output` (guest text made harmless,
//! JSON) and `problem` (what a refusal says). Results go to stdout, messages to stderr. Nothing here decides what
//! a module means.

#![forbid(unsafe_code)]

mod analyze;
mod args;
mod code;
mod compile;
mod exit;
mod help;
mod input;
mod inspect;
mod output;
mod print;
mod problem;
mod run;
#[cfg(test)]
mod suite;
mod tiers;
mod units;
mod validate;
pub mod wast;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Verb};
use crate::exit::Exit;
use crate::output::Escaped;

/// Runs the command line of the process.
#[must_use]
pub fn main() -> ExitCode {
    panic::set_hook(Box::new(|info| {
        let message = info.to_string();
        // Nobody is left to tell if stderr is gone.
        let _ = writeln!(io::stderr(), "wasmos: internal error: {}", Escaped::new(&message));
    }));
    let exit = guarded(|| {
        let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        // Not locked: while a guest runs, its own messages go there too.
        let mut err = io::stderr();
        let result = run(std::env::args_os(), &mut out, &mut err);
        let result = result.and_then(|exit| out.flush().map(|()| exit));
        // What is left in the buffer could not be written, and must not be tried again when it is dropped.
        let _ = out.into_parts();
        finish(result, &mut err)
    });
    ExitCode::from(exit.code())
}

/// A panic is ours, never the guest's, and has an exit code of its own.
fn guarded(run: impl FnOnce() -> Exit) -> Exit {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or(Exit::Internal)
}

/// A reader that went away, as `head` does, has what it wanted.
fn finish(result: io::Result<Exit>, err: &mut dyn Write) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Fine,
        Err(error) => {
            let _ = writeln!(err, "wasmos: error: cannot write: {error}");
            Exit::Usage
        }
    }
}

fn run(
    command_line: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Exit> {
    let command_line: Vec<_> = command_line.into_iter().collect();
    let args = match Args::try_parse_from(&command_line) {
        Ok(args) => args,
        Err(error) => return help::show_clap(&error, out, err),
    };
    match args.verb {
        Verb::Validate(args) => validate::run(&args, out, err),
        Verb::Inspect(args) => inspect::run(&args, out, err),
        Verb::Analyze(args) => analyze::run(&args, out, err),
        Verb::Print(args) => print::run(&args, out, err),
        Verb::Wast(args) => wast::run(&args, out, err),
        Verb::Run(args) => run::run(*args, &command_line, out, err),
        Verb::Help(args) => help::show(&args, out, err),
        Verb::Compile(args) => compile::run(&args, err),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_exit_code_of_an_internal_error() {
        assert_eq!(guarded(|| panic!("on purpose")), Exit::Internal);
        assert_eq!(guarded(|| Exit::Findings), Exit::Findings);
    }

    #[test]
    fn only_a_reader_that_went_away_is_no_error() {
        let mut err = Vec::new();
        assert_eq!(finish(Err(io::ErrorKind::BrokenPipe.into()), &mut err), Exit::Fine);
        assert!(err.is_empty());
        assert_eq!(finish(Err(io::ErrorKind::StorageFull.into()), &mut err), Exit::Usage);
        assert_eq!(err, b"wasmos: error: cannot write: no storage space\n");
    }
}

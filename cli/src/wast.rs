//! `wasmos wast`: a line per script. The runner is [`run_script`], which the specification's test suite uses too.

mod engine;
mod pattern;
mod script;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use wasmos_runtime::Config;

use crate::args::WastArgs;
use crate::exit::Exit;
use crate::input::read_script;
use crate::output::{Escaped, counted};
use crate::problem::Problem;
pub use crate::wast::script::{
    Failure, Outcome, ScriptError, run_script, run_script_observed, run_script_on_both, run_script_with,
};

/// What `wasmos help json` says of this verb.
pub(crate) const KEYS: &str = include_str!("wast/keys.txt");

/// The answer of `--json`.
#[derive(Serialize)]
struct Report {
    schema_version: u32,
    passed: u64,
    failed: u64,
    skipped: u64,
    files: Vec<File>,
}

#[derive(Serialize)]
struct File {
    file: String,
    passed: u64,
    failed: u64,
    skipped: u64,
    skips: BTreeMap<&'static str, u64>,
    failures: Vec<Failure>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<Failure>,
}

pub(crate) fn run(args: &WastArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let features = args.features.set();
    let config = Config { features, backend: args.tier.backend(None, false, None), ..Config::default() };
    let both = args.tier.is_both();
    let mut report = Report { schema_version: 1, passed: 0, failed: 0, skipped: 0, files: Vec::new() };
    let mut worst = Exit::Fine;
    for path in &args.files {
        let (name, outcome) = match run_file(path, config.clone(), both) {
            Ok(run) => run,
            Err(problem) => {
                out.flush()?;
                problem.write(err)?;
                worst = worst.max(problem.exit);
                continue;
            }
        };
        if outcome.failed() > 0 {
            worst = worst.max(Exit::Findings);
        }
        if !outcome.differences.is_empty() {
            worst = worst.max(Exit::Internal);
        }
        if args.json {
            report.add(path, outcome);
            continue;
        }
        writeln!(out, "{name} {} {} {}", outcome.passed, outcome.failed(), outcome.skipped)?;
        out.flush()?;
        for (feature, count) in &outcome.skips {
            writeln!(err, "{name}: skipped: {} for want of `{feature}`", counted(*count, "directive"))?;
        }
        for Failure { line, column, directive, message } in &outcome.failures {
            writeln!(err, "{name}:{line}:{column}: failed: {directive}: {}", Escaped::new(message))?;
        }
        for Failure { line, column, directive, message } in &outcome.differences {
            let message = Escaped::new(message);
            writeln!(err, "{name}:{line}:{column}: internal: the tiers differ: {directive}: {message}")?;
        }
    }
    if args.json {
        crate::output::json(out, &report)?;
    }
    Ok(worst)
}

fn run_file(path: &Path, config: Config, both: bool) -> Result<(String, Outcome), Problem> {
    let (name, text) = read_script(path)?;
    let result = match both {
        true => {
            run_script_on_both(&text, [Config { features: config.features, ..Config::default() }, config])
        }
        false => run_script_with(&text, config),
    };
    match result {
        Ok(outcome) => Ok((name, outcome)),
        Err(error) => Err(Problem::of_text(&name, &error.0)),
    }
}

impl Report {
    fn add(&mut self, path: &Path, outcome: Outcome) {
        let file = path.to_string_lossy().into_owned();
        let (passed, failed, skipped) = (outcome.passed, outcome.failed(), outcome.skipped);
        self.passed += passed;
        self.failed += failed;
        self.skipped += skipped;
        let Outcome { skips, failures, differences, .. } = outcome;
        self.files.push(File { file, passed, failed, skipped, skips, failures, differences });
    }
}

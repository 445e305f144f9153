//! The checks of a change, one after the other; all of them run, so that one round shows everything.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::tidy;

/// A check that is a run of cargo.
struct Step {
    name: &'static str,
    args: &'static [&'static str],
    env: &'static [(&'static str, &'static str)],
}

const TEST: &str = "test";

/// Workspaces of their own, which the steps below do not reach. Building them takes minutes; their format is checked.
const OWN_WORKSPACES: [&str; 2] = ["bench", "fuzz"];

const STEPS: &[Step] = &[
    Step { name: "fmt", args: &["fmt", "--all", "--check"], env: &[] },
    Step {
        name: "clippy",
        args: &["clippy", "--workspace", "--all-targets", "--locked", "--keep-going", "--", "-D", "warnings"],
        env: &[],
    },
    Step { name: TEST, args: &["test", "--workspace", "--locked", "--no-fail-fast"], env: &[] },
    Step {
        name: "doc",
        args: &["doc", "--workspace", "--no-deps", "--locked", "--keep-going"],
        env: &[("RUSTDOCFLAGS", "-D warnings")],
    },
];

/// Runs the checks and prints what each took; returns whether all passed.
pub(crate) fn run(root: &Path, no_test: bool) -> Result<bool> {
    let mut report = Vec::new();
    for step in STEPS.iter().filter(|step| !(no_test && step.name == TEST)) {
        report.push(timed(step.name, || cargo(root, step.args, step.env))?);
    }
    for folder in OWN_WORKSPACES.into_iter().filter(|folder| root.join(folder).join("Cargo.toml").exists()) {
        let manifest = format!("{folder}/Cargo.toml");
        report.push(timed(folder, || cargo(root, &["fmt", "--manifest-path", &manifest, "--check"], &[]))?);
    }
    report.push(timed("tidy", || tidy::run(root))?);

    println!();
    for (name, passed, took) in &report {
        println!("{:6} {name:8} {:7.1} s", if *passed { "ok" } else { "FAILED" }, took.as_secs_f64());
    }
    Ok(report.iter().all(|(_, passed, _)| *passed))
}

fn timed(name: &'static str, step: impl FnOnce() -> Result<bool>) -> Result<(&'static str, bool, Duration)> {
    println!("== {name}");
    let begin = Instant::now();
    let passed = step()?;
    Ok((name, passed, begin.elapsed()))
}

/// Runs the cargo that runs us; returns whether it succeeded.
pub(crate) fn cargo(root: &Path, args: &[&str], env: &[(&str, &str)]) -> Result<bool> {
    let status = command(root)
        .args(args)
        .envs(env.iter().copied())
        .status()
        .with_context(|| format!("cannot start cargo {}", args.join(" ")))?;
    Ok(status.success())
}

/// The cargo that runs us, in the repository.
pub(crate) fn command(root: &Path) -> std::process::Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    command.current_dir(root);
    command
}

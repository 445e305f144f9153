//! The program that ships, run as its users run it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::ci;

/// The built program.
pub(crate) struct Product {
    executable: String,
}

impl Product {
    /// Builds the program.
    pub(crate) fn build(root: &Path) -> Result<Self> {
        Self::build_by(root, &["build", "--locked", "--release", "--package", "wasmos-cli"])
    }

    /// Builds the program as tests do: what is looked at here is what it writes, not how fast.
    pub(crate) fn build_quickly(root: &Path) -> Result<Self> {
        Self::build_by(root, &["build", "--locked", "--package", "wasmos-cli"])
    }

    /// Returns the program that `cargo test --workspace` builds for its own tests, so that tests compile nothing twice.
    #[cfg(test)]
    pub(crate) fn of_tests(root: &Path) -> Result<Self> {
        Self::build_by(root, &["test", "--locked", "--workspace", "--no-run"])
    }

    fn build_by(root: &Path, args: &[&str]) -> Result<Self> {
        let mut build = ci::command(root);
        build.args(args).args(["--message-format", "json"]).stderr(Stdio::inherit());
        let output = build.output().context("cannot start cargo")?;
        ensure!(output.status.success(), "cargo {} failed", args.join(" "));
        let messages = String::from_utf8(output.stdout)?;
        let executable =
            messages.lines().find_map(executable).context("cargo names no executable `wasmos`")?;
        Ok(Self { executable })
    }

    /// Runs the program in a folder, without a terminal and without input.
    pub(crate) fn run(&self, folder: &Path, args: &[&str]) -> Result<Output> {
        self.run_with(folder, args, Stdio::null())
    }

    /// Runs the program in a folder, without a terminal.
    pub(crate) fn run_with(
        &self,
        folder: &Path,
        args: &[impl AsRef<OsStr>],
        stdin: impl Into<Stdio>,
    ) -> Result<Output> {
        let mut command = Command::new(&self.executable);
        command.args(args).current_dir(folder).stdin(stdin);
        command.output().with_context(|| format!("cannot start {}", self.executable))
    }
}

/// Returns the program's path if that is what a message of cargo announces, and not its unit tests.
fn executable(message: &str) -> Option<String> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_program = message["target"]["name"] == "wasmos" && message["profile"]["test"] == false;
    message["executable"].as_str().filter(|_| is_program).map(str::to_owned)
}

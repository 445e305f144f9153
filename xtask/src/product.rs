//! The program that ships, run as its users run it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::ci;

/// The built program.
pub(crate) struct Product {
    executable: String,
}

impl Product {
    /// Builds the program.
    pub(crate) fn build(root: &Path) -> Result<Self> {
        let mut build = ci::command(root);
        build.args(["build", "--locked", "--package", "wasmos-cli", "--message-format", "json"]);
        let output = build.stderr(Stdio::inherit()).output().context("cannot start cargo build")?;
        ensure!(output.status.success(), "wasmos-cli does not build");
        let messages = String::from_utf8(output.stdout)?;
        let executable = messages.lines().find_map(executable).context("cargo build names no executable")?;
        Ok(Self { executable })
    }

    /// Runs the program in a folder, without a terminal and without input.
    pub(crate) fn run(&self, folder: &Path, args: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.executable);
        command.args(args).current_dir(folder).stdin(Stdio::null());
        command.output().with_context(|| format!("cannot start {}", self.executable))
    }
}

/// Returns the executable that a message of cargo announces.
fn executable(message: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    message["executable"].as_str().map(str::to_owned)
}

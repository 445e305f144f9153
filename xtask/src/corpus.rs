//! Compares what we say about the corpus, 80 modules of published packages, with what is known about them.
//!
//! The corpus lies beside the repository and is never committed. What is known was found by another engine's
//! decoder (`facts.json`), which makes it an oracle for ours. Both doors are tried: the library, which must accept
//! each module, and the program, whose `inspect --json` must agree on every fact that it tells.
//!
//! `runs.json` has runs of the modules that are command-line programs, with what another engine saw. The program must
//! see the same on each tier, with the same count of instructions, and `--backend both` no difference; and a script that looks for a way out must find none.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::ci;
use crate::product::Product;

mod difference;
mod escape;
mod fetch;
mod inspected;
mod measure;
mod runs;

/// Prints every disagreement; returns whether there is none.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let shared = root.join("../shared/corpus");
    let facts = fetch::facts(&shared)?;
    let folder = fetch::ensure_there(root, &shared, &facts)?;
    let product = Product::build(root)?;

    let begin = Instant::now();
    let (mut disagreements, mut bytes) = (0, 0);
    for fact in &facts {
        let name = fetch::text(fact, "out")?;
        let module = std::fs::read(folder.join(name)).with_context(|| name.to_owned())?;
        bytes += module.len();
        let mut lines = by_library(fact, module);
        lines.extend(by_program(fact, &product, &folder, name).with_context(|| name.to_owned())?);
        lines.iter().for_each(|line| println!("{name}: {line}"));
        disagreements += lines.len();
    }
    let seconds = begin.elapsed().as_secs_f64();
    let mib = bytes as f64 / f64::from(1 << 20);
    println!("corpus: {} modules, {mib:.0} MiB, {disagreements} disagreements, {seconds:.1} s", facts.len());
    disagreements += runs::run(&shared, &folder, &product, &facts)?;
    disagreements += escape::run(&shared, &folder, &product)?;
    Ok(write_matrix(root, &folder)? && disagreements == 0)
}

/// Writes the confusion matrix of the analysis anew, to be reviewed as a part of the diff; returns whether it keeps its bounds.
fn write_matrix(root: &Path, folder: &Path) -> Result<bool> {
    let folder = folder.canonicalize()?;
    let folder = folder.to_str().context("the path of the corpus is UTF-8")?;
    let test = ["test", "-p", "wasmos-tests", "--test", "analysis_corpus"];
    ci::cargo(root, &test, &[("WASMOS_CORPUS", folder), ("UPDATE_EXPECT", "1")])
}

fn by_library(fact: &Value, module: Vec<u8>) -> Vec<String> {
    match wasmos_frontend::decode(module).and_then(wasmos_frontend::validate) {
        Ok(module) => compare(fact, &measure::facts(&module)),
        Err(error) => vec![format!("refused: {error}")],
    }
}

fn by_program(fact: &Value, product: &Product, folder: &Path, name: &str) -> Result<Vec<String>> {
    let output = product.run(folder, &["inspect", "--json", name])?;
    ensure!(output.status.success(), "inspect --json: {}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let mut fact = fact.clone();
    fact["needs"] = inspected::known_needs(&fact["needs"]);
    Ok(compare(&fact, &inspected::facts(&report)))
}

/// Returns a line for each of our facts that is not what is known.
fn compare(known: &Value, ours: &Value) -> Vec<String> {
    let ours = ours.as_object().into_iter().flatten();
    ours.flat_map(|(key, value)| difference::of(key, &known[key], value)).collect()
}

//! The corpus in a folder: what is missing there is fetched, by the script that pins each module.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Names the folder that holds the corpus, or will; `target/corpus` without it.
const FOLDER: &str = "WASMOS_CORPUS";

/// Reads what is known about each module.
pub(super) fn facts(shared: &Path) -> Result<Vec<Value>> {
    let path = shared.join("facts.json");
    let text = std::fs::read(&path).with_context(|| {
        format!("cannot read {}; the corpus is described beside the repository, not in it", path.display())
    })?;
    Ok(serde_json::from_slice(&text)?)
}

/// Returns a string of what is known about a module.
pub(super) fn text<'a>(fact: &'a Value, key: &str) -> Result<&'a str> {
    fact[key].as_str().with_context(|| format!("facts.json: a module without `{key}`"))
}

/// Returns the folder of the corpus, once every module is there with the bytes that `facts` pins.
pub(super) fn ensure_there(root: &Path, shared: &Path, facts: &[Value]) -> Result<PathBuf> {
    let folder = std::env::var_os(FOLDER).map_or_else(|| root.join("target/corpus"), PathBuf::from);
    for package in packages_of(&missing(&folder, facts)?)? {
        println!("fetching {package}");
        let status = Command::new(shared.join("get-corpus.sh")).arg(&folder).arg(package).status();
        status.context("cannot start get-corpus.sh")?;
    }
    let missing = missing(&folder, facts)?;
    if missing.is_empty() {
        return Ok(folder);
    }
    let names: Vec<_> = missing.iter().map(|fact| text(fact, "out")).collect::<Result<_>>()?;
    bail!("{} could not be fetched to {}", names.join(", "), folder.display())
}

/// Returns the modules that are not in the folder with the bytes that are pinned.
fn missing<'a>(folder: &Path, facts: &'a [Value]) -> Result<Vec<&'a Value>> {
    let mut missing = Vec::new();
    for fact in facts {
        let bytes = std::fs::read(folder.join(text(fact, "out")?)).unwrap_or_default();
        if sha256(&bytes) != text(fact, "sha256")? {
            missing.push(fact);
        }
    }
    Ok(missing)
}

fn packages_of<'a>(facts: &[&'a Value]) -> Result<BTreeSet<&'a str>> {
    facts.iter().map(|fact| text(fact, "pkg")).collect()
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_module_is_missing_if_its_bytes_are_not_those_pinned() {
        let folder = tempfile::tempdir().unwrap();
        // The digest of "abc" is the first test vector of FIPS 180-4.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let fact = |out: &str, pkg: &str| json!({ "out": out, "pkg": pkg, "sha256": abc });
        let facts = [fact("there", "a"), fact("altered", "b"), fact("absent", "c"), fact("also-absent", "c")];
        std::fs::write(folder.path().join("there"), "abc").unwrap();
        std::fs::write(folder.path().join("altered"), "abd").unwrap();

        let missing = missing(folder.path(), &facts).unwrap();
        assert_eq!(missing, facts[1..].iter().collect::<Vec<_>>());
        assert_eq!(packages_of(&missing).unwrap(), BTreeSet::from(["b", "c"]));
    }
}

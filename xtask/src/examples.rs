//! The modules of `examples/`: each `.wasm` is what the crate `wat` assembles its `.wat` to.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

const FOLDER: &str = "examples";

/// An example as text, and where its module lies.
struct Example {
    name: String,
    module: PathBuf,
    assembled: Vec<u8>,
}

/// Writes each example's module where it differs; returns the names of those written.
pub(crate) fn assemble(root: &Path) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for example in stale(&root.join(FOLDER))? {
        fs::write(&example.module, &example.assembled)
            .with_context(|| format!("cannot write {}", example.module.display()))?;
        written.push(example.name);
    }
    Ok(written)
}

/// Returns the names of the modules of `examples/` that are not what their text assembles to.
pub(crate) fn differing(root: &Path) -> Result<Vec<String>> {
    Ok(stale(&root.join(FOLDER))?.into_iter().map(|example| example.name).collect())
}

fn stale(folder: &Path) -> Result<Vec<Example>> {
    let mut examples = read(folder)?;
    examples.retain(|example| fs::read(&example.module).ok().as_deref() != Some(&example.assembled[..]));
    Ok(examples)
}

fn read(folder: &Path) -> Result<Vec<Example>> {
    let mut examples = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let text = entry?.path();
        if text.extension().is_some_and(|extension| extension == "wat") {
            let assembled = wat::parse_file(&text)?;
            let module = text.with_extension("wasm");
            let name = module.file_name().unwrap_or_default().to_string_lossy();
            examples.push(Example { name: format!("{FOLDER}/{name}"), module, assembled });
        }
    }
    examples.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(examples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_is_missing_or_altered_differs_until_it_is_assembled() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let folder = root.join(FOLDER);
        fs::create_dir_all(&folder).unwrap();
        for name in ["missing", "altered"] {
            fs::write(folder.join(name).with_extension("wat"), "(module (func))").unwrap();
        }
        fs::write(folder.join("altered.wasm"), b"\0asm\x01\0\0\0").unwrap();

        let both = ["examples/altered.wasm", "examples/missing.wasm"];
        assert_eq!(differing(root).unwrap(), both);
        assert_eq!(assemble(root).unwrap(), both);
        assert!(differing(root).unwrap().is_empty());
    }

    #[test]
    fn every_example_is_a_valid_module() {
        let folder = crate::root().join(FOLDER);
        let examples = read(&folder).unwrap();
        assert!(!examples.is_empty());
        for example in examples {
            let module = wasmos_frontend::decode(example.assembled);
            let verdict = module.and_then(wasmos_frontend::validate).map(|_| ());
            assert_eq!(verdict, Ok(()), "{}", example.name);
        }
    }
}

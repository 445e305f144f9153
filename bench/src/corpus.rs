//! The modules that are measured.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A module of the corpus.
pub struct Module {
    /// Path below the corpus folder.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Length of its code section, in bytes.
    pub code_bytes: usize,
}

/// Reads every module below `dir` whose path contains `only`, in the order of their names.
pub fn load(dir: &Path, only: &str) -> Result<Vec<Module>> {
    let mut modules = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "wasm") {
                let name = path.strip_prefix(dir)?.display().to_string();
                if name.contains(only) {
                    modules.push(read(path, name)?);
                }
            }
        }
    }
    ensure!(!modules.is_empty(), "no module in {}: fill it by `cargo xtask corpus`", dir.display());
    modules.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(modules)
}

fn read(path: PathBuf, name: String) -> Result<Module> {
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let module = wasmos_frontend::decode(bytes.as_slice()).with_context(|| name.clone())?;
    let code = module.sections.iter().find(|section| section.id == wasmos_frontend::module::SectionId::Code);
    let code_bytes = code.map_or(0, |section| section.content.len_bytes() as usize);
    Ok(Module { name, path, bytes, code_bytes })
}

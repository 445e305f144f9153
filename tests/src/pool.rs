//! Modules to begin with: those of the official suite, those of `tests/wat`, and small ones of the corpus.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wasmos_frontend::{Module, decode, validate};

use crate::suite;

/// Longer modules take too long for too little variety.
const MAX_BYTES: u64 = 64 * 1024;

/// A module to begin with.
#[derive(Debug)]
pub struct Seed {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The same decoded, unless they are malformed.
    pub module: Option<Module>,
    /// Whether the module is valid.
    pub is_valid: bool,
}

/// Returns the distinct modules of the suite and of `tests/wat`, shortest first; most of them are malformed or invalid.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let of_suite = suite::folders().into_iter().flat_map(|folder| suite::cases(&folder));
    let distinct: BTreeSet<Vec<u8>> =
        of_suite.filter_map(|case| case.bytes.ok()).chain(texts()).filter(|bytes| is_short(bytes)).collect();
    let mut modules: Vec<_> = distinct.into_iter().collect();
    modules.sort_by_key(Vec::len);
    modules.into_iter().map(seed).collect()
}

fn is_short(bytes: &[u8]) -> bool {
    bytes.len() as u64 <= MAX_BYTES
}

fn seed(bytes: Vec<u8>) -> Seed {
    let is_valid = decode(bytes.clone()).and_then(validate).is_ok();
    Seed { module: decode(bytes.clone()).ok(), is_valid, bytes }
}

/// The texts of this package that can be assembled.
fn texts() -> impl Iterator<Item = Vec<u8>> {
    let mut files = Vec::new();
    files_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("wat"), &mut files);
    files.into_iter().filter_map(|path| wat::parse_file(path).ok())
}

/// Returns the small modules of the corpus; `None` if it is not on this machine.
///
/// It is looked for in the folder that `WASMOS_CORPUS` names, else in `target/corpus`.
#[must_use]
pub fn corpus() -> Option<Vec<Seed>> {
    let folder = std::env::var_os("WASMOS_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/corpus"), PathBuf::from);
    let mut files = Vec::new();
    files_of(&folder, &mut files);
    let small = files.iter().filter(|path| path.metadata().is_ok_and(|data| data.len() <= MAX_BYTES));
    let modules: Vec<_> = small.filter_map(|path| std::fs::read(path).ok()).map(seed).collect();
    (!modules.is_empty()).then_some(modules)
}

/// Appends the files of a folder and of those in it, in the order of their names.
fn files_of(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = folder.read_dir() else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files_of(&path, files);
        } else {
            files.push(path);
        }
    }
}

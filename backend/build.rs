//! Says what the sources are that code depends on: displacements of records, charges, the compiler itself. Code that a
//! build has kept is refused by the next one that differs, whatever its version.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What code is made by, from this folder. The lock file has the compiler's version.
const SOURCES: [&str; 5] = ["build.rs", "src", "../frontend/src", "../abi/src", "../Cargo.lock"];

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        find(Path::new(source), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    // Conditions that are set from outside.
    env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default().hash(&mut hasher);
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo:rustc-env=WASMOS_CODE_BUILD={version}-{:016x}", hasher.finish());
    Ok(())
}

fn find(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        return fs::read_dir(path)?.try_for_each(|entry| find(&entry?.path(), files));
    }
    // Of a package that stands alone, the others are elsewhere.
    if path.is_file() {
        files.push(path.to_owned());
    }
    Ok(())
}

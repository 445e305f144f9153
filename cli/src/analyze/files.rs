//! The modules that `analyze` looks at: files as they are named, and every `.wasm` and `.wat` below a folder.
//!
//! Nothing below a folder is passed over for being hidden or listed in a `.gitignore`: what a build makes is mostly ignored,
//! and a gate that does not look at it would be open.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::exit::Exit;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};

/// Returns the modules in the order of the arguments, and of their names below a folder, each once: a report that lists a
/// file twice is no SARIF, and a finding would count twice in a baseline.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            below(path, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

/// Links to files are followed, links to folders are not: they may lead round in a circle.
fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let n_before = files.len();
    let mut walk = WalkBuilder::new(folder);
    walk.standard_filters(false).follow_links(false).sort_by_file_name(Ord::cmp);
    for entry in walk.build() {
        let entry = entry.map_err(|error| {
            let why = Escaped::new(&error.to_string()).to_string();
            Problem::new(Exit::Usage, &file_name(folder), format!("cannot list: {why}"))
        })?;
        if is_named_module(entry.path()) && entry.path().is_file() {
            files.push(entry.into_path());
        }
    }
    if files.len() == n_before {
        return Err(Problem::new(Exit::Usage, &file_name(folder), "no .wasm and no .wat file is in it"));
    }
    Ok(())
}

fn is_named_module(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["wasm", "wat"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_stands_for_every_module_below_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join(".hidden")).unwrap();
        fs::write(root.join(".gitignore"), "*.wasm").unwrap();
        for name in ["b.wasm", "a.WAT", ".hidden/c.wasm", "d.txt"] {
            fs::write(root.join(name), "").unwrap();
        }
        let found = expand(&[root.to_path_buf(), "-".into()]).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(root).unwrap_or(path)).collect();
        assert_eq!(names, [".hidden/c.wasm", "a.WAT", "b.wasm", "-"].map(Path::new));
        fs::create_dir(root.join("empty")).unwrap();
        // What is named twice, or lies in a folder that is named too, is one module.
        let twice = [root.join("b.wasm"), root.to_path_buf(), root.join("b.wasm"), "-".into(), "-".into()];
        let found = expand(&twice).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(root).unwrap_or(path)).collect();
        assert_eq!(names, ["b.wasm", ".hidden/c.wasm", "a.WAT", "-"].map(Path::new));
        let problem = expand(&[root.join("empty")]).unwrap_err();
        assert_eq!(problem.exit, Exit::Usage);
    }
}

//! The text files of the repository, read once; every rule looks at these.

use std::path::Path;

use anyhow::{Context as _, Result};
use ignore::WalkBuilder;

/// A text file.
#[derive(Debug)]
pub(super) struct File {
    /// Path from the root of the repository, with `/` between its parts.
    pub(super) path: String,
    /// What it holds.
    pub(super) text: String,
}

/// The text files of the repository, in the order of their paths.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

impl Tree {
    /// Reads every file that git does not ignore and that is text: UTF-8 without a NUL byte.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let walk = WalkBuilder::new(root)
            .hidden(false)
            .require_git(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        let mut files = Vec::new();
        for entry in walk {
            let entry = entry?;
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let bytes = std::fs::read(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            if !text.contains('\0') {
                files.push(File { path: relative(root, entry.path())?, text });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// Returns the text of a file.
    pub(super) fn text(&self, path: &str) -> Result<&str> {
        let file = self.files.iter().find(|file| file.path == path);
        file.map(|file| &*file.text).with_context(|| format!("{path} is not there"))
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File { path: (*path).into(), text: (*text).into() };
        Self { files: files.iter().map(file).collect() }
    }
}

fn relative(root: &Path, path: &Path) -> Result<String> {
    let parts = path.strip_prefix(root)?.iter();
    let parts: Option<Vec<&str>> = parts.map(|part| part.to_str()).collect();
    Ok(parts.with_context(|| format!("{} is not UTF-8", path.display()))?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn text_files_are_read_and_ignored_or_binary_ones_are_not() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("kept")).unwrap();
        for (path, bytes) in [
            (".gitignore", &b"ignored\n"[..]),
            ("kept/.hidden", b"a"),
            ("kept/ignored", b"b"),
            ("module", b"\0asm"),
            ("latin", b"\xe9"),
        ] {
            fs::write(root.path().join(path), bytes).unwrap();
        }
        let tree = Tree::read(root.path()).unwrap();
        let paths: Vec<_> = tree.files.iter().map(|file| &*file.path).collect();
        assert_eq!(paths, [".gitignore", "kept/.hidden"]);
        assert_eq!(tree.text("kept/.hidden").unwrap(), "a");
    }
}

//! The rules that a compiler does not know. Each rule is a function over what it looks at, so that a test can
//! show that it finds what it is for; here they are applied to the repository.

use std::fmt;
use std::path::Path;

use anyhow::Result;

use crate::examples;

mod coverage;
mod dependencies;
mod rust;
mod text;
mod tokens;
mod tree;

use dependencies::Workspace;
use tree::Tree;

/// A rule that is broken, and where.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// Path from the root of the repository.
    path: String,
    /// Line, from 1.
    line: Option<usize>,
    /// The rule, and what breaks it.
    what: String,
}

impl Finding {
    fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(line), what: what.into() }
    }

    fn in_file(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

/// Prints what is broken in the repository; returns whether nothing is.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let findings = check(root)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} findings", findings.len());
    Ok(findings.is_empty())
}

fn check(root: &Path) -> Result<Vec<Finding>> {
    let tree = Tree::read(root)?;
    let workspace = Workspace::read(&tree)?;
    let sources = rust::lex(&tree)?;

    let mut findings = Vec::new();
    findings.extend(dependencies::rooms(&workspace));
    findings.extend(dependencies::banned(&workspace));
    findings.extend(dependencies::shipped(&workspace, &dependencies::shipped_tree(root, &workspace)?));
    findings.extend(rust::fences(&sources));
    findings.extend(rust::forbids(&workspace, &sources));
    findings.extend(rust::module_names(&sources));
    findings.extend(rust::leftovers(&sources));
    findings.extend(text::machine_paths(&tree));
    findings.extend(coverage::error_kinds(&tree, &sources)?);
    let stale = examples::differing(root)?;
    findings.extend(stale.iter().map(|path| {
        Finding::in_file(path, "is not what its text assembles to; `cargo xtask bless` assembles it")
    }));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let findings = check(crate::root()).unwrap();
        let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}

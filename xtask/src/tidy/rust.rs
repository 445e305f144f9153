//! Rules on Rust source: fences around `unsafe`, names of modules, what must not be left behind.

use anyhow::{Context as _, Result};

use super::Finding;
use super::dependencies::Workspace;
use super::tokens::{self, Kind, Token};
use super::tree::Tree;

/// The modules that may hold `unsafe`, each with the modules below it. A new row is a change of the architecture.
const FENCES: &[&str] = &[
    "backend/src/interp",
    "backend/src/jit/run",
    "backend/src/jit/service",
    "backend/src/jit/trap",
    "backend/src/vm",
];

/// Names that say nothing and so collect what nobody placed.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];

/// What must not be left behind, and why.
const LEFTOVERS: [(&str, &str); 6] = [
    ("# [ ignore", "a test that does not run; make it run, or delete it"),
    ("todo !", "what is not built is refused with an error"),
    ("unimplemented !", "what is not built is refused with an error"),
    ("dbg !", "a trace of a search for an error"),
    ("allow ( dead_code", "what nobody uses is deleted"),
    ("allow ( unused", "what nobody uses is deleted"),
];

/// A Rust file as tokens.
pub(super) struct Source<'a> {
    pub(super) path: &'a str,
    pub(super) tokens: Vec<Token>,
}

/// Reads the Rust files of the tree.
pub(super) fn lex(tree: &Tree) -> Result<Vec<Source<'_>>> {
    let files = tree.files.iter().filter(|file| file.path.ends_with(".rs"));
    files
        .map(|file| {
            let tokens = tokens::lex(&file.text).with_context(|| file.path.clone())?;
            Ok(Source { path: &file.path, tokens })
        })
        .collect()
}

/// Finds `unsafe` outside of the fences.
pub(super) fn fences(sources: &[Source<'_>]) -> Vec<Finding> {
    fences_but(sources, FENCES)
}

fn fences_but(sources: &[Source<'_>], fences: &[&str]) -> Vec<Finding> {
    let outside = sources.iter().filter(|source| !fences.iter().any(|fence| is_within(source.path, fence)));
    outside
        .flat_map(|source| find(source, "unsafe", "`unsafe` outside of the fences of tidy/rust.rs"))
        .collect()
}

fn is_within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn find<'a>(source: &'a Source<'_>, pattern: &'a str, what: &'a str) -> impl Iterator<Item = Finding> + 'a {
    let places = tokens::find(&source.tokens, pattern);
    places.map(move |at| Finding::at(source.path, source.tokens[at].line, what))
}

/// Finds crates without a fence that do not forbid `unsafe`.
pub(super) fn forbids(workspace: &Workspace, sources: &[Source<'_>]) -> Vec<Finding> {
    forbids_but(workspace, sources, FENCES)
}

fn forbids_but(workspace: &Workspace, sources: &[Source<'_>], fences: &[&str]) -> Vec<Finding> {
    let is_root = |source: &&Source<'_>| {
        workspace.packages.iter().any(|package| {
            let inside =
                source.path.strip_prefix(&*package.folder).and_then(|path| path.strip_prefix("/src/"));
            let fenced = fences.iter().any(|fence| fence.starts_with(&format!("{}/", package.folder)));
            !fenced
                && inside.is_some_and(|path| matches!(path, "lib.rs" | "main.rs") || path.starts_with("bin/"))
        })
    };
    sources
        .iter()
        .filter(is_root)
        .filter(|source| tokens::find(&source.tokens, "# ! [ forbid ( unsafe_code ) ]").next().is_none())
        .map(|source| Finding::in_file(source.path, "a crate without a fence says #![forbid(unsafe_code)]"))
        .collect()
}

/// Finds modules whose names say nothing.
pub(super) fn module_names(sources: &[Source<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let stem = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let name = stem.rsplit('/').next().unwrap_or(stem);
        if EMPTY_NAMES.contains(&name) {
            findings.push(Finding::in_file(source.path, "the name says nothing; which type is this about?"));
        }
        for at in tokens::find(&source.tokens, "mod") {
            let name = source.tokens.get(at + 1);
            if let Some(Token { kind: Kind::Ident(name), line }) = name
                && EMPTY_NAMES.contains(&&**name)
            {
                findings.push(Finding::at(
                    source.path,
                    *line,
                    format!("module `{name}`: the name says nothing"),
                ));
            }
        }
    }
    findings
}

/// Finds what must not be left behind.
pub(super) fn leftovers(sources: &[Source<'_>]) -> Vec<Finding> {
    let each = |source| LEFTOVERS.iter().flat_map(move |(pattern, why)| find(source, pattern, why));
    sources.iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(rule: impl Fn(&[Source<'_>]) -> Vec<Finding>, files: &[(&str, &str)], expected: &Expect) {
        let tree = Tree::of(files);
        let lines: Vec<_> = rule(&lex(&tree).unwrap()).iter().map(ToString::to_string).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn unsafe_stands_within_its_fences() {
        let files = [
            ("backend/src/vm.rs", "unsafe fn f() {}"),
            ("backend/src/vm/memory.rs", "unsafe fn f() {}"),
            ("backend/src/vmx.rs", "unsafe fn f() {}"),
            ("frontend/src/a.rs", "// unsafe\nmacro_rules! m {() => {\n unsafe {} }}"),
            ("frontend/src/b.rs", "#![forbid(unsafe_code)]"),
        ];
        check(
            |sources| fences_but(sources, &["backend/src/vm"]),
            &files,
            &expect![[r#"
                backend/src/vmx.rs:1: `unsafe` outside of the fences of tidy/rust.rs
                frontend/src/a.rs:3: `unsafe` outside of the fences of tidy/rust.rs"#]],
        );
    }

    #[test]
    fn a_crate_without_a_fence_forbids_unsafe() {
        let workspace = Workspace::of(&[
            ("frontend", "[package]\nname = \"wasmos-frontend\""),
            ("backend", "[package]\nname = \"wasmos-backend\""),
            ("cli", "[package]\nname = \"wasmos-cli\""),
        ]);
        let files = [
            ("backend/src/lib.rs", ""),
            ("cli/src/bin/other.rs", ""),
            ("cli/src/main.rs", "//! Head.\n#![forbid(unsafe_code)]"),
            ("frontend/src/lib.rs", "#![deny(unsafe_code)]"),
            ("frontend/src/reader.rs", ""),
        ];
        check(
            |sources| forbids_but(&workspace, sources, &["backend/src/vm"]),
            &files,
            &expect![[r#"
                cli/src/bin/other.rs: a crate without a fence says #![forbid(unsafe_code)]
                frontend/src/lib.rs: a crate without a fence says #![forbid(unsafe_code)]"#]],
        );
    }

    #[test]
    fn a_module_has_a_name_that_says_something() {
        let files =
            [("a/src/lib.rs", "mod memory;\nmod helpers {}"), ("a/src/utils/mod.rs", ""), ("b/misc.rs", "")];
        check(
            module_names,
            &files,
            &expect![[r#"
                a/src/lib.rs:2: module `helpers`: the name says nothing
                a/src/utils/mod.rs: the name says nothing; which type is this about?
                b/misc.rs: the name says nothing; which type is this about?"#]],
        );
    }

    #[test]
    fn nothing_is_left_behind() {
        let source = "#[test]\n#[ignore = \"slow\"]\nfn f() {\n todo!();\n unimplemented!()\n}\nfn g() { dbg!(1) }\n\
                      #![allow(dead_code)]\n#[allow(unused_variables)]\n#[allow(unused)]";
        check(
            leftovers,
            &[("a.rs", source)],
            &expect![[r#"
                a.rs:2: a test that does not run; make it run, or delete it
                a.rs:4: what is not built is refused with an error
                a.rs:5: what is not built is refused with an error
                a.rs:7: a trace of a search for an error
                a.rs:8: what nobody uses is deleted
                a.rs:10: what nobody uses is deleted"#]],
        );
    }
}

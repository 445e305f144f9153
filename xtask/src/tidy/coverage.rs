//! Rules on what the tests must have seen.

use anyhow::{Result, ensure};

use super::Finding;
use super::rust::Source;
use super::tokens::{self, Kind, Token};
use super::tree::{File, Tree};

const ERRORS: &str = "frontend/src/error.rs";

/// Finds kinds of error that no golden and no test names.
pub(super) fn error_kinds(tree: &Tree, sources: &[Source<'_>]) -> Result<Vec<Finding>> {
    let errors = sources.iter().find(|source| source.path == ERRORS);
    let variants = errors.map(|source| variants(&source.tokens, "ErrorKind")).unwrap_or_default();
    ensure!(!variants.is_empty(), "{ERRORS} declares no ErrorKind");

    let tests: Vec<&str> = tree.files.iter().filter_map(test_text).collect();
    let is_named = |variant: &str| tests.iter().any(|text| has_word(text, variant));
    let missing = variants.into_iter().filter(|(variant, _)| !is_named(variant));
    Ok(missing
        .map(|(variant, line)| {
            Finding::at(ERRORS, line, format!("no golden and no test names ErrorKind::{variant}"))
        })
        .collect())
}

/// Returns the names of the variants of an enum, and their lines.
fn variants(tokens: &[Token], name: &str) -> Vec<(String, usize)> {
    let Some(begin) = tokens::find(tokens, &format!("enum {name} {{")).next() else { return Vec::new() };
    let mut variants = Vec::new();
    let mut depth = 0_u32;
    for token in &tokens[begin + 2..] {
        match &token.kind {
            Kind::Mark('{' | '(' | '[') => depth += 1,
            Kind::Mark('}' | ')' | ']') => depth -= 1,
            Kind::Ident(variant) if depth == 1 => variants.push((variant.clone(), token.line)),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    variants
}

/// Returns the part of a file that is test or golden: all of it in the folders of tests, else what stands under
/// the test module of a frontend file.
fn test_text(file: &File) -> Option<&str> {
    if ["tests/", "frontend/tests/", "cli/tests/"].iter().any(|folder| file.path.starts_with(folder)) {
        return Some(&file.text);
    }
    if !file.path.starts_with("frontend/src/") {
        return None;
    }
    // The tests of a module may stand in a file of their own.
    if file.path.ends_with("/tests.rs") {
        return Some(&file.text);
    }
    file.text.find("#[cfg(test)]").map(|at| &file.text[at..])
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rust;

    const ENUM: &str = "pub enum ErrorKind {\n#[error(\"a {b}\")]\nStartType,\nTooMany { count: u64 },\n\
                        Unsupported(Feature),\nUnexpectedEnd,\n}\nenum Other { X }";

    fn missing(files: &[(&str, &str)]) -> Vec<usize> {
        let files: Vec<_> = [(ERRORS, ENUM)].iter().chain(files).copied().collect();
        let tree = Tree::of(&files);
        let findings = error_kinds(&tree, &rust::lex(&tree).unwrap()).unwrap();
        findings.iter().map(|finding| finding.line.unwrap()).collect()
    }

    #[test]
    fn a_kind_that_no_test_names_is_found() {
        assert_eq!(missing(&[]), [3, 4, 5, 6]);
        assert_eq!(
            missing(&[
                ("tests/wat/a.wat", ";; error: TooMany"),
                (
                    "frontend/src/a.rs",
                    "ErrorKind::Unsupported;\n#[cfg(test)]\nmod tests { ErrorKind::StartType }"
                ),
                ("frontend/tests/a.rs", "ErrorKind::UnexpectedEndOfAll"),
                ("backend/src/b.rs", "ErrorKind::UnexpectedEnd"),
            ]),
            [5, 6]
        );
    }

    #[test]
    fn a_file_without_kinds_is_an_error_of_the_rule() {
        let tree = Tree::of(&[(ERRORS, "struct ErrorKind;")]);
        assert!(error_kinds(&tree, &rust::lex(&tree).unwrap()).is_err());
    }
}

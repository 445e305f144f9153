//! A Rust file as a flat list of tokens with their lines: comments are gone and strings are opaque, so that a rule
//! never takes a mention for a use.

use std::str::FromStr as _;

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A token and the line that it begins on, from 1.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or keyword.
    Ident(String),
    /// A punctuation mark, or a bracket.
    Mark(char),
    /// A literal, whatever it says.
    Literal,
}

impl Token {
    /// Returns whether the token reads `text`.
    pub(super) fn is(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Ident(ident) => ident == text,
            Kind::Mark(mark) => text.len() == 1 && text.starts_with(*mark),
            Kind::Literal => false,
        }
    }
}

/// Reads Rust source.
pub(super) fn lex(source: &str) -> Result<Vec<Token>> {
    let stream = TokenStream::from_str(source).map_err(|error| anyhow!("{error}"))?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Ident(ident) => tokens.push(Token { kind: Kind::Ident(ident.to_string()), line }),
            TokenTree::Punct(mark) => tokens.push(Token { kind: Kind::Mark(mark.as_char()), line }),
            TokenTree::Literal(_) => tokens.push(Token { kind: Kind::Literal, line }),
            TokenTree::Group(group) => {
                let brackets = match group.delimiter() {
                    Delimiter::Parenthesis => Some(('(', ')')),
                    Delimiter::Brace => Some(('{', '}')),
                    Delimiter::Bracket => Some(('[', ']')),
                    Delimiter::None => None,
                };
                if let Some((open, _)) = brackets {
                    tokens.push(Token { kind: Kind::Mark(open), line });
                }
                let end = group.span_close().start().line;
                flatten(group.stream(), tokens);
                if let Some((_, close)) = brackets {
                    tokens.push(Token { kind: Kind::Mark(close), line: end });
                }
            }
        }
    }
}

/// Yields where `pattern`, words and marks between spaces, occurs in `tokens`.
pub(super) fn find<'a>(tokens: &'a [Token], pattern: &'a str) -> impl Iterator<Item = usize> + 'a {
    let words: Vec<&str> = pattern.split(' ').collect();
    let matches = move |window: &[Token]| window.iter().zip(&words).all(|(token, word)| token.is(word));
    let len = pattern.split(' ').count();
    tokens.windows(len).enumerate().filter(move |(_, window)| matches(window)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_in_code_and_not_in_comments_or_strings() {
        let source = "// dbg!(1)\nfn f() {\n  \"dbg!(1)\";\n  dbg!(1);\n}";
        let tokens = lex(source).unwrap();
        let lines: Vec<_> = find(&tokens, "dbg !").map(|at| tokens[at].line).collect();
        assert_eq!(lines, [4]);
        assert_eq!(find(&tokens, "}").map(|at| tokens[at].line).collect::<Vec<_>>(), [5]);
    }
}

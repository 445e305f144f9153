//! What a refusal says: what is wrong, where, what would help. Guest text in it is escaped when it is made.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use wasmos_frontend::error::{Error, ErrorClass, ErrorKind};

use crate::exit::Exit;
use crate::output::Escaped;

/// Why a file was refused.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) exit: Exit,
    /// The file, and line and column if it is text.
    place: String,
    sentence: String,
    notes: Vec<String>,
}

impl Problem {
    /// Makes a problem of the file that is called `file`, which is escaped already, as is `sentence`.
    pub(crate) fn new(exit: Exit, file: &str, sentence: impl Into<String>) -> Self {
        Self { exit, place: file.to_owned(), sentence: sentence.into(), notes: Vec::new() }
    }

    /// Adds a line below the sentence, escaped already.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    #[must_use]
    pub(crate) fn help(self, help: &str) -> Self {
        self.note(format!("help: {help}"))
    }

    /// Makes a problem of what the frontend refused; `of` says what the offset counts in, if not in the file.
    pub(crate) fn of_module(file: &str, of: &str, error: &Error) -> Self {
        let sentence = format!("{}: {}", error.kind.class().name(), error.kind);
        let problem = Self::new(Exit::Refused, file, sentence).note(place(of, error));
        match advice(file, error) {
            Some(advice) => problem.help(&advice),
            None => problem,
        }
    }

    /// Makes a problem of a text that the assembler refused.
    pub(crate) fn of_text(file: &str, error: &TextError) -> Self {
        let place = format!("{file}:{}:{}", error.line, error.column);
        let problem = Self::new(Exit::Refused, &place, Escaped::new(&error.message).to_string());
        match &error.excerpt {
            Some((line, caret)) => problem.note(line).note(caret),
            None => problem,
        }
    }

    pub(crate) fn write(&self, err: &mut dyn Write) -> io::Result<()> {
        writeln!(err, "{}: error: {}", self.place, self.sentence)?;
        self.notes.iter().try_for_each(|note| writeln!(err, "  {note}"))
    }
}

/// Why a text could not be assembled, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextError {
    /// The assembler's sentence, which may quote the text: untrusted.
    pub(crate) message: String,
    /// Line, from 1.
    pub(crate) line: usize,
    /// Column in characters, from 1.
    pub(crate) column: usize,
    /// The line and a caret below the column, both escaped.
    pub(crate) excerpt: Option<(String, String)>,
}

impl TextError {
    /// Makes the error of `message` at `offset`, in bytes of `text`.
    pub(crate) fn at(text: &str, offset: usize, message: String) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let prefix = before.get(start..).unwrap_or_default();
        let after = text.get(before.len()..).unwrap_or_default();
        let line = prefix.len() + after.find('\n').unwrap_or(after.len());
        let line = text.get(start..start + line).unwrap_or_default();
        Self {
            message,
            line: before.matches('\n').count() + 1,
            column: prefix.chars().count() + 1,
            excerpt: excerpt(line.trim_end(), prefix),
        }
    }
}

/// A line that is too long to be read is not shown: line and column say where it is.
fn excerpt(line: &str, prefix: &str) -> Option<(String, String)> {
    let indent = line.len() - line.trim_start().len();
    let shown = Escaped::new(line.trim_start()).to_string();
    let caret = Escaped::new(prefix.get(indent..).unwrap_or_default()).to_string();
    if shown.is_empty() || crate::output::columns(&shown) > 76 {
        return None;
    }
    Some((format!("  {shown}"), format!("  {}^", " ".repeat(crate::output::columns(&caret)))))
}

/// Says where in a module an error is.
fn place(of: &str, error: &Error) -> String {
    let mut text = format!("at offset {:#x}{of}", error.offset);
    if let Some(function) = error.function {
        let _ = write!(text, " in function {function}");
        if let Some(name) = &error.function_name {
            let _ = write!(text, " <{}>", Escaped::new(name));
        }
    }
    let _ = write!(text, ", while reading {}", error.context);
    text
}

/// Says what would help; `None` where nothing does but another module.
fn advice(file: &str, error: &Error) -> Option<String> {
    match &error.kind {
        ErrorKind::FeatureDisabled(feature) => Some(format!("`--features +{feature}` allows it")),
        ErrorKind::UnexpectedEnd | ErrorKind::LengthOutOfBounds { .. } if error.function.is_none() => {
            Some("the file may be cut off; compare its size with the original's".into())
        }
        kind => match (kind.class(), error.function) {
            (ErrorClass::Malformed | ErrorClass::Invalid, Some(function)) => {
                Some(format!("`wasmos print --function {function} {}` shows it", as_argument(file)))
            }
            _ => None,
        },
    }
}

/// Returns the name of a file as it can be pasted into a shell, `FILE` where that takes more than the name.
fn as_argument(file: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if file.chars().all(plain) && !file.starts_with('-') { file } else { "FILE" }
}

/// Returns a file's name as messages show it.
pub(crate) fn file_name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "<stdin>".into();
    }
    Escaped::new(&path.to_string_lossy()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_a_text_points_at_its_column() {
        let text = "(module\n  (func\u{202e} ?))\n";
        let error = TextError::at(text, text.find('?').expect("it is there"), "oh".into());
        assert_eq!((error.line, error.column), (2, 10));
        let (line, caret) = error.excerpt.expect("the line is short");
        assert_eq!(line, "  (func\\u{202e} ?))");
        assert_eq!(caret.find('^'), line.find('?'));
    }

    #[test]
    fn an_error_at_the_end_of_a_text_has_a_place() {
        let error = TextError::at("(module", 7, "oh".into());
        assert_eq!((error.line, error.column), (1, 8));
        let error = TextError::at("(module\n", 8, "oh".into());
        assert_eq!((error.line, error.column, error.excerpt), (2, 1, None));
        assert_eq!(TextError::at(&"(".repeat(100), 50, "oh".into()).excerpt, None);
    }

    #[test]
    fn only_a_name_that_a_shell_leaves_alone_is_pasted() {
        assert_eq!(as_argument("a/b-1.wasm"), "a/b-1.wasm");
        assert_eq!(as_argument("a b.wasm"), "FILE");
        assert_eq!(as_argument("-rf"), "FILE");
        assert_eq!(as_argument("<stdin>"), "FILE");
    }
}

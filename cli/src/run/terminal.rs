//! The guest's output on a terminal: what could move the cursor, change the title, fill the clipboard or hide text is
//! shown as a visible escape. To a pipe or a file it goes untouched.

use std::io::{self, Write};

use crate::output::is_printable;
use crate::run::progress::Progress;

/// Lets through what prints, line feeds and tabs.
pub(super) struct Filter<W> {
    out: W,
    /// Bytes of a character whose end has not come yet: at most three.
    pending: Vec<u8>,
    /// Whether a character has been written that a mark can combine with.
    has_base: bool,
    /// Whether a carriage return waits for what comes: in front of a line feed it is left out.
    has_return: bool,
}

impl<W: Write> Filter<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, pending: Vec::new(), has_base: false, has_return: false }
    }

    fn shown(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let bytes = std::mem::take(&mut self.pending);
        let mut text = String::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        while let Some(chunk) = rest.utf8_chunks().next() {
            chunk.valid().chars().for_each(|c| self.push(&mut text, c));
            let invalid = chunk.invalid();
            rest = rest.get(chunk.valid().len() + invalid.len()..).unwrap_or_default();
            if rest.is_empty() && is_beginning(invalid) {
                self.pending = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.end_return(&mut text, false);
                for byte in invalid {
                    text.push_str(&format!("\\x{byte:02x}"));
                }
            }
        }
        text
    }

    fn push(&mut self, text: &mut String, c: char) {
        self.end_return(text, c == '\n');
        let has_base = std::mem::replace(&mut self.has_base, !matches!(c, '\n' | '\t'));
        let combines = !c.is_ascii() && c.escape_debug().len() > 1;
        match c {
            '\n' | '\t' => text.push(c),
            _ if is_printable(c) && (has_base || !combines) => text.push(c),
            '\r' => self.has_return = true,
            _ => text.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        }
    }
}

impl<W> Filter<W> {
    /// Shows a carriage return that has waited, unless a line ends behind it.
    fn end_return(&mut self, text: &mut String, is_line_end: bool) {
        if std::mem::take(&mut self.has_return) && !is_line_end {
            text.push_str("\\r");
        }
    }
}

/// Whether bytes that are no character could become one.
fn is_beginning(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

impl<W: Write> Write for Filter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = self.shown(bytes);
        self.out.write_all(text.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Takes the line of progress away before the guest writes over it.
pub(super) struct Clearing {
    out: Box<dyn Write + Send>,
    progress: Progress,
}

impl Clearing {
    pub(super) fn new(out: Box<dyn Write + Send>, progress: Progress) -> Self {
        Self { out, progress }
    }
}

impl Write for Clearing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.progress.end();
        self.out.write_all(bytes)?;
        self.out.flush()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(writes: &[&[u8]]) -> String {
        let mut filter = Filter::new(Vec::new());
        writes.iter().for_each(|bytes| filter.write_all(bytes).expect("a vector takes every byte"));
        String::from_utf8(filter.out).expect("what is shown is UTF-8")
    }

    /// A073.
    #[test]
    fn nothing_but_text_reaches_a_terminal() {
        for (bytes, shown) in [
            (&b"plain\ttext\n"[..], "plain\ttext\n"),
            (b"back\\slash", "back\\slash"),
            (b"\x1b]52;c;aGk=\x07", "\\u{1b}]52;c;aGk=\\u{7}"),
            (b"over\rwritten\x08", "over\\rwritten\\u{8}"),
            ("\u{202e}txt \u{9b}31m é 漢 e\u{301}".as_bytes(), "\\u{202e}txt \\u{9b}31m é 漢 e\u{301}"),
            ("\n\u{301}".as_bytes(), "\n\\u{301}"),
            (b"caf\xe9 ok", "caf\\xe9 ok"),
            (b"dos\r\nmac\r\rx\r\xe9\n", "dos\nmac\\r\\rx\\r\\xe9\n"),
            (b"\xff\xff", "\\xff\\xff"),
        ] {
            assert_eq!(filtered(&[bytes]), shown);
        }
    }

    #[test]
    fn a_character_may_come_in_pieces() {
        let text = "é漢🦀 e\u{301}\u{1b}".as_bytes();
        let pieces: Vec<_> = text.chunks(1).collect();
        assert_eq!(filtered(&pieces), "é漢🦀 e\u{301}\\u{1b}");
        assert_eq!(filtered(&[b"\xf0\x9f", b"x"]), "\\xf0\\x9fx");
        assert_eq!(filtered(&[b"dos\r", b"\nover\r", b"written"]), "dos\nover\\rwritten");
    }
}

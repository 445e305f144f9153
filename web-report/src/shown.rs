//! What is shown to people: guest text made harmless, numbers, JSON.
//!
//! Names in a module and names of files are chosen by whoever made them. They can hold escape sequences that
//! rewrite the screen or fill the clipboard, bidirectional overrides that reorder what is read, and characters
//! that cannot be seen. Every string of that kind goes through [`Escaped`], [`EscapedBytes`] or [`Quoted`], in
//! JSON through [`json`]; nothing else writes guest text.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many bytes of a name are shown: the rest is counted, not printed.
const SHOWN_BYTES: usize = 1024;

/// Characters that Unicode calls letters, marks or symbols and that show nothing, or change how their neighbour
/// is shown. Source: Unicode 16, `Default_Ignorable_Code_Point`, without what is format or unassigned anyway; and
/// the blank Braille pattern.
const INVISIBLE: [(char, char); 9] = [
    ('\u{34f}', '\u{34f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{e0100}', '\u{e01ef}'),
];

/// Returns whether a character may stand on a terminal as it is, behind another one.
///
/// The standard library's debug form escapes what Unicode calls control, format, surrogate, private, unassigned
/// and separator; it lets a combining mark stand where it has something to combine with.
#[must_use]
pub fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    let mut buffer = [b'x'; 5];
    let len = c.encode_utf8(&mut buffer[1..]).len();
    let pair = std::str::from_utf8(&buffer[..=len]).unwrap_or_default();
    pair.escape_debug().count() == 2 && !INVISIBLE.iter().any(|(low, high)| (*low..=*high).contains(&c))
}

/// Writes one character; `first` if there is nothing of the guest's in front of it to combine with.
fn write_char(f: &mut impl fmt::Write, c: char, first: bool) -> fmt::Result {
    match c {
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        ' '..='~' => f.write_char(c),
        _ if is_printable(c) && !(first && c.escape_debug().len() > 1) => f.write_char(c),
        _ => write!(f, "\\u{{{:x}}}", u32::from(c)),
    }
}

/// Guest text that can be shown: what does not print is a visible escape, and what is very long is cut.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(&'a str);

impl<'a> Escaped<'a> {
    /// Wraps a text.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self(text)
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, c) in self.0.char_indices() {
            if at >= SHOWN_BYTES {
                return write!(f, "…[{} bytes more]", grouped((self.0.len() - at) as u64));
            }
            write_char(f, c, at == 0)?;
        }
        Ok(())
    }
}

/// Guest bytes, whole, as [`Escaped`] shows text; what is not UTF-8 is shown as `\xNN`.
#[derive(Clone, Copy, Debug)]
pub struct EscapedBytes<'a>(pub &'a [u8]);

impl fmt::Display for EscapedBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for (at, c) in chunk.valid().char_indices() {
                write_char(f, c, at == 0)?;
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

/// Guest text as a string of the text format, whole: its escapes are those of [`Escaped`], and `"`.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for (at, c) in self.0.char_indices() {
            if c == '"' {
                f.write_str("\\")?;
            }
            write_char(f, c, at == 0)?;
        }
        f.write_str("\"")
    }
}

/// Returns how many columns of a terminal a line takes.
#[must_use]
pub fn columns(line: &str) -> usize {
    line.width()
}

/// Cuts a line that has been escaped to `width` columns; `…` stands for what is missing.
#[must_use]
pub fn fit(line: &str, width: usize) -> String {
    if columns(line) <= width {
        return line.to_owned();
    }
    let mut used = 1;
    let kept = line.chars().take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= width
    });
    kept.chain(['…']).collect()
}

/// Returns a number with its digits in groups of three: `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns `1 byte`, `2 bytes`, `3 memories`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    let number_text = grouped(number);
    match noun.strip_suffix('y') {
        _ if number == 1 => format!("{number_text} {noun}"),
        Some(stem) => format!("{number_text} {stem}ies"),
        None => format!("{number_text} {noun}s"),
    }
}

/// Writes a value as one line of JSON in which everything that does not print is escaped.
///
/// # Errors
/// What the writer says.
pub fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, PrintableJson))?;
    writeln!(out)
}

/// JSON needs no escapes above the ASCII controls; a terminal does.
struct PrintableJson;

impl serde_json::ser::Formatter for PrintableJson {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c| !is_printable(c)) {
            let (plain, from) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut chars = from.chars();
            for unit in chars.next().map(|c| c.encode_utf16(&mut [0; 2]).to_vec()).unwrap_or_default() {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escape(text: &str) -> String {
        Escaped::new(text).to_string()
    }

    #[test]
    fn what_a_terminal_obeys_is_shown_and_not_sent() {
        for (text, shown) in [
            ("plain text_1.$é漢", "plain text_1.$é漢"),
            ("\u{1b}[31mred\u{1b}]52;c;aGk=\u{7}", "\\u{1b}[31mred\\u{1b}]52;c;aGk=\\u{7}"),
            ("two\nlines\r\tand a tab", "two\\nlines\\r\\tand a tab"),
            ("nul\0del\u{7f}csi\u{9b}2J", "nul\\u{0}del\\u{7f}csi\\u{9b}2J"),
            ("\u{202e}exe.\u{2066}txt\u{200f}", "\\u{202e}exe.\\u{2066}txt\\u{200f}"),
            ("zero\u{200b}width\u{feff}\u{ad}\u{2060}", "zero\\u{200b}width\\u{feff}\\u{ad}\\u{2060}"),
            ("line\u{2028}par\u{2029}nbsp\u{a0}", "line\\u{2028}par\\u{2029}nbsp\\u{a0}"),
            ("tag\u{e0041}private\u{e000}", "tag\\u{e0041}private\\u{e000}"),
            ("filler\u{3164}\u{115f}\u{2800}\u{fe0f}", "filler\\u{3164}\\u{115f}\\u{2800}\\u{fe0f}"),
            ("variation\u{e0100}", "variation\\u{e0100}"),
            ("back\\slash \\u{41}", "back\\\\slash \\\\u{41}"),
        ] {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn a_combining_mark_is_shown_where_it_has_something_to_combine_with() {
        assert_eq!(escape("e\u{301}a"), "e\u{301}a");
        assert_eq!(escape("\u{301}a"), "\\u{301}a");
    }

    #[test]
    fn nothing_that_is_shown_is_a_control_or_takes_no_column_of_its_own() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32).filter(|c| is_printable(*c)) {
            assert!(!c.is_control(), "{c:?}");
            assert!(c.width().is_some(), "{c:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_with_a_mark() {
        let name = "x".repeat(100_000);
        let shown = escape(&name);
        assert_eq!(shown, format!("{}…[98,976 bytes more]", "x".repeat(1024)));
        // The limit counts the guest's bytes, and never cuts a character.
        assert_eq!(escape(&"é".repeat(513)), format!("{}…[2 bytes more]", "é".repeat(512)));
        assert_eq!(escape(&"x".repeat(1024)), "x".repeat(1024));
    }

    #[test]
    fn a_quoted_name_is_a_string_of_the_text_format() {
        let name = "say \"hi\\\"\0\u{202e}\n";
        let text = format!("(module (memory 1) (export {} (memory 0)))", Quoted(name));
        let bytes = wat::parse_str(&text).expect("the text is well-formed");
        let module = wasmos_frontend::decode(bytes).expect("the module is well-formed");
        assert_eq!(module.text(module.exports[0].name), name);
    }

    #[test]
    fn json_keeps_the_data_and_hides_the_controls() {
        let names = ["\u{1b}[0m\u{9b}\u{7f}", "\u{202e}\u{2028}\u{e0041}", "é \"quoted\" \\"];
        let mut out = Vec::new();
        json(&mut out, &names).expect("a vector takes every byte");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).expect("it is JSON"), names);
        assert_eq!(
            text,
            "[\"\\u001b[0m\\u009b\\u007f\",\"\\u202e\\u2028\\udb40\\udc41\",\"é \\\"quoted\\\" \\\\\"]\n"
        );
    }

    #[test]
    fn a_line_is_cut_at_columns_and_not_at_characters() {
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 3), "ab…");
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(fit("漢字漢字", 6), "漢字…");
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"].map(str::to_owned)
        );
        assert_eq!(counted(1, "byte"), "1 byte");
        assert_eq!(counted(1000, "byte"), "1,000 bytes");
        assert_eq!(counted(0, "memory"), "0 memories");
    }
}

//! Messages of the guest, shown on stderr as they come: one record, one line.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use wasmos_runtime::StopHandle;
use wasmos_runtime::native::{Message, Sink};

use crate::output::EscapedBytes;
use crate::run::progress::Progress;

/// What became of stderr while the guest wrote to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Failed(Arc<Mutex<Option<io::Error>>>);

impl Failed {
    /// Returns the error that ended the run, if one did.
    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn set(&self, error: io::Error) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Returns a sink that writes to stderr, and stops the guest when nobody can read its messages.
pub(super) fn sink(stop: StopHandle, failed: Failed, progress: Progress) -> Sink {
    Box::new(move |message: &Message| {
        let line = Line(message).to_string();
        progress.end();
        if let Err(error) = io::stderr().write_all(line.as_bytes()) {
            failed.set(error);
            stop.stop();
        }
    })
}

/// A message as its line, the line feed included.
struct Line<'a>(&'a Message);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Message::Log(bytes) => writeln!(f, "[log] {}", EscapedBytes(bytes)),
            Message::Alert { level, message } => writeln!(f, "[alert:{level}] {}", EscapedBytes(message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A072.
    #[test]
    fn a_message_cannot_look_like_two() {
        for (bytes, line) in [
            (&b"ok\n[alert:3] admin"[..], "[log] ok\\n[alert:3] admin\n"),
            (b"\r[log] over\x1b[2K", "[log] \\r[log] over\\u{1b}[2K\n"),
            (b"caf\xe9 \xed\xa0\x80 \0", "[log] caf\\xe9 \\xed\\xa0\\x80 \\u{0}\n"),
            ("\u{301}\u{202e}\u{2028}e\u{301}".as_bytes(), "[log] \\u{301}\\u{202e}\\u{2028}e\u{301}\n"),
            (b"\xff\xcc\x81", "[log] \\xff\\u{301}\n"),
            (b"", "[log] \n"),
        ] {
            assert_eq!(Line(&Message::Log(bytes.into())).to_string(), line);
        }
        let alert = Message::Alert { level: 3, message: b"\\x41".into() };
        assert_eq!(Line(&alert).to_string(), "[alert:3] \\\\x41\n");
    }
}

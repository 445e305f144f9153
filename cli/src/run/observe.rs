//! Events as they happen: lines on stderr for `--trace host`, lines of JSON for `--events FILE`. Both are bounded, for
//! how often a guest calls is the guest's choice.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, PoisonError};

use wasmos_runtime::events::{Event, EventKind};
use wasmos_runtime::{StopHandle, Val};

use crate::output::{Escaped, EscapedBytes, counted};
use crate::run::messages::Failed;
use crate::run::progress::Progress;
use crate::run::report::Record;
use crate::run::value;

/// How many lines `--trace` shows.
const MAX_LINES: u64 = 10_000;
/// How long the file of `--events` gets, in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// The file of `--events`. Clones are the same file.
#[derive(Clone)]
pub(super) struct EventFile(Arc<Mutex<Inner>>);

struct Inner {
    out: BufWriter<File>,
    left_bytes: u64,
    forgotten: u64,
}

impl EventFile {
    pub(super) fn new(file: File) -> Self {
        Self(Arc::new(Mutex::new(Inner { out: BufWriter::new(file), left_bytes: MAX_BYTES, forgotten: 0 })))
    }

    fn write(&self, event: &Event) -> io::Result<()> {
        let mut line = Vec::new();
        crate::output::json(&mut line, &Record::from(event))?;
        let inner = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.left_bytes.checked_sub(line.len() as u64) {
            Some(left) if inner.forgotten == 0 => {
                inner.left_bytes = left;
                inner.out.write_all(&line)
            }
            _ => {
                inner.forgotten += 1;
                Ok(())
            }
        }
    }

    /// Writes what is left, and how many events did not fit.
    pub(super) fn finish(&self, fuel_used: u64) -> io::Result<()> {
        let inner = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.forgotten > 0 {
            crate::output::json(&mut inner.out, &Record::not_recorded(fuel_used, inner.forgotten))?;
        }
        inner.out.flush()
    }
}

/// What looks at the events of a run.
pub(super) struct Observer {
    pub(super) trace: bool,
    pub(super) file: Option<EventFile>,
    pub(super) progress: Progress,
    pub(super) stop: StopHandle,
    pub(super) failed: Failed,
    lines: u64,
}

impl Observer {
    pub(super) const fn new(
        trace: bool,
        file: Option<EventFile>,
        progress: Progress,
        stop: StopHandle,
        failed: Failed,
    ) -> Self {
        Self { trace, file, progress, stop, failed, lines: 0 }
    }

    /// Shows an event, and stops the guest when that fails.
    pub(super) fn see(&mut self, event: &Event) {
        let shown = self.trace(event);
        let written = self.file.as_ref().map_or(Ok(()), |file| file.write(event));
        if let Err(error) = shown.and(written) {
            self.failed.set(error);
            self.stop.stop();
        }
    }

    fn trace(&mut self, event: &Event) -> io::Result<()> {
        let line = match line(&event.kind) {
            Some(line) if self.trace && self.lines < MAX_LINES => line,
            Some(_) if self.trace && self.lines == MAX_LINES => {
                format!("[host] {} are shown, no more\n", counted(MAX_LINES, "call"))
            }
            _ => return Ok(()),
        };
        self.lines += 1;
        self.progress.end();
        io::stderr().write_all(line.as_bytes())
    }
}

/// Returns the line of an event; messages of the guest have lines of their own.
fn line(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::HostCall { module, name, params, results } => {
            let mut line =
                format!("[host] {}.{}({})", Escaped::new(module), Escaped::new(name), list(params));
            match results.as_deref() {
                Some([]) => {}
                Some(results) => _ = write!(line, " -> {}", list(results)),
                None => line.push_str(" does not return"),
            }
            line.push('\n');
            Some(line)
        }
        EventKind::Violation { capability, subject } => {
            Some(format!("[denied] {capability} {}\n", EscapedBytes(subject)))
        }
        EventKind::Log(_) | EventKind::Alert { .. } => None,
    }
}

fn list(vals: &[Val]) -> String {
    vals.iter().map(value::show).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use wasmos_runtime::Capability;

    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_its_names_hold() {
        let call = |results| EventKind::HostCall {
            module: "env\n".into(),
            name: "f\u{1b}".into(),
            params: vec![Val::I32(-1), Val::I64(2)],
            results,
        };
        let denied =
            EventKind::Violation { capability: Capability::Log, subject: b"..\n\xff".as_slice().into() };
        for (kind, wanted) in [
            (call(Some(vec![Val::I32(8)])), "[host] env\\n.f\\u{1b}(-1, 2) -> 8\n"),
            (call(Some(Vec::new())), "[host] env\\n.f\\u{1b}(-1, 2)\n"),
            (call(None), "[host] env\\n.f\\u{1b}(-1, 2) does not return\n"),
            (denied, "[denied] log ..\\n\\xff\n"),
        ] {
            assert_eq!(line(&kind).as_deref(), Some(wanted));
        }
        assert_eq!(line(&EventKind::Log(b"x".into())), None);
    }
}

//! Events as they happen: lines on stderr for `--trace`, lines of JSON for `--events FILE`. Both are bounded, for
//! how often a guest calls is the guest's choice.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wasmos_runtime::events::{Event, EventKind};
use wasmos_runtime::{Observed, StopHandle, Val};

use crate::output::{Escaped, EscapedBytes, counted};
use crate::run::both::Seen;
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

/// The lines of `--trace`. Clones count together.
#[derive(Clone)]
pub(super) struct Trace {
    lines: Arc<AtomicU64>,
    progress: Progress,
    stop: StopHandle,
    failed: Failed,
}

impl Trace {
    pub(super) fn new(progress: Progress, stop: StopHandle, failed: Failed) -> Self {
        Self { lines: Arc::default(), progress, stop, failed }
    }

    /// Shows a call of the guest's own that is about to run.
    pub(super) fn call(&self, at: &Observed<'_>) {
        if self.lines.load(Ordering::Relaxed) <= MAX_LINES {
            self.show(&call(at));
        }
    }

    /// Shows a line, and stops the guest when nobody can read it.
    fn show(&self, line: &str) {
        let line = match self.lines.fetch_add(1, Ordering::Relaxed) {
            0..MAX_LINES => line,
            MAX_LINES => &format!("[trace] {} are shown, no more\n", counted(MAX_LINES, "line")),
            _ => return,
        };
        self.progress.end();
        if let Err(error) = io::stderr().write_all(line.as_bytes()) {
            self.failed.set(error);
            self.stop.stop();
        }
    }
}

/// What looks at the events of a run.
pub(super) struct Observer {
    pub(super) trace: Option<Trace>,
    pub(super) file: Option<EventFile>,
    pub(super) seen: Option<Seen>,
    pub(super) stop: StopHandle,
    pub(super) failed: Failed,
}

impl Observer {
    /// Shows an event, and stops the guest when it cannot be written.
    pub(super) fn see(&self, event: &Event) {
        if let (Some(trace), Some(line)) = (&self.trace, line(&event.kind)) {
            trace.show(&line);
        }
        if let Some(seen) = &self.seen {
            seen.event(event);
        }
        if let Some(Err(error)) = self.file.as_ref().map(|file| file.write(event)) {
            self.failed.set(error);
            self.stop.stop();
        }
    }
}

/// Returns the line of a call of the guest's own.
fn call(at: &Observed<'_>) -> String {
    let module = at.module().decoded();
    let func = at.func();
    let n_params = module.func_type(func).map_or(0, |ty| ty.params().len());
    let params = list(at.locals().get(..n_params).unwrap_or_default());
    match module.func_name(func) {
        Some(name) => format!("[call] function {func} <{}>({params})\n", Escaped::new(name)),
        None => format!("[call] function {func}({params})\n"),
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

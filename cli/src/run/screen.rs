//! The text report of a run: how it ended, where, and what it used.

use std::io::{self, Write};

use wasmos_runtime::events::{Event, EventKind};
use wasmos_runtime::outcome::{Frame, Quota};
use wasmos_runtime::wasi::{Change, FileKind};
use wasmos_runtime::{Limits, Outcome, Store, Trap};

use crate::output::{Escaped, EscapedBytes, counted, grouped};
use crate::run::report::{Report, change_name, guest_path};
use crate::run::save::Written;

/// How many of the innermost frames are shown.
const INNERMOST: usize = 12;
/// How many of the outermost.
const OUTERMOST: usize = 3;
/// How many host functions are shown.
const HOST_FUNCTIONS: usize = 10;
/// The module that nearly every program imports from; its name is left out.
const USUAL: &str = "wasi_snapshot_preview1";
/// How many files that the guest changed in memory.
const FILES: usize = 10;
/// How many attempts beyond what was granted.
const DENIED: usize = 5;

/// Writes the report; `file` is the file's name and `what` says what ran, both escaped.
pub(super) fn write<T>(
    err: &mut dyn Write,
    (file, what): (&str, &str),
    outcome: &Outcome,
    store: &Store<T>,
    report: &Report<'_>,
    (limits, written): (&Limits, &Written),
) -> io::Result<()> {
    writeln!(err, "{file}: {}", sentence(what, outcome, limits))?;
    if let Outcome::Trapped(trap) = outcome {
        place(err, trap)?;
    }
    if let Some(help) = help(outcome) {
        writeln!(err, "  help: {help}")?;
    }
    usage(err, store, report)?;
    denied(err, store.gate().violations(), store.gate().n_violations())?;
    files(err, written)
}

pub(super) fn sentence(what: &str, outcome: &Outcome, limits: &Limits) -> String {
    match outcome {
        Outcome::Returned(_) => format!("{what} returned"),
        Outcome::Exited(status) => format!("{what} exited with status {status}"),
        Outcome::Trapped(trap) => format!("error: {what} trapped: {}", trap.code),
        Outcome::OutOfFuel => {
            format!(
                "error: {what} ran out of fuel: the limit is {}",
                grouped(limits.fuel.unwrap_or(u64::MAX))
            )
        }
        Outcome::Deadline => {
            format!("error: {what} ran out of time: the limit is {:?}", limits.timeout.unwrap_or_default())
        }
        Outcome::Limit(Quota::HostCalls(limit)) => {
            format!("error: {what} called the host too often: the limit is {}", counted(*limit, "call"))
        }
        Outcome::Limit(Quota::OutputBytes(limit)) => {
            format!("error: {what} wrote too much: the limit is {}", counted(*limit, "byte"))
        }
        Outcome::Limit(quota) => format!("error: {what} reached a limit: {quota}"),
        Outcome::Denied(capability) => {
            format!("error: {what} was denied the capability `{capability}`")
        }
        Outcome::Stopped => format!("{what} was stopped"),
    }
}

/// Says what a module needs at once that is over a limit.
pub(super) fn needed(quota: Quota, needed: u64) -> String {
    match quota {
        Quota::MemoryBytes(limit) => format!(
            "the module needs {} of memory at once: the limit is {}",
            counted(needed, "byte"),
            counted(limit, "byte")
        ),
        Quota::TableElements(limit) => {
            let elements = counted(needed, "element");
            format!("the module needs a table of {elements}: the limit is {}", grouped(limit))
        }
        quota => format!("the module needs {} at once: the limit is {quota}", grouped(needed)),
    }
}

/// Returns which option sets a limit.
pub(super) const fn quota_help(quota: Quota) -> &'static str {
    match quota {
        Quota::HostCalls(_) => "`--max-host-calls N` sets the limit",
        Quota::OutputBytes(_) => "`--max-output B` sets the limit",
        Quota::MemoryBytes(_) => "`--max-memory B` sets the limit",
        Quota::TableElements(_) => "`--max-table N` sets the limit",
    }
}

const fn help(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::OutOfFuel => Some("`--fuel N` sets the limit"),
        Outcome::Deadline => Some("`--timeout T` sets the limit"),
        Outcome::Limit(quota) => Some(quota_help(*quota)),
        _ => None,
    }
}

/// Writes where a trap happened and how the guest got there.
fn place(err: &mut dyn Write, trap: &Trap) -> io::Result<()> {
    let Some((first, callers)) = trap.backtrace.split_first() else {
        return match trap.offset {
            // No instruction and no segment stands there: the host itself called one of its functions.
            0 => writeln!(err, "  in a function of the host"),
            offset => writeln!(err, "  at offset {offset:#x}, in a segment"),
        };
    };
    writeln!(err, "  at offset {:#x} in {}", trap.offset, function(first))?;
    let shown =
        if callers.len() <= INNERMOST + OUTERMOST && trap.left_out == 0 { callers.len() } else { INNERMOST };
    let (inner, rest) = callers.split_at(shown.min(callers.len()));
    let (hidden, outer) = rest.split_at(rest.len().saturating_sub(OUTERMOST));
    let caller = |err: &mut dyn Write, frame: &Frame| {
        writeln!(err, "  called at offset {:#x} in {}", frame.offset, function(frame))
    };
    inner.iter().try_for_each(|frame| caller(&mut *err, frame))?;
    let left_out = hidden.len() as u64 + u64::from(trap.left_out);
    if left_out > 0 {
        writeln!(err, "  … {} left out", counted(left_out, "call"))?;
    }
    outer.iter().try_for_each(|frame| caller(&mut *err, frame))
}

fn function(frame: &Frame) -> String {
    match &frame.name {
        Some(name) => format!("function {} <{}>", frame.func, Escaped::new(name)),
        None => format!("function {}", frame.func),
    }
}

/// Writes what the run used.
fn usage<T>(err: &mut dyn Write, store: &Store<T>, report: &Report<'_>) -> io::Result<()> {
    let mut line = |name: &str, text: String| writeln!(err, "  {name:13}{text}");
    line("instructions", grouped(report.instructions))?;
    if report.fuel_used != report.instructions {
        line("fuel", grouped(report.fuel_used))?;
    }
    line("memory peak", counted(report.memory_peak_bytes, "byte"))?;
    line("host calls", host_calls(report.host_calls, store.host_call_counts()))?;
    line("time", format!("{:.1?}", report.elapsed()))
}

/// Writes what the guest tried beyond what it was granted.
fn denied(err: &mut dyn Write, violations: &[Event], total: u64) -> io::Result<()> {
    if total == 0 {
        return Ok(());
    }
    let show = |event: &Event| match &event.kind {
        EventKind::Violation { capability, subject } if !subject.is_empty() => {
            Some(format!("{capability} {}", EscapedBytes(subject)))
        }
        EventKind::Violation { capability, .. } => Some(capability.to_string()),
        _ => None,
    };
    let mut shown: Vec<_> = violations.iter().take(DENIED).filter_map(show).collect();
    let left = total.saturating_sub(shown.len() as u64);
    if left > 0 {
        shown.push(format!("{} more", grouped(left)));
    }
    writeln!(err, "  {:13}{}: {}", "denied", grouped(total), shown.join(", "))
}

/// Writes which files the guest changed in memory, and what became of them.
fn files(err: &mut dyn Write, written: &Written) -> io::Result<()> {
    let changes = &written.changes;
    if changes.is_empty() {
        return Ok(());
    }
    let fate = match &written.saved {
        Some((into, saved)) => format!("{} saved in {into}", counted(saved.files, "file")),
        None => "in memory only; `--save-overlay DIR` keeps them".into(),
    };
    writeln!(err, "  {:13}{} changed, {fate}", "files", grouped(changes.len() as u64))?;
    changes.iter().take(FILES).try_for_each(|change| writeln!(err, "    {}", file(change)))?;
    match changes.len().saturating_sub(FILES) {
        0 => Ok(()),
        left => writeln!(err, "    {} more", grouped(left as u64)),
    }
}

fn file(change: &Change) -> String {
    let path = guest_path(change);
    let size = match change.file {
        FileKind::File { len_bytes } => format!(", {}", counted(len_bytes, "byte")),
        FileKind::Directory => ", a directory".into(),
        FileKind::Symlink => ", a symbolic link".into(),
        FileKind::Unknown => String::new(),
    };
    format!("{:9}{}{size}", change_name(change.kind), Escaped::new(&path))
}

/// Returns the number of calls and, the busiest first, what was called.
fn host_calls(total: u64, mut counts: Vec<(&str, &str, u64)>) -> String {
    counts.sort_by_key(|(_, _, calls)| std::cmp::Reverse(*calls));
    let name = |(module, name, calls): &(&str, &str, u64)| {
        let from = if *module == USUAL { String::new() } else { format!("{}.", Escaped::new(module)) };
        format!("{from}{} {}", Escaped::new(name), grouped(*calls))
    };
    let mut names: Vec<_> = counts.iter().take(HOST_FUNCTIONS).map(name).collect();
    if let Some(left @ 1..) = counts.len().checked_sub(HOST_FUNCTIONS) {
        names.push(format!("{left} more"));
    }
    match names.as_slice() {
        [] => grouped(total),
        names => format!("{}: {}", grouped(total), names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use wasmos_frontend::types::FuncIdx;
    use wasmos_runtime::TrapCode;

    use super::*;

    fn shown(frames: u32, left_out: u32) -> Vec<String> {
        let frame = |index| Frame { func: FuncIdx(index), name: None, offset: index };
        let backtrace = (0..frames).map(frame).collect();
        let trap = Trap { code: TrapCode::Unreachable, offset: 0, backtrace, left_out };
        let mut text = Vec::new();
        place(&mut text, &trap).expect("a vector takes every byte");
        String::from_utf8(text).expect("it is UTF-8").lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_long_backtrace_is_shown_at_both_ends() {
        assert_eq!(shown(1, 0), ["  at offset 0x0 in function 0"]);
        assert_eq!(shown(16, 0).len(), 16);
        let lines = shown(17, 0);
        assert_eq!(lines.len(), 17);
        assert_eq!(lines[13], "  … 1 call left out");
        let lines = shown(80, 1000);
        assert_eq!(lines.len(), 17);
        assert_eq!(lines[13], "  … 1,064 calls left out");
        assert_eq!(lines[16], "  called at offset 0x4f in function 79");
    }

    #[test]
    fn the_busiest_host_functions_are_named() {
        let names: Vec<_> = (0..12).map(|n| format!("f{n}")).collect();
        let counts = names.iter().zip(1..).map(|(name, calls)| ("a\u{1b}", name.as_str(), calls)).collect();
        let text = host_calls(78, counts);
        assert!(text.starts_with("78: a\\u{1b}.f11 12, a\\u{1b}.f10 11, "), "{text}");
        assert!(text.ends_with(", a\\u{1b}.f2 3, 2 more"), "{text}");
        assert_eq!(host_calls(0, Vec::new()), "0");
    }
}

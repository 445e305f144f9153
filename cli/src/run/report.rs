//! What is known of a run when it has ended, as data: the JSON of `--json`, from which the text is written too.

use std::time::Duration;

use serde::Serialize;
use wasmos_runtime::events::{Event, EventKind};
use wasmos_runtime::outcome::{Frame, Quota};
use wasmos_runtime::wasi::{Change, ChangeKind, FileKind};
use wasmos_runtime::{Limits, Outcome, Store, Trap};

use crate::args::Backend;
use crate::exit::Exit;
use crate::run::guest::Host;
use crate::run::value::Value;

/// What `wasmos help json` says of this verb.
pub(crate) const KEYS: &str = include_str!("keys.txt");

/// How many changed files stand behind the events.
const MAX_FILES: usize = 1_000;

/// How many events are recorded.
pub(super) const MAX_EVENTS: usize = 1_000;

/// How a run ended, or why it did not begin.
#[derive(Debug)]
pub(super) enum Ending {
    Ran(Outcome),
    /// An import was refused.
    Unlinked,
    /// What the module needs at once is over a limit.
    Refused(Quota),
}

impl Ending {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Ran(outcome) => match outcome {
                Outcome::Returned(_) | Outcome::Exited(0) => Exit::Fine,
                Outcome::Exited(status) => Exit::Guest(u8::try_from(*status).unwrap_or(u8::MAX)),
                Outcome::Trapped(_) => Exit::Trap,
                Outcome::OutOfFuel => Exit::OutOfFuel,
                Outcome::Deadline => Exit::Deadline,
                Outcome::Limit(quota) => quota_exit(*quota),
                Outcome::Denied(_) => Exit::Denied,
                Outcome::Stopped => Exit::Stopped,
            },
            Self::Unlinked => Exit::Denied,
            Self::Refused(quota) => quota_exit(*quota),
        }
    }

    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Ran(outcome) => outcome.kind(),
            Self::Unlinked => "denied",
            Self::Refused(_) => "limit",
        }
    }

    /// Returns the key of [`LimitValues`] that ended the run.
    const fn limit(&self) -> Option<&'static str> {
        match self {
            Self::Ran(Outcome::OutOfFuel) => Some("fuel"),
            Self::Ran(Outcome::Deadline) => Some("timeout_ns"),
            Self::Ran(Outcome::Limit(quota)) | Self::Refused(quota) => Some(match quota {
                Quota::HostCalls(_) => "max_host_calls",
                Quota::OutputBytes(_) => "max_output_bytes",
                Quota::MemoryBytes(_) => "max_memory_bytes",
                Quota::TableElements(_) => "max_table_elements",
            }),
            _ => None,
        }
    }
}

const fn quota_exit(quota: Quota) -> Exit {
    match quota {
        Quota::HostCalls(_) => Exit::HostCalls,
        Quota::OutputBytes(_) | Quota::MemoryBytes(_) | Quota::TableElements(_) => Exit::Quota,
    }
}

/// The whole answer of `--json`.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    schema_version: u32,
    outcome: Ended<'a>,
    pub(super) fuel_used: u64,
    pub(super) instructions: u64,
    pub(super) memory_peak_bytes: u64,
    pub(super) host_calls: u64,
    elapsed_ns: u64,
    backend: &'static str,
    limits: LimitValues,
    events: Vec<Record<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    differences: &'a [String],
}

#[derive(Serialize)]
struct Ended<'a> {
    kind: &'static str,
    values: Option<Vec<Value>>,
    exit_code: u8,
    trap: Option<&'static str>,
    offset: Option<u32>,
    function: Option<Function<'a>>,
    backtrace: Option<Vec<Call<'a>>>,
    limit: Option<&'static str>,
}

#[derive(Serialize)]
struct Function<'a> {
    index: u32,
    name: Option<&'a str>,
}

/// An entry of a backtrace.
#[derive(Serialize)]
#[serde(untagged)]
enum Call<'a> {
    Frame { function: Function<'a>, offset: u32 },
    Gap { left_out: u32 },
}

#[derive(Serialize)]
struct LimitValues {
    fuel: Option<u64>,
    timeout_ns: Option<u64>,
    max_memory_bytes: Option<u64>,
    max_stack_bytes: u32,
    max_table_elements: u64,
    max_host_calls: Option<u64>,
    max_output_bytes: Option<u64>,
    max_fds: u32,
    max_files: u64,
    max_file_bytes: u64,
}

impl From<&Limits> for LimitValues {
    fn from(limits: &Limits) -> Self {
        Self {
            fuel: limits.fuel,
            timeout_ns: limits.timeout.map(nanos),
            max_memory_bytes: limits.memory_bytes,
            max_stack_bytes: limits.stack_bytes,
            max_table_elements: limits.table_elements,
            max_host_calls: limits.host_calls,
            max_output_bytes: limits.output_bytes,
            max_fds: limits.descriptors,
            max_files: limits.files,
            max_file_bytes: limits.file_bytes,
        }
    }
}

/// An event, as one line of `--events` and an entry of `events`.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    fuel: u64,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum What<'a> {
    HostCall {
        module: &'a str,
        name: &'a str,
        params: Vec<Value>,
        results: Option<Vec<Value>>,
    },
    Log(Message<'a>),
    Alert {
        level: u8,
        #[serde(flatten)]
        message: Message<'a>,
    },
    Violation {
        capability: &'static str,
        subject: std::borrow::Cow<'a, str>,
    },
    /// What became of a file in memory, known when the run has ended.
    File {
        path: String,
        change: &'static str,
        #[serde(rename = "type")]
        ty: &'static str,
        size_bytes: Option<u64>,
    },
    NotRecorded {
        count: u64,
    },
}

/// Bytes that are text, or should be.
#[derive(Serialize)]
struct Message<'a> {
    message: std::borrow::Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_hex: Option<String>,
}

impl<'a> Message<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let message = String::from_utf8_lossy(bytes);
        let is_text = matches!(message, std::borrow::Cow::Borrowed(_));
        let hex = || bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { message, message_hex: (!is_text).then(hex) }
    }
}

impl<'a> Report<'a> {
    pub(super) fn new(
        ending: &'a Ending,
        store: &'a Store<Host>,
        backend: Backend,
        limits: &Limits,
        elapsed: Duration,
        changes: &[Change],
    ) -> Self {
        Self {
            schema_version: 1,
            outcome: Ended::new(ending),
            fuel_used: store.fuel_used(),
            instructions: store.instructions(),
            memory_peak_bytes: store.memory_peak_bytes(),
            host_calls: store.gate().host_calls(),
            elapsed_ns: nanos(elapsed),
            backend: backend.name(),
            limits: limits.into(),
            events: events(store, changes),
            differences: &[],
        }
    }

    /// Adds where the other tier came to something else.
    pub(super) fn differ(&mut self, differences: &'a [String]) {
        self.differences = differences;
        if !differences.is_empty() {
            self.outcome.exit_code = Exit::Internal.code();
        }
    }

    pub(super) const fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_ns)
    }
}

impl<'a> Ended<'a> {
    fn new(ending: &'a Ending) -> Self {
        let values = match ending {
            Ending::Ran(Outcome::Returned(values)) => Some(values.iter().map(Value::from).collect()),
            _ => None,
        };
        let trap = match ending {
            Ending::Ran(Outcome::Trapped(trap)) => Some(&**trap),
            _ => None,
        };
        Self {
            kind: ending.kind(),
            values,
            exit_code: ending.exit().code(),
            trap: trap.map(|trap| trap.code.message()),
            offset: trap.map(|trap| trap.offset),
            function: trap.and_then(|trap| trap.backtrace.first()).map(Function::from),
            backtrace: trap.map(calls),
            limit: ending.limit(),
        }
    }
}

impl<'a> From<&'a Frame> for Function<'a> {
    fn from(frame: &'a Frame) -> Self {
        Self { index: frame.func.0, name: frame.name.as_deref() }
    }
}

impl<'a> From<&'a Frame> for Call<'a> {
    fn from(frame: &'a Frame) -> Self {
        Self::Frame { function: frame.into(), offset: frame.offset }
    }
}

fn calls(trap: &Trap) -> Vec<Call<'_>> {
    let mut calls: Vec<_> = trap.backtrace.iter().map(Call::from).collect();
    if trap.left_out > 0 {
        calls.insert(calls.len().min(Trap::INNERMOST), Call::Gap { left_out: trap.left_out });
    }
    calls
}

fn events<'a>(store: &'a Store<Host>, changes: &[Change]) -> Vec<Record<'a>> {
    let gate = store.gate();
    let fuel = store.fuel_used();
    let mut records: Vec<_> = gate.events().iter().map(Record::from).collect();
    if gate.forgotten() > 0 {
        records.push(Record::not_recorded(fuel, gate.forgotten()));
    }
    records.extend(changes.iter().take(MAX_FILES).map(|change| Record { fuel, what: change.into() }));
    if let Some(left @ 1..) = changes.len().checked_sub(MAX_FILES) {
        records.push(Record::not_recorded(fuel, left as u64));
    }
    records
}

impl From<&Change> for What<'_> {
    fn from(change: &Change) -> Self {
        let (ty, size_bytes) = match change.file {
            FileKind::File { len_bytes } => ("file", Some(len_bytes)),
            FileKind::Directory => ("directory", None),
            FileKind::Symlink => ("symlink", None),
            FileKind::Unknown => ("unknown", None),
        };
        Self::File { path: guest_path(change), change: change_name(change.kind), ty, size_bytes }
    }
}

/// Returns the path of a file as the guest names it: untrusted text.
pub(super) fn guest_path(change: &Change) -> String {
    format!("{}/{}", change.guest.trim_end_matches('/'), change.path)
}

pub(super) const fn change_name(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "created",
        ChangeKind::Modified => "modified",
        ChangeKind::Removed => "removed",
    }
}

impl Record<'_> {
    /// Says how many events came after the last one that was recorded.
    pub(super) const fn not_recorded(fuel: u64, count: u64) -> Self {
        Self { fuel, what: What::NotRecorded { count } }
    }
}

impl<'a> From<&'a Event> for Record<'a> {
    fn from(event: &'a Event) -> Self {
        let values = |vals: &[wasmos_runtime::Val]| vals.iter().map(Value::from).collect::<Vec<_>>();
        let what = match &event.kind {
            EventKind::HostCall { module, name, params, results } => What::HostCall {
                module,
                name,
                params: values(params),
                results: results.as_deref().map(values),
            },
            EventKind::Log(bytes) => What::Log(Message::new(bytes)),
            EventKind::Alert { level, message } => {
                What::Alert { level: *level, message: Message::new(message) }
            }
            EventKind::Violation { capability, subject } => {
                What::Violation { capability: capability.name(), subject: String::from_utf8_lossy(subject) }
            }
        };
        Self { fuel: event.fuel, what }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use wasmos_runtime::{Capability, Engine, TrapCode};

    use super::*;

    fn store() -> Store<Host> {
        let mut store = Store::new(&Engine::default(), Host::default());
        store.gate_mut().remember(4);
        let gate = store.gate_mut();
        gate.event(1, EventKind::Log(b"caf\xe9".into()));
        gate.event(2, EventKind::Alert { level: 3, message: b"fire".into() });
        gate.event(
            3,
            EventKind::Violation { capability: Capability::Log, subject: b"why".as_slice().into() },
        );
        let (module, name) = ("m".into(), "n".into());
        gate.event(4, EventKind::HostCall { module, name, params: Vec::new(), results: None });
        gate.event(5, EventKind::Log(Vec::new()));
        store
    }

    fn trapped(frames: u32, left_out: u32) -> Ending {
        let frame = |index| Frame { func: wasmos_frontend::types::FuncIdx(index), name: None, offset: 7 };
        let backtrace = (0..frames).map(frame).collect();
        Ending::Ran(Outcome::Trapped(Box::new(Trap {
            code: TrapCode::Unreachable,
            offset: 7,
            backtrace,
            left_out,
        })))
    }

    /// The keys are the contract's, those of each object in its order, and the help explains each.
    #[test]
    fn the_keys_are_those_that_the_help_lists() {
        let (ending, store) = (trapped(2, 0), store());
        let changes = [Change {
            guest: "/w/".into(),
            path: "out\n".into(),
            kind: ChangeKind::Created,
            file: FileKind::File { len_bytes: 3 },
        }];
        let elapsed = Duration::from_nanos(9);
        let report = Report::new(&ending, &store, Backend::Interp, &Limits::standard(), elapsed, &changes);
        let mut text = Vec::new();
        crate::output::json(&mut text, &report).expect("a vector takes every byte");
        let text = String::from_utf8(text).expect("JSON is UTF-8");
        expect_test::expect![[r#"
            {"schema_version":1,"outcome":{"kind":"trapped","values":null,"exit_code":134,"trap":"unreachable","offset":7,"function":{"index":0,"name":null},"backtrace":[{"function":{"index":0,"name":null},"offset":7},{"function":{"index":1,"name":null},"offset":7}],"limit":null},"fuel_used":0,"instructions":0,"memory_peak_bytes":0,"host_calls":0,"elapsed_ns":9,"backend":"interp","limits":{"fuel":50000000000,"timeout_ns":30000000000,"max_memory_bytes":1073741824,"max_stack_bytes":1048576,"max_table_elements":10000000,"max_host_calls":10000000,"max_output_bytes":268435456,"max_fds":1000,"max_files":100000,"max_file_bytes":1073741824},"events":[{"fuel":1,"kind":"log","message":"caf�","message_hex":"636166e9"},{"fuel":2,"kind":"alert","level":3,"message":"fire"},{"fuel":3,"kind":"violation","capability":"log","subject":"why"},{"fuel":4,"kind":"host_call","module":"m","name":"n","params":[],"results":null},{"fuel":0,"kind":"not_recorded","count":1},{"fuel":0,"kind":"file","path":"/w/out\n","change":"created","type":"file","size_bytes":3}]}
        "#]].assert_eq(&text);
        let words: Vec<_> = KEYS.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        for key in text.split('"').skip(1).step_by(2) {
            let is_key = text.contains(&format!("\"{key}\":"));
            assert!(!is_key || words.contains(&key), "`{key}` is not documented");
        }
    }

    #[test]
    fn a_gap_stands_where_frames_are_left_out() {
        let Ending::Ran(Outcome::Trapped(trap)) = trapped(80, 5) else { panic!("it trapped") };
        let calls = calls(&trap);
        assert_eq!(calls.len(), 81);
        assert!(matches!(calls[64], Call::Gap { left_out: 5 }));
    }

    #[test]
    fn a_status_that_is_no_byte_is_255() {
        let exit = |status| Ending::Ran(Outcome::Exited(status)).exit().code();
        assert_eq!([0, 7, 255, 256, -1].map(exit), [0, 7, 255, 255, 255]);
    }
}

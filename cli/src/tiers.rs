//! What can be seen of a run, and where two runs of the same module differ (promise P7).

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use wasmos_runtime::events::{Event, EventKind};
use wasmos_runtime::{AsStore, Extern, Instance, Outcome, Trap, Val};

use crate::run::show_val;

/// How many events are kept as text; those behind them are compared by their digest.
const MAX_EVENTS: usize = 10_000;
/// How many differences are told.
const MAX_TOLD: usize = 20;
/// Length of a text that is told, in characters.
const MAX_CHARS: usize = 300;

/// What can be seen of a run: names of facts, in order, and what each is, as text. Guest text in it is escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observation(Vec<(String, String)>);

impl Observation {
    pub(crate) fn add(&mut self, name: impl Into<String>, what: impl ToString) {
        self.0.push((name.into(), what.to_string()));
    }

    /// Adds the facts of a part.
    pub(crate) fn add_all(&mut self, part: &str, other: Self) {
        self.0.extend(other.0.into_iter().map(|(name, what)| (format!("{part}{name}"), what)));
    }

    /// Adds how a run ended, with the place of a trap and the way there.
    pub(crate) fn add_outcome(&mut self, outcome: &Outcome) {
        self.add("outcome", outcome.kind());
        match outcome {
            Outcome::Returned(values) => self.add("results", values_text(values)),
            Outcome::Trapped(trap) => self.add_trap(trap),
            outcome => self.add("ending", outcome),
        }
    }

    fn add_trap(&mut self, trap: &Trap) {
        self.add("trap", trap.code);
        self.add("offset", format!("{:#x}", trap.offset));
        let frame = |frame: &wasmos_runtime::outcome::Frame| format!("{}@{:#x}", frame.func, frame.offset);
        let frames: Vec<_> = trap.backtrace.iter().map(frame).collect();
        self.add("backtrace", format!("{} and {} left out", frames.join(" "), trap.left_out));
    }

    /// Adds what an instance exports: memories by their digest, globals, and which elements of tables are null.
    pub(crate) fn add_exports(&mut self, instance: Instance, store: &mut impl AsStore) {
        for (name, export) in instance.exports(store) {
            let name = name.escape_debug();
            match export {
                Extern::Memory(memory) => {
                    let bytes = memory.data(store);
                    self.add(format!("memory `{name}`"), format!("{} bytes, {}", bytes.len(), hex(bytes)));
                }
                Extern::Global(global) => {
                    let value = show_val(&global.get(store));
                    self.add(format!("global `{name}`"), value);
                }
                Extern::Table(table) => {
                    let elements = (0..table.len(store)).filter_map(|index| table.get(store, index));
                    let nulls: Vec<_> = elements.map(|val| u8::from(show_val(&val) == "null")).collect();
                    self.add(format!("table `{name}`"), format!("{} elements, {}", nulls.len(), hex(&nulls)));
                }
                Extern::Func(_) => {}
            }
        }
    }

    /// Adds what the host was asked for.
    pub(crate) fn add_log(&mut self, log: &Log) {
        for (number, event) in log.first.iter().enumerate() {
            self.add(format!("event {}", number + 1), event);
        }
        self.add("events", format!("{}, {}", log.count, hex_of(log.digest.clone())));
    }
}

/// Says where two runs differ: each fact with what it is on the one tier and on the other. Empty if they are the same.
pub(crate) fn differences(interp: &Observation, jit: &Observation) -> Vec<String> {
    let facts = |seen: &'_ Observation| -> HashMap<String, String> { seen.0.iter().cloned().collect() };
    let [in_interp, in_jit] = [facts(interp), facts(jit)];
    let only_jit = jit.0.iter().filter(|(name, _)| !in_interp.contains_key(name));
    let told = interp.0.iter().chain(only_jit).filter_map(|(name, _)| {
        let (one, other) = (in_interp.get(name), in_jit.get(name));
        let text = |fact: Option<&String>| fact.map_or_else(|| "nothing".to_owned(), |fact| cut(fact));
        (one != other).then(|| format!("{name}: interp {}, jit {}", text(one), text(other)))
    });
    told.take(MAX_TOLD).collect()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What a run asked of its host: the first events as text, and a digest of all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    first: Vec<String>,
    count: u64,
    digest: Sha256,
}

impl Log {
    pub(crate) fn add(&mut self, event: &Event) {
        let text = format!("at fuel {}: {}", event.fuel, event_text(&event.kind));
        self.digest.update((text.len() as u64).to_le_bytes());
        self.digest.update(&text);
        self.count += 1;
        if self.first.len() < MAX_EVENTS {
            self.first.push(cut(&text));
        }
    }
}

fn event_text(kind: &EventKind) -> String {
    match kind {
        EventKind::HostCall { module, name, params, results } => {
            let results = results.as_deref().map_or_else(|| "nothing".into(), values_text);
            let (module, name) = (module.escape_debug(), name.escape_debug());
            format!("{module}.{name}({}) -> {results}", values_text(params))
        }
        EventKind::Violation { capability, subject } => {
            format!("{capability} denied, {}", subject.escape_ascii())
        }
        EventKind::Log(message) => format!("log {}", message.escape_ascii()),
        EventKind::Alert { level, message } => format!("alert {level} {}", message.escape_ascii()),
    }
}

/// References have no equal across stores: of them it is told whether they are null.
pub(crate) fn values_text(values: &[Val]) -> String {
    values.iter().map(show_val).collect::<Vec<_>>().join(", ")
}

/// Returns the digest of bytes as text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    hex_of(Sha256::new_with_prefix(bytes))
}

pub(crate) fn hex_of(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(facts: &[(&str, &str)]) -> Observation {
        Observation(facts.iter().map(|(name, what)| ((*name).to_owned(), (*what).to_owned())).collect())
    }

    #[test]
    fn what_differs_is_told_with_both_sides_and_nothing_else() {
        let interp = seen(&[("outcome", "returned"), ("fuel", "7"), ("memory `m`", "1")]);
        assert_eq!(differences(&interp, &interp), Vec::<String>::new());
        let jit = seen(&[("outcome", "returned"), ("fuel", "8"), ("global `g`", "2")]);
        assert_eq!(
            differences(&interp, &jit),
            [
                "fuel: interp 7, jit 8",
                "memory `m`: interp 1, jit nothing",
                "global `g`: interp nothing, jit 2"
            ]
        );
        let long = seen(&[("fuel", &"x".repeat(1_000))]);
        assert!(differences(&interp, &long)[1].chars().count() < 400);
    }

    #[test]
    fn an_event_differs_by_its_fuel_its_values_and_its_number() {
        let event = |fuel, value| Event {
            fuel,
            kind: EventKind::HostCall {
                module: "env".into(),
                name: "f".into(),
                params: vec![Val::I32(value)],
                results: None,
            },
        };
        let log = |events: &[Event]| {
            let (mut log, mut seen) = (Log::default(), Observation::default());
            events.iter().for_each(|event| log.add(event));
            seen.add_log(&log);
            seen
        };
        let one = log(&[event(1, 2)]);
        assert_eq!(differences(&one, &log(&[event(1, 2)])), Vec::<String>::new());
        for other in [log(&[event(2, 2)]), log(&[event(1, 3)]), log(&[]), log(&[event(1, 2), event(1, 2)])] {
            assert!(!differences(&one, &other).is_empty());
        }
        // What is not kept as text is told by its digest.
        let many = |last| {
            let mut log = Log::default();
            (0..MAX_EVENTS).for_each(|_| log.add(&event(1, 1)));
            log.add(&event(1, last));
            let mut seen = Observation::default();
            seen.add_log(&log);
            seen
        };
        let told = differences(&many(1), &many(2));
        assert!(told.len() == 1 && told[0].starts_with("events: interp 10001, "), "{told:?}");
    }
}

//! `--report FILE`: the page of `analyze --html`, and what happened in the run beside it.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use wasmos_analysis::run_facts::{Counts, Happened, HostCalls, RunFacts, Usage};
use wasmos_analysis::{Facts, Policy, Report};
use wasmos_frontend::ValidModule;
use wasmos_runtime::events::{Event, EventKind};
use wasmos_runtime::{Limits, Observed, Store, Watch};
use wasmos_web_report::html::Page;

use crate::exit::Exit;
use crate::output::{Escaped, counted};
use crate::run::guest::Host;
use crate::run::report::Ending;

/// The page of a run that has not ended.
pub(super) struct RunPage {
    out: File,
    valid: ValidModule,
    counts: Arc<Mutex<Counts>>,
}

impl RunPage {
    /// Begins to count what runs in `store`.
    pub(super) fn begin(out: File, valid: ValidModule, store: &mut Store<Host>) -> Self {
        let counts = Arc::new(Mutex::new(Counts::default()));
        let shared = Arc::clone(&counts);
        store.observe(Watch::Blocks, move |_: &mut Host, at: &Observed<'_>| {
            shared.lock().unwrap_or_else(PoisonError::into_inner).add(at.func(), at.offset());
        });
        Self { out, valid, counts }
    }

    /// Writes the page; `file` is the module's name, escaped, and `sentences` say how the run ended.
    pub(super) fn finish(
        mut self,
        file: &str,
        sentences: Vec<String>,
        ending: &Ending,
        store: &Store<Host>,
        limits: &Limits,
    ) -> io::Result<()> {
        let facts = Facts::find(&self.valid);
        let report = Report::of(&facts, &Policy::default());
        let events = || store.gate().events().iter();
        let run = RunFacts {
            ending: ending.kind(),
            is_fine: ending.exit() == Exit::Fine,
            sentences,
            usage: usage(store, limits),
            host_calls: host_calls(store),
            happened: events().filter_map(happened).collect(),
            n_forgotten: store.gate().forgotten(),
            counts: std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner)),
        };
        let page = Page { name: file, facts: &facts, report: &report, run: Some(&run) };
        self.out.write_all(page.render().as_bytes())
    }
}

fn usage(store: &Store<Host>, limits: &Limits) -> Vec<Usage> {
    let of = |what, used, limit| Usage { what, used, limit };
    vec![
        of("fuel", store.fuel_used(), limits.fuel),
        of("memory in bytes, at most at once", store.memory_peak_bytes(), limits.memory_bytes),
        of("calls of the host", store.gate().host_calls(), limits.host_calls),
    ]
}

fn host_calls(store: &Store<Host>) -> Vec<HostCalls> {
    let counts = store.host_call_counts().into_iter();
    let mut calls: Vec<_> = counts
        .map(|(module, name, count)| HostCalls { module: module.to_owned(), name: name.to_owned(), count })
        .collect();
    calls.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.module, &a.name).cmp(&(&b.module, &b.name))));
    calls
}

/// Calls of the host stand in a table of their own.
fn happened(event: &Event) -> Option<Happened> {
    let (what, text) = match &event.kind {
        EventKind::HostCall { .. } => return None,
        EventKind::Violation { capability, subject } => {
            (format!("refused, for want of {capability}"), subject.to_vec())
        }
        EventKind::Log(text) => ("log".to_owned(), text.clone()),
        EventKind::Alert { level, message } => (format!("alert of level {level}"), message.clone()),
    };
    Some(Happened { fuel: event.fuel, what, text })
}

/// Says how a run ended: what ran, how, and where a trap happened.
pub(super) fn sentences(what: &str, sentence: String, ending: &Ending) -> Vec<String> {
    let mut sentences = vec![sentence];
    if let Ending::Ran(wasmos_runtime::Outcome::Trapped(trap)) = ending {
        sentences.extend(trap.backtrace.iter().take(8).map(|frame| {
            let name =
                frame.name.as_deref().map_or_else(String::new, |name| format!(" {}", Escaped::new(name)));
            format!("at offset {:#x} in function {}{name}", frame.offset, frame.func)
        }));
        let n_more = trap.backtrace.len().saturating_sub(8) as u64 + u64::from(trap.left_out);
        if n_more > 0 {
            sentences.push(format!("and {} more, in {what}", counted(n_more, "frame")));
        }
    }
    sentences
}

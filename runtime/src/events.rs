//! The gate of host calls: the one place for capability, quota and event log.

use std::fmt;

use wasmos_abi::Capability;

use crate::limits::Limits;
use crate::outcome::{Outcome, Quota};
use crate::value::Val;

/// Something that a run did with the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Fuel used when it happened.
    pub fuel: u64,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// A host function was called.
    HostCall {
        /// The module's name: untrusted text.
        module: Box<str>,
        /// The name there: untrusted text.
        name: Box<str>,
        /// The parameters.
        params: Vec<Val>,
        /// The results; `None` if it did not return.
        results: Option<Vec<Val>>,
    },
    /// Something was asked for beyond what is granted.
    Violation {
        /// What was withheld, or reaches less far than was asked for.
        capability: Capability,
        /// What was asked for, e.g. a path: untrusted bytes, at most 256; empty if the capability says it all.
        subject: Box<[u8]>,
    },
    /// The guest logged bytes: untrusted, not always text.
    Log(Vec<u8>),
    /// The guest raised an alert.
    Alert {
        /// From 0 to 3.
        level: u8,
        /// Untrusted bytes, not always text.
        message: Vec<u8>,
    },
}

/// Looks at events as they happen.
pub type Observer = Box<dyn FnMut(&Event) + Send>;

/// A set of capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grants(u64);

const _: () = assert!(Capability::ALL.len() <= 64, "a capability is a bit");

impl Grants {
    /// Returns the set of all capabilities.
    #[must_use]
    pub const fn all() -> Self {
        Self(u64::MAX)
    }

    /// Returns the empty set.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// Returns whether `capability` is granted.
    #[must_use]
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 >> capability as u8 & 1 != 0
    }

    /// Grants `capability`.
    pub const fn grant(&mut self, capability: Capability) {
        self.0 |= 1 << capability as u8;
    }

    /// Withholds `capability`.
    pub const fn deny(&mut self, capability: Capability) {
        self.0 &= !(1 << capability as u8);
    }
}

impl Default for Grants {
    fn default() -> Self {
        Self::all()
    }
}

/// How many violations are remembered, whatever else is.
const MAX_VIOLATIONS: usize = 100;

/// The gate: what is granted, what has been used, what is remembered.
pub struct Gate {
    /// What is granted; it may change while the guest runs.
    pub grants: Grants,
    host_calls: u64,
    max_host_calls: u64,
    output_bytes: u64,
    max_output_bytes: u64,
    events: Vec<Event>,
    max_events: usize,
    forgotten: u64,
    violations: Vec<Event>,
    n_violations: u64,
    observer: Option<Observer>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("grants", &self.grants)
            .field("host_calls", &self.host_calls)
            .field("output_bytes", &self.output_bytes)
            .field("events", &self.events.len())
            .field("n_violations", &self.n_violations)
            .finish_non_exhaustive()
    }
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            grants: Grants::all(),
            host_calls: 0,
            max_host_calls: limits.host_calls.unwrap_or(u64::MAX),
            output_bytes: 0,
            max_output_bytes: limits.output_bytes.unwrap_or(u64::MAX),
            events: Vec::new(),
            max_events: 0,
            forgotten: 0,
            violations: Vec::new(),
            n_violations: 0,
            observer: None,
        }
    }

    /// Remembers up to `max_events` events from now on; none by default.
    pub const fn remember(&mut self, max_events: usize) {
        self.max_events = max_events;
    }

    /// Shows every event to `observer` as it happens, from now on, remembered or not.
    pub fn observe(&mut self, observer: Observer) {
        self.observer = Some(observer);
    }

    /// Returns whether anybody looks at events, so that nothing is put together for nobody.
    pub(crate) const fn remembers(&self) -> bool {
        self.max_events > 0 || self.observer.is_some()
    }

    /// Returns the events in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Returns how many events came after the log was full.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Returns the first violations, which are remembered even if nothing else is.
    #[must_use]
    pub fn violations(&self) -> &[Event] {
        &self.violations
    }

    /// Returns how many violations there were.
    #[must_use]
    pub const fn n_violations(&self) -> u64 {
        self.n_violations
    }

    /// Returns how many calls there were.
    #[must_use]
    pub const fn host_calls(&self) -> u64 {
        self.host_calls
    }

    /// Adds an event, or counts it if the log is full.
    pub fn event(&mut self, fuel: u64, kind: EventKind) {
        let event = Event { fuel, kind };
        if let Some(observer) = &mut self.observer {
            observer(&event);
        }
        if matches!(event.kind, EventKind::Violation { .. }) {
            self.n_violations += 1;
            if self.violations.len() < MAX_VIOLATIONS {
                self.violations.push(event.clone());
            }
        }
        if self.events.len() < self.max_events {
            self.events.push(event);
        } else if self.max_events > 0 {
            self.forgotten += 1;
        }
    }

    /// Lets a call pass, or says how the run ends. A call beyond the quota is not made.
    #[inline]
    pub(crate) fn enter(&mut self, fuel: u64, capability: Option<Capability>) -> Result<(), Box<Outcome>> {
        let denied = capability.is_some_and(|capability| !self.grants.contains(capability));
        if denied || self.host_calls >= self.max_host_calls {
            return Err(self.refuse(fuel, capability.filter(|_| denied)));
        }
        self.host_calls += 1;
        Ok(())
    }

    #[cold]
    fn refuse(&mut self, fuel: u64, denied: Option<Capability>) -> Box<Outcome> {
        let Some(capability) = denied else {
            return Outcome::Limit(Quota::HostCalls(self.max_host_calls)).into();
        };
        self.event(fuel, EventKind::Violation { capability, subject: Box::default() });
        Outcome::Denied(capability).into()
    }

    pub(crate) fn charge_output(&mut self, len_bytes: u64) -> Result<(), Quota> {
        let total = self.output_bytes.saturating_add(len_bytes);
        if total > self.max_output_bytes {
            return Err(Quota::OutputBytes(self.max_output_bytes));
        }
        self.output_bytes = total;
        Ok(())
    }
}

//! Findings that somebody has looked at and accepts: which finding is which from one build to the next, and what is new.
//!
//! A finding is known by its rule, by the normalised hash of the function that it is in, and by which of the rule's findings
//! there it is. Indices and offsets move with every build. What is in no function is known by the file's name instead, so
//! that an entry for one module never hides what another one has.

use crate::finding::{Finding, Grade};
use crate::report::{Report, hex, rule};
use crate::risk::{Score, Verdict, verdict};

/// Where a finding is, as far as it stays the same from build to build.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Spot {
    /// In the function of this normalised hash, in hexadecimal.
    Function(String),
    /// In the module as a whole: its file's name, without the folder.
    File(String),
}

/// What a finding is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The rule.
    pub rule: String,
    /// Where.
    pub spot: Spot,
    /// Which of the rule's findings there, from 0.
    pub ordinal: u32,
}

/// An accepted finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub key: Key,
    /// How bad it was: what has become worse is new.
    pub grade: Grade,
    /// How many places like it were left out: if there are more now, some are new.
    pub n_more: u32,
    /// Whether its time is over: it stands for nothing then.
    pub is_expired: bool,
}

impl Entry {
    fn covers(&self, key: &Key, finding: &Finding) -> bool {
        self.key == *key && finding.grade <= self.grade && finding.n_more <= self.n_more
    }
}

/// Returns whether a finding may be accepted at all. What is certain to be malicious, and secrets, may not.
#[must_use]
pub fn is_acceptable(rule: &str, grade: Grade) -> bool {
    match rule {
        "D001" => false,
        "W001" => grade < Grade::Severe,
        _ => true,
    }
}

/// Returns the keys of the findings of a report, in their order. `file` is the name of the module's file without its folder.
#[must_use]
pub fn keys(report: &Report, file: &str) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::with_capacity(report.findings.len());
    for finding in &report.findings {
        let hash = finding.place.func.and_then(|func| {
            let at = report.functions.binary_search_by_key(&func, |known| known.func).ok()?;
            report.functions.get(at).map(|known| hex(&known.hash.0))
        });
        let spot = hash.map_or_else(|| Spot::File(file.to_owned()), Spot::Function);
        let same = keys.iter().filter(|key| key.rule == finding.rule && key.spot == spot).count();
        let ordinal = u32::try_from(same).unwrap_or(u32::MAX);
        keys.push(Key { rule: finding.rule.to_owned(), spot, ordinal });
    }
    keys
}

/// What a baseline says of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has no entry.
    New,
    /// Its entry, at this position, has expired.
    Expired(usize),
    /// Its entry, at this position, accepts it.
    Suppressed(usize),
}

impl State {
    /// Returns the position of the entry.
    #[must_use]
    pub const fn entry(self) -> Option<usize> {
        match self {
            Self::New => None,
            Self::Expired(at) | Self::Suppressed(at) => Some(at),
        }
    }

    /// Returns the word that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Expired(_) => "expired",
            Self::Suppressed(_) => "suppressed",
        }
    }
}

/// What a baseline says of the findings of a report, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// By finding.
    pub states: Vec<State>,
}

impl Compared {
    /// Compares a report with the entries of a baseline.
    #[must_use]
    pub fn of(report: &Report, file: &str, entries: &[Entry]) -> Self {
        let states = report.findings.iter().zip(keys(report, file)).map(|(finding, key)| {
            if !is_acceptable(finding.rule, finding.grade) {
                return State::New;
            }
            let at = entries.iter().position(|entry| entry.covers(&key, finding));
            at.map_or(State::New, |at| {
                if entries[at].is_expired { State::Expired(at) } else { State::Suppressed(at) }
            })
        });
        Self { states: states.collect() }
    }

    /// Returns how many findings are accepted.
    #[must_use]
    pub fn n_suppressed(&self) -> usize {
        self.states.iter().filter(|state| matches!(state, State::Suppressed(_))).count()
    }

    /// Yields the findings that are not accepted.
    pub fn active<'r>(&'r self, report: &'r Report) -> impl Iterator<Item = &'r Finding> + Clone {
        let findings = report.findings.iter().zip(&self.states);
        findings.filter(|(_, state)| !matches!(state, State::Suppressed(_))).map(|(finding, _)| finding)
    }

    /// Grades what is not accepted.
    #[must_use]
    pub fn verdict(&self, report: &Report) -> Verdict {
        let active: Vec<Finding> = self.active(report).cloned().collect();
        let score = Score::of(&active, |finding| {
            rule(finding.rule).map_or(crate::finding::Category::Posture, |rule| rule.category)
        });
        verdict(&active, &score, report.coverage.is_complete())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use crate::report::analyze;
    use crate::testing::module;

    const SPIN: &str = r#"(func (export "f") (loop $l (br $l)))"#;

    fn entries(report: &Report, file: &str) -> Vec<Entry> {
        let keys = keys(report, file).into_iter().zip(&report.findings);
        let entry = |(key, it): (Key, &Finding)| Entry { key, grade: it.grade, n_more: 0, is_expired: false };
        keys.map(entry).collect()
    }

    #[test]
    fn an_accepted_finding_stays_accepted_when_its_function_moves() {
        let report = analyze(&module(&format!("(module {SPIN})")), &Policy::default());
        assert_eq!(report.verdict, Verdict::Warning);
        let accepted = entries(&report, "a.wasm");
        let moved = module(&format!("(module (func $other (nop)) (memory 1 2) {SPIN})"));
        let moved = analyze(&moved, &Policy::default());
        let compared = Compared::of(&moved, "b.wasm", &accepted);
        assert_eq!(compared.verdict(&moved), Verdict::Ok);
        // With a second loop the function is another one, and nobody has looked at it.
        let two =
            format!("(module {})", SPIN.replace("(loop", "(if (i32.const 0) (then (loop (br 0)))) (loop"));
        let two = analyze(&module(&two), &Policy::default());
        assert_eq!(Compared::of(&two, "a.wasm", &accepted).n_suppressed(), 0);
    }

    #[test]
    fn what_has_expired_or_become_worse_is_not_accepted() {
        let report = analyze(&module(&format!("(module {SPIN})")), &Policy::default());
        let states = |change: fn(&mut Entry)| {
            let mut accepted = entries(&report, "a.wasm");
            accepted.iter_mut().for_each(change);
            let at = report.findings.iter().position(|it| it.rule == "L001").unwrap();
            Compared::of(&report, "a.wasm", &accepted).states[at].name()
        };
        assert_eq!(states(|_| {}), "suppressed");
        assert_eq!(states(|entry| entry.is_expired = true), "expired");
        assert_eq!(states(|entry| entry.grade = Grade::Info), "new");
    }

    #[test]
    fn an_entry_of_one_file_says_nothing_of_another() {
        let report = analyze(&module(r#"(module (memory (export "m") 1))"#), &Policy::default());
        assert!(!report.findings.is_empty());
        let accepted = entries(&report, "a.wasm");
        assert_eq!(Compared::of(&report, "a.wasm", &accepted).n_suppressed(), report.findings.len());
        assert_eq!(Compared::of(&report, "b.wasm", &accepted).n_suppressed(), 0);
        assert!(!is_acceptable("D001", Grade::Warning) && !is_acceptable("W001", Grade::Severe));
    }
}

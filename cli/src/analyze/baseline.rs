//! The file of accepted findings: read whole or refused, written whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use wasmos_analysis::baseline::{Entry, Key, Spot, State, is_acceptable};
use wasmos_analysis::{Grade, rules::RULES};

use crate::exit::Exit;
use crate::output::{Escaped, counted};
use crate::problem::{Problem, file_name};

/// Version of the file's keys.
const SCHEMA_VERSION: u32 = 1;
/// Days after which an accepted finding is looked at again, if nobody says otherwise.
const DAYS: i64 = 180;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema_version: u32,
    entries: Vec<Row>,
}

/// An entry as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    rule: String,
    grade: String,
    /// The normalised hash of the function.
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    /// The module's file, for what is in no function.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    ordinal: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    more: u32,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    created: Date,
    expires: Date,
}

const fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// A baseline that has been read.
pub(super) struct Baseline {
    name: String,
    rows: Vec<Row>,
    pub(super) entries: Vec<Entry>,
    /// Why each entry's finding is accepted.
    pub(super) reasons: Vec<String>,
}

/// Returns today's date, of which no time zone changes more than a day.
fn today() -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(Timestamp::now()).date()
}

impl Baseline {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        let name = file_name(path);
        let problem = |what: String| Problem::new(Exit::Usage, &name, what);
        let text = fs::read_to_string(path).map_err(|error| problem(format!("cannot read: {error}")))?;
        let file: File = serde_json::from_str(&text)
            .map_err(|error| problem(format!("is no baseline: {}", Escaped::new(&error.to_string()))))?;
        if file.schema_version != SCHEMA_VERSION {
            return Err(problem(format!("is of schema version {}, not 1", file.schema_version)));
        }
        let entries: Result<Vec<_>, String> = file
            .entries
            .iter()
            .enumerate()
            .map(|(at, row)| entry(row).map_err(|why| format!("entry {}: {why}", at + 1)))
            .collect();
        let entries = entries.map_err(problem)?;
        let reasons = file.entries.iter().map(|row| row.reason.clone()).collect();
        Ok(Self { name, rows: file.entries, entries, reasons })
    }

    /// Tells how much it accepted, what of it has expired, and what there is no finding for any more.
    pub(super) fn tell(&self, states: &[State], err: &mut dyn Write) -> io::Result<()> {
        let used: BTreeSet<usize> = states.iter().filter_map(|state| state.entry()).collect();
        let n = states.iter().filter(|state| matches!(state, State::Suppressed(_))).count();
        writeln!(err, "{}: {} suppressed by baseline", self.name, counted(n as u64, "finding"))?;
        for (at, row) in self.rows.iter().enumerate() {
            let what = match (used.contains(&at), self.entries[at].is_expired) {
                (true, false) => continue,
                (true, true) => format!("expired {}", row.expires),
                (false, _) => "stale: no such finding any more".to_owned(),
            };
            writeln!(err, "{}: entry {}, {}: {what}", self.name, at + 1, described(row))?;
        }
        Ok(())
    }
}

fn described(row: &Row) -> String {
    let spot = match (&row.function, &row.file) {
        (Some(hash), _) => format!("function {}", hash.chars().take(12).collect::<String>()),
        (None, Some(file)) => file.clone(),
        (None, None) => String::new(),
    };
    Escaped::new(&format!("{} in {spot}", row.rule)).to_string()
}

fn entry(row: &Row) -> Result<Entry, String> {
    if row.reason.trim().is_empty() {
        return Err("says no reason".to_owned());
    }
    if !RULES.iter().any(|rule| rule.id == row.rule) {
        return Err(format!("there is no rule `{}`", Escaped::new(&row.rule)));
    }
    let grade = Grade::from_name(&row.grade).ok_or("a grade is info, warning or severe")?;
    if !is_acceptable(&row.rule, grade) {
        return Err(format!("{} {grade} cannot be accepted", row.rule));
    }
    let spot = match (&row.function, &row.file) {
        (Some(hash), None) => Spot::Function(hash.clone()),
        (None, Some(file)) => Spot::File(file.clone()),
        _ => return Err("takes `function` or `file`".to_owned()),
    };
    let key = Key { rule: row.rule.clone(), spot, ordinal: row.ordinal };
    Ok(Entry { key, grade, n_more: row.more, is_expired: row.expires < today() })
}

/// What a new baseline says of entries that were not there before.
pub(super) struct Accepts<'a> {
    pub(super) reason: &'a str,
    pub(super) expires: Option<Date>,
}

/// Writes a baseline of findings in place of the one that may stand there; what it has in common with that keeps its reason
/// and dates. Returns how many entries it has.
pub(super) fn write(path: &Path, found: Vec<Entry>, accepts: &Accepts<'_>) -> Result<usize, Problem> {
    let name = file_name(path);
    let before = if path.exists() { Baseline::read(path)?.rows } else { Vec::new() };
    let today = today();
    let kept: BTreeMap<_, _> = before
        .iter()
        .filter(|row| row.expires >= today)
        .filter_map(|row| Some((entry(row).ok()?.key, row)))
        .collect();
    let later = today.saturating_add(Span::new().days(DAYS));
    let rows: BTreeMap<Key, Row> = found
        .into_iter()
        .map(|it| {
            let (function, file) = match &it.key.spot {
                Spot::Function(hash) => (Some(hash.clone()), None),
                Spot::File(file) => (None, Some(file.clone())),
            };
            let old = kept.get(&it.key);
            let row = Row {
                rule: it.key.rule.clone(),
                grade: it.grade.name().to_owned(),
                function,
                file,
                ordinal: it.key.ordinal,
                more: it.n_more,
                reason: old.map_or_else(|| accepts.reason.to_owned(), |old| old.reason.clone()),
                author: old.and_then(|old| old.author.clone()),
                created: old.map_or(today, |old| old.created),
                expires: old.map_or_else(|| accepts.expires.unwrap_or(later), |old| old.expires),
            };
            (it.key, row)
        })
        .collect();
    let n_rows = rows.len();
    let file = File { schema_version: SCHEMA_VERSION, entries: rows.into_values().collect() };
    replace(path, &file)
        .map_err(|error| Problem::new(Exit::Usage, &name, format!("cannot write: {error}")))?;
    Ok(n_rows)
}

/// Writes beside the file and then moves: nobody ever reads half of it.
fn replace(path: &Path, file: &File) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut beside = builder.tempfile_in(folder)?;
    serde_json::to_writer_pretty(&mut beside, file)?;
    writeln!(beside)?;
    beside.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(ordinal: u32) -> Entry {
        let key = Key { rule: "L001".to_owned(), spot: Spot::Function("00ff".to_owned()), ordinal };
        Entry { key, grade: Grade::Warning, n_more: 0, is_expired: false }
    }

    #[test]
    fn what_was_accepted_before_keeps_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline.json");
        let date = |text: &str| text.parse::<Date>().unwrap();
        let first = Accepts { reason: "an idle loop", expires: Some(date("9999-12-31")) };
        assert_eq!(write(&path, vec![found(0), found(2)], &first).unwrap(), 2);
        let second = Accepts { reason: "another", expires: None };
        assert_eq!(write(&path, vec![found(1), found(0), found(0)], &second).unwrap(), 2);
        let baseline = Baseline::read(&path).unwrap();
        assert_eq!(baseline.reasons, ["an idle loop", "another"]);
        assert_eq!(baseline.rows[0].expires, date("9999-12-31"));
        assert_eq!(baseline.entries, [found(0), found(1)]);
    }
}

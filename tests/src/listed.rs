//! Lists of what is known to deviate, which may only shrink: a row that is not needed fails the test, as one that is
//! missing does.

use std::collections::{BTreeMap, BTreeSet};

/// Rows of a list: a place, two spaces, a sentence.
fn rows(list: &'static str) -> BTreeSet<&'static str> {
    let rows = list.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let (place, reason) = row.split_once("  ").unwrap_or_else(|| panic!("no reason: {row}"));
        assert!(!reason.trim().is_empty(), "no reason: {row}");
        place
    })
    .collect()
}

/// Compares what was found, each with what happened, with the rows of a list.
///
/// # Panics
/// If they differ in either direction, or if a row has no reason.
#[track_caller]
pub fn assert_listed(found: &BTreeMap<&str, String>, list: &'static str, name: &str) {
    let rows = rows(list);
    let unlisted: Vec<_> = found.iter().filter(|(place, _)| !rows.contains(*place)).collect();
    let unneeded: Vec<_> = rows.iter().filter(|place| !found.contains_key(*place)).collect();
    assert!(
        unlisted.is_empty() && unneeded.is_empty(),
        "not in {name}: {unlisted:#?}\nnot needed in {name}: {unneeded:#?}"
    );
}

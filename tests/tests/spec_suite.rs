//! The specification's test suite: each module is accepted that must be, each other one refused, for a reason of the
//! asserted family. What is left stands in `expected-failures.txt` and `expected-classes.txt`, which may only shrink.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use rayon::prelude::*;
use wasmos_frontend::{ErrorClass, Features, decode_with, validate};
use wasmos_tests::listed::assert_listed;
use wasmos_tests::suite::{Case, Expectation, Folder, cases, folders};

/// What became of a module.
#[derive(Debug, PartialEq)]
enum Verdict {
    Accepted,
    /// By us.
    Refused(ErrorClass, String),
    /// By the assembler: its text is no module.
    NotAssembled(String),
}

struct Outcome {
    folder: &'static str,
    case: Case,
    verdict: Verdict,
}

/// The whole suite, run once for all tests of this file.
static OUTCOMES: LazyLock<Vec<Outcome>> = LazyLock::new(|| {
    let folders = folders();
    folders.par_iter().flat_map_iter(run).collect()
});

fn run(folder: &Folder) -> impl Iterator<Item = Outcome> + use<> {
    let Folder { name, features, .. } = *folder;
    cases(folder).into_iter().map(move |case| Outcome { folder: name, verdict: judge(&case, features), case })
}

fn judge(case: &Case, features: Features) -> Verdict {
    match &case.bytes {
        Err(message) => Verdict::NotAssembled(message.clone()),
        Ok(bytes) => match decode_with(bytes.clone(), features).and_then(validate) {
            Ok(_) => Verdict::Accepted,
            Err(error) => Verdict::Refused(error.kind.class(), error.to_string()),
        },
    }
}

#[test]
fn each_module_is_accepted_or_refused_as_the_suite_says() {
    let failures = OUTCOMES.iter().filter_map(|Outcome { case, verdict, .. }| {
        let must_be_accepted = case.expectation == Expectation::Valid;
        let failed = (*verdict == Verdict::Accepted) != must_be_accepted;
        failed.then(|| {
            (&*case.place, format!("{verdict:?}, the suite says {:?}: {}", case.expectation, case.message))
        })
    });
    assert_listed(&failures.collect(), include_str!("../expected-failures.txt"), "expected-failures.txt");
}

#[test]
fn a_refusal_is_of_the_family_that_the_suite_asserts() {
    let blurred = OUTCOMES.iter().filter_map(|Outcome { case, verdict, .. }| {
        let Verdict::Refused(class, message) = verdict else { return None };
        let agrees = match (case.expectation, class) {
            (Expectation::Malformed, ErrorClass::Malformed) | (Expectation::Invalid, ErrorClass::Invalid) => {
                true
            }
            (_, ErrorClass::Unsupported | ErrorClass::Limit) => true,
            _ => case.expectation == Expectation::Valid,
        };
        (!agrees).then(|| (&*case.place, format!("{message}; the suite says {}", case.message)))
    });
    assert_listed(&blurred.collect(), include_str!("../expected-classes.txt"), "expected-classes.txt");
}

/// What the assembler refuses we never see, so that none of it may be an assertion about bytes.
#[test]
fn only_texts_that_are_malformed_are_left_to_the_assembler() {
    for Outcome { case, verdict, .. } in OUTCOMES.iter() {
        if let Verdict::NotAssembled(message) = verdict {
            assert_eq!(case.expectation, Expectation::Malformed, "{}: {message}", case.place);
        }
    }
}

/// An empty run must fail: these are the numbers of the suite at its pinned version.
#[test]
fn the_suite_has_not_shrunk() {
    let count = |wanted: fn(&Outcome) -> bool| OUTCOMES.iter().filter(|outcome| wanted(outcome)).count();
    let valid = count(|outcome| outcome.case.expectation == Expectation::Valid);
    let malformed = count(|outcome| outcome.case.expectation == Expectation::Malformed);
    let malformed_bytes = count(|outcome| {
        outcome.case.expectation == Expectation::Malformed && matches!(outcome.verdict, Verdict::Refused(..))
    });
    let invalid = count(|outcome| outcome.case.expectation == Expectation::Invalid);
    let folders: BTreeSet<_> = OUTCOMES.iter().map(|outcome| outcome.folder).collect();
    assert_eq!(folders.len(), 22);
    let found = (valid, malformed, malformed_bytes, invalid);
    assert_eq!(found, (6_958, 6_592, 3_486, 8_034), "valid, malformed, malformed as bytes, invalid");
}

//! The specification's test suite, run: each directive passes that needs neither exceptions nor garbage collection. What
//! is left stands in `expected-directives.txt` and `expected-skips.txt`, which may only shrink.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use rayon::prelude::*;
use wasmos_backend::jit::{Bounds, Options};
use wasmos_cli::wast::{Outcome, run_script, run_script_observed, run_script_on_both};
use wasmos_runtime::{Backend, Config};
use wasmos_tests::listed::assert_listed;
use wasmos_tests::suite::{folders, scripts};

/// Each script by its name, run once for all tests of this file.
static OUTCOMES: LazyLock<BTreeMap<String, Outcome>> = LazyLock::new(|| {
    let scripts: Vec<_> = folders().iter().flat_map(scripts).collect();
    let run = |script: &wasmos_tests::suite::Script| {
        let outcome = run_script(&script.text, script.features);
        (script.name.clone(), outcome.unwrap_or_else(|error| panic!("{}: {error}", script.name)))
    };
    scripts.par_iter().map(run).collect()
});

#[test]
fn each_directive_passes_that_no_later_release_has_overridden() {
    let failures: BTreeMap<String, String> = OUTCOMES
        .iter()
        .flat_map(|(name, outcome)| {
            let place = move |line: usize| format!("{name}:{line}");
            outcome.failures.iter().map(move |failure| {
                (place(failure.line), format!("{}: {}", failure.directive, failure.message))
            })
        })
        .collect();
    let failures = failures.iter().map(|(place, message)| (&**place, message.clone())).collect();
    assert_listed(&failures, include_str!("../expected-directives.txt"), "expected-directives.txt");
}

#[test]
fn only_exceptions_and_garbage_collection_are_left_out() {
    let list = include_str!("../expected-skips.txt");
    let listed: BTreeSet<_> = list.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let skipped: BTreeSet<_> = OUTCOMES
        .iter()
        .flat_map(|(name, outcome)| {
            outcome.skips.iter().map(move |(feature, count)| format!("{name}  {feature}: {count}"))
        })
        .collect();
    assert_eq!(skipped, listed);
    let features = skipped.iter().filter_map(|row| row.split([' ', ':']).rev().nth(2));
    assert_eq!(features.collect::<BTreeSet<_>>(), BTreeSet::from(["exceptions", "gc"]));
}

/// Directive by directive, the JIT comes to what the interpreter comes to, fuel and places of traps included, whatever
/// keeps its accesses within bounds; and the instances look the same in the end.
#[test]
fn the_jit_answers_the_same() {
    let scripts: Vec<_> = folders().iter().flat_map(scripts).collect();
    for bounds in [Bounds::Guard, Bounds::Explicit, Bounds::Both] {
        let options = Options { bounds, verifies: bounds == Bounds::Guard, ..Options::default() };
        scripts.par_iter().for_each(|script| {
            let config = |backend| Config { features: script.features, backend, ..Config::default() };
            let both = [config(Backend::Interpreter), config(Backend::Jit(options))];
            let outcome = run_script_on_both(&script.text, both);
            let outcome = outcome.unwrap_or_else(|error| panic!("{}: {error}", script.name));
            assert_eq!(outcome.differences, [], "{} with {bounds:?}", script.name);
        });
    }
}

/// Code that can be observed is another translation of the same bodies.
#[test]
fn observed_code_answers_the_same() {
    // Made before the threads that compare: one that waited for it would be missing from those that make it.
    let outcomes = &*OUTCOMES;
    let scripts: Vec<_> = folders().iter().flat_map(scripts).collect();
    scripts.par_iter().for_each(|script| {
        let outcome = run_script_observed(&script.text, script.features);
        let outcome = outcome.unwrap_or_else(|error| panic!("{}: {error}", script.name));
        assert_eq!(outcomes.get(&script.name), Some(&outcome), "{}", script.name);
    });
}

/// An empty run must fail: this is the number of the suite at its pinned version.
#[test]
fn the_suite_has_not_shrunk() {
    assert_eq!(OUTCOMES.values().map(|outcome| outcome.passed).sum::<u64>(), 141_066);
}

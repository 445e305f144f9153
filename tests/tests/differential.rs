//! 20,000 seeded modules, generated and mutated: the same verdict as `wasmparser` on each.
//!
//! A seed decides everything about its module. A module on which the verdicts differ is written to
//! `target/differential/`, named by kind and seed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::LazyLock;

use arbitrary::Unstructured;
use fastrand::Rng;
use rayon::prelude::*;
use wasmos_frontend::{Feature, Features};
use wasmos_tests::oracle::{Agreement, Disagreement, compare};
use wasmos_tests::pool::{Seed, corpus, seeds};
use wasmos_tests::{generate, mutate};

/// The modules that mutations begin with, made once for all tests of this file.
static SEEDS: LazyLock<Vec<Seed>> = LazyLock::new(seeds);

/// Those of them that are valid.
static VALID: LazyLock<Vec<&Seed>> = LazyLock::new(|| SEEDS.iter().filter(|seed| seed.is_valid).collect());

/// How often both agreed, by how.
type Counts = BTreeMap<Agreement, u64>;

/// Compares the modules of the seeds below `cases` and returns how the verdicts agreed.
#[track_caller]
fn compare_all(kind: &str, cases: u64, make: impl Fn(&mut Rng) -> Vec<u8> + Sync) -> Counts {
    let verdicts = (0..cases).into_par_iter().map(|seed| {
        let bytes = make(&mut Rng::with_seed(seed));
        let verdict = compare(&bytes, Features::all());
        verdict.map_err(|disagreement| report(kind, seed, &bytes, &disagreement))
    });
    count(verdicts.collect())
}

/// Counts the ways to agree; fails if there is a report of a disagreement.
#[track_caller]
fn count(verdicts: Vec<Result<Agreement, String>>) -> Counts {
    let mut counts = Counts::new();
    let mut reports = Vec::new();
    for verdict in verdicts {
        match verdict {
            Ok(agreement) => *counts.entry(agreement).or_default() += 1,
            Err(report) => reports.push(report),
        }
    }
    assert!(reports.is_empty(), "{} disagreements\n{}", reports.len(), reports.join("\n"));
    counts
}

fn report(kind: &str, seed: u64, bytes: &[u8], disagreement: &Disagreement) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../differential");
    let path = folder.join(format!("{kind}-{seed}.wasm"));
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, bytes));
    let place = written.map_or_else(|error| error.to_string(), |()| path.display().to_string());
    format!("{kind} seed {seed}, {} bytes in {place}\n{disagreement}", bytes.len())
}

/// A comparison in which nothing is accepted, or nothing refused, would show nothing.
#[track_caller]
fn assert_both(counts: &Counts, min_accepted: u64, min_refused: u64) {
    let count = |agreement| counts.get(&agreement).copied().unwrap_or_default();
    let (accepted, refused) = (count(Agreement::Accepted), count(Agreement::Refused));
    assert!(accepted >= min_accepted && refused >= min_refused, "{counts:?}");
}

/// A module made out of 4 KiB that the seed decides.
fn generated(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    rng.fill(&mut bytes);
    generate::module(&mut Unstructured::new(&bytes)).unwrap_or_default()
}

#[test]
fn generated_modules() {
    let counts = compare_all("generated", 6_000, generated);
    assert_both(&counts, 4_000, 100);
}

#[test]
fn mutations_of_generated_modules() {
    let counts = compare_all("generated-mutated", 2_000, |rng| {
        let (bytes, other) = (generated(rng), generated(rng));
        let module = wasmos_frontend::decode(bytes.clone()).ok();
        mutate::mutate(rng, &bytes, module.as_ref(), &other)
    });
    assert_both(&counts, 100, 1_000);
}

#[test]
fn mutations_of_known_modules() {
    let counts = compare_all("known-mutated", 10_000, |rng| mutation(rng, &VALID));
    assert_both(&counts, 1_000, 4_000);
}

#[test]
fn mutations_of_broken_modules() {
    let all: Vec<_> = SEEDS.iter().collect();
    let counts = compare_all("broken-mutated", 2_000, |rng| mutation(rng, &all));
    assert_both(&counts, 50, 1_000);
}

/// The rest of the bit flips of case A003 is the fuzzer's.
#[test]
fn single_bits_of_small_modules() {
    let small = &VALID[..VALID.len().min(200)];
    let counts = compare_all("bit", 4_000, |rng| {
        let seed = &small[rng.usize(..small.len())];
        mutate::flip_bit(rng, &seed.bytes)
    });
    assert_both(&counts, 400, 1_000);
}

#[test]
fn mutations_of_the_corpus() {
    let Some(corpus) = corpus() else {
        // Past the test runner, which would keep it to itself.
        writeln!(std::io::stderr(), "skipped: no corpus in WASMOS_CORPUS or target/corpus").unwrap();
        return;
    };
    let corpus: Vec<_> = corpus.iter().collect();
    let counts = compare_all("corpus-mutated", 1_000, |rng| mutation(rng, &corpus));
    assert_both(&counts, 50, 300);
}

fn mutation(rng: &mut Rng, seeds: &[&Seed]) -> Vec<u8> {
    let (seed, other) = (&seeds[rng.usize(..seeds.len())], &seeds[rng.usize(..seeds.len())]);
    mutate::mutate(rng, &seed.bytes, seed.module.as_ref(), &other.bytes)
}

/// Every known module with one feature taken away, and with the features up to one in the order of their declaration.
#[test]
fn known_modules_with_fewer_features() {
    let mut growing = Features::none();
    let mut sets = Vec::new();
    for feature in Feature::ALL {
        let mut without = Features::all();
        without.remove(*feature);
        growing.insert(*feature);
        sets.extend([(format!("without-{feature}"), without), (format!("up-to-{feature}"), growing)]);
    }
    let cases = sets.par_iter().flat_map(|(kind, features)| {
        SEEDS.par_iter().enumerate().map(|(index, seed)| {
            let verdict = compare(&seed.bytes, *features);
            verdict.map_err(|disagreement| report(kind, index as u64, &seed.bytes, &disagreement))
        })
    });
    assert_both(&count(cases.collect()), 50_000, 100_000);
}

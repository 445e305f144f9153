//! What changes no meaning changes no grade: mutants that `wasm-mutate` makes of modules are graded as these are.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use wasm_mutate::WasmMutate;
use wasmos_analysis::{Grade, Policy, Report, Verdict, analyze};
use wasmos_frontend::custom::NameEntry;
use wasmos_frontend::{decode, validate};

/// How many mutants of each module are looked at.
const MUTANTS: usize = 100;
/// How many seeds are tried for them: not each of them makes a mutant, and not each mutant is a module.
const SEEDS: u64 = 10_000;
/// Fuel of a mutation: enough for a rewrite of one function, so that no seed takes a second.
const FUEL: u64 = 300;
/// The longest module of the corpus that is mutated, in bytes.
const CORPUS_BYTES: u64 = 100_000;

/// A module with its name.
type Named = (String, Vec<u8>);

/// The module on which each rule fires, and its near miss.
fn examples() -> Vec<Named> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/wat/rules");
    let files =
        fs::read_dir(folder).expect("the folder of examples").map(|file| file.expect("a file").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, wat::parse_file(&path).expect("a module as text"))
    };
    files.into_iter().map(read).collect()
}

/// Hash functions of a few instructions in a loop, below the size from which W001 takes code for the inside of a hash.
/// Unrolled they are above it. Halving that size would make them, and every CRC, a warning as they are.
const ROLLED: [&str; 4] = [
    "chainsafe-as-sha256-1.2.5/optimized.wasm",
    "chainsafe-as-sha256-1.2.5/untouched.wasm",
    "hash-wasm-4.13.0/crc32.wasm",
    "hash-wasm-4.13.0/crc64.wasm",
];

/// Returns whether a mutant is a warning by its share of hashing alone.
fn is_unrolled(name: &str, report: &Report) -> bool {
    let mut above = report.findings.iter().filter(|finding| finding.grade > Grade::Info);
    ROLLED.contains(&name)
        && report.verdict == Verdict::Warning
        && above.all(|finding| finding.rule == "W001")
}

/// The short modules of the corpus, by length.
fn published(folder: &Path) -> Vec<Named> {
    let packages = fs::read_dir(folder).expect("the corpus").flatten();
    let files = packages.filter_map(|package| fs::read_dir(package.path()).ok()).flat_map(Iterator::flatten);
    let len_of = |path: PathBuf| Some((fs::metadata(&path).ok()?.len(), path));
    let files = files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|it| it == "wasm"));
    let mut short: Vec<_> = files.filter_map(len_of).filter(|(len, _)| *len <= CORPUS_BYTES).collect();
    short.sort();
    let read = |(_, path): (u64, PathBuf)| {
        (path.strip_prefix(folder).expect("below").display().to_string(), fs::read(&path).expect("a module"))
    };
    short.into_iter().map(read).collect()
}

fn look_at(bytes: Vec<u8>) -> Option<Report> {
    let module = decode(bytes).and_then(validate).ok()?;
    Some(analyze(&module, &Policy::default()))
}

/// What a name section says of functions. Rules read it (M006, X003), so that it is part of what a module means to them.
fn names(bytes: &[u8]) -> Option<Vec<(u32, String)>> {
    let module = decode(bytes.to_vec()).ok()?;
    let name = |entry: &NameEntry| (entry.index, module.text(entry.name).to_owned());
    Some(module.names().funcs.iter().map(name).collect())
}

/// Mutates a module up to three times over, as the seed says; `None` if that makes no module, the same, or one with other
/// names.
fn mutant(bytes: &[u8], seed: u64) -> Option<Report> {
    let mut mutant = bytes.to_vec();
    for round in 0..=seed % 3 {
        let mut mutate = WasmMutate::default();
        mutate.seed(seed.wrapping_mul(3) + round).preserve_semantics(true).fuel(FUEL);
        let next = mutate.run(&mutant).ok()?.next()?.ok()?;
        mutant = next;
    }
    if mutant == bytes || names(&mutant) != names(bytes) { None } else { look_at(mutant) }
}

fn said(report: &Report) -> String {
    let findings = report.findings.iter().filter(|it| it.grade > Grade::Info);
    let findings: Vec<_> = findings.map(|it| format!("{} {}: {}", it.rule, it.grade, it.message)).collect();
    format!("{} {findings:?}", report.verdict)
}

/// Returns a line for each mutant that is graded otherwise.
fn flips((name, bytes): &Named) -> Vec<String> {
    let original = look_at(bytes.clone()).expect("a valid module");
    let mutants = (0..SEEDS).filter_map(|seed| Some((seed, mutant(bytes, seed)?)));
    let mut count = 0;
    let mut flips = Vec::new();
    for (seed, report) in mutants.take(MUTANTS) {
        count += 1;
        if report.verdict != original.verdict && !is_unrolled(name, &report) {
            flips.push(format!("{name}, seed {seed}: {}, was {}", said(&report), said(&original)));
        }
    }
    assert_eq!(count, MUTANTS, "{name}: too few of {SEEDS} seeds make a mutant");
    flips
}

fn check(modules: &[Named]) {
    let flips: Vec<_> = modules.par_iter().flat_map(flips).collect();
    assert!(flips.is_empty(), "{} mutants are graded otherwise: {flips:#?}", flips.len());
}

#[test]
fn mutants_of_the_examples_are_graded_as_these_are() {
    let examples = examples();
    assert!(examples.len() >= 20, "{} modules", examples.len());
    check(&examples);
}

#[test]
#[expect(clippy::print_stderr, reason = "who runs the tests should know what was not tested")]
fn mutants_of_published_modules_are_graded_as_these_are() {
    let Some(folder) = std::env::var_os("WASMOS_CORPUS").map(PathBuf::from).filter(|folder| folder.is_dir())
    else {
        eprintln!("skipped: WASMOS_CORPUS names no folder; `cargo xtask corpus` fetches one");
        return;
    };
    let modules = published(&folder);
    assert!(modules.len() >= 10, "{} modules", modules.len());
    check(&modules);
}

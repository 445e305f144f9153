//! The grades of published modules, and the confusion matrix, which must not get worse: `analysis/matrix.txt`.
//!
//! The corpus lies beside the repository; `WASMOS_CORPUS` names its folder. Without it there is nothing to compare.
//! `cargo xtask corpus` fetches it and writes the matrix anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use wasmos_analysis::{Grade, Policy, Verdict, analyze};
use wasmos_frontend::{decode, validate};

/// What is known of a module without looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Made to work for whoever embeds it: at least Warning.
    ProofOfWork,
    /// A library of hash functions: never Severe.
    Hash,
    /// Anything else: at most one in ten is a Warning.
    Other,
}

impl Kind {
    const ALL: [Self; 3] = [Self::ProofOfWork, Self::Hash, Self::Other];

    fn of(name: &str) -> Self {
        let begins = |packages: &[&str]| packages.iter().any(|package| name.starts_with(package));
        match name {
            _ if begins(&["cap.js-wasm-", "nanocurrency-"]) => Self::ProofOfWork,
            _ if begins(&["hash-wasm-", "chainsafe-as-sha256-", "xxhash-wasm-"]) => Self::Hash,
            _ => Self::Other,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::ProofOfWork => "proof of work",
            Self::Hash => "hash library",
            Self::Other => "other",
        }
    }
}

/// A module of the corpus, judged.
struct Judged {
    name: String,
    kind: Kind,
    verdict: Verdict,
    /// The rules that grade it higher than info.
    rules: Vec<&'static str>,
}

fn modules(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder of the corpus").flatten() {
        let path = entry.path();
        if path.is_dir() {
            modules(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "wasm") {
            found.push(path);
        }
    }
}

fn judge(folder: &Path) -> Vec<Judged> {
    let mut found = Vec::new();
    modules(folder, &mut found);
    found.sort();
    let judged = found.into_iter().filter_map(|path| {
        let name = path.strip_prefix(folder).expect("a path in the folder").display().to_string();
        let module = decode(fs::read(&path).expect("a module")).and_then(validate).ok()?;
        let report = analyze(&module, &Policy::default());
        let mut rules: Vec<_> =
            report.findings.iter().filter(|it| it.grade > Grade::Info).map(|it| it.rule).collect();
        rules.dedup();
        Some(Judged { kind: Kind::of(&name), name, verdict: report.verdict, rules })
    });
    judged.collect()
}

/// Why modules are Warnings that should be OK, by folder: rules and reason.
fn explanations() -> BTreeMap<String, (Vec<String>, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("explained-warnings.txt");
    let text = fs::read_to_string(path).expect("the explanations");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let explained = lines.map(|line| {
        let mut words = line.split(' ');
        let folder = words.next().unwrap_or_default().to_owned();
        let is_rule = |word: &&str| word.len() == 4 && word[1..].bytes().all(|byte| byte.is_ascii_digit());
        let rules: Vec<String> = words.clone().take_while(is_rule).map(str::to_owned).collect();
        let reason: Vec<&str> = words.skip(rules.len()).collect();
        assert!(!reason.is_empty(), "no reason: {line}");
        (folder, (rules, reason.join(" ")))
    });
    explained.collect()
}

/// The interval that holds the true share with 95 %. Source: Wilson, "Probable inference" (1927).
fn wilson(n: usize, of: usize) -> (f64, f64) {
    const Z: f64 = 1.96;
    let (k, n) = (n as f64, of as f64);
    let (share, z2) = (k / n, Z * Z);
    let middle = share + z2 / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    ((middle - half) / (1.0 + z2 / n), (middle + half) / (1.0 + z2 / n))
}

fn matrix(judged: &[Judged]) -> String {
    let mut text = String::from(
        "# Modules by what they are and how they are graded. `cargo xtask corpus` writes this file.\n",
    );
    text += "kind           modules   ok  warning  severe  unknown  at least warning (95 %)\n";
    for kind in Kind::ALL {
        let of_kind: Vec<_> = judged.iter().filter(|it| it.kind == kind).collect();
        let count = |verdict| of_kind.iter().filter(|it| it.verdict == verdict).count();
        let worse = count(Verdict::Warning) + count(Verdict::Severe);
        let (least, most) = wilson(worse, of_kind.len());
        let _ = writeln!(
            text,
            "{:<14} {:>7} {:>4} {:>8} {:>7} {:>8}  {:.1} % ({:.1}–{:.1})",
            kind.name(),
            of_kind.len(),
            count(Verdict::Ok),
            count(Verdict::Warning),
            count(Verdict::Severe),
            count(Verdict::Unknown),
            worse as f64 * 100.0 / of_kind.len() as f64,
            least * 100.0,
            most * 100.0,
        );
    }
    text += "\n# Why others are Warnings.\n";
    for (folder, (rules, reason)) in explanations() {
        let _ = writeln!(text, "{folder}: {}: {reason}", rules.join(" "));
    }
    text += "\n# Grade, module, and the rules that grade it higher than info.\n";
    for it in judged {
        text += format!("{} {} {}", it.verdict, it.name, it.rules.join(" ")).trim_end();
        text.push('\n');
    }
    text
}

#[test]
#[expect(clippy::print_stderr, reason = "who runs the tests should know what was not tested")]
fn the_confusion_matrix_is_not_worse_than_it_was() {
    let Some(folder) = std::env::var_os("WASMOS_CORPUS").map(PathBuf::from).filter(|folder| folder.is_dir())
    else {
        eprintln!("skipped: WASMOS_CORPUS names no folder; `cargo xtask corpus` fetches one");
        return;
    };
    let judged = judge(&folder);
    let mut explained = explanations();
    for it in &judged {
        let Judged { name, rules, .. } = it;
        assert_ne!(it.verdict, Verdict::Severe, "{name}: {rules:?}");
        match it.kind {
            Kind::ProofOfWork => assert!(it.verdict >= Verdict::Warning, "{name} is {}", it.verdict),
            Kind::Other if it.verdict != Verdict::Ok => {
                let reason = explained.remove(name.split(['/', '\\']).next().unwrap_or_default());
                let known = reason.map(|(rules, _)| rules).unwrap_or_default();
                assert_eq!(known, *rules, "{name}: explain it in explained-warnings.txt, or make it OK");
            }
            Kind::Hash | Kind::Other => {}
        }
    }
    assert!(explained.is_empty(), "no Warning any more: {explained:?}");
    let others = judged.iter().filter(|it| it.kind == Kind::Other);
    let n_warnings = others.clone().filter(|it| it.verdict != Verdict::Ok).count();
    assert!(n_warnings * 10 <= others.count(), "{n_warnings} others are Warnings: more than one in ten");
    expect_file!["../../analysis/matrix.txt"].assert_eq(&matrix(&judged));
}

//! The grades of published modules: none is Severe, and none becomes worse than `expected-grades.txt` says.
//!
//! The corpus lies beside the repository; `WASMOS_CORPUS` names its folder. Without it there is nothing to compare.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use wasmos_analysis::{Grade, Policy, analyze};
use wasmos_frontend::{decode, validate};

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

#[test]
fn the_grades_of_the_corpus_are_those_expected() {
    let Some(folder) = std::env::var_os("WASMOS_CORPUS").map(PathBuf::from).filter(|folder| folder.is_dir())
    else {
        // Nothing of the corpus is ever committed.
        return;
    };
    let mut found = Vec::new();
    modules(&folder, &mut found);
    found.sort();
    let mut lines = String::from("# Grade, module, and the rules that grade it higher than info.\n");
    for path in found {
        let name = path.strip_prefix(&folder).expect("a path in the folder").display().to_string();
        let Ok(module) = decode(fs::read(&path).expect("a module")).and_then(validate) else { continue };
        let report = analyze(&module, &Policy::default());
        let mut rules: Vec<_> =
            report.findings.iter().filter(|it| it.grade > Grade::Info).map(|it| it.rule).collect();
        rules.dedup();
        assert_ne!(report.verdict.name(), "severe", "{name}: {rules:?}");
        lines += format!("{} {name} {}", report.verdict, rules.join(" ")).trim_end();
        lines.push('\n');
    }
    expect_file!["../expected-grades.txt"].assert_eq(&lines);
}

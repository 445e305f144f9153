//! Each rule fires on its module in `wat/rules`, with the grade that stands in its first line, and not on its near miss.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wasmos_analysis::rules::RULES;
use wasmos_analysis::{Policy, Report, analyze};
use wasmos_frontend::{decode, validate};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("wat/rules")
}

/// Reads an example and what its first line says of it.
fn example(name: &str) -> (String, Report) {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let header = text.lines().next().and_then(|line| line.strip_prefix(";;! ")).expect("a header").to_owned();
    let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let module = decode(bytes).and_then(validate).unwrap_or_else(|error| panic!("{name}: {error}"));
    (header, analyze(&module, &Policy::default()))
}

#[test]
fn each_rule_fires_on_its_module_and_not_on_its_near_miss() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let (header, report) = example(&format!("{}.fires.wat", rule.id));
        let grades = report.findings.iter().filter(|finding| finding.rule == rule.id).map(|it| it.grade);
        let said = grades.max().map(|grade| format!("{} {grade}", rule.id));
        if said.as_deref() != Some(&*header) {
            wrong.push(format!("{}: {said:?}, expected {header}", rule.id));
        }
        let (header, report) = example(&format!("{}.near.wat", rule.id));
        assert_eq!(header, format!("no {}", rule.id));
        if let Some(finding) = report.findings.iter().find(|finding| finding.rule == rule.id) {
            wrong.push(format!("{} on its near miss: {}", rule.id, finding.message));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_example_is_of_no_rule() {
    let examples = std::fs::read_dir(folder()).expect("the folder of examples");
    let names: BTreeSet<String> =
        examples.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    let expected: BTreeSet<String> = RULES
        .iter()
        .flat_map(|rule| ["fires", "near"].map(|kind| format!("{}.{kind}.wat", rule.id)))
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn the_same_bytes_give_the_same_report_whatever_the_threads() {
    let text = std::fs::read_to_string(folder().join("C006.fires.wat")).expect("an example");
    let report = |threads| {
        let bytes = wat::parse_str(&text).expect("text");
        let module = decode(bytes).and_then(validate).expect("a valid module");
        wasmos_tests::guard::with_threads(threads, || format!("{:?}", analyze(&module, &Policy::default())))
    };
    assert_eq!(report(1), report(4));
}

#[test]
fn a_policy_changes_what_is_said() {
    let text = std::fs::read_to_string(folder().join("I006.fires.wat")).expect("an example");
    let report = |policy: &str| {
        let bytes = wat::parse_str(&text).expect("text");
        let module = decode(bytes).and_then(validate).expect("a valid module");
        let report = analyze(&module, &Policy::parse(policy).expect("a policy"));
        (report.verdict.name(), report.findings.iter().filter(|finding| finding.rule == "I006").count())
    };
    assert_eq!(report(""), ("warning", 1));
    assert_eq!(report("allow = ['trealla.*']"), ("ok", 0));
    assert_eq!(report("deny = ['trealla.host-call']"), ("severe", 1));
    assert_eq!(report("off = ['I006']"), ("ok", 0));
    assert_eq!(report("[grade]\nI006 = 'info'"), ("ok", 1));
}

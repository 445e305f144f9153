//! What is written about modules is what its schemas say: our JSON our own, SARIF that of OASIS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use serde_json::{Value, json};
use wasmos_analysis::baseline::{Compared, Entry, State, keys};
use wasmos_analysis::{Policy, Report, analyze};
use wasmos_frontend::{ValidModule, decode, validate};
use wasmos_web_report::{json as report_json, sarif};

const ROOM: &str = env!("CARGO_MANIFEST_DIR");
/// Where the modules are.
const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests");

/// The examples of the rules, and the module of which every name, string and section attacks what shows it.
fn modules() -> Vec<PathBuf> {
    let examples = fs::read_dir(Path::new(TESTS).join("wat/rules")).expect("the folder of examples");
    let mut paths: Vec<_> = examples.map(|entry| entry.expect("an entry").path()).collect();
    paths.push(Path::new(TESTS).join("pages/hostile.wat"));
    paths.sort();
    assert!(paths.len() > 80, "{paths:?}");
    paths
}

fn looked_at(path: &Path) -> (ValidModule, Report) {
    let text = fs::read_to_string(path).expect("a module as text");
    let bytes = wat::parse_str(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let module =
        decode(bytes).and_then(validate).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let report = analyze(&module, &Policy::default());
    (module, report)
}

/// Accepts every other finding, the fourth of them in vain: each state is there.
fn entries(report: &Report, name: &str) -> Vec<Entry> {
    let found = report.findings.iter().zip(keys(report, name)).enumerate();
    let every_other = found.filter(|(at, _)| at % 2 == 0);
    let entry = |(at, (finding, key)): (usize, (&wasmos_analysis::finding::Finding, _))| Entry {
        key,
        grade: finding.grade,
        n_more: finding.n_more,
        is_expired: at % 4 == 0,
    };
    every_other.map(entry).collect()
}

/// A schema with which formats are checked too, such as that a `uri-reference` is one.
fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).expect("the schema is one")
}

/// Returns what the schema says against a value, with the name of what it is of.
fn complaints(validator: &Validator, name: &str, value: &Value) -> Vec<String> {
    let errors = validator.iter_errors(value);
    errors.map(|error| format!("{name}: {error} at {}", error.instance_path())).collect()
}

fn our_schema() -> Value {
    let path = Path::new(ROOM).join("schema/report.schema.json");
    serde_json::from_str(&fs::read_to_string(path).expect("our schema")).expect("it is JSON")
}

/// Forbids keys of which the schema does not speak. Who reads a report must allow them: a later version may have them.
fn forbid_other_keys(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(forbid_other_keys);
            if object.get("properties").is_some_and(Value::is_object) && object.contains_key("type") {
                object.insert("additionalProperties".into(), false.into());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(forbid_other_keys),
        _ => {}
    }
}

/// Reads the schema that the crate `serde-sarif` ships.
fn sarif_schema() -> Value {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--locked", "--format-version=1", "--manifest-path"]);
    let output = command.arg(Path::new(ROOM).join("Cargo.toml")).output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let package =
        packages.iter().find(|package| package["name"] == "serde-sarif").expect("it is a dependency");
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
    let schema = fs::read(manifest.with_file_name("src").join("schema.json")).expect("it ships its schema");
    serde_json::from_slice(&schema).expect("it is JSON")
}

#[test]
fn our_json_is_what_our_schema_says() {
    let mut schema = our_schema();
    forbid_other_keys(&mut schema);
    let validator = validator(&schema);
    let mut complained = Vec::new();
    let mut states = Vec::new();
    for path in modules() {
        let name = path.display().to_string();
        let (module, report) = looked_at(&path);
        let compared = Compared::of(&report, sarif::file_of(&name), &entries(&report, sarif::file_of(&name)));
        for compared in [None, Some(&compared)] {
            let mut object = report_json::report(&module, &report, compared);
            object["file"] = name.clone().into();
            complained.extend(complaints(&validator, &name, &object));
        }
        states.extend(compared.states);
    }
    assert!(complained.is_empty(), "{complained:#?}");
    for name in ["new", "expired", "suppressed"] {
        assert!(states.iter().any(|state| state.name() == name), "no finding is {name}");
    }
}

#[test]
fn our_schema_refuses_what_is_no_report() {
    let mut schema = our_schema();
    forbid_other_keys(&mut schema);
    let validator = validator(&schema);
    let (module, report) = looked_at(&Path::new(TESTS).join("wat/rules/W001.fires.wat"));
    let mut object = report_json::report(&module, &report, None);
    object["file"] = "W001.fires.wat".into();
    assert!(validator.is_valid(&object));
    let changes = [
        ("/grade", json!("fine")),
        ("/score", json!(101)),
        ("/findings/0/rule", json!("W1")),
        ("/findings/0/function", json!({ "index": 0, "name": null, "more": 1 })),
        ("/module", json!({})),
    ];
    for (pointer, value) in changes {
        let mut changed = object.clone();
        *changed.pointer_mut(pointer).expect("the key is there") = value;
        assert!(!validator.is_valid(&changed), "{pointer}");
    }
}

#[test]
fn our_sarif_is_what_its_schema_says() {
    let validator = validator(&sarif_schema());
    let mut complained = Vec::new();
    let (mut parts, mut states): (_, Vec<State>) = (Vec::new(), Vec::new());
    for path in modules() {
        let name = path.strip_prefix(TESTS).expect("a path below").display().to_string();
        let (module, report) = looked_at(&path);
        let entries = entries(&report, sarif::file_of(&name));
        let compared = Compared::of(&report, sarif::file_of(&name), &entries);
        let reasons: Vec<_> = entries.iter().map(|_| "it is \u{202e}<b>known</b>".to_owned()).collect();
        for baseline in [None, Some((&compared, &reasons[..]))] {
            let analyzed = sarif::Analyzed { name: &name, module: &module, report: &report, baseline };
            let log = sarif::log(vec![analyzed.part()]);
            complained.extend(complaints(&validator, &name, &log));
            if baseline.is_some() {
                parts.push(analyzed.part());
            }
        }
        states.extend(compared.states);
    }
    let log = sarif::log(parts);
    complained.extend(complaints(&validator, "all of them", &log));
    assert!(complained.is_empty(), "{complained:#?}");
    assert!(log["runs"][0]["results"].as_array().is_some_and(|results| results.len() == states.len()));

    let mut changed = log;
    changed["runs"][0]["results"][0]["level"] = "bad".into();
    assert!(!validator.is_valid(&changed), "the schema refuses nothing");
}

//! The texts of `tests/wat`: each is assembled, decoded and validated, and what is said of it stands at its end.
//!
//! A file is a module as text, or as bytes (`module binary`), between two kinds of comments. `;;!` lines in front are a
//! TOML document: `without = ["gc"]` lists features that are switched off, one at a time, after the run with all of
//! them. `;;=` lines behind are what came out; `UPDATE_EXPECT=1` writes them. `wasmparser` has a say on each.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use serde::Deserialize;
use wasmos_frontend::{ErrorKind, Feature, Features, Result, ValidModule, decode_with, validate};
use wasmos_tests::oracle::{Agreement, compare};

/// What a file says in front.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(default)]
    without: Vec<String>,
}

struct Golden {
    path: PathBuf,
    text: String,
    bytes: Vec<u8>,
    without: Vec<Feature>,
}

/// Reads the files of a folder of `tests/wat`.
fn goldens(folder: &str) -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("wat").join(folder);
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    paths.into_iter().map(golden).collect()
}

fn golden(path: PathBuf) -> Golden {
    let text = std::fs::read_to_string(&path).unwrap();
    let header: String =
        text.lines().filter_map(|line| line.strip_prefix(";;!")).collect::<Vec<_>>().join("\n");
    let header: Header =
        toml::from_str(&header).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let without = header.without.iter().map(|name| feature(name)).collect();
    let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Golden { path, text, bytes, without }
}

fn feature(name: &str) -> Feature {
    let found = Feature::ALL.iter().find(|feature| feature.name() == name);
    *found.unwrap_or_else(|| panic!("no feature `{name}`"))
}

fn without(feature: Feature) -> Features {
    let mut features = Features::all();
    features.remove(feature);
    features
}

impl Golden {
    fn judge(&self, features: Features) -> Result<ValidModule> {
        decode_with(self.bytes.clone(), features).and_then(validate)
    }

    /// Returns why the module is refused with all features.
    fn kind(&self) -> Option<ErrorKind> {
        self.judge(Features::all()).map(drop).err().map(|error| error.kind.clone())
    }

    /// Compares what comes out with what stands in the file.
    fn check(&self) {
        let source = self.text.lines().filter(|line| !line.starts_with(";;="));
        let mut text: String = source.flat_map(|line| [line, "\n"]).collect();
        self.write_verdict(&mut text, "all", Features::all());
        for feature in &self.without {
            self.write_verdict(&mut text, &format!("all but {feature}"), without(*feature));
        }
        expect_file![&self.path].assert_eq(&text);
    }

    fn write_verdict(&self, text: &mut String, name: &str, features: Features) {
        writeln!(text, ";;= {name}: {}", self.verdict(features)).unwrap();
        if let Err(error) = self.judge(features) {
            writeln!(text, ";;=   {:?}", error.kind).unwrap();
            writeln!(text, ";;=   {error}").unwrap();
        }
        match compare(&self.bytes, features) {
            Ok(Agreement::Different(difference)) => {
                writeln!(text, ";;=   wasmparser differs: {difference:?}").unwrap();
            }
            Ok(Agreement::Accepted | Agreement::Refused) => {}
            Err(disagreement) => panic!("{}: {disagreement}", self.path.display()),
        }
    }

    fn verdict(&self, features: Features) -> &'static str {
        self.judge(features).map_or_else(|error| error.kind.class().name(), |_| "valid")
    }
}

#[test]
fn errors() {
    goldens("errors").iter().for_each(Golden::check);
}

#[test]
fn features() {
    goldens("features").iter().for_each(Golden::check);
}

#[test]
fn legacy_exceptions() {
    check_named("legacy-exceptions", &["valid"]);
}

/// Checks the files of a folder; a name that begins with one of `valid` is that of a valid module.
#[track_caller]
fn check_named(folder: &str, valid: &[&str]) {
    for golden in goldens(folder) {
        golden.check();
        let name = golden.path.file_name().unwrap().to_str().unwrap();
        let is_valid = valid.contains(&name.split('.').next().unwrap());
        assert_eq!(golden.verdict(Features::all()) == "valid", is_valid, "{name}");
    }
}

/// Which types are one, and which may extend which.
#[test]
fn types() {
    check_named("types", &["same", "sub"]);
}

/// What is null, what may be, and which reference goes where.
#[test]
fn references() {
    check_named("references", &["valid"]);
}

/// Memories and tables with 32-bit and 64-bit addresses.
#[test]
fn addresses() {
    check_named("addresses", &["valid"]);
}

/// The name of a file of errors is its kind, and what is special about it behind a dot.
#[test]
fn each_error_is_filed_under_its_kind() {
    for golden in goldens("errors") {
        let kind =
            format!("{:?}", golden.kind().unwrap_or_else(|| panic!("{} is valid", golden.path.display())));
        let variant = kind.split([' ', '(']).next().unwrap();
        let name = golden.path.file_name().unwrap().to_str().unwrap();
        assert_eq!(name.split('.').next().unwrap(), kebab(variant), "{name}: {kind}");
    }
}

/// Turns `UnknownIndex` into `unknown-index`, and `MalformedUtf8` into `malformed-utf8`.
fn kebab(variant: &str) -> String {
    let mut name = String::new();
    for c in variant.chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(c.to_lowercase());
    }
    name
}

/// Each feature has a module that is valid with it, and is refused without it in its name.
#[test]
fn each_feature_can_be_switched_off() {
    let mut seen = BTreeSet::new();
    for golden in goldens("features") {
        assert_eq!(golden.verdict(Features::all()), "valid", "{}", golden.path.display());
        for feature in &golden.without {
            let error = golden.judge(without(*feature)).map(drop).unwrap_err();
            assert_eq!(error.kind, ErrorKind::FeatureDisabled(*feature), "{}", golden.path.display());
            seen.insert(*feature);
        }
    }
    let missing: Vec<_> = Feature::ALL.iter().filter(|feature| !seen.contains(feature)).collect();
    assert_eq!(missing, [&Feature::Mvp], "the first release cannot be switched off");
}

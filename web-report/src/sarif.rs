//! Reports as SARIF 2.1.0, as code scanners read it.
//!
//! Source: OASIS SARIF 2.1.0, and what GitHub requires of an upload: every result has a physical location with a line, a
//! relative address and a message. A module has no lines; line 1 stands for it, and the byte offset beside it is the truth.

use serde_json::{Value, json};
use wasmos_analysis::baseline::{self, Compared, Key, Spot, State};
use wasmos_analysis::finding::Finding;
use wasmos_analysis::rules::{RULES, Rule};
use wasmos_analysis::{Grade, Report};
use wasmos_frontend::ValidModule;

/// Results that a scanner takes of one run.
const RESULTS: usize = 5_000;

/// A module with its name and report.
#[derive(Clone, Copy, Debug)]
pub struct Analyzed<'a> {
    /// Its file, as it was named.
    pub name: &'a str,
    /// The module.
    pub module: &'a ValidModule,
    /// Its report.
    pub report: &'a Report,
    /// What a baseline says of it, and the reasons of its entries.
    pub baseline: Option<(&'a Compared, &'a [String])>,
}

/// What a module adds to a log: it can be let go then.
#[derive(Clone, Debug)]
pub struct Part {
    artifact: Value,
    results: Vec<Value>,
}

impl Analyzed<'_> {
    /// Returns what the module adds to a log.
    #[must_use]
    pub fn part(&self) -> Part {
        let keys = baseline::keys(self.report, file_of(self.name));
        let findings = self.report.findings.iter().zip(&keys).enumerate();
        let results = findings.map(|(at, (finding, key))| result(self, at, finding, key));
        Part { artifact: artifact(self), results: results.collect() }
    }
}

/// Returns one SARIF log of all modules: a run, in which each module is an artifact.
#[must_use]
pub fn log(parts: Vec<Part>) -> Value {
    let (mut artifacts, mut results) = (Vec::new(), Vec::new());
    for part in parts {
        artifacts.push(part.artifact);
        results.extend(part.results);
    }
    results.truncate(RESULTS);
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "wasmos",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(descriptor).collect::<Value>(),
            } },
            "artifacts": artifacts,
            "results": results,
        }],
    })
}

/// Returns a file's name without its folder.
#[must_use]
pub fn file_of(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

const fn level(grade: Grade) -> &'static str {
    match grade {
        Grade::Info => "note",
        Grade::Warning => "warning",
        Grade::Severe => "error",
    }
}

fn descriptor(rule: &Rule) -> Value {
    let attack = rule.attack.iter().map(|id| format!("external/mitre/{id}"));
    let tags: Vec<String> =
        ["security".to_owned(), rule.category.name().to_owned()].into_iter().chain(attack).collect();
    let severity = match rule.grade {
        Grade::Severe => "9.1",
        Grade::Warning => "5.0",
        Grade::Info => "1.0",
    };
    json!({
        "id": rule.id,
        "name": rule.title,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.sentence },
        "help": { "text": rule.advice },
        "defaultConfiguration": { "level": level(rule.grade) },
        "properties": { "tags": tags, "security-severity": severity },
    })
}

fn artifact(it: &Analyzed<'_>) -> Value {
    json!({
        "location": { "uri": uri(it.name) },
        "length": it.report.len_bytes,
        "hashes": { "sha-256": it.report.sha256 },
        "roles": ["analysisTarget"],
    })
}

fn result(it: &Analyzed<'_>, at: usize, finding: &Finding, key: &Key) -> Value {
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(it.name) },
            "region": {
                "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1,
                "byteOffset": finding.place.offset, "byteLength": 1,
            },
        },
    });
    if let Some(func) = finding.place.func {
        let name = it.module.func_name(func).map_or_else(|| format!("function {func}"), str::to_owned);
        location["logicalLocations"] = json!([{ "name": name, "kind": "function" }]);
    }
    // A source file of the repository is what a reader opens first; the module stays beside it.
    let source = finding.source.as_ref().filter(|source| is_relative(&source.file));
    let in_module = location.clone();
    if let Some(source) = source {
        location["physicalLocation"] = json!({
            "artifactLocation": { "uri": uri(&source.file) },
            "region": { "startLine": source.line, "startColumn": source.column.max(1) },
        });
    }
    let evidence = finding.evidence.iter().take(4).map(String::as_str).collect::<Vec<_>>().join("; ");
    let text = if evidence.is_empty() {
        finding.message.clone()
    } else {
        format!("{}: {evidence}", finding.message)
    };
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": RULES.iter().position(|rule| rule.id == finding.rule),
        "level": level(finding.grade),
        "message": { "text": text },
        "locations": [location],
        "rank": f64::from(finding.confidence.tenths()) * 10.0,
        "partialFingerprints": { "primaryLocationLineHash": fingerprint(key) },
        "properties": { "points": finding.points, "confidence": finding.confidence.name() },
    });
    if source.is_some() {
        result["relatedLocations"] = json!([in_module]);
    }
    if let Some((compared, reasons)) = it.baseline {
        let state = compared.states.get(at).copied().unwrap_or(State::New);
        result["baselineState"] = json!(if state == State::New { "new" } else { "unchanged" });
        if let State::Suppressed(entry) = state {
            let reason = reasons.get(entry).map_or("", String::as_str);
            result["suppressions"] =
                json!([{ "kind": "external", "status": "accepted", "justification": reason }]);
        }
    }
    result
}

/// Names a finding as a baseline does: indices and offsets move with every build.
fn fingerprint(key: &Key) -> String {
    let spot = match &key.spot {
        Spot::Function(hash) => hash,
        // The address of the artifact says which module it is.
        Spot::File(_) => "",
    };
    format!("{}:{spot}:{}", key.rule, key.ordinal)
}

/// Returns whether a path may be one of the repository that was analysed.
fn is_relative(path: &str) -> bool {
    !path.starts_with(['/', '\\', '<']) && !path.contains("..") && !path.contains(':')
}

/// Returns a relative address: what a scanner takes for a path in its repository.
fn uri(name: &str) -> String {
    let name = name.trim_start_matches(['/', '\\']);
    let mut uri = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte))
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmos_analysis::{Policy, analyze};

    #[test]
    fn every_result_has_what_a_scanner_asks_for() {
        let bytes = wat::parse_str("(module (func $spin (export \"f\") (loop $l (br $l))))").unwrap();
        let module = wasmos_frontend::decode(bytes).and_then(wasmos_frontend::validate).unwrap();
        let report = analyze(&module, &Policy::default());
        let it = Analyzed { name: "/a b/m.wasm", module: &module, report: &report, baseline: None };
        let log = log(vec![it.part()]);
        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert!(results.iter().any(|result| result["ruleId"] == "L001" && result["level"] == "warning"));
        for result in results {
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "a%20b/m.wasm");
            assert_eq!(place["region"]["startLine"], 1);
            let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        }
        let prints: std::collections::BTreeSet<_> =
            results.iter().map(|result| result["partialFingerprints"].to_string()).collect();
        assert_eq!(prints.len(), results.len());
    }
}

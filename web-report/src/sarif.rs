//! Reports as SARIF 2.1.0, as code scanners read it.
//!
//! Source: OASIS SARIF 2.1.0, and what GitHub requires of an upload: every result has a physical location with a line, a
//! relative address and a message. A module has no lines; line 1 stands for it, and the byte offset beside it is the truth.

use serde_json::{Value, json};
use wasmos_analysis::finding::Finding;
use wasmos_analysis::report::hex;
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
}

/// Returns one SARIF log of all modules.
#[must_use]
pub fn log(modules: &[Analyzed<'_>]) -> Value {
    let results =
        modules.iter().flat_map(|it| it.report.findings.iter().map(move |finding| result(it, finding)));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "wasmos",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(descriptor).collect::<Value>(),
            } },
            "artifacts": modules.iter().map(artifact).collect::<Value>(),
            "results": results.take(RESULTS).collect::<Value>(),
        }],
    })
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

fn result(it: &Analyzed<'_>, finding: &Finding) -> Value {
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
    let evidence = finding.evidence.iter().take(4).map(String::as_str).collect::<Vec<_>>().join("; ");
    let text = if evidence.is_empty() {
        finding.message.clone()
    } else {
        format!("{}: {evidence}", finding.message)
    };
    json!({
        "ruleId": finding.rule,
        "ruleIndex": RULES.iter().position(|rule| rule.id == finding.rule),
        "level": level(finding.grade),
        "message": { "text": text },
        "locations": [location],
        "rank": f64::from(finding.confidence.tenths()) * 10.0,
        "partialFingerprints": { "primaryLocationLineHash": fingerprint(it, finding) },
        "properties": { "points": finding.points, "confidence": finding.confidence.name() },
    })
}

/// Names a finding by its rule, the normalised hash of its function, and which of the rule's findings there it is: indices and
/// offsets move with every build.
fn fingerprint(it: &Analyzed<'_>, finding: &Finding) -> String {
    let hash_of = |finding: &Finding| {
        let func = finding.place.func?;
        let known = it.report.functions.iter().find(|known| known.func == func)?;
        Some(known.hash)
    };
    let hash = hash_of(finding);
    let same = it.report.findings.iter().take_while(|other| !std::ptr::eq(*other, finding));
    let ordinal = same.filter(|other| other.rule == finding.rule && hash_of(other) == hash).count();
    let hash = hash.map_or_else(String::new, |hash| hex(&hash.0));
    format!("{}:{hash}:{ordinal}", finding.rule)
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
        let log = log(&[Analyzed { name: "/a b/m.wasm", module: &module, report: &report }]);
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

//! The report as JSON: the keys of `analyze --json`. Keys are only ever added within a schema version.

use serde_json::{Value, json};
use wasmos_analysis::baseline::Compared;
use wasmos_analysis::cost::Bound;
use wasmos_analysis::embedded::{Embedded, Judged};
use wasmos_analysis::finding::Finding;
use wasmos_analysis::imports::ImportFacts;
use wasmos_analysis::report::{Cost, rule};
use wasmos_analysis::{Report, Verdict};
use wasmos_frontend::ValidModule;

/// Version of the keys.
pub const SCHEMA_VERSION: u32 = 1;

/// Returns a report as one JSON object; `module` gives functions their names, `baseline` findings their states.
#[must_use]
pub fn report(module: &ValidModule, report: &Report, baseline: Option<&Compared>) -> Value {
    let state = |at: usize| baseline.and_then(|it| it.states.get(at)).map(|state| state.name());
    let findings = report.findings.iter().enumerate();
    json!({
        "schema_version": SCHEMA_VERSION,
        "grade": report.verdict.name(),
        "score": report.score.total,
        "score_by_category": report.score.categories.iter().map(|it| json!({
            "category": it.category.name(),
            "points": it.points,
            "counted": it.counted,
        })).collect::<Value>(),
        "verdict_id": report.verdict_id,
        "module": { "sha256": report.sha256, "size_bytes": report.len_bytes },
        "baseline": baseline.map(|it| json!({
            "suppressed": it.n_suppressed(),
            "grade": it.verdict(report).name(),
        })),
        "findings": findings.map(|(at, it)| finding(module, it, state(at))).collect::<Value>(),
        "imports": report.imports.iter().map(import).collect::<Value>(),
        "profile": {
            "grants": report.profile.grants.iter().map(|it| it.name()).collect::<Value>(),
            "unknown_imports": report.profile.n_unknown,
        },
        "embedded": report.embedded.iter().map(embedded).collect::<Value>(),
        "cost": report.cost.iter().map(cost).collect::<Value>(),
        "provenance": {
            "language": report.provenance.language,
            "allocator": report.provenance.allocator,
            "producers": report.provenance.claims.iter().map(|it| json!([it.field, it.value])).collect::<Value>(),
        },
        "coverage": {
            "complete": report.verdict != Verdict::Unknown && report.coverage.is_complete(),
            "functions": report.coverage.n_funcs,
            "reachable": report.coverage.n_reachable,
            "skipped": report.coverage.n_skipped,
            "indirect_calls": report.coverage.n_indirect,
            "host_mutable_calls": report.coverage.n_host_mutable,
            "bounded_functions": report.coverage.n_bounded,
        },
    })
}

fn finding(module: &ValidModule, finding: &Finding, baseline: Option<&str>) -> Value {
    let rule = rule(finding.rule);
    json!({
        "rule": finding.rule,
        "title": rule.map(|rule| rule.title),
        "category": rule.map(|rule| rule.category.name()),
        "grade": finding.grade.name(),
        "confidence": finding.confidence.name(),
        "points": finding.points,
        "message": finding.message,
        "function": finding.place.func.map(|func| json!({ "index": func.0, "name": module.func_name(func) })),
        "offset": finding.place.offset,
        "source": finding.source.as_ref().map(|source| json!({
            "file": source.file,
            "line": source.line,
            "column": source.column,
        })),
        "evidence": finding.evidence,
        "advice": rule.map(|rule| rule.advice),
        "remedy": finding.remedy,
        "attack": rule.map(|rule| rule.attack),
        "baseline": baseline,
    })
}

fn import(import: &ImportFacts) -> Value {
    json!({
        "module": import.module,
        "name": import.name,
        "kind": import.kind.noun(),
        "type": import.ty,
        "class": import.class.name(),
        "platform": import.platform,
        "capability": import.capability.map(|capability| capability.name()),
        "also": import.also.map(|capability| capability.name()),
        "declared": true,
        "reachable": import.reachable,
    })
}

fn embedded(it: &Embedded) -> Value {
    let (sha256, grade, score, rules) = match &it.judged {
        Judged::Done { sha256, verdict, score, rules } => {
            (Some(sha256), Some(verdict.name()), Some(score), &rules[..])
        }
        Judged::Refused | Judged::OverBudget => (None, None, None, &[][..]),
    };
    json!({
        "offset": it.at,
        "size_bytes": it.len_bytes,
        "sha256": sha256,
        "grade": grade,
        "score": score,
        "rules": rules,
        "message": it.judged.sentence(),
    })
}

fn cost(cost: &Cost) -> Value {
    let kind = match &cost.bound {
        Bound::Fuel { terms, .. } if terms.is_empty() => "constant",
        Bound::Fuel { .. } => "linear",
        Bound::Unbounded(_) => "unbounded",
    };
    json!({
        "function": cost.func.0,
        "export": cost.export,
        "kind": kind,
        "fuel": cost.bound.constant(),
        "bound": cost.bound.to_string(),
    })
}

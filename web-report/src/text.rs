//! The report as a screen that a person can take in: the verdict, why, what the module may be given, what it may cost.

use std::io::{self, Write};

use wasmos_analysis::baseline::Compared;
use wasmos_analysis::cost::Bound;
use wasmos_analysis::finding::Finding;
use wasmos_analysis::report::rule;
use wasmos_analysis::{Grade, Report, Verdict};
use wasmos_frontend::ValidModule;

use crate::shown::{Escaped, columns, counted, fit, grouped};

/// Findings that are written out; of a rule, the first.
const FINDINGS: usize = 12;
/// Pieces of evidence that are shown of a finding.
const EVIDENCE: usize = 4;
/// Exports whose cost is shown.
const COSTS: usize = 5;

/// Writes a report; `name` is the file's, escaped already. What `baseline` accepts is counted and not shown.
///
/// # Errors
/// What the writer fails with.
pub fn report(
    out: &mut dyn Write,
    name: &str,
    module: &ValidModule,
    report: &Report,
    baseline: Option<&Compared>,
) -> io::Result<()> {
    let total = report.score.total;
    wrapped(out, "", &format!("{name}: {}, score {total} of 100", marked(report.verdict)))?;
    if let Some(compared) = baseline {
        let suppressed = counted(compared.n_suppressed() as u64, "finding");
        let rest = marked(compared.verdict(report));
        writeln!(out, "  {suppressed} suppressed by baseline; without: {rest}")?;
    }
    let coverage = &report.coverage;
    writeln!(
        out,
        "  {} bytes, {} of {} reachable{}",
        grouped(report.len_bytes),
        grouped(u64::from(coverage.n_reachable)),
        counted(u64::from(coverage.n_funcs), "function"),
        if coverage.is_complete() { "" } else { "; not all of it could be looked at" },
    )?;
    if !report.provenance.language.is_empty() {
        writeln!(out, "  written in {}", report.provenance.language)?;
    }
    let active: Vec<&Finding> = match baseline {
        Some(compared) => compared.active(report).collect(),
        None => report.findings.iter().collect(),
    };
    findings(out, module, &active)?;
    profile(out, report)?;
    costs(out, report)?;
    writeln!(out, "  verdict {}", report.verdict_id)
}

/// Returns a verdict as a word with its mark.
fn marked(verdict: Verdict) -> String {
    let mark = match verdict {
        Verdict::Ok => "●",
        Verdict::Unknown => "?",
        Verdict::Warning => "▲",
        Verdict::Severe => "■",
    };
    format!("{mark} {}", verdict.name().to_uppercase())
}

fn findings(out: &mut dyn Write, module: &ValidModule, active: &[&Finding]) -> io::Result<()> {
    let mut shown: Vec<&Finding> = Vec::new();
    for &finding in active {
        // The finding that carries a rule's points speaks for the rule.
        match shown.iter_mut().find(|other| other.rule == finding.rule) {
            Some(other) if (finding.grade, finding.points) > (other.grade, other.points) => *other = finding,
            Some(_) => {}
            None => shown.push(finding),
        }
    }
    shown.sort_by_key(|it| (std::cmp::Reverse((it.grade, it.points)), it.rule));
    let n_all = shown.len();
    for it in shown.into_iter().take(FINDINGS) {
        finding(out, module, active, it)?;
    }
    if n_all > FINDINGS {
        writeln!(out, "\n  {} more rules have something to say; --json has it all", n_all - FINDINGS)?;
    }
    Ok(())
}

fn finding(out: &mut dyn Write, module: &ValidModule, active: &[&Finding], it: &Finding) -> io::Result<()> {
    let places = active.iter().filter(|other| other.rule == it.rule).count();
    let title = rule(it.rule).map_or("", |rule| rule.title);
    writeln!(out, "\n  {} {} +{} {title}", it.rule, it.grade, it.points)?;
    let mut message = it.message.clone();
    if let Some(func) = it.place.func {
        message += &format!(", in function {func}");
        if let Some(name) = module.func_name(func) {
            message += &format!(" {}", Escaped::new(name));
        }
    }
    if it.place.offset > 0 {
        message += &format!(" at offset {:#x}", it.place.offset);
    }
    if let Some(source) = &it.source {
        message += &format!(", {}:{}", Escaped::new(&source.file), source.line);
    }
    if places > 1 {
        message += &format!(" ({places} places)");
    }
    wrapped(out, "    ", &message)?;
    for evidence in it.evidence.iter().take(EVIDENCE) {
        wrapped(out, "    - ", &Escaped::new(evidence).to_string())?;
    }
    match rule(it.rule).filter(|_| it.grade > Grade::Info) {
        Some(rule) => wrapped(out, "    advice: ", rule.advice),
        None => Ok(()),
    }
}

/// Width of the screen in columns.
const WIDTH: usize = 80;

/// Writes a text, escaped already, in lines that fit the screen; those behind the first stand under its text.
fn wrapped(out: &mut dyn Write, indent: &str, text: &str) -> io::Result<()> {
    let width = WIDTH - columns(indent);
    let mut line = String::new();
    let mut indent = indent.to_owned();
    for word in text.split(' ') {
        if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
            writeln!(out, "{indent}{line}")?;
            indent = " ".repeat(WIDTH - width);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&fit(word, width));
    }
    writeln!(out, "{indent}{line}")
}

fn profile(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let grants: Vec<_> = report.profile.grants.iter().map(|it| it.name()).collect();
    let grants = if grants.is_empty() { "nothing".to_owned() } else { grants.join(", ") };
    let unknown = match report.profile.n_unknown {
        0 => String::new(),
        n => format!("; and {} that no run links", counted(n as u64, "import")),
    };
    writeln!(out)?;
    wrapped(out, "  needs: ", &format!("{grants}{unknown}"))
}

fn costs(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let bounded = report.cost.iter().filter(|cost| matches!(cost.bound, Bound::Fuel { .. }));
    let n = bounded.clone().count();
    writeln!(out, "  fuel: {n} of {} with a bound", counted(report.cost.len() as u64, "exported function"))?;
    for cost in bounded.take(COSTS) {
        wrapped(out, "    ", &format!("{}: at most {}", Escaped::new(&cost.export), cost.bound))?;
    }
    Ok(())
}

//! Findings, one entry for each rule: what it says, where, what it rests on, and what would take its points away.

use maud::{Markup, html};
use wasmos_analysis::finding::Finding;
use wasmos_analysis::report::rule;
use wasmos_analysis::{Grade, Report};
use wasmos_frontend::types::FuncIdx;

use crate::html::code::is_drawn;
use crate::html::table::{none, of, offset, table};
use crate::html::{Page, badge, guest};

/// Places of a rule that are listed, and pieces of evidence of one.
const PLACES: usize = 40;
const EVIDENCE: usize = 8;

/// The findings of one rule.
pub(super) struct Group<'r> {
    /// The one that carries the points.
    pub(super) speaker: &'r Finding,
    pub(super) places: Vec<&'r Finding>,
}

/// Groups findings by rule, the worst first.
pub(super) fn by_rule(report: &Report) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for finding in &report.findings {
        match groups.iter_mut().find(|group| group.speaker.rule == finding.rule) {
            Some(group) => {
                let speaker = group.speaker;
                if (finding.grade, finding.points) > (speaker.grade, speaker.points) {
                    group.speaker = finding;
                }
                group.places.push(finding);
            }
            None => groups.push(Group { speaker: finding, places: vec![finding] }),
        }
    }
    groups.sort_by_key(|it| (std::cmp::Reverse((it.speaker.grade, it.speaker.points)), it.speaker.rule));
    groups
}

pub(super) fn section(page: &Page<'_>, drawn: &[FuncIdx]) -> Markup {
    let groups = by_rule(page.report);
    html! { section aria-labelledby="findings" {
        h2 id="findings" { "Findings" }
        @if groups.is_empty() { (none("No rule has anything to say.")) } @else {
            (filter())
            @for group in &groups { (entry(page, group, drawn)) }
        }
    } }
}

fn filter() -> Markup {
    html! { form.filter id="filter" data-script hidden {
        fieldset {
            legend { "Show" }
            @for grade in Grade::ALL.iter().rev() {
                label { input type="checkbox" name="grade" value=(grade.name()) checked; (grade.name()) }
            }
        }
        label for="filter-text" { "Containing" }
        input type="search" id="filter-text" autocomplete="off";
        span id="filter-count" role="status" {}
    } }
}

fn entry(page: &Page<'_>, group: &Group<'_>, drawn: &[FuncIdx]) -> Markup {
    let it = group.speaker;
    let Some(rule) = rule(it.rule) else { return html! {} };
    html! { article class=(it.grade.name()) id=(format_args!("rule-{}", it.rule)) data-grade=(it.grade.name()) {
        h3 { (badge(it.grade)) span { (it.rule) " · " (rule.title) } }
        p { (sentence(&it.message)) }
        p.meta {
            (of(it.points as usize, "point")) " · category " (rule.category.name()) " · confidence " (it.confidence.name())
            @if !rule.attack.is_empty() { " · ATT&CK " (rule.attack.join(", ")) }
        }
        @if let [only] = *group.places { (alone(page, only, drawn)) }
        @else { (places(page, group, drawn)) }
        @if it.grade > Grade::Info { p { strong { "Advice: " } (rule.advice) } }
        @if it.points > 0 { p { strong { "What would take the points away: " } (it.remedy) "." } }
    } }
}

/// Makes a sentence of a message.
fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).chain(['.']).collect()
}

fn alone(page: &Page<'_>, it: &Finding, drawn: &[FuncIdx]) -> Markup {
    html! {
        @if it.place.func.is_some() || it.place.offset > 0 {
            p { "In " (place(page, it, drawn)) @if it.place.offset > 0 { " at offset " code { (format_args!("{:#x}", it.place.offset)) } }
                @if let Some(ran) = ran(page, it) { " · " (ran) } }
        }
        @if !it.evidence.is_empty() { ul { (evidence(it)) } }
    }
}

fn evidence(it: &Finding) -> Markup {
    html! {
        @for text in it.evidence.iter().take(EVIDENCE) { li { (guest(text)) } }
        @if it.evidence.len() > EVIDENCE { li { "and " (it.evidence.len() - EVIDENCE) " more" } }
    }
}

fn places(page: &Page<'_>, group: &Group<'_>, drawn: &[FuncIdx]) -> Markup {
    let rows: Vec<_> = group
        .places
        .iter()
        .take(PLACES)
        .map(|it| {
            html! {
                th scope="row" { (place(page, it, drawn)) } (offset(it.place.offset))
                td.wide { (it.message) @if !it.evidence.is_empty() { ul { (evidence(it)) } } }
                @if page.run.is_some() { td { (ran(page, it).unwrap_or_default()) } }
            }
        })
        .collect();
    let name = format!("Where {} holds", group.speaker.rule);
    let heads = ["Place", "#Offset", "What", "In the run"];
    let heads = if page.run.is_some() { &heads[..] } else { &heads[..3] };
    html! { details { summary { (of(group.places.len(), "place")) } (table(&name, heads, &rows, group.places.len())) } }
}

fn place(page: &Page<'_>, it: &Finding, drawn: &[FuncIdx]) -> Markup {
    html! { @match it.place.func {
        Some(func) if is_drawn(drawn, func) => { a href=(format_args!("#function-{func}")) { (page.func_name(func)) } }
        Some(func) => { (page.func_name(func)) }
        None => { "the module" }
    } }
}

/// Says whether what a finding points at ran.
fn ran(page: &Page<'_>, it: &Finding) -> Option<&'static str> {
    let (run, func) = (page.run?, it.place.func?);
    Some(match run.ran_at(page.facts.module, func, it.place.offset) {
        true => "● ran",
        false if it.grade > Grade::Info => "○ suspicious, but it never ran",
        false => "○ never ran",
    })
}

//! What a person reads first: the verdict and why, how much of the module was looked at, and what it may be given.

use maud::{Markup, html};
use wasmos_analysis::finding::Finding;
use wasmos_analysis::report::rule;
use wasmos_analysis::{Grade, Report, Verdict};

use crate::html::table::{number, of, table};
use crate::html::{Page, badge, findings, verdict_badge};
use crate::shown::{counted, grouped};

/// Reasons that are given beside the verdict.
const REASONS: usize = 3;

pub(super) fn verdict(page: &Page<'_>) -> Markup {
    let report = page.report;
    let reasons: Vec<&Finding> = findings::by_rule(report).into_iter().map(|group| group.speaker).collect();
    let reasons: Vec<_> = reasons.into_iter().filter(|it| it.grade > Grade::Info || it.points > 0).collect();
    html! { section id="verdict" tabindex="-1" aria-label="Verdict" {
        div.verdict {
            (verdict_badge(report.verdict))
            strong { (meaning(report.verdict)) }
            span { "Score " (report.score.total) " of 100" }
        }
        @if reasons.is_empty() {
            p { "No rule has anything to say against it." }
        } @else {
            ol.reasons { @for it in reasons.iter().take(REASONS) { li {
                (badge(it.grade)) " "
                a href=(format_args!("#rule-{}", it.rule)) { (rule(it.rule).map_or(it.rule, |rule| rule.title)) }
                ": " (it.message) " (" (counted(it.points.into(), "point")) ")"
            } } }
            @if reasons.len() > REASONS {
                p { (of(reasons.len() - REASONS, "reason")) " more: see the " a href="#findings" { "findings" } "." }
            }
        }
        (facts(page))
        (score(report))
    } }
}

const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "Nothing that needs a look.",
        Verdict::Unknown => "Not all of it could be looked at: that is not OK.",
        Verdict::Warning => "Worth a look before it is used.",
        Verdict::Severe => "Not to be used.",
    }
}

fn facts(page: &Page<'_>) -> Markup {
    let (report, coverage) = (page.report, &page.report.coverage);
    let language =
        if report.provenance.language.is_empty() { "not known" } else { report.provenance.language };
    html! { dl.facts {
        div { dt { "Size" } dd { (grouped(report.len_bytes)) " bytes" } }
        div { dt { "Written in" } dd { (language) } }
        div { dt { "Functions that the host can make run" } dd {
            (grouped(coverage.n_reachable.into())) " of " (grouped(coverage.n_funcs.into()))
        } }
        div { dt { "Looked at" } dd {
            @if coverage.is_complete() { "every function" }
            @else { "all but " (of(coverage.n_skipped as usize, "function")) }
        } }
        div { dt { "Indirect calls" } dd {
            (grouped(coverage.n_indirect.into()))
            @if coverage.n_host_mutable > 0 {
                ", the host can redirect " (grouped(coverage.n_host_mutable.into()))
            }
        } }
        div { dt { "Functions with a bound of fuel" } dd {
            (grouped(coverage.n_bounded.into())) " of " (grouped(coverage.n_funcs.into()))
        } }
        div { dt { "SHA-256" } dd { code { (report.sha256) } } }
        div { dt { "Verdict id" } dd { code { (report.verdict_id) } } }
    } }
}

fn score(report: &Report) -> Markup {
    let rows = report.score.categories.iter().map(|it| {
        html! {
            th scope="row" { (it.category.name()) }
            (number(it.points)) (number(it.category.cap())) (number(it.counted))
            td { (bar(it.counted, it.category.cap())) }
        }
    });
    let rows: Vec<_> = rows.collect();
    let heads = ["Category", "#Points", "#At most", "#Counted", "Share"];
    table("Where the score comes from", &heads, &rows, rows.len())
}

/// A bar beside the number that it shows: decoration for who sees it.
fn bar(part: u32, all: u32) -> Markup {
    let width = 160 * u64::from(part.min(all)) / u64::from(all.max(1));
    html! { svg.bar viewBox="0 0 160 12" preserveAspectRatio="none" aria-hidden="true" {
        rect.all x="0" y="0" width="160" height="12" {}
        rect.part x="0" y="0" width=(width) height="12" {}
    } }
}

/// The least-privilege profile, as a list and as the file that a run takes.
pub(super) fn profile(report: &Report) -> Markup {
    let profile = &report.profile;
    let needs = |grant| profile.needs.iter().filter(move |need| need.capability == grant);
    let rows: Vec<_> = profile
        .grants
        .iter()
        .map(|grant| {
            html! {
                th scope="row" { (grant.name()) }
                td.wide { (grant.sentence()) }
                td { @for (at, need) in needs(*grant).enumerate() {
                    @if at > 0 { ", " } code { (need.name) } @if !need.reachable { " (declared only)" }
                } }
            }
        })
        .collect();
    html! { section aria-labelledby="profile" {
        h2 id="profile" { "Capability profile" }
        @if rows.is_empty() {
            p { "It needs nothing that a run must grant." }
        } @else {
            p { "The least that a run must grant for the module to link, and nothing more." }
        }
        (table("What it may be given", &["Capability", "What it allows", "Asked for by"], &rows, rows.len()))
        @if profile.n_unknown > 0 {
            p { (of(profile.n_unknown, "import")) " of it no run links: see the " a href="#imports" { "imports" } "." }
        }
        p { "As a file for " code { "wasmos run --grants FILE" } ":" }
        div.tools data-script hidden {
            button type="button" data-copy="profile-toml" { "Copy the profile" }
            span role="status" {}
        }
        pre id="profile-toml" tabindex="0" { (profile.to_toml()) }
    } }
}

//! What a run did, beside what the analysis had said of it.

use maud::{Markup, html};
use wasmos_analysis::run_facts::{RunFacts, Usage};

use crate::html::table::{number, table};
use crate::html::{Page, guest, guest_bytes};
use crate::shown::{counted, grouped};

/// Rows of each list.
const ROWS: usize = 200;

pub(super) fn section(page: &Page<'_>, run: &RunFacts) -> Markup {
    let mark = if run.is_fine { "● " } else { "▲ " };
    html! { section aria-labelledby="happened" {
        h2 id="happened" { "What happened" }
        p { strong { (mark) (run.ending.replace('_', " ")) } }
        @for sentence in &run.sentences { p { (sentence) } }
        (usage(&run.usage))
        (reached(page, run))
        (host_calls(page, run))
        (happened(run))
    } }
}

fn usage(usage: &[Usage]) -> Markup {
    let rows: Vec<_> = usage
        .iter()
        .map(|it| {
            html! {
                th scope="row" { (it.what) } (number(it.used))
                td.n { @match it.limit { Some(limit) => (grouped(limit)), None => "no limit" } }
                td.n { @if let Some(limit) = it.limit { (percent(it.used, limit)) } }
            }
        })
        .collect();
    table("What it used", &["Of", "#Used", "#Limit", "#Share"], &rows, rows.len())
}

fn percent(part: u64, all: u64) -> String {
    let tenths = u128::from(part) * 1_000 / u128::from(all.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// How much of the code ran, and whether the call graph had thought so.
fn reached(page: &Page<'_>, run: &RunFacts) -> Markup {
    let n_entered = run.counts.funcs().count() as u64;
    let n_reachable = page.report.coverage.n_reachable;
    let unforeseen = run.counts.funcs().filter(|func| !page.facts.graph.is_reachable(*func)).count() as u64;
    html! {
        p {
            (counted(n_entered, "function")) " of the " (grouped(n_reachable.into())) " that the host can make run were entered."
            " What did not run may run another time, with other input."
        }
        @if unforeseen > 0 {
            p { "▲ " (counted(unforeseen, "function")) " ran that the analysis had thought out of reach: please report it." }
        }
    }
}

fn host_calls(page: &Page<'_>, run: &RunFacts) -> Markup {
    let rows: Vec<_> = run
        .host_calls
        .iter()
        .take(ROWS)
        .map(|it| {
            let import = page
                .report
                .imports
                .iter()
                .find(|import| import.module == it.module && import.name == it.name);
            html! {
                th scope="row" { (guest(&it.module)) " " (guest(&it.name)) }
                (number(it.count))
                td { @if let Some(import) = import { (import.class.name()) } }
            }
        })
        .collect();
    let unused = page.report.imports.iter().filter(|it| it.func.is_some() && it.reachable);
    let n_unused = unused.filter(|it| run.n_calls(&it.module, &it.name) == 0).count() as u64;
    html! {
        (table("Calls of the host", &["Function", "#Calls", "What it allows"], &rows, run.host_calls.len()))
        @if n_unused > 0 { p { (counted(n_unused, "import")) " that code could call was not called in this run." } }
    }
}

fn happened(run: &RunFacts) -> Markup {
    let rows: Vec<_> = run
        .happened
        .iter()
        .take(ROWS)
        .map(|it| {
            html! {
                (number(it.fuel)) th scope="row" { (it.what) }
                td.wide { (guest_bytes(&it.text)) }
            }
        })
        .collect();
    let n_all = run.happened.len() + usize::try_from(run.n_forgotten).unwrap_or(usize::MAX);
    table("What was refused or told", &["#Fuel used", "What", "Text"], &rows, n_all)
}

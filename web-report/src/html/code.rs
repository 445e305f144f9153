//! Functions: a table of those that findings are in and of the largest, and drawings of those that a person looks at first.

use std::cmp::Reverse;

use maud::{Markup, html};
use wasmos_analysis::cost::Bound;
use wasmos_analysis::finding::Finding;
use wasmos_analysis::loops::Loops;
use wasmos_analysis::report::FuncReport;
use wasmos_analysis::{Cfg, Grade};
use wasmos_frontend::types::FuncIdx;

use crate::html::table::{none, number, of, offset, scroll, table, yes_no};
use crate::html::{Page, guest};
use crate::shown::{Escaped, fit, grouped};
use crate::svg::{Drawing, MAX_ROWS};

/// Functions that are listed; functions that are drawn; boxes that drawings have together.
const LISTED: usize = 150;
const DRAWN: usize = 16;
const BOXES: usize = 1_200;
/// Drawings that stand open when the page is opened.
const OPEN: usize = 2;

/// Chooses the functions that are drawn: those with the worst findings, those that ran, those with loops, the largest. The
/// list ascends.
pub(super) fn drawn(page: &Page<'_>) -> Vec<FuncIdx> {
    let worst = |func| findings_in(page, func).map(|it| (it.grade, it.points)).max();
    let mut order: Vec<&FuncReport> = page.report.functions.iter().filter(|it| it.n_blocks > 0).collect();
    let rank = |it: &&FuncReport| {
        let ran = page.run.is_some_and(|run| run.counts.entered(it.func));
        let worst = worst(it.func).filter(|(grade, _)| *grade > Grade::Info);
        (Reverse((worst, ran, it.reachable, it.n_loops > 0, it.len_bytes)), it.func)
    };
    order.sort_by_cached_key(rank);
    let mut boxes_left = BOXES;
    let mut drawn = Vec::new();
    for it in order {
        let boxes = (it.n_blocks as usize).min(MAX_ROWS);
        if drawn.len() < DRAWN && boxes <= boxes_left {
            boxes_left -= boxes;
            drawn.push(it.func);
        }
    }
    drawn.sort_unstable();
    drawn
}

pub(super) fn is_drawn(drawn: &[FuncIdx], func: FuncIdx) -> bool {
    drawn.binary_search(&func).is_ok()
}

fn findings_in<'p>(page: &'p Page<'_>, func: FuncIdx) -> impl Iterator<Item = &'p Finding> {
    page.report.findings.iter().filter(move |it| it.place.func == Some(func))
}

pub(super) fn section(page: &Page<'_>, drawn: &[FuncIdx]) -> Markup {
    let n_all = page.report.coverage.n_funcs as usize;
    html! { section aria-labelledby="functions" {
        h2 id="functions" { "Functions" }
        @if n_all == 0 { (none("The module has no code.")) } @else {
            (costs(page))
            h3 { "Control flow" }
            p {
                "Blocks stand in the order of the code; a band is a loop, an edge on its left goes back to its start. "
                (of(drawn.len(), "function")) " of " (grouped(n_all as u64)) " are drawn: those with findings first, then those with loops, then the largest."
            }
            div.tools data-script hidden { button type="button" id="open-all" { "Open or close all drawings" } }
            @for (at, func) in drawn.iter().enumerate() { (drawing(page, *func, at < OPEN)) }
            details { summary { "Functions with findings, and the largest" } (list(page, drawn, n_all)) }
        }
    } }
}

fn list(page: &Page<'_>, drawn: &[FuncIdx], n_all: usize) -> Markup {
    let rows: Vec<_> = page.report.functions.iter().take(LISTED).map(|it| row(page, drawn, it)).collect();
    let heads = [
        "Function",
        "#Offset",
        "#Bytes",
        "#Blocks",
        "#Loops",
        "#Calls",
        "Reachable",
        "Fuel of a call, at most",
        "Findings",
        "In the run",
    ];
    let heads = if page.run.is_some() { &heads[..] } else { &heads[..9] };
    table("Functions with findings, and the largest", heads, &rows, n_all)
}

fn row(page: &Page<'_>, drawn: &[FuncIdx], it: &FuncReport) -> Markup {
    let mut rules: Vec<_> = findings_in(page, it.func).map(|finding| finding.rule).collect();
    rules.dedup();
    html! {
        th scope="row" {
            @if is_drawn(drawn, it.func) { a href=(format_args!("#function-{}", it.func)) { (page.func_name(it.func)) } }
            @else { (page.func_name(it.func)) }
        }
        (offset(it.offset)) (number(it.len_bytes)) (number(it.n_blocks)) (number(it.n_loops)) (number(it.n_calls))
        td { (yes_no(it.reachable, ["yes", "no"])) }
        td { @if let Some(bound) = page.facts.bounds.get(it.func.index()) { (bound) } }
        td { @for (at, rule) in rules.iter().enumerate() {
            @if at > 0 { " " } a href=(format_args!("#rule-{rule}")) { (rule) }
        } }
        @if let Some(run) = page.run { td { (yes_no(run.counts.entered(it.func), ["ran", "never ran"])) } }
    }
}

/// Exports whose bound is listed.
const COSTS: usize = 50;

fn costs(page: &Page<'_>) -> Markup {
    let costs = &page.report.cost;
    let mut order: Vec<_> = costs.iter().collect();
    order.sort_by_key(|it| matches!(it.bound, Bound::Unbounded(_)));
    let rows: Vec<_> = order
        .iter()
        .take(COSTS)
        .map(|it| html! { th scope="row" { (guest(&it.export)) } td.wide { (it.bound) } })
        .collect();
    html! {
        @if !rows.is_empty() {
            h3 { "What a call of an export costs" }
            p { "A bound holds for every run: " code { "p0" } " is the first argument. A run with that much fuel never stops for want of it." }
        }
        (table("Upper bounds of fuel by export", &["Export", "Fuel, at most"], &rows, costs.len()))
    }
}

fn drawing(page: &Page<'_>, func: FuncIdx, open: bool) -> Markup {
    let module = page.facts.module;
    let body = func.0.checked_sub(module.n_imported_funcs).and_then(|at| module.bodies.get(at as usize));
    let Some(body) = body else { return html! {} };
    let cfg = Cfg::build(module, *body);
    let loops = Loops::find(&cfg);
    let counts = page.run.map(|run| run.counts.blocks(func, &cfg));
    let title = match module.func_name(func) {
        Some(name) => format!("function {func}, {name}"),
        None => format!("function {func}"),
    };
    let drawing = Drawing { title: &title, cfg: &cfg, loops: &loops, executed: counts.as_deref() };
    let name = format!("Drawing of {}", fit(&Escaped::new(&title).to_string(), 80));
    let table_name = format!("Blocks of function {func}");
    html! { section.function id=(format_args!("function-{func}")) aria-label=(fit(&Escaped::new(&title).to_string(), 80)) {
        details.drawn open[open] {
            summary { (page.func_name(func)) " · " (drawing.description()) }
            div.drawing role="region" aria-label=(name) tabindex="0" { (drawing.svg()) }
            details { summary { "The same as a table" } (scroll(&table_name, &drawing.table())) }
        }
    } }
}

//! Who calls the functions that are drawn and whom they call, two calls far; and the cycles of calls.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{Markup, html};
use wasmos_analysis::callgraph::Reason;
use wasmos_frontend::types::FuncIdx;

use crate::html::table::{none, number, of, table};
use crate::html::{Page, guest};
use crate::shown::{Escaped, fit};

/// Functions whose neighbours are drawn, boxes of a column, and edges that are looked at for one column.
const DRAWN: usize = 8;
const COLUMN: usize = 8;
const LOOKED_AT: usize = 512;
/// Cycles that are listed, and functions of one; neighbours that a table names.
const CYCLES: usize = 20;
const NAMED: usize = 12;

const BOX_WIDTH: u32 = 168;
const BOX_HEIGHT: u32 = 26;
const COLUMN_WIDTH: u32 = 228;
const ROW_HEIGHT: u32 = 36;
const MARGIN: u32 = 12;

pub(super) fn section(page: &Page<'_>, drawn: &[FuncIdx]) -> Markup {
    let graph = &page.facts.graph;
    let selected = selected(page, drawn);
    html! { section aria-labelledby="calls" {
        h2 id="calls" { "Calls" }
        p {
            (of(graph.roots.len(), "function")) " can be called by the host. Each edge of the graph has a reason; an indirect call \
            leads to all that its type, its index and its table allow."
        }
        (reasons(page))
        (cycles(page))
        @if selected.is_empty() { (none("No function calls another one.")) } @else {
            h3 { "Neighbours" }
            p { "Callers on the left, callees on the right, two calls far. A dashed box is an import." }
            @for (at, func) in selected.iter().enumerate() { (neighbours(page, *func, at == 0)) }
        }
    } }
}

/// The functions that are drawn and have neighbours.
fn selected(page: &Page<'_>, drawn: &[FuncIdx]) -> Vec<FuncIdx> {
    let graph = &page.facts.graph;
    let lonely =
        |func: &FuncIdx| graph.callers(*func).next().is_none() && graph.callees(*func).next().is_none();
    drawn.iter().copied().filter(|func| !lonely(func)).take(DRAWN).collect()
}

fn reasons(page: &Page<'_>) -> Markup {
    let mut counts: BTreeMap<Reason, u64> = BTreeMap::new();
    for call in &page.facts.graph.indirect {
        *counts.entry(call.reason).or_default() += 1;
    }
    let rows: Vec<_> = counts
        .iter()
        .map(|(reason, n)| html! { th scope="row" { (reason.sentence()) } (number(*n)) })
        .collect();
    table("Indirect calls, by why their edges are there", &["Reason", "#Calls"], &rows, rows.len())
}

fn cycles(page: &Page<'_>) -> Markup {
    let mut all: Vec<_> = page.facts.graph.cycles().collect();
    all.sort_by_key(|funcs| (std::cmp::Reverse(funcs.len()), funcs.first().copied()));
    let rows: Vec<_> = all
        .iter()
        .take(CYCLES)
        .map(|funcs| {
            html! {
                (number(funcs.len() as u64))
                td.wide { (names(page, funcs)) }
            }
        })
        .collect();
    html! {
        @if !rows.is_empty() { h3 { "Cycles of calls" } }
        (table("Functions that may come to call themselves", &["#Functions", "Which"], &rows, all.len()))
    }
}

fn names(page: &Page<'_>, funcs: &[FuncIdx]) -> Markup {
    html! {
        @for (at, func) in funcs.iter().take(NAMED).enumerate() { @if at > 0 { ", " } (name(page, *func)) }
        @if funcs.len() > NAMED { " and " (funcs.len() - NAMED) " more" }
    }
}

fn name(page: &Page<'_>, func: FuncIdx) -> Markup {
    match page.facts.audit.of_func(func) {
        Some(import) => html! { (guest(&import.module)) " " (guest(&import.name)) },
        None => page.func_name(func),
    }
}

/// What a box says, short enough for it.
fn label(page: &Page<'_>, func: FuncIdx) -> String {
    let name = match page.facts.audit.of_func(func) {
        Some(import) => Some(import.name.as_str()),
        None => page.facts.module.func_name(func),
    };
    let shown = name.map_or_else(String::new, |name| format!("{} ", Escaped::new(name)));
    fit(&format!("{func} {shown}"), 21)
}

/// A function around another one, and why there is an edge; the edges of the first reason that was found.
type Around = BTreeMap<FuncIdx, Reason>;

/// One column of a drawing: functions, and how many there are at least beyond them.
struct Column {
    funcs: Vec<FuncIdx>,
    n_more: usize,
}

/// The columns of a drawing, callers of callers first; and its edges, as functions.
struct Neighbourhood {
    columns: [Column; 5],
    edges: Vec<(usize, FuncIdx, FuncIdx, Reason)>,
}

impl Neighbourhood {
    fn of(page: &Page<'_>, func: FuncIdx) -> Self {
        let graph = &page.facts.graph;
        let mut edges = Vec::new();
        let callees = |func: FuncIdx| graph.callees(func).take(LOOKED_AT).collect::<Around>();
        let callers = |func: FuncIdx| graph.callers(func).take(LOOKED_AT).collect::<Around>();
        let (before, after) = (column([callers(func)], &[func]), column([callees(func)], &[func]));
        let near: Vec<_> =
            [func].into_iter().chain(before.funcs.iter().chain(&after.funcs).copied()).collect();
        let far_before = column(before.funcs.iter().map(|func| callers(*func)), &near);
        let far_after = column(after.funcs.iter().map(|func| callees(*func)), &near);
        let columns = [far_before, before, Column { funcs: vec![func], n_more: 0 }, after, far_after];
        for (at, pair) in columns.windows(2).enumerate() {
            for from in &pair[0].funcs {
                let found = callees(*from);
                let there = pair[1].funcs.iter().filter_map(|to| Some((*to, *found.get(to)?)));
                edges.extend(there.map(|(to, reason)| (at, *from, to, reason)));
            }
        }
        Self { columns, edges }
    }
}

fn column(around: impl IntoIterator<Item = Around>, taken: &[FuncIdx]) -> Column {
    let mut funcs: Vec<_> = around.into_iter().flat_map(BTreeMap::into_keys).collect();
    funcs.sort_unstable();
    funcs.dedup();
    funcs.retain(|func| !taken.contains(func));
    let n_more = funcs.len().saturating_sub(COLUMN);
    funcs.truncate(COLUMN);
    Column { funcs, n_more }
}

fn neighbours(page: &Page<'_>, func: FuncIdx, open: bool) -> Markup {
    let around = Neighbourhood::of(page, func);
    let [_, before, _, after, _] = &around.columns;
    let (n_before, n_after) = (before.funcs.len() + before.n_more, after.funcs.len() + after.n_more);
    html! { details.drawn open[open] {
        summary { (page.func_name(func)) " · " (of(n_before, "caller")) ", " (of(n_after, "callee")) }
        div.drawing role="region" aria-label=(format_args!("Calls around function {func}")) tabindex="0" {
            (drawing(page, func, &around))
        }
        (sides(page, func, &around))
    } }
}

/// The direct neighbours as a table.
fn sides(page: &Page<'_>, func: FuncIdx, around: &Neighbourhood) -> Markup {
    let rows: Vec<_> = around
        .edges
        .iter()
        .filter(|(column, ..)| matches!(column, 1 | 2))
        .map(|(column, from, to, reason)| {
            let (direction, other) = if *column == 1 { ("called by", from) } else { ("calls", to) };
            html! { th scope="row" { (direction) } td.wide { (name(page, *other)) } td { (reason.sentence()) } }
        })
        .collect();
    let n_more = around.columns[1].n_more + around.columns[3].n_more;
    table(
        &format!("Calls to and from function {func}"),
        &["Direction", "Function", "Why"],
        &rows,
        rows.len() + n_more,
    )
}

fn drawing(page: &Page<'_>, func: FuncIdx, around: &Neighbourhood) -> Markup {
    let used: Vec<_> = around.columns.iter().filter(|column| !column.funcs.is_empty()).collect();
    let first = around.columns.iter().position(|column| !column.funcs.is_empty()).unwrap_or(0);
    let rows = around.columns.iter().map(|column| column.funcs.len() + usize::from(column.n_more > 0)).max();
    let (width, height) =
        (pixels(used.len()) * COLUMN_WIDTH - 36, pixels(rows.unwrap_or(1)) * ROW_HEIGHT + 2 * MARGIN);
    let x = |column: usize| MARGIN + pixels(column.saturating_sub(first)) * COLUMN_WIDTH;
    let y = |row: usize| MARGIN + pixels(row) * ROW_HEIGHT;
    let row_of =
        |column: usize, func: FuncIdx| around.columns[column].funcs.iter().position(|it| *it == func);
    let mut description = String::new();
    let _ = write!(description, "{}, ", of(around.columns[1].funcs.len(), "caller"));
    let _ = write!(description, "{}; the table below says why.", of(around.columns[3].funcs.len(), "callee"));
    html! { svg.calls role="img" viewBox=(format_args!("0 0 {width} {height}")) width=(width) height=(height) {
        title { "Calls around function " (func) }
        desc { (description) }
        @for (column, from, to, _) in &around.edges {
            @if let (Some(from), Some(to)) = (row_of(*column, *from), row_of(column + 1, *to)) {
                @let (start, end) = (x(*column) + BOX_WIDTH, x(column + 1));
                @let (top, bottom) = (y(from) + BOX_HEIGHT / 2, y(to) + BOX_HEIGHT / 2);
                path.edge d=(format_args!("M{start} {top}C{} {top} {} {bottom} {} {bottom}", start + 28, end - 34, end - 6)) {}
                path.head d=(format_args!("M{end} {bottom}l-7 -4v8z")) {}
            }
        }
        @for (at, column) in around.columns.iter().enumerate() {
            @for (row, it) in column.funcs.iter().enumerate() {
                g class=(class(page, *it, func)) {
                    rect x=(x(at)) y=(y(row)) width=(BOX_WIDTH) height=(BOX_HEIGHT) rx="4" {}
                    text x=(x(at) + 8) y=(y(row) + 17) { (label(page, *it)) }
                }
            }
            @if column.n_more > 0 {
                text.more x=(x(at) + 8) y=(y(column.funcs.len()) + 17) { "and " (column.n_more) " more" }
            }
        }
    } }
}

fn class(page: &Page<'_>, func: FuncIdx, middle: FuncIdx) -> &'static str {
    match page.facts.audit.of_func(func) {
        Some(_) => "vertex host",
        None if func == middle => "vertex self",
        None => "vertex",
    }
}

fn pixels(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

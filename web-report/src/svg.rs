//! Drawings of control-flow graphs as SVG.
//!
//! The blocks stand one below the other in the order of the code, which is a topological order of what is not a back
//! edge. Edges to the next block are straight; the others run in lanes, forward ones on the right, back edges on the left,
//! so that nothing ever crosses a block. A loop is a band behind its blocks. The size is capped by [`MAX_ROWS`]: inner
//! loops are drawn as one box until the rest fits.

mod lanes;
mod rows;

use core::fmt;

use maud::{Markup, Render, html};
use wasmos_analysis::Cfg;
use wasmos_analysis::cfg::{BlockIdx, Terminator};
use wasmos_analysis::loops::{LoopIdx, Loops};

use crate::shown::{Escaped, counted};
use crate::svg::lanes::Lanes;
use crate::svg::rows::{Row, Rows};

/// How many boxes a drawing has at most.
pub const MAX_ROWS: usize = 200;

/// How many targets of a block the table beside a drawing names.
const NAMED_TARGETS: usize = 12;

const BOX_WIDTH: u32 = 216;
const BOX_HEIGHT: u32 = 38;
const ROW_HEIGHT: u32 = 58;
const INDENT: u32 = 16;
const LANE_WIDTH: u32 = 10;
const MARGIN: u32 = 12;
/// Loops that nest deeper are drawn as deep as this.
const MAX_INDENTS: u32 = 8;

/// What is drawn: a body's graph, its loops, and how often each block ran, if it was run.
#[derive(Clone, Copy, Debug)]
pub struct Drawing<'a> {
    /// Of which function; untrusted text.
    pub title: &'a str,
    /// The graph.
    pub cfg: &'a Cfg,
    /// Its loops.
    pub loops: &'a Loops,
    /// For each block, how often it ran.
    pub executed: Option<&'a [u64]>,
}

impl Drawing<'_> {
    /// Draws the graph. The element has a title and a description; [`Self::table`] says the same as text.
    #[must_use]
    pub fn svg(&self) -> Markup {
        let rows = Rows::of(self.cfg, self.loops, MAX_ROWS);
        let edges = rows.edges(self.cfg, self.loops);
        let (back, forward): (Vec<_>, Vec<_>) = edges.into_iter().partition(|(from, to)| to <= from);
        let (straight, forward): (Vec<_>, Vec<_>) =
            forward.into_iter().partition(|(from, to)| from + 1 == *to);
        let (back, forward) = (Lanes::assign(&back), Lanes::assign(&forward));
        let depth = rows.iter().map(|row| self.indents(row)).max().unwrap_or(0);
        let left = MARGIN + back.width(LANE_WIDTH);
        let right = left + depth * INDENT + BOX_WIDTH;
        let (width, height) =
            (right + forward.width(LANE_WIDTH) + 2 * MARGIN, 2 * MARGIN + pixels(rows.len()) * ROW_HEIGHT);
        html! {
            svg.cfg role="img" viewBox=(format_args!("0 0 {width} {height}")) width=(width) height=(height) {
                title { "Control flow of " (Escaped::new(self.title).to_string()) }
                desc { (self.describe(&rows)) }
                @for (index, first, last) in self.bands(&rows) {
                    @let inset = self.depth(index).min(MAX_INDENTS) * INDENT;
                    @let top = y_of(first) - MARGIN / 2;
                    rect.band x=(left + inset - INDENT / 2) y=(top) width=(right - left - inset + INDENT)
                        height=(y_of(last) + BOX_HEIGHT + MARGIN / 2 - top) rx="6" {}
                }
                @for (from, _) in &straight {
                    @let x = left + self.row_indent(&rows, *from).max(self.row_indent(&rows, from + 1)) + BOX_WIDTH / 4;
                    path.edge d=(format_args!("M{x} {}V{}", y_of(*from) + BOX_HEIGHT, y_of(from + 1) - 6)) {}
                    (Arrow::Down { x, y: y_of(from + 1) })
                }
                @for (lane, (from, to)) in forward.iter() {
                    @let x = right + MARGIN + lane * LANE_WIDTH;
                    @let start = left + self.row_indent(&rows, from) + BOX_WIDTH;
                    @let end = left + self.row_indent(&rows, to) + BOX_WIDTH;
                    path.edge d=(format_args!("M{start} {}H{x}V{}H{}", y_of(from) + 28, y_of(to) + 10, end + 6)) {}
                    (Arrow::Left { x: end, y: y_of(to) + 10 })
                }
                @for (lane, (from, to)) in back.iter() {
                    @let x = left - INDENT / 2 - lane * LANE_WIDTH;
                    @let start = left + self.row_indent(&rows, from);
                    @let end = left + self.row_indent(&rows, to);
                    path.edge.back d=(format_args!("M{start} {}H{x}V{}H{}", y_of(from) + 28, y_of(to) + 10, end - 6)) {}
                    (Arrow::Right { x: end, y: y_of(to) + 10 })
                }
                @for (at, row) in rows.iter().enumerate() {
                    @let x = left + self.indents(row) * INDENT;
                    g class=(self.class(row)) {
                        rect x=(x) y=(y_of(at)) width=(BOX_WIDTH) height=(BOX_HEIGHT) rx="4" {}
                        text x=(x + 8) y=(y_of(at) + 16) { (self.first_line(row)) }
                        text.more x=(x + 8) y=(y_of(at) + 31) { (self.second_line(row)) }
                    }
                }
            }
        }
    }

    /// Says what the drawing shows as a table.
    #[must_use]
    pub fn table(&self) -> Markup {
        let rows = Rows::of(self.cfg, self.loops, MAX_ROWS);
        html! {
            table {
                thead { tr {
                    th scope="col" { "Block" } th scope="col" { "Offsets" } th scope="col" { "Fuel" }
                    th scope="col" { "Loop depth" } th scope="col" { "Ends with" } th scope="col" { "Goes to" }
                    @if self.executed.is_some() { th scope="col" { "Ran" } }
                } }
                tbody { @for row in rows.iter() { tr {
                    th scope="row" { (row.block().0) }
                    @let block = self.cfg.blocks().get(row.block().index());
                    td { @if let Some(block) = block { (format_args!("{:#x}–{:#x}", block.start, block.end)) } }
                    td { @if let Some(block) = block { (block.fuel) } }
                    td { (self.loops.depth(row.block())) }
                    td { (self.second_line(row)) }
                    td { (Targets(self.cfg.succs(row.block()))) }
                    @if self.executed.is_some() { td { (self.ran(row.block())) } }
                } } }
            }
        }
    }

    /// Says how much there is to draw, and what is left out.
    #[must_use]
    pub fn description(&self) -> String {
        self.describe(&Rows::of(self.cfg, self.loops, MAX_ROWS))
    }

    fn describe(&self, rows: &Rows) -> String {
        let count = |items: usize, noun| counted(items as u64, noun);
        let (blocks, loops) =
            (count(self.cfg.blocks().len(), "block"), count(self.loops.all().len(), "loop"));
        let mut text = format!("{blocks}, {loops}.");
        if rows.collapsed() > 0 {
            text += &format!(" {} inner loops are drawn as one box each.", rows.collapsed());
        }
        if rows.left_out() > 0 {
            text += &format!(" The last {} blocks are not drawn.", rows.left_out());
        }
        text
    }

    fn depth(&self, index: LoopIdx) -> u32 {
        self.loops.all().get(index.index()).map_or(0, |found| found.depth)
    }

    fn indents(&self, row: &Row) -> u32 {
        self.loops.depth(row.block()).min(MAX_INDENTS)
    }

    fn row_indent(&self, rows: &Rows, at: usize) -> u32 {
        rows.get(at).map_or(0, |row| self.indents(row)) * INDENT
    }

    /// The first and the last row of each loop that is drawn open.
    fn bands(&self, rows: &Rows) -> Vec<(LoopIdx, usize, usize)> {
        let mut bands: Vec<Option<(usize, usize)>> = vec![None; self.loops.all().len()];
        for (at, row) in rows.iter().enumerate() {
            let mut around = self.loops.of(row.block());
            while let Some(index) = around {
                if let Some(band) = bands.get_mut(index.index()) {
                    *band = Some((band.map_or(at, |(first, _)| first), at));
                }
                around = self.loops.all().get(index.index()).and_then(|found| found.parent);
            }
        }
        let open = |index: &LoopIdx| !rows.is_collapsed(*index);
        let found = self.loops.indices().filter(open);
        found.filter_map(|index| bands[index.index()].map(|(first, last)| (index, first, last))).collect()
    }

    fn class(&self, row: &Row) -> &'static str {
        let block = self.cfg.blocks().get(row.block().index());
        let ends = block.map_or(Terminator::Exit, |block| block.terminator);
        match (self.executed.map(|_| self.count(row.block())), ends) {
            (Some(0), _) => "block cold",
            (_, Terminator::Trap) => "block trap",
            (_, Terminator::Exit) => "block exit",
            (Some(_), _) => "block ran",
            (None, _) => "block",
        }
    }

    fn first_line(&self, row: &Row) -> String {
        match (row, self.cfg.blocks().get(row.block().index())) {
            (Row::Loop { header, n_blocks, .. }, _) => {
                format!("loop at {} · {}", header.0, counted((*n_blocks).into(), "block"))
            }
            (Row::Block(block), Some(code)) if code.terminator != Terminator::Exit => {
                format!("{} · {:#x} · {} fuel", block.0, code.start, code.fuel)
            }
            (Row::Block(block), _) => format!("{} · exit", block.0),
        }
    }

    fn second_line(&self, row: &Row) -> String {
        let ends = match (row, self.cfg.blocks().get(row.block().index())) {
            (Row::Loop { .. }, _) => "an inner loop, drawn as one box".to_owned(),
            (Row::Block(block), Some(code)) => match code.terminator {
                Terminator::Fall => "goes on".to_owned(),
                Terminator::Jump => "branches".to_owned(),
                Terminator::BranchIf => "branches or goes on".to_owned(),
                Terminator::If => "decides between two".to_owned(),
                Terminator::Table => format!("chooses among {}", self.cfg.succs(*block).len()),
                Terminator::Return => "returns".to_owned(),
                Terminator::Trap => "traps".to_owned(),
                Terminator::Throw => "throws".to_owned(),
                Terminator::Call => "calls inside a try".to_owned(),
                Terminator::Dispatch => "hands exceptions on".to_owned(),
                Terminator::Exit => "the function is left".to_owned(),
            },
            (Row::Block(_), None) => String::new(),
        };
        match self.executed {
            Some(_) => format!("{ends} · {}", self.ran(row.block())),
            None => ends,
        }
    }

    fn count(&self, block: BlockIdx) -> u64 {
        self.executed.and_then(|counts| counts.get(block.index()).copied()).unwrap_or(0)
    }

    fn ran(&self, block: BlockIdx) -> String {
        match self.count(block) {
            0 => "never ran".to_owned(),
            count => format!("ran {count} ×"),
        }
    }
}

fn pixels(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn y_of(row: usize) -> u32 {
    MARGIN + pixels(row) * ROW_HEIGHT
}

/// The blocks behind a block, the first of them by number.
struct Targets<'a>(&'a [BlockIdx]);

impl fmt::Display for Targets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, block) in self.0.iter().take(NAMED_TARGETS).enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { ", " }, block.0)?;
        }
        match self.0.len().saturating_sub(NAMED_TARGETS) {
            0 => Ok(()),
            left => write!(f, " and {left} more"),
        }
    }
}

impl Render for Targets<'_> {
    fn render_to(&self, buffer: &mut String) {
        self.to_string().render_to(buffer);
    }
}

/// The head of an arrow; the tip is at the point.
enum Arrow {
    Down { x: u32, y: u32 },
    Left { x: u32, y: u32 },
    Right { x: u32, y: u32 },
}

impl Render for Arrow {
    fn render(&self) -> Markup {
        let d = match self {
            Self::Down { x, y } => format!("M{x} {y}l-4 -7h8z"),
            Self::Left { x, y } => format!("M{x} {y}l7 -4v8z"),
            Self::Right { x, y } => format!("M{x} {y}l-7 -4v8z"),
        };
        html! { path.head d=(d) {} }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect_file;

    fn with_cfg<R>(text: &str, use_it: impl FnOnce(&Cfg, &Loops) -> R) -> R {
        let bytes = wat::parse_str(text).expect("the text is well-formed");
        let module = wasmos_frontend::decode(bytes).and_then(wasmos_frontend::validate).expect("it is valid");
        let cfg = Cfg::build(&module, module.bodies[0]);
        use_it(&cfg, &Loops::find(&cfg))
    }

    fn page(markup: &Markup) -> String {
        markup.0.replace("><", ">\n<")
    }

    #[test]
    fn a_loop_with_two_arms() {
        let text = "(func (param i32) (result i32)
            (loop $l (if (local.get 0) (then (local.set 0 (i32.const 0)) (br $l)) (else (unreachable)))) (local.get 0))";
        with_cfg(text, |cfg, loops| {
            let counts = vec![1; cfg.blocks().len() - 1];
            let drawing = Drawing { title: "<f>\u{1b}", cfg, loops, executed: Some(&counts) };
            expect_file!["../tests/loop.svg"].assert_eq(&page(&drawing.svg()));
            expect_file!["../tests/loop.html"].assert_eq(&page(&drawing.table()));
        });
    }

    #[test]
    fn inner_loops_become_boxes_when_there_are_too_many_blocks() {
        let inner = "(loop $i (br_if $i (local.get 0)) (br_if $i (local.get 0)))".repeat(90);
        let text = format!("(func (param i32) (loop $o {inner} (br_if $o (local.get 0))))");
        with_cfg(&text, |cfg, loops| {
            assert!(cfg.blocks().len() > MAX_ROWS);
            let rows = Rows::of(cfg, loops, MAX_ROWS);
            assert_eq!((rows.collapsed(), rows.left_out()), (90, 0));
            assert!(rows.len() <= MAX_ROWS);
            let svg = Drawing { title: "", cfg, loops, executed: None }.svg().0;
            assert!(svg.contains("90 inner loops are drawn as one box each"));
        });
    }

    #[test]
    fn a_body_without_loops_is_cut_with_a_mark() {
        let text = format!("(func (param i32) {})", "(if (local.get 0) (then (nop)))".repeat(300));
        with_cfg(&text, |cfg, loops| {
            let svg = Drawing { title: "", cfg, loops, executed: None }.svg().0;
            let left = cfg.blocks().len() - MAX_ROWS;
            assert!(svg.contains(&format!("The last {left} blocks are not drawn")));
        });
    }

    /// Work is bounded by the rows, whatever the number of targets.
    #[test]
    fn a_table_of_a_thousand_targets_is_drawn() {
        let text = format!(
            "(func (param i32) {} local.get 0 br_table {} 0 {})",
            "block ".repeat(1000),
            (0..1000).map(|at| at.to_string()).collect::<Vec<_>>().join(" "),
            "end ".repeat(1000)
        );
        with_cfg(&text, |cfg, loops| {
            let drawing = Drawing { title: "", cfg, loops, executed: None };
            assert!(drawing.svg().0.len() < 200_000);
            assert!(drawing.table().0.contains("and 988 more"));
        });
    }
}

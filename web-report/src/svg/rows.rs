//! What is drawn as a box: blocks, and inner loops when there are too many blocks.

use std::collections::BTreeSet;

use wasmos_analysis::Cfg;
use wasmos_analysis::cfg::BlockIdx;
use wasmos_analysis::loops::{LoopIdx, Loops};

/// A box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Block(BlockIdx),
    Loop { index: LoopIdx, header: BlockIdx, n_blocks: u32 },
}

impl Row {
    /// The block that stands for it.
    pub(super) const fn block(&self) -> BlockIdx {
        match self {
            Self::Block(block) | Self::Loop { header: block, .. } => *block,
        }
    }
}

/// The boxes of a drawing, from top to bottom.
#[derive(Debug)]
pub(super) struct Rows {
    rows: Vec<Row>,
    /// Loops of this depth are one box each.
    collapsed_from: u32,
    /// Blocks at the end that are not drawn.
    left_out: usize,
}

impl Rows {
    /// Draws loops as one box each, the innermost first, until there are at most `max_rows`; then cuts.
    pub(super) fn of(cfg: &Cfg, loops: &Loops, max_rows: usize) -> Self {
        let n_rows = rows_by_depth(cfg, loops);
        let fits = |depth: &u32| n_rows.get(*depth as usize).is_some_and(|rows| *rows <= max_rows);
        let deepest = u32::try_from(n_rows.len()).unwrap_or(u32::MAX);
        // From `deepest` on no loop is collapsed; from 1 on all are.
        let collapsed_from = (1..deepest).rev().find(fits).unwrap_or(1);
        let mut rows: Vec<_> = cfg.indices().filter_map(|block| row(loops, collapsed_from, block)).collect();
        let left_out = rows.len().saturating_sub(max_rows);
        rows.truncate(max_rows);
        Self { rows, collapsed_from, left_out }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Row> {
        self.rows.get(at)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) const fn left_out(&self) -> usize {
        self.left_out
    }

    /// How many loops are one box.
    pub(super) fn collapsed(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row, Row::Loop { .. })).count()
    }

    pub(super) fn is_collapsed(&self, index: LoopIdx) -> bool {
        self.rows.iter().any(|row| matches!(row, Row::Loop { index: found, .. } if *found == index))
    }

    /// The edges between rows, each once; those inside a box and those to what is not drawn are left out.
    pub(super) fn edges(&self, cfg: &Cfg, loops: &Loops) -> Vec<(usize, usize)> {
        let place = |block: BlockIdx| {
            let shown = collapsed(loops, self.collapsed_from, block)
                .and_then(|index| loops.all().get(index.index()))
                .map_or(block, |found| found.header);
            self.rows.binary_search_by_key(&shown, Row::block).ok()
        };
        let mut edges = BTreeSet::new();
        for from in cfg.indices() {
            let Some(at) = place(from) else { continue };
            let is_box = matches!(self.rows.get(at), Some(Row::Loop { .. }));
            let targets = cfg.succs(from).iter().filter_map(|to| place(*to));
            edges.extend(targets.filter(|to| !(is_box && *to == at)).map(|to| (at, to)));
        }
        edges.into_iter().collect()
    }
}

/// The loop that swallows a block: the outermost one of those that are deep enough.
fn collapsed(loops: &Loops, from_depth: u32, block: BlockIdx) -> Option<LoopIdx> {
    let mut found = None;
    let mut around = loops.of(block);
    while let Some(index) = around {
        let this = loops.all().get(index.index())?;
        if this.depth < from_depth {
            break;
        }
        found = Some(index);
        around = this.parent;
    }
    found
}

fn row(loops: &Loops, from_depth: u32, block: BlockIdx) -> Option<Row> {
    let Some(index) = collapsed(loops, from_depth, block) else { return Some(Row::Block(block)) };
    let found = loops.all().get(index.index())?;
    (found.header == block).then_some(Row::Loop { index, header: block, n_blocks: found.n_blocks })
}

/// For each depth, how many rows there are if the loops of that depth are one box each; index 0 is not used.
fn rows_by_depth(cfg: &Cfg, loops: &Loops) -> Vec<usize> {
    let deepest = loops.all().iter().map(|found| found.depth).max().unwrap_or(0) as usize;
    let mut blocks = vec![0; deepest + 1];
    cfg.indices().for_each(|block| blocks[loops.depth(block) as usize] += 1);
    let mut headers = vec![0; deepest + 2];
    loops.all().iter().for_each(|found| headers[found.depth as usize] += 1);
    let mut n_rows = vec![0; deepest + 2];
    let mut outside = 0;
    for depth in 1..n_rows.len() {
        outside += blocks[depth - 1];
        n_rows[depth] = outside + headers[depth];
    }
    n_rows
}

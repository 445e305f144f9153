//! The loops of a body: how they nest, where each begins, goes round and is left.
//!
//! A loop is a natural one: the header and the blocks from which a back edge to it can be reached without passing it. What
//! stands between `loop` and `end` but never goes round is not part of it.
//!
//! Source: Tarjan, "Testing flow graph reducibility" (1974): headers from the innermost outwards, each loop collapsing into
//! its header, so that every block is visited once. The graph is known to be reducible.

use crate::cfg::{BlockIdx, Cfg};

/// Index of a loop of a body; the headers ascend with it, so that an outer loop stands before its inner ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoopIdx(pub u32);

impl LoopIdx {
    /// Returns the index as one into a slice.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    /// The only block by which it is entered.
    pub header: BlockIdx,
    /// The innermost loop around it.
    pub parent: Option<LoopIdx>,
    /// How many loops it stands in, itself included.
    pub depth: u32,
    /// The sources of its back edges, in order.
    pub latches: Vec<BlockIdx>,
    /// The edges that leave it, from blocks that are in no loop inside of it. What leaves an inner loop and this one too
    /// stands with the inner one.
    pub exits: Vec<(BlockIdx, BlockIdx)>,
    /// How many edges leave it, those of inner loops included.
    pub n_exits: u32,
    /// How many blocks it has, those of inner loops included.
    pub n_blocks: u32,
    /// Its place when loops are numbered so that those inside of it follow at once; and one past the last of them.
    numbers: (u32, u32),
}

/// The loops of a body.
#[derive(Clone, Debug, Default)]
pub struct Loops {
    loops: Vec<Loop>,
    /// The innermost loop of each block; empty without loops, as in most bodies.
    of_block: Vec<Option<LoopIdx>>,
}

impl Loops {
    /// Finds the loops of a graph.
    #[must_use]
    pub fn find(cfg: &Cfg) -> Self {
        let mut loops = Self::default();
        if cfg.blocks().iter().any(|block| block.begins_loop) {
            loops.of_block.resize(cfg.blocks().len(), None);
            loops.add_headers(cfg);
            loops.collapse(cfg);
            loops.nest(cfg);
            loops.add_exits(cfg);
        }
        loops
    }

    /// Returns the loops, outer ones first.
    #[must_use]
    pub fn all(&self) -> &[Loop] {
        &self.loops
    }

    /// Yields the indices of the loops in order.
    pub fn indices(&self) -> impl DoubleEndedIterator<Item = LoopIdx> + use<> {
        (0..u32::try_from(self.loops.len()).unwrap_or(u32::MAX)).map(LoopIdx)
    }

    /// Returns the innermost loop around a block.
    #[must_use]
    pub fn of(&self, block: BlockIdx) -> Option<LoopIdx> {
        self.of_block.get(block.index()).copied().flatten()
    }

    /// Returns how many loops a block stands in.
    #[must_use]
    pub fn depth(&self, block: BlockIdx) -> u32 {
        self.of(block).and_then(|at| self.loops.get(at.index())).map_or(0, |it| it.depth)
    }

    /// Returns whether `outer` is `inner` or stands around it.
    #[must_use]
    pub fn encloses(&self, outer: LoopIdx, inner: LoopIdx) -> bool {
        let (Some(outer), Some(inner)) = (self.loops.get(outer.index()), self.loops.get(inner.index()))
        else {
            return false;
        };
        (outer.numbers.0..outer.numbers.1).contains(&inner.numbers.0)
    }

    /// Returns whether a block is part of a loop, or of one inside of it.
    #[must_use]
    pub fn contains(&self, outer: LoopIdx, block: BlockIdx) -> bool {
        self.of(block).is_some_and(|inner| self.encloses(outer, inner))
    }

    fn add_headers(&mut self, cfg: &Cfg) {
        let begin = cfg.indices().zip(cfg.blocks()).filter(|(_, block)| block.begins_loop);
        for (block, _) in begin {
            let latches: Vec<_> = cfg.preds(block).iter().copied().filter(|pred| *pred >= block).collect();
            if !latches.is_empty() {
                self.of_block[block.index()] = Some(LoopIdx(u32::try_from(self.loops.len()).unwrap_or(0)));
                self.loops.push(Loop {
                    header: block,
                    parent: None,
                    depth: 0,
                    latches,
                    exits: Vec::new(),
                    n_exits: 0,
                    n_blocks: 1,
                    numbers: (0, 1),
                });
            }
        }
    }

    /// Gives each block its innermost loop and each loop its parent.
    fn collapse(&mut self, cfg: &Cfg) {
        // The header of the outermost loop so far that has swallowed a block.
        let mut swallowed: Vec<u32> = (0..u32::try_from(cfg.blocks().len()).unwrap_or(0)).collect();
        for at in self.indices().rev() {
            let header = self.loops[at.index()].header;
            let mut work: Vec<BlockIdx> = self.loops[at.index()].latches.clone();
            while let Some(block) = work.pop() {
                let block = find(&mut swallowed, block);
                if block == header {
                    continue;
                }
                swallowed[block.index()] = header.0;
                match self.of_block[block.index()] {
                    // A block that begins a loop stands for all of it.
                    Some(inner) => self.loops[inner.index()].parent = Some(at),
                    None => self.of_block[block.index()] = Some(at),
                }
                work.extend(cfg.preds(block).iter().filter(|pred| **pred < block));
            }
        }
    }

    fn nest(&mut self, cfg: &Cfg) {
        for at in self.indices() {
            let parent = self.loops[at.index()].parent;
            self.loops[at.index()].depth = parent.map_or(0, |up| self.loops[up.index()].depth) + 1;
        }
        for block in cfg.indices() {
            if let Some(at) = self.of(block)
                && self.loops[at.index()].header != block
            {
                self.loops[at.index()].n_blocks += 1;
            }
        }
        for at in self.indices().rev() {
            let (n_loops, n_blocks) = (self.loops[at.index()].numbers.1, self.loops[at.index()].n_blocks);
            if let Some(up) = self.loops[at.index()].parent {
                let up = &mut self.loops[up.index()];
                up.numbers.1 += n_loops;
                up.n_blocks += n_blocks;
            }
        }
        self.number();
    }

    /// Turns the counts of loops inside into numbers. Headers alone would not do: a loop on the way out of another one
    /// stands between it and what is inside of it.
    fn number(&mut self) {
        let mut next = 0;
        let mut next_inside = vec![0; self.loops.len()];
        for at in self.indices() {
            let n_loops = self.loops[at.index()].numbers.1;
            let next = match self.loops[at.index()].parent {
                Some(up) => &mut next_inside[up.index()],
                None => &mut next,
            };
            let number = *next;
            *next += n_loops;
            next_inside[at.index()] = number + 1;
            self.loops[at.index()].numbers = (number, number + n_loops);
        }
    }

    fn add_exits(&mut self, cfg: &Cfg) {
        // Edges that begin in a loop, minus those that end in it: summed over what is inside, the edges that leave.
        let mut begun: Vec<i64> = vec![0; self.loops.len()];
        for block in cfg.indices() {
            let Some(from) = self.of(block) else { continue };
            for succ in cfg.succs(block) {
                let around = self.around_both(from, *succ);
                if around == Some(from) {
                    continue;
                }
                self.loops[from.index()].exits.push((block, *succ));
                begun[from.index()] += 1;
                if let Some(around) = around {
                    begun[around.index()] -= 1;
                }
            }
        }
        for at in self.indices().rev() {
            let sum = begun[at.index()];
            self.loops[at.index()].n_exits = u32::try_from(sum).unwrap_or(0);
            if let Some(up) = self.loops[at.index()].parent {
                begun[up.index()] += sum;
            }
        }
    }

    /// Returns the innermost loop that has both a loop and the target of an edge out of it.
    fn around_both(&self, from: LoopIdx, target: BlockIdx) -> Option<LoopIdx> {
        let to = self.of(target)?;
        // An edge enters a loop by its header only: the target's loop is around, or is entered from the one around.
        if self.encloses(to, from) { Some(to) } else { self.loops[to.index()].parent }
    }
}

/// Finds the header that stands for a block, and shortens the way there.
fn find(swallowed: &mut [u32], block: BlockIdx) -> BlockIdx {
    let mut root = block.index();
    while swallowed[root] as usize != root {
        root = swallowed[root] as usize;
    }
    let mut at = block.index();
    while swallowed[at] as usize != root {
        at = std::mem::replace(&mut swallowed[at], root as u32) as usize;
    }
    BlockIdx(root as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::module;

    #[test]
    fn what_leaves_a_loop_is_not_part_of_it() {
        let module = module(
            "(func (param i32)
               loop $outer
                 loop $inner
                   local.get 0 br_if $inner
                   local.get 0 if return end
                   local.get 0 br_if $outer
                 end
               end)",
        );
        let cfg = Cfg::build(&module, module.bodies[0]);
        let loops = Loops::find(&cfg);
        let found: Vec<_> =
            loops.all().iter().map(|it| (it.header.0, it.depth, it.n_exits, it.n_blocks)).collect();
        assert_eq!(found, [(1, 1, 2, 4), (2, 2, 1, 1)]);
        assert_eq!(loops.all()[1].latches, [BlockIdx(2)]);
        assert!(loops.encloses(LoopIdx(0), LoopIdx(1)) && !loops.encloses(LoopIdx(1), LoopIdx(0)));
    }
}

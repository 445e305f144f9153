//! Which blocks lie on every path to a block, and which on every path from it.
//!
//! Dominators take one pass: the graph is reducible and its blocks stand in topological order (promise 3 of [`Cfg`]), so
//! the immediate dominator of a block is the nearest common ancestor, in the tree so far, of its predecessors that stand
//! before it. Ancestors are found by jump pointers, in time logarithmic in the depth, so that the whole is
//! O(edges × log blocks) whatever the nesting.
//!
//! Source: Myers, "An applicative random-access stack" (1983), for the jump pointers; Lengauer and Tarjan, "A fast algorithm
//! for finding dominators in a flowgraph" (1979), its simple form, for post-dominators: backwards the graph need not be
//! reducible.

use crate::cfg::{BlockIdx, Cfg};

const NONE: u32 = u32::MAX;

/// A tree of dominators or post-dominators.
#[derive(Clone, Debug)]
pub struct Dominators {
    root: BlockIdx,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// The immediate dominator; the node itself at the root; `NONE` where no path leads.
    parent: u32,
    /// An ancestor farther up, so that every climb takes logarithmically many steps.
    jump: u32,
    depth: u32,
}

impl Dominators {
    fn new(n_blocks: usize, root: BlockIdx) -> Self {
        let mut nodes = vec![Node { parent: NONE, jump: NONE, depth: 0 }; n_blocks];
        if let Some(node) = nodes.get_mut(root.index()) {
            *node = Node { parent: root.0, jump: root.0, depth: 0 };
        }
        Self { root, nodes }
    }

    /// Hangs a block below one that is in the tree.
    fn insert(&mut self, block: BlockIdx, parent: BlockIdx) {
        let above = self.nodes[parent.index()];
        let jump = self.nodes[above.jump as usize];
        let further = self.nodes[jump.jump as usize];
        // Two equal strides merge into one of twice the length and one.
        let strides = (above.depth - jump.depth, jump.depth - further.depth);
        let jump = if strides.0 == strides.1 { jump.jump } else { parent.0 };
        self.nodes[block.index()] = Node { parent: parent.0, jump, depth: above.depth + 1 };
    }

    fn common_ancestor(&self, a: BlockIdx, b: BlockIdx) -> BlockIdx {
        let (mut a, mut b) = (a.0, b.0);
        if self.nodes[a as usize].depth < self.nodes[b as usize].depth {
            (a, b) = (b, a);
        }
        a = self.ancestor_at(a, self.nodes[b as usize].depth);
        while a != b {
            // At equal depth the jumps of both reach equal depth.
            let (x, y) = (self.nodes[a as usize], self.nodes[b as usize]);
            (a, b) = if x.jump == y.jump { (x.parent, y.parent) } else { (x.jump, y.jump) };
        }
        BlockIdx(a)
    }

    fn ancestor_at(&self, mut block: u32, depth: u32) -> u32 {
        while self.nodes[block as usize].depth > depth {
            let node = self.nodes[block as usize];
            block = if self.nodes[node.jump as usize].depth >= depth { node.jump } else { node.parent };
        }
        block
    }

    /// Returns the immediate dominator of a block; `None` at the root.
    #[must_use]
    pub fn immediate(&self, block: BlockIdx) -> Option<BlockIdx> {
        let node = self.nodes.get(block.index()).filter(|node| node.parent != NONE)?;
        (block != self.root).then_some(BlockIdx(node.parent))
    }

    /// Returns whether `above` lies on every path between the root and `block`; a block dominates itself.
    #[must_use]
    pub fn dominates(&self, above: BlockIdx, block: BlockIdx) -> bool {
        let (Some(a), Some(b)) = (self.nodes.get(above.index()), self.nodes.get(block.index())) else {
            return false;
        };
        a.parent != NONE
            && b.parent != NONE
            && b.depth >= a.depth
            && self.ancestor_at(block.0, a.depth) == above.0
    }
}

/// Returns the dominators: the blocks on every path from the entry.
#[must_use]
pub fn dominators(cfg: &Cfg) -> Dominators {
    let mut tree = Dominators::new(cfg.blocks().len(), Cfg::ENTRY);
    for block in cfg.indices().skip(1) {
        let forward = cfg.preds(block).iter().copied().filter(|pred| *pred < block);
        if let Some(parent) = forward.reduce(|a, b| tree.common_ancestor(a, b)) {
            tree.insert(block, parent);
        }
    }
    tree
}

/// Returns the post-dominators: the blocks on every path to the exit. A loop that nothing leaves is taken to lead from
/// its header to the exit, so that every block has a path there.
#[must_use]
pub fn post_dominators(cfg: &Cfg) -> Dominators {
    let ends = endless_headers(cfg);
    let search = Search::backwards(cfg, &ends);
    let parents = search.parents(cfg, &ends);
    let mut tree = Dominators::new(cfg.blocks().len(), cfg.exit());
    for block in search.order.iter().skip(1) {
        tree.insert(*block, parents[block.index()]);
    }
    tree
}

/// Marks the headers of loops from which no path leads to the exit.
fn endless_headers(cfg: &Cfg) -> Vec<bool> {
    let mut leaves = vec![false; cfg.blocks().len()];
    let mut work = vec![cfg.exit()];
    leaves[cfg.exit().index()] = true;
    while let Some(block) = work.pop() {
        for pred in cfg.preds(block) {
            if !std::mem::replace(&mut leaves[pred.index()], true) {
                work.push(*pred);
            }
        }
    }
    let blocks = cfg.blocks().iter().zip(leaves);
    blocks.map(|(block, leaves)| block.begins_loop && !leaves).collect()
}

/// A depth-first search from the exit against the edges, and what Lengauer and Tarjan number by it.
struct Search {
    /// Blocks in the order of discovery.
    order: Vec<BlockIdx>,
    /// Position of each block in `order`.
    number: Vec<u32>,
    /// Parent of each block in the tree of the search.
    found_from: Vec<u32>,
}

impl Search {
    fn backwards(cfg: &Cfg, ends: &[bool]) -> Self {
        let n = cfg.blocks().len();
        let mut search = Self { order: Vec::new(), number: vec![NONE; n], found_from: vec![NONE; n] };
        let mut work = vec![(cfg.exit(), cfg.exit())];
        while let Some((block, from)) = work.pop() {
            if search.number[block.index()] != NONE {
                continue;
            }
            search.number[block.index()] = u32::try_from(search.order.len()).unwrap_or(NONE);
            search.found_from[block.index()] = from.0;
            search.order.push(block);
            let found = |pred: &BlockIdx| search.number[pred.index()] != NONE;
            work.extend(cfg.preds(block).iter().filter(|pred| !found(pred)).map(|pred| (*pred, block)));
            if block == cfg.exit() {
                let endless = cfg.indices().filter(|header| ends[header.index()]);
                work.extend(endless.map(|header| (header, block)));
            }
        }
        search
    }

    /// Returns the immediate post-dominator of each block.
    fn parents(&self, cfg: &Cfg, ends: &[bool]) -> Vec<BlockIdx> {
        let n = cfg.blocks().len();
        let mut semi: Vec<u32> = self.number.clone();
        let mut forest = Forest { ancestor: vec![NONE; n], best: (0..n).map(|at| at as u32).collect() };
        let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); n];
        let mut parents = vec![cfg.exit(); n];
        for block in self.order.iter().skip(1).rev() {
            let exit = ends[block.index()].then(|| cfg.exit());
            for succ in cfg.succs(*block).iter().copied().chain(exit) {
                let best = forest.eval(succ.0, &semi);
                semi[block.index()] = semi[block.index()].min(semi[best as usize]);
            }
            let semi_block = self.order[semi[block.index()] as usize];
            buckets[semi_block.index()].push(block.0);
            let above = self.found_from[block.index()];
            forest.ancestor[block.index()] = above;
            for waiting in std::mem::take(&mut buckets[above as usize]) {
                let best = forest.eval(waiting, &semi);
                let earlier = semi[best as usize] < semi[waiting as usize];
                parents[waiting as usize] = BlockIdx(if earlier { best } else { above });
            }
        }
        for block in self.order.iter().skip(1) {
            if parents[block.index()] != self.order[semi[block.index()] as usize] {
                parents[block.index()] = parents[parents[block.index()].index()];
            }
        }
        parents
    }
}

/// The forest of Lengauer and Tarjan, with path compression.
struct Forest {
    ancestor: Vec<u32>,
    /// The block of least semidominator on the compressed path.
    best: Vec<u32>,
}

impl Forest {
    /// Returns the block of least semidominator on the path from the root of its tree, the root left out.
    fn eval(&mut self, block: u32, semi: &[u32]) -> u32 {
        if self.ancestor[block as usize] == NONE {
            return block;
        }
        // The path is compressed from the top down; it can be as long as the function.
        let mut path = Vec::new();
        let mut at = block;
        while self.ancestor[self.ancestor[at as usize] as usize] != NONE {
            path.push(at);
            at = self.ancestor[at as usize];
        }
        for at in path.into_iter().rev() {
            let above = self.ancestor[at as usize];
            let (ours, theirs) = (self.best[at as usize], self.best[above as usize]);
            if semi[theirs as usize] < semi[ours as usize] {
                self.best[at as usize] = theirs;
            }
            self.ancestor[at as usize] = self.ancestor[above as usize];
        }
        self.best[block as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::module;

    fn trees(text: &str) -> (Vec<Option<u32>>, Vec<Option<u32>>) {
        let module = module(text);
        let cfg = Cfg::build(&module, module.bodies[0]);
        let of = |tree: Dominators| cfg.indices().map(|at| tree.immediate(at).map(|at| at.0)).collect();
        (of(dominators(&cfg)), of(post_dominators(&cfg)))
    }

    #[test]
    fn both_arms_hang_below_the_condition_and_lead_to_the_join() {
        let (dominators, post) = trees("(func (param i32) local.get 0 if nop else nop end nop)");
        assert_eq!(dominators, [None, Some(0), Some(0), Some(0), Some(3)]);
        assert_eq!(post, [Some(3), Some(3), Some(3), Some(4), None]);
    }

    #[test]
    fn a_loop_without_exit_post_dominates_what_leads_to_it() {
        let (dominators, post) = trees("(func nop loop br 0 end)");
        assert_eq!(dominators, [None, Some(0), None]);
        assert_eq!(post, [Some(1), Some(2), None]);
    }
}

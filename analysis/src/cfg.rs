//! The control-flow graph of a body: blocks in the order of the code, and the edges between them.
//!
//! Built in one pass over the bytes, by [`flow`] alone. What the graph promises, and others build on:
//!
//! 1. Block 0 is the entry; the last block is the exit, which has no code. Returns, traps and exceptions that leave the
//!    function lead there.
//! 2. Only code that control flow can reach has a block.
//! 3. An edge leads to a block behind its own, unless it is a back edge: then it leads to the header of a loop around it,
//!    and the header dominates its source. The graph is reducible, and the order of the blocks is a topological one.
//! 4. Edges and blocks together are at most linear in the bytes: the targets of a `br_table` count once each, and
//!    exceptions go through one dispatch block for each `try`.

use wasmos_frontend::ValidModule;
use wasmos_frontend::blocks::{Flow, flow};
use wasmos_frontend::instr::Catch;
use wasmos_frontend::module::Body;
use wasmos_frontend::opcode::{Class, Instr};
use wasmos_frontend::types::LabelIdx;

/// Index of a block of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockIdx(pub u32);

impl BlockIdx {
    /// Returns the index as one into a slice.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminator {
    /// Another block begins behind it.
    Fall,
    /// `br`.
    Jump,
    /// `br_if` and its kin: the next block first, then the target.
    BranchIf,
    /// `if`: the first arm, then the other one or what follows.
    If,
    /// `br_table`: each target once, in the order of its first mention.
    Table,
    /// Back to the caller.
    Return,
    /// A trap.
    Trap,
    /// An exception is thrown.
    Throw,
    /// A call in a `try`: the next block first, then the dispatch of its exceptions.
    Call,
    /// No code: exceptions of a `try` go to its handlers, and on outwards.
    Dispatch,
    /// No code: the exit.
    Exit,
}

/// A block: instructions that are entered at the first and left behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Absolute offset of the first instruction.
    pub start: u32,
    /// Absolute offset behind the last instruction.
    pub end: u32,
    /// Fuel of all of it, by the rows of the table.
    pub fuel: u32,
    /// How it ends.
    pub terminator: Terminator,
    /// Whether a `loop` begins with it. It may have no back edge.
    pub begins_loop: bool,
}

/// The control-flow graph of a body.
#[derive(Clone, Debug, Default)]
pub struct Cfg {
    blocks: Vec<Block>,
    succs: Adjacency,
    preds: Adjacency,
    /// Instructions in blocks.
    n_instrs: u32,
    /// Instructions that no path reaches.
    n_dead: u32,
}

/// Neighbours of all blocks, one list behind the other.
#[derive(Clone, Debug, Default)]
struct Adjacency {
    starts: Vec<u32>,
    items: Vec<BlockIdx>,
}

impl Adjacency {
    /// Groups pairs by their first block, keeping the order within each group.
    fn group(&mut self, n_blocks: usize, pairs: impl Iterator<Item = (BlockIdx, BlockIdx)> + Clone) {
        self.starts.clear();
        self.starts.resize(n_blocks + 2, 0);
        let mut n_pairs = 0;
        for (from, _) in pairs.clone() {
            self.starts[from.index() + 2] += 1;
            n_pairs += 1;
        }
        for at in 2..self.starts.len() {
            self.starts[at] += self.starts[at - 1];
        }
        self.items.clear();
        self.items.resize(n_pairs, BlockIdx(0));
        for (from, to) in pairs {
            let slot = &mut self.starts[from.index() + 1];
            self.items[*slot as usize] = to;
            *slot += 1;
        }
    }

    fn of(&self, block: BlockIdx) -> &[BlockIdx] {
        let (Some(start), Some(end)) = (self.starts.get(block.index()), self.starts.get(block.index() + 1))
        else {
            return &[];
        };
        self.items.get(*start as usize..*end as usize).unwrap_or(&[])
    }
}

impl Cfg {
    /// The block that a call enters.
    pub const ENTRY: BlockIdx = BlockIdx(0);

    /// Builds the graph of a body.
    #[must_use]
    pub fn build(module: &ValidModule, body: Body) -> Self {
        let mut cfg = Self::default();
        Builder::default().build(module, body, &mut cfg);
        cfg
    }

    /// Returns the blocks in the order of the code; the exit is the last.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Yields the indices of the blocks in order.
    pub fn indices(&self) -> impl DoubleEndedIterator<Item = BlockIdx> + use<> {
        (0..u32::try_from(self.blocks.len()).unwrap_or(u32::MAX)).map(BlockIdx)
    }

    /// Returns the exit.
    #[must_use]
    pub fn exit(&self) -> BlockIdx {
        BlockIdx(u32::try_from(self.blocks.len().saturating_sub(1)).unwrap_or(u32::MAX))
    }

    /// Returns where control may go behind a block.
    #[must_use]
    pub fn succs(&self, block: BlockIdx) -> &[BlockIdx] {
        self.succs.of(block)
    }

    /// Returns where control may come from before a block.
    #[must_use]
    pub fn preds(&self, block: BlockIdx) -> &[BlockIdx] {
        self.preds.of(block)
    }

    /// Returns the block whose code is at an absolute offset.
    #[must_use]
    pub fn block_at(&self, offset: u32) -> Option<BlockIdx> {
        let at = self.blocks.partition_point(|block| block.end <= offset);
        let block = self.blocks.get(at).filter(|block| block.start <= offset)?;
        (block.start < block.end).then(|| BlockIdx(u32::try_from(at).unwrap_or(u32::MAX)))
    }

    /// Returns how many instructions the blocks have.
    #[must_use]
    pub const fn n_instrs(&self) -> u32 {
        self.n_instrs
    }

    /// Returns how many instructions of the body no path reaches.
    #[must_use]
    pub const fn n_dead(&self) -> u32 {
        self.n_dead
    }
}

/// A place that edges lead to before its block exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Label(u32);

/// Label of the exit.
const EXIT: Label = Label(0);
/// A label that is bound to no block yet.
const UNBOUND: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameKind {
    Function,
    Block,
    Loop,
    If,
    Try,
    TryTable,
}

/// A block of the source that is open.
#[derive(Debug)]
struct Frame {
    kind: FrameKind,
    /// Whether it was opened where code can be reached.
    reachable: bool,
    /// Where a branch to it leads.
    label: Label,
    /// Behind its end; the same as `label` but for a loop.
    behind: Label,
    /// Where the second arm of an `if` begins.
    second_arm: Option<Label>,
    /// Where an exception goes that is thrown inside.
    thrown: Label,
    /// Where exceptions of a `try` are dispatched; `None` once that block is there, and without a `try`.
    dispatch: Option<Label>,
    /// The block that dispatches, once it is there and reachable.
    dispatched: Option<BlockIdx>,
    /// First of the clauses of a `try_table` in [`Builder::clauses`].
    clauses: usize,
}

/// Builds graphs one after the other, in buffers that serve them all.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    blocks: Vec<Block>,
    edges: Vec<(BlockIdx, Label)>,
    /// Block of each label, and whether an edge leads to it.
    labels: Vec<(u32, bool)>,
    frames: Vec<Frame>,
    /// Targets of the clauses of the open `try_table`s.
    clauses: Vec<Label>,
    current: Option<BlockIdx>,
    /// For each label, the block whose `br_table` mentioned it last.
    mentioned: Vec<BlockIdx>,
    /// The edges, once every label is bound.
    resolved: Vec<(BlockIdx, BlockIdx)>,
    /// Fuel of the current block so far.
    fuel: u32,
    n_instrs: u32,
    n_dead: u32,
}

impl Builder {
    /// Builds the graph of a body in place of the one before.
    pub(crate) fn build(&mut self, module: &ValidModule, body: Body, cfg: &mut Cfg) {
        self.begin();
        if let Ok(instrs) = module.instructions(body) {
            self.begin_block(instrs.offset());
            instrs.visit_control(|n_plain, _, instr, next| {
                self.plain(n_plain);
                self.instr(instr, next);
            });
        }
        self.finish(body.0.end, cfg);
    }

    fn begin(&mut self) {
        self.edges.clear();
        self.labels.clear();
        self.labels.push((UNBOUND, false));
        self.frames.clear();
        self.frames.push(Frame {
            kind: FrameKind::Function,
            reachable: true,
            label: EXIT,
            behind: EXIT,
            second_arm: None,
            thrown: EXIT,
            dispatch: None,
            dispatched: None,
            clauses: 0,
        });
        self.clauses.clear();
        self.mentioned.clear();
        self.current = None;
        (self.fuel, self.n_instrs, self.n_dead) = (0, 0, 0);
    }

    fn new_label(&mut self) -> Label {
        let label = Label(u32::try_from(self.labels.len()).unwrap_or(UNBOUND));
        self.labels.push((UNBOUND, false));
        label
    }

    fn is_used(&self, label: Label) -> bool {
        self.labels.get(label.0 as usize).is_some_and(|label| label.1)
    }

    fn bind(&mut self, label: Label, block: BlockIdx) {
        if let Some(slot) = self.labels.get_mut(label.0 as usize) {
            slot.0 = block.0;
        }
    }

    fn edge(&mut self, from: BlockIdx, to: Label) {
        if let Some(slot) = self.labels.get_mut(to.0 as usize) {
            slot.1 = true;
        }
        self.edges.push((from, to));
    }

    fn push_block(&mut self, start: u32, terminator: Terminator) -> BlockIdx {
        let block = BlockIdx(u32::try_from(self.blocks.len()).unwrap_or(u32::MAX));
        self.blocks.push(Block { start, end: start, fuel: 0, terminator, begins_loop: false });
        block
    }

    fn begin_block(&mut self, start: u32) -> BlockIdx {
        let block = self.push_block(start, Terminator::Fall);
        self.current = Some(block);
        block
    }

    /// Ends the current block.
    fn end_block(&mut self, end: u32, terminator: Terminator) -> Option<BlockIdx> {
        let block = self.current.take()?;
        let fuel = std::mem::take(&mut self.fuel);
        if let Some(open) = self.blocks.get_mut(block.index()) {
            open.fuel = fuel;
            open.end = end;
            open.terminator = terminator;
        }
        Some(block)
    }

    /// Ends the current block and goes on in a new one.
    fn cut(&mut self, next: u32, terminator: Terminator) -> Option<BlockIdx> {
        let block = self.end_block(next, terminator)?;
        let label = self.new_label();
        self.edge(block, label);
        let behind = self.begin_block(next);
        self.bind(label, behind);
        Some(block)
    }

    fn thrown(&self) -> Label {
        self.frames.last().map_or(EXIT, |frame| frame.thrown)
    }

    /// Takes instructions that only go on to the next one, of one unit of fuel each.
    fn plain(&mut self, n_plain: u32) {
        match self.current {
            Some(_) => {
                self.n_instrs += n_plain;
                self.fuel += n_plain;
            }
            None => self.n_dead += n_plain,
        }
    }

    fn instr(&mut self, instr: &Instr<'_>, next: u32) {
        let info = instr.op().info();
        match self.current {
            Some(_) => {
                self.n_instrs += 1;
                self.fuel += u32::from(info.fuel);
            }
            None => self.n_dead += 1,
        }
        match flow(instr) {
            Flow::Next if info.class == Class::Call => self.call(next),
            Flow::Next => {}
            Flow::Block => self.open(FrameKind::Block),
            Flow::Loop => self.open_loop(next),
            Flow::If => self.open_if(next),
            Flow::Try => self.open_try(FrameKind::Try),
            Flow::TryTable(table) => {
                let clauses = self.clauses.len();
                let labels = table.parts().catches.into_iter().map(Catch::label);
                let labels: Vec<_> = labels.filter_map(|label| self.target(label)).collect();
                self.clauses.extend(labels);
                self.open_try(FrameKind::TryTable);
                if let Some(frame) = self.frames.last_mut() {
                    frame.clauses = clauses;
                }
            }
            Flow::Else => self.second_arm(next),
            Flow::Catch => self.handler(next),
            Flow::Delegate => self.delegate(instr, next),
            Flow::End => self.close(next),
            Flow::Br(label) => {
                let target = self.target(label);
                if let (Some(block), Some(target)) = (self.end_block(next, Terminator::Jump), target) {
                    self.edge(block, target);
                }
            }
            Flow::BrIf(label) => {
                let target = self.target(label);
                if let (Some(block), Some(target)) = (self.cut(next, Terminator::BranchIf), target) {
                    self.edge(block, target);
                }
            }
            Flow::BrTable(table) => {
                if let Some(block) = self.end_block(next, Terminator::Table) {
                    table.labels().for_each(|label| self.table_edge(block, label));
                }
            }
            Flow::Return => self.leave(next, Terminator::Return, EXIT),
            Flow::Unreachable => self.leave(next, Terminator::Trap, EXIT),
            Flow::Throw => self.leave(next, Terminator::Throw, self.thrown()),
        }
    }

    fn leave(&mut self, next: u32, terminator: Terminator, to: Label) {
        if let Some(block) = self.end_block(next, terminator) {
            self.edge(block, to);
        }
    }

    /// In a `try` a call may go on in a handler.
    fn call(&mut self, next: u32) {
        let thrown = self.thrown();
        if thrown != EXIT
            && let Some(block) = self.cut(next, Terminator::Call)
        {
            self.edge(block, thrown);
        }
    }

    fn target(&self, label: LabelIdx) -> Option<Label> {
        let at = self.frames.len().checked_sub(label.index() + 1)?;
        self.frames.get(at).map(|frame| frame.label)
    }

    fn table_edge(&mut self, block: BlockIdx, label: LabelIdx) {
        let Some(target) = self.target(label) else { return };
        if self.mentioned.len() < self.labels.len() {
            self.mentioned.resize(self.labels.len(), BlockIdx(u32::MAX));
        }
        let last = std::mem::replace(&mut self.mentioned[target.0 as usize], block);
        if last != block {
            self.edge(block, target);
        }
    }

    fn open(&mut self, kind: FrameKind) {
        let label = self.new_label();
        let reachable = self.current.is_some();
        let thrown = self.thrown();
        self.frames.push(Frame {
            kind,
            reachable,
            label,
            behind: label,
            second_arm: None,
            thrown,
            dispatch: None,
            dispatched: None,
            clauses: 0,
        });
    }

    fn open_loop(&mut self, next: u32) {
        self.open(FrameKind::Loop);
        let header = self.new_label();
        if let Some(frame) = self.frames.last_mut() {
            frame.label = header;
        }
        if self.cut(next, Terminator::Fall).is_some()
            && let Some(block) = self.current
        {
            self.bind(header, block);
            self.blocks[block.index()].begins_loop = true;
        }
    }

    fn open_if(&mut self, next: u32) {
        self.open(FrameKind::If);
        let second_arm = self.new_label();
        if let Some(frame) = self.frames.last_mut() {
            frame.second_arm = Some(second_arm);
        }
        if let Some(block) = self.cut(next, Terminator::If) {
            self.edge(block, second_arm);
        }
    }

    fn open_try(&mut self, kind: FrameKind) {
        self.open(kind);
        let dispatch = self.new_label();
        if let Some(frame) = self.frames.last_mut() {
            frame.thrown = dispatch;
            frame.dispatch = Some(dispatch);
        }
    }

    /// Ends an arm, which goes on behind the block's end.
    fn leave_arm(&mut self, next: u32) {
        if let Some(behind) = self.frames.last().map(|frame| frame.behind) {
            self.leave(next, Terminator::Jump, behind);
        }
    }

    fn second_arm(&mut self, next: u32) {
        self.leave_arm(next);
        let Some(frame) = self.frames.last_mut() else { return };
        if let Some(label) = frame.second_arm.take()
            && frame.reachable
        {
            let block = self.begin_block(next);
            self.bind(label, block);
        }
    }

    /// Returns where exceptions go that the innermost block does not handle.
    fn thrown_outside(&self) -> Label {
        let outer = self.frames.len().checked_sub(2).and_then(|at| self.frames.get(at));
        outer.map_or(EXIT, |frame| frame.thrown)
    }

    /// Makes the block that dispatches the exceptions of the innermost block, if any can be thrown there.
    fn make_dispatch(&mut self, offset: u32) -> Option<BlockIdx> {
        let label = self.frames.last_mut()?.dispatch.take()?;
        if !self.is_used(label) {
            return None;
        }
        let block = self.push_block(offset, Terminator::Dispatch);
        self.bind(label, block);
        Some(block)
    }

    /// Begins a `catch` or `catch_all` of a legacy `try`.
    fn handler(&mut self, next: u32) {
        self.leave_arm(next);
        let outside = self.thrown_outside();
        if let Some(block) = self.make_dispatch(next) {
            self.edge(block, outside);
            if let Some(frame) = self.frames.last_mut() {
                frame.dispatched = Some(block);
            }
        }
        let Some(frame) = self.frames.last_mut() else { return };
        frame.thrown = outside;
        if let Some(dispatch) = frame.dispatched {
            let label = self.new_label();
            self.edge(dispatch, label);
            let block = self.begin_block(next);
            self.bind(label, block);
        }
    }

    /// Ends a legacy `try` whose exceptions go to a block farther out.
    fn delegate(&mut self, instr: &Instr<'_>, next: u32) {
        if let Instr::Delegate(label) = instr {
            // The label counts from outside of the `try`, which is still open here.
            let at = self.frames.len().checked_sub(label.index() + 2);
            let to = at.and_then(|at| self.frames.get(at)).map_or(EXIT, |frame| frame.thrown);
            if let Some(block) = self.make_dispatch(next) {
                self.edge(block, to);
                if let Some(frame) = self.frames.last_mut() {
                    frame.dispatched = Some(block);
                }
            }
        }
        self.close(next);
    }

    fn close(&mut self, next: u32) {
        let outside = self.thrown_outside();
        let dispatch = self.make_dispatch(next);
        let Some(frame) = self.frames.pop() else { return };
        if let Some(block) = dispatch {
            self.edge(block, outside);
            let clauses = self.clauses.get(frame.clauses..).unwrap_or_default().to_vec();
            clauses.into_iter().for_each(|label| self.edge(block, label));
        }
        if frame.kind == FrameKind::TryTable {
            self.clauses.truncate(frame.clauses);
        }
        if frame.kind == FrameKind::Function {
            self.leave(next, Terminator::Return, EXIT);
            return;
        }
        let second_arm = frame.second_arm.filter(|label| self.is_used(*label));
        // Behind a dispatch a block begins, so that the blocks stay in the order of the code.
        let cut = dispatch.or(frame.dispatched).is_some() && self.current.is_some();
        if second_arm.is_none() && !self.is_used(frame.behind) && !cut {
            return;
        }
        if let Some(block) = self.end_block(next, Terminator::Fall) {
            self.edge(block, frame.behind);
        }
        let block = self.begin_block(next);
        self.bind(frame.behind, block);
        if let Some(label) = second_arm {
            self.bind(label, block);
        }
    }

    fn finish(&mut self, end: u32, cfg: &mut Cfg) {
        let exit = self.push_block(end, Terminator::Exit);
        self.bind(EXIT, exit);
        let bound = |label: Label| self.labels.get(label.0 as usize).map(|label| label.0);
        self.resolved.clear();
        self.resolved.extend(
            self.edges.iter().filter_map(|(from, to)| {
                Some((*from, BlockIdx(bound(*to).filter(|block| *block != UNBOUND)?)))
            }),
        );
        cfg.succs.group(self.blocks.len(), self.resolved.iter().copied());
        cfg.preds.group(self.blocks.len(), self.resolved.iter().map(|(from, to)| (*to, *from)));
        (cfg.n_instrs, cfg.n_dead) = (self.n_instrs, self.n_dead);
        std::mem::swap(&mut cfg.blocks, &mut self.blocks);
        self.blocks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::module;
    use expect_test::{Expect, expect};

    /// Blocks as lines: offset from the first instruction, length, how it ends, where to.
    fn check(text: &str, expected: &Expect) {
        let module = module(text);
        let cfg = Cfg::build(&module, module.bodies[0]);
        let start = cfg.blocks()[0].start;
        let mut lines = Vec::new();
        for (index, block) in cfg.indices().zip(cfg.blocks()) {
            let succs: Vec<_> = cfg.succs(index).iter().map(|block| block.0).collect();
            let mark = if block.begins_loop { " loop" } else { "" };
            let (at, len, fuel) = (block.start - start, block.end - block.start, block.fuel);
            lines.push(format!("{}: {at}+{len} {fuel}{mark} {:?} {succs:?}", index.0, block.terminator));
        }
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn arms_join_and_dead_code_has_no_block() {
        check(
            "(func (param i32) local.get 0 if nop else return nop end nop)",
            &expect![[r#"
                0: 0+4 2 If [1, 2]
                1: 4+2 0 Jump [3]
                2: 6+1 1 Return [4]
                3: 9+2 0 Return [4]
                4: 11+0 0 Exit []"#]],
        );
    }

    #[test]
    fn an_if_without_else_goes_on_behind_its_end() {
        check(
            "(func (param i32) local.get 0 if unreachable end)",
            &expect![[r#"
                0: 0+4 2 If [1, 2]
                1: 4+1 1 Trap [3]
                2: 6+1 0 Return [3]
                3: 7+0 0 Exit []"#]],
        );
    }

    #[test]
    fn a_back_edge_leads_to_the_block_that_begins_the_loop() {
        check(
            "(func (param i32) loop local.get 0 br_if 0 end nop)",
            &expect![[r#"
                0: 0+2 0 Fall [1]
                1: 2+4 2 loop BranchIf [2, 1]
                2: 6+3 0 Return [3]
                3: 9+0 0 Exit []"#]],
        );
    }

    #[test]
    fn the_targets_of_a_table_count_once() {
        check(
            "(func (param i32) block block local.get 0 br_table 0 1 0 1 0 end nop end)",
            &expect![[r#"
                0: 0+13 2 Table [1, 2]
                1: 14+2 0 Fall [2]
                2: 16+1 0 Return [3]
                3: 17+0 0 Exit []"#]],
        );
    }

    #[test]
    fn a_call_in_a_try_may_go_on_in_a_handler_or_leave() {
        check(
            "(module (func block try_table (catch_all 0) call 0 nop end end call 0))",
            &expect![[r#"
                0: 0+9 2 Call [1, 2]
                1: 9+2 0 Fall [3]
                2: 11+0 0 Dispatch [5, 4]
                3: 11+1 0 Fall [4]
                4: 12+3 1 Return [5]
                5: 15+0 0 Exit []"#]],
        );
        check(
            "(module (func try call 0 catch_all rethrow 0 end))",
            &expect![[r#"
                0: 0+4 2 Call [1, 2]
                1: 4+1 0 Jump [4]
                2: 5+0 0 Dispatch [5, 3]
                3: 5+2 1 Throw [5]
                4: 8+1 0 Return [5]
                5: 9+0 0 Exit []"#]],
        );
    }

    #[test]
    fn an_exception_is_delegated_past_a_try() {
        check(
            "(func try $outer try try call 0 delegate $outer catch_all end catch_all end)",
            &expect![[r#"
                0: 0+8 4 Call [1, 2]
                1: 8+2 0 Fall [3]
                2: 10+0 0 Dispatch [5]
                3: 10+1 0 Jump [4]
                4: 12+1 0 Jump [7]
                5: 13+0 0 Dispatch [8, 6]
                6: 13+1 0 Fall [7]
                7: 14+1 0 Return [8]
                8: 15+0 0 Exit []"#]],
        );
    }

    #[test]
    fn an_offset_is_in_one_block() {
        let module = module("(func (param i32) local.get 0 if nop end nop)");
        let cfg = Cfg::build(&module, module.bodies[0]);
        for (index, block) in cfg.indices().zip(cfg.blocks()) {
            for offset in block.start..block.end {
                assert_eq!(cfg.block_at(offset), Some(index));
            }
        }
        assert_eq!(cfg.block_at(cfg.blocks()[0].start - 1), None);
        assert_eq!(cfg.block_at(module.bodies[0].0.end), None);
    }
}

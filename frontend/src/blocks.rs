//! Control flow of a body, read once for all: which way an instruction goes, where fuel is charged, where it is tested.
//!
//! Promises P2 and P3 of the architecture: both tiers obey the [`Charge`]s that [`plan`] makes, so that they count the
//! same. A charge covers a run of instructions that is entered at its first and left behind its last, traps aside; what
//! a trap leaves undone is given back by [`not_run`].
//!
//! Untested units never exceed [`UNTESTED`] on a path within one frame: function entries and loop headers test, a
//! handler's entry tests (it may be reached from anywhere in its block), and any other charge tests that would exceed
//! the bound. No charge is larger than the bound, so that a stop is never far away.

use crate::code::Instrs;
use crate::instr::{BrTable, Catch, TryTable};
use crate::opcode::Instr;
use crate::types::LabelIdx;
use crate::validate::ValidBody;

/// Units that a path within one frame may charge without a test.
pub const UNTESTED: u32 = 1_000;

/// Which way an instruction goes. This is the only list of control instructions besides the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flow<'a> {
    /// On to the next instruction.
    Next,
    /// On to the next instruction; opens a block whose label is its end.
    Block,
    /// On to the next instruction; opens a block whose label is its start.
    Loop,
    /// On to the next instruction, or behind the matching `else` or `end`.
    If,
    /// The end of the first arm: behind the matching `end`. The second arm begins.
    Else,
    /// On to the next instruction; closes a block.
    End,
    /// To a label.
    Br(LabelIdx),
    /// To a label, or on to the next instruction.
    BrIf(LabelIdx),
    /// To one of many labels.
    BrTable(BrTable<'a>),
    /// Back to the caller; tail calls too.
    Return,
    /// Nowhere: a trap.
    Unreachable,
    /// To a handler, or out of the function.
    Throw,
    /// On to the next instruction; opens a block whose clauses branch to labels outside of it.
    TryTable(TryTable<'a>),
    /// On to the next instruction; opens a block with handlers of its own, or one that delegates.
    Try,
    /// The end of a `try` or of a handler: behind the matching `end`. A handler begins.
    Catch,
    /// Closes a `try`, handing its exceptions to an outer block.
    Delegate,
}

/// Returns which way an instruction goes.
#[inline]
#[must_use]
pub const fn flow<'a>(instr: &Instr<'a>) -> Flow<'a> {
    match *instr {
        Instr::Block(_) => Flow::Block,
        Instr::Loop(_) => Flow::Loop,
        Instr::If(_) => Flow::If,
        Instr::Else => Flow::Else,
        Instr::End => Flow::End,
        Instr::Br(label) => Flow::Br(label),
        Instr::BrIf(label) | Instr::BrOnNull(label) | Instr::BrOnNonNull(label) => Flow::BrIf(label),
        Instr::BrOnCast(cast) | Instr::BrOnCastFail(cast) => Flow::BrIf(cast.label),
        Instr::BrTable(table) => Flow::BrTable(table),
        Instr::Return | Instr::ReturnCall(_) | Instr::ReturnCallIndirect(_) | Instr::ReturnCallRef(_) => {
            Flow::Return
        }
        Instr::Unreachable => Flow::Unreachable,
        Instr::Throw(_) | Instr::ThrowRef | Instr::Rethrow(_) => Flow::Throw,
        Instr::TryTable(table) => Flow::TryTable(table),
        Instr::Try(_) => Flow::Try,
        Instr::Catch(_) | Instr::CatchAll => Flow::Catch,
        Instr::Delegate(_) => Flow::Delegate,
        _ => Flow::Next,
    }
}

/// Returns whether other code can look at the counter during the instruction, so that a charge ends with it: calls,
/// growth, bulk operations (also those of arrays), waits and notifications. Branches and throws end one anyway.
#[inline]
#[must_use]
pub const fn ends_charge(instr: &Instr<'_>) -> bool {
    matches!(
        instr,
        Instr::Call(_)
            | Instr::CallIndirect(_)
            | Instr::CallRef(_)
            | Instr::MemoryGrow(_)
            | Instr::MemoryFill(_)
            | Instr::MemoryCopy(_)
            | Instr::MemoryInit(_)
            | Instr::TableGrow(_)
            | Instr::TableFill(_)
            | Instr::TableCopy(_)
            | Instr::TableInit(_)
            | Instr::ArrayNew(_)
            | Instr::ArrayNewDefault(_)
            | Instr::ArrayNewFixed(_)
            | Instr::ArrayNewData(_)
            | Instr::ArrayNewElem(_)
            | Instr::ArrayFill(_)
            | Instr::ArrayCopy(_)
            | Instr::ArrayInitData(_)
            | Instr::ArrayInitElem(_)
            | Instr::MemoryAtomicNotify(_)
            | Instr::MemoryAtomicWait32(_)
            | Instr::MemoryAtomicWait64(_)
    )
}

/// Fuel that is taken before the instruction at `offset`, for the run of instructions that begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Absolute byte offset of the first instruction of the run.
    pub offset: u32,
    /// What the run costs; at least 1, at most [`UNTESTED`].
    pub cost: u32,
    /// Whether the counter is tested when this has been taken.
    pub test: bool,
}

/// Returns the charges of a body in the order of their offsets. Code that cannot be reached has none.
#[must_use]
pub fn plan(body: ValidBody<'_>) -> Vec<Charge> {
    let mut planner = Planner::new();
    let Some(mut instrs) = instrs(body) else { return Vec::new() };
    planner.begin_run(instrs.offset(), true);
    while let Some((offset, instr)) = instrs.next() {
        planner.instr(offset, &instr, instrs.offset());
    }
    planner.end_run();
    planner.charges
}

/// Returns what has been charged for instructions behind the one at `offset`, which trapped: both tiers give it back.
#[must_use]
pub fn not_run(body: ValidBody<'_>, offset: u32) -> u32 {
    let charges = plan(body);
    let index = charges.partition_point(|charge| charge.offset <= offset);
    let Some(charge) = index.checked_sub(1).and_then(|index| charges.get(index)) else { return 0 };
    let Some(instrs) = instrs(body) else { return 0 };
    let begun = instrs.skip_while(|(at, _)| *at < charge.offset).take_while(|(at, _)| *at <= offset);
    let begun: u32 = begun.map(|(_, instr)| u32::from(instr.op().info().fuel)).sum();
    charge.cost.saturating_sub(begun)
}

fn instrs(body: ValidBody<'_>) -> Option<Instrs<'_>> {
    body.module().code(body.body()).ok().map(|(_, instrs)| instrs)
}

/// Untested units on the worst path to a point; `None` if no path leads there.
type Untested = Option<u32>;

/// A block that is open.
struct Frame {
    is_loop: bool,
    /// Whether it was opened where code can be reached.
    reachable: bool,
    /// The worst path that branches to its end.
    at_end: Untested,
    /// The worst path to the second arm of an `if`.
    at_else: Untested,
}

struct Planner {
    frames: Vec<Frame>,
    charges: Vec<Charge>,
    /// The worst path to the run that is open.
    untested: Untested,
    run: Charge,
}

impl Planner {
    fn new() -> Self {
        Self {
            frames: vec![Frame { is_loop: false, reachable: true, at_end: None, at_else: None }],
            charges: Vec::new(),
            untested: Some(0),
            run: Charge { offset: 0, cost: 0, test: true },
        }
    }

    fn begin_run(&mut self, offset: u32, test: bool) {
        self.run = Charge { offset, cost: 0, test };
    }

    /// Closes the run and says what the worst path has charged untested behind it.
    fn end_run(&mut self) {
        let Some(untested) = self.untested else { return };
        if self.run.cost == 0 {
            return;
        }
        self.run.test |= untested + self.run.cost > UNTESTED;
        self.untested = Some(if self.run.test { 0 } else { untested + self.run.cost });
        self.charges.push(self.run);
        self.run.cost = 0;
    }

    fn instr(&mut self, offset: u32, instr: &Instr<'_>, next: u32) {
        if self.untested.is_some() {
            let fuel = u32::from(instr.op().info().fuel);
            if self.run.cost + fuel > UNTESTED {
                self.end_run();
                self.begin_run(offset, false);
            }
            self.run.cost += fuel;
        }
        match flow(instr) {
            Flow::Next if ends_charge(instr) => self.cut(next, false),
            Flow::Next => {}
            Flow::Block | Flow::Try => self.open(false),
            Flow::TryTable(table) => {
                // A handler may be entered from anywhere in the block.
                table
                    .parts()
                    .catches
                    .into_iter()
                    .map(Catch::label)
                    .for_each(|label| self.reach(label, Some(UNTESTED)));
                self.open(false);
            }
            Flow::Loop => {
                self.end_run();
                self.open(true);
                self.begin_run(next, true);
            }
            Flow::If => {
                self.cut(next, false);
                self.open(false);
                let untested = self.untested;
                self.innermost().at_else = untested;
            }
            Flow::Else => self.second_arm(next),
            Flow::Catch => {
                self.leave_arm();
                self.untested = self.innermost().reachable.then_some(UNTESTED);
                self.begin_run(next, false);
            }
            Flow::End | Flow::Delegate => self.close(next),
            Flow::Br(label) => {
                self.end_run();
                self.reach(label, self.untested);
                self.untested = None;
            }
            Flow::BrIf(label) => {
                self.cut(next, false);
                self.reach(label, self.untested);
            }
            Flow::BrTable(table) => {
                self.end_run();
                table.labels().for_each(|label| self.reach(label, self.untested));
                self.untested = None;
            }
            Flow::Return | Flow::Unreachable | Flow::Throw => {
                self.end_run();
                self.untested = None;
            }
        }
    }

    fn cut(&mut self, next: u32, test: bool) {
        self.end_run();
        self.begin_run(next, test);
    }

    fn open(&mut self, is_loop: bool) {
        let reachable = self.untested.is_some();
        self.frames.push(Frame { is_loop, reachable, at_end: None, at_else: None });
    }

    fn innermost(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            // Validation has matched every `else`, `catch` and `end` with its block.
            self.open(false);
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// Notes a path to a label. The start of a loop tests anyway.
    fn reach(&mut self, label: LabelIdx, untested: Untested) {
        let index = self.frames.len().checked_sub(label.index() + 1);
        if let Some(frame) = index.and_then(|index| self.frames.get_mut(index))
            && !frame.is_loop
        {
            frame.at_end = frame.at_end.max(untested);
        }
    }

    /// Ends an arm, which goes on behind the block's end.
    fn leave_arm(&mut self) {
        self.end_run();
        let untested = self.untested;
        let frame = self.innermost();
        frame.at_end = frame.at_end.max(untested);
    }

    fn second_arm(&mut self, next: u32) {
        self.leave_arm();
        self.untested = self.innermost().at_else.take();
        self.begin_run(next, false);
    }

    /// Closes a block. Where nothing joins, the run goes on.
    fn close(&mut self, next: u32) {
        let Some(frame) = self.frames.pop() else { return };
        let joining = frame.at_end.max(frame.at_else);
        if joining.is_none() {
            return;
        }
        self.end_run();
        self.untested = self.untested.max(joining);
        self.begin_run(next, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_charge_goes_on_to_the_next_instruction() {
        // `ends_charge` is looked at only for such instructions.
        let call = Instr::Call(crate::types::FuncIdx(0));
        assert!(ends_charge(&call) && flow(&call) == Flow::Next);
        let tail = Instr::ReturnCall(crate::types::FuncIdx(0));
        assert!(!ends_charge(&tail) && flow(&tail) == Flow::Return);
    }
}

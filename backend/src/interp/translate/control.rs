//! Blocks and branches.

use wasmos_frontend::instr::BrTable;
use wasmos_frontend::types::BlockType;

use super::operand::{Kind, Operand, Ty};
use super::{Frame, FrameKind, Fusible, Translator, Types, pack};
use crate::interp::ops::control::{
    BRANCH_TABLE, branch, branch_forms, count_and_branch, counter_forms, unreachable,
};
use crate::interp::ops::numeric::form::{AI, SI};
use crate::interp::ops::variable::select_forms;
use crate::interp::regs::{Handler, METERED};
use crate::semantics::{i32_eq, i32_ne, i64_eq, i64_ne};
use wasmos_frontend::instr::V128;

/// Values that a branch moves one by one; more are settled in a row first.
const FEW_SLOTS: u32 = 4;
/// Branches that are led on where the label they go to only branches further.
const THREADED: usize = 16;

impl Translator<'_> {
    /// Tracks the nesting of code that cannot be reached.
    pub(super) fn open_dead(&mut self) {
        let height = self.stack.len();
        self.frames.push(Frame {
            kind: FrameKind::Block,
            ty: BlockType::Empty,
            is_reachable: false,
            height,
            label_len: 0,
            label_slots: 0,
            target: 0,
            pending: 0,
            second_arm: 0,
            stub: (0, 0),
        });
    }

    pub(super) fn block(&mut self, ty: BlockType) {
        self.open(FrameKind::Block, ty);
    }

    pub(super) fn loop_(&mut self, ty: BlockType) {
        self.open(FrameKind::Loop, ty);
        if METERED {
            self.emit_charge();
        }
        self.acc = [None; 3];
        self.forget_ops();
        let target = self.ops.len();
        self.innermost().target = target;
    }

    pub(super) fn if_(&mut self, ty: BlockType) {
        let params = self.block_params(ty).as_slice().len();
        let top = self.stack.len() - 1;
        self.settle_below(top, params);
        let word = self.branch_unless();
        self.open(FrameKind::Block, ty);
        self.innermost().second_arm = word;
        self.last = None;
    }

    /// Settles what an arm may change: locals below the condition, and the block's parameters.
    fn settle_below(&mut self, condition: usize, params: usize) {
        let from = condition - params;
        if self.is_settled_from(from) || params == 0 {
            return self.settle_locals(condition);
        }
        // The condition may be a local or a constant too; it is settled with the parameters.
        self.settle_from(from);
        self.settle_locals(condition);
    }

    fn open(&mut self, kind: FrameKind, ty: BlockType) {
        let params = self.block_params(ty);
        let results = self.block_results(ty);
        let height = self.stack.len() - params.as_slice().len();
        self.settle_locals(usize::MAX);
        self.settle_from(height);
        let label = if kind == FrameKind::Loop { &params } else { &results };
        self.frames.push(Frame {
            kind,
            ty,
            is_reachable: true,
            height,
            label_len: label.as_slice().len(),
            label_slots: label.slots(),
            target: 0,
            pending: 0,
            second_arm: 0,
            stub: (0, 0),
        });
    }

    fn innermost(&mut self) -> &mut Frame {
        match self.frames.last_mut() {
            Some(frame) => frame,
            None => unreachable!("validation has matched every end with its block"),
        }
    }

    /// Returns the position of the frame that a label means.
    fn frame_of(&self, label: usize) -> usize {
        self.frames.len() - 1 - label
    }

    pub(super) fn else_(&mut self) {
        if !self.innermost().is_reachable {
            return;
        }
        if self.live {
            self.settle_results();
            self.close_sites();
            self.lead_on(0);
            let at = self.op(branch, &[0]);
            self.set_target(at + 1, 0);
        }
        let frame = self.innermost();
        let (ty, height) = (frame.ty, frame.height);
        let word = core::mem::take(&mut frame.second_arm);
        self.pop_to(height);
        self.push_all(&self.block_params(ty));
        self.sites.clear();
        self.live = true;
        self.land(word);
    }

    pub(super) fn end(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        if frame.kind == FrameKind::Func {
            self.frames.push(frame);
            if self.live {
                self.return_();
            }
            return;
        }
        if !frame.is_reachable {
            return self.pop_to(frame.height);
        }
        let results = self.block_results(frame.ty);
        let falls = self.live;
        if falls {
            let from = self.stack.len() - results.as_slice().len();
            self.settle_from(from);
        }
        // Where the values already stand in their places, the entries are right as they are.
        if !falls || self.stack.len() != frame.height + results.as_slice().len() {
            self.pop_to(frame.height);
            self.push_all(&results);
        }
        let arrivals = frame.kind != FrameKind::Loop && (frame.pending != 0 || frame.second_arm != 0);
        if arrivals {
            self.live = true;
            self.land(frame.second_arm);
            self.land(frame.pending);
        }
    }

    fn settle_results(&mut self) {
        let ty = self.innermost().ty;
        let n = self.block_results(ty).as_slice().len();
        let from = self.stack.len() - n;
        self.settle_from(from);
    }

    fn push_all(&mut self, types: &Types<'_>) {
        for ty in types.as_slice() {
            self.push(Kind::Temp, Ty::of(*ty));
        }
    }

    /// A label stands here: leads the chain of target words that begins at `word` to it.
    fn land(&mut self, word: usize) {
        let here = self.ops.len();
        if self.fresh_at != here {
            self.fresh.clear();
            self.fresh_at = here;
        }
        let mut word = word;
        while word != 0 {
            let next = self.ops[word] as u32 as usize;
            self.ops[word] = displacement(word, here) | self.ops[word] & !0xffff_ffff;
            self.open_site(word);
            if self.fresh.len() <= THREADED {
                self.fresh.push(word);
            }
            word = next;
        }
        self.acc = [None; 3];
        self.forget_ops();
    }

    /// Makes the target word lead to a label; what its upper half pays already stays paid.
    fn set_target(&mut self, word: usize, label: usize) {
        let at = self.frame_of(label);
        let frame = &mut self.frames[at];
        if frame.kind == FrameKind::Loop {
            let total = self.ops[frame.target - 1] >> 32;
            self.ops[word] = self.ops[word] & !0xffff_ffff | displacement(word, frame.target);
            self.ops[word] += total << 32;
        } else {
            self.ops[word] = self.ops[word] & !0xffff_ffff | frame.pending as u64;
            frame.pending = word;
        }
    }

    /// Leads branches that land where an unconditional one is about to stand on to its label. Their amounts are closed.
    fn lead_on(&mut self, label: usize) {
        if self.fresh_at != self.ops.len() || self.fresh.len() > THREADED {
            return;
        }
        for word in core::mem::take(&mut self.fresh) {
            self.set_target(word, label);
        }
    }

    /// Returns whether the values of a label on top of the stack, below `above` entries, are in their places.
    fn is_in_place(&self, label: usize, above: usize) -> bool {
        let frame = &self.frames[self.frame_of(label)];
        if frame.label_len == 0 {
            return true;
        }
        let from = self.stack.len() - above - frame.label_len;
        from == frame.height && self.is_settled_between(from, self.stack.len() - above)
    }

    fn is_settled_between(&self, from: usize, to: usize) -> bool {
        if to - from > FEW_SLOTS as usize {
            return self.is_settled_from(from);
        }
        self.stack[from..to].iter().all(|entry| entry.kind == Kind::Temp)
    }

    /// Copies the values of a label into their places, which lie below or at where they are.
    fn place(&mut self, label: usize) {
        let frame = &self.frames[self.frame_of(label)];
        let (len, slots, height) = (frame.label_len, frame.label_slots, frame.height);
        let from = self.stack.len() - len;
        let to = self.stack.get(height).map_or(self.next_temp(), |entry| self.temp(*entry));
        if slots > FEW_SLOTS {
            self.settle_from(from);
            let source = self.temp(self.stack[from]);
            return self.copy_range(to, source, slots);
        }
        let mut to = to;
        for index in from..self.stack.len() {
            let entry = self.stack[index];
            match entry.kind {
                Kind::Temp => self.copy(to, self.temp(entry), entry.ty),
                Kind::Local(local) => self.copy(to, self.local(local), entry.ty),
                Kind::Const(bits) => self.constant(to, bits, entry.ty),
            }
            to += entry.ty.slots();
        }
    }

    /// `br`. The stack stays as it is.
    pub(super) fn br(&mut self, label: usize) {
        if self.frame_of(label) == 0 {
            return self.return_();
        }
        if !self.is_in_place(label, 0) {
            self.place(label);
        }
        self.close_sites();
        self.lead_on(label);
        if let Some(count) = self.count.filter(|count| count.at + 2 == self.ops.len()) {
            self.take_back(count.at);
            let step = u64::from(count.step.cast_unsigned()) << 32;
            let at = self.op(count_and_branch, &[pack(0, count.local, 0, 0) | step, 0]);
            self.set_target(at + 2, label);
        } else {
            let at = self.op(branch, &[0]);
            self.set_target(at + 1, label);
        }
        self.die();
    }

    pub(super) fn unreachable(&mut self) {
        self.close_sites();
        self.emit(unreachable);
        self.die();
    }

    pub(super) fn br_if(&mut self, label: usize) {
        if self.frame_of(label) != 0 && self.is_in_place(label, 1) {
            let word = self.branch_if();
            self.set_target(word, label);
        } else {
            self.settle_many(label, 1);
            let word = self.branch_unless();
            self.branch_around(word, label);
        }
        self.last = None;
    }

    /// What a branch to the label would settle is settled in front of the condition: other edges see it too.
    fn settle_many(&mut self, label: usize, above: usize) {
        let frame = &self.frames[self.frame_of(label)];
        let from = self.stack.len() - above - frame.label_len;
        if (frame.label_slots > FEW_SLOTS || self.is_wide) && !self.is_settled_from(from) {
            self.settle_from(from);
        }
    }

    /// Branches to a label behind a branch whose target word is `around`, which goes around it.
    fn branch_around(&mut self, around: usize, label: usize) {
        let acc = self.acc;
        // The falling edge of the branch around pays nothing: the branch to the label pays.
        self.sites.clear();
        self.br(label);
        self.live = true;
        self.acc = acc;
        let here = self.ops.len();
        self.ops[around] |= displacement(around, here);
        self.open_site(around);
    }

    /// Pops a condition and branches if it is not zero; returns the target word, the falling edge being open.
    fn branch_if(&mut self) -> usize {
        self.conditional(false)
    }

    /// Pops a condition and branches if it is zero.
    fn branch_unless(&mut self) -> usize {
        self.conditional(true)
    }

    fn conditional(&mut self, negate: bool) -> usize {
        self.close_sites();
        let fusible = self.last_fusible().filter(|(_, fusible)| fusible.relation.is_some());
        let Some((last, fusible)) = fusible else { return self.plain_conditional(negate) };
        self.pop_entry();
        self.take_back(last.at);
        self.acc = fusible.acc;
        self.fused_conditional(fusible, negate)
    }

    /// A condition that no comparison has just left.
    fn plain_conditional(&mut self, negate: bool) -> usize {
        let (is_acc, slot) = self.pop_acc_or_slot();
        if !negate && let Some(word) = self.counted(counter_forms(i32_ne), slot, None, 0) {
            return word;
        }
        let forms = if negate { branch_forms(i32_eq) } else { branch_forms(i32_ne) };
        let at = self.op(forms[if is_acc { AI } else { SI }][0], &[pack(0, slot, 0, 0), 0, 0]);
        self.open_site(at + 3);
        at + 2
    }

    fn fused_conditional(&mut self, fusible: Fusible, negate: bool) -> usize {
        let Some(relation) = fusible.relation else { unreachable!("the caller has looked") };
        let has_immediate = matches!(fusible.form, SI | AI);
        if let (false, Some(counter)) = (negate, relation.counter) {
            let bound = if has_immediate { None } else { Some(fusible.b) };
            if let Some(word) = self.counted(counter, fusible.a, bound, fusible.immediate) {
                return word;
            }
        }
        let (forms, negated) = match relation.inverse {
            Some(inverse) if negate => (inverse, false),
            _ => (relation.branch, negate),
        };
        self.emit(forms[fusible.form][usize::from(negated)]);
        if fusible.is_wide {
            self.ops.extend([pack(0, fusible.a, 0, 0), fusible.immediate]);
        } else if has_immediate {
            self.ops.push(pack(0, fusible.a, 0, 0) | fusible.immediate << 32);
        } else {
            self.ops.push(pack(0, fusible.a, fusible.b, 0));
        }
        self.ops.extend([0, 0]);
        let word = self.ops.len() - 2;
        self.open_site(word + 1);
        word
    }

    /// A condition on a local to which the op in front has added a constant: one op does both.
    fn counted(&mut self, forms: &[Handler; 2], a: u16, bound: Option<u16>, immediate: u64) -> Option<usize> {
        let count = self.count.filter(|count| count.at + 2 == self.ops.len() && count.local == a)?;
        self.take_back(count.at);
        let step = u64::from(count.step.cast_unsigned()) << 32;
        match bound {
            Some(bound) => self.op(forms[0], &[pack(bound, a, 0, 0) | step, 0, 0]),
            None => self.op(forms[1], &[pack(0, a, 0, 0) | step, u64::from(immediate as u32), 0, 0]),
        };
        self.acc[0] = Some(u32::from(a));
        let word = self.ops.len() - 2;
        self.open_site(word + 1);
        Some(word)
    }

    /// `br_on_null` (`false`), which pops the reference where it branches, and `br_on_non_null`, which pops it where it
    /// does not.
    pub(super) fn br_on_null(&mut self, label: usize, non_null: bool) {
        let from = self.stack.len() - 1;
        self.settle_from(from);
        let entry = self.top();
        let slot = self.pop_slot();
        // The stack of the branch: with the reference or without it.
        if non_null {
            self.push(Kind::Temp, entry.ty);
        }
        let in_place = self.frame_of(label) != 0 && self.is_in_place(label, 0);
        if !in_place {
            self.settle_many(label, 0);
        }
        self.close_sites();
        let forms = if in_place == non_null { branch_forms(i64_ne) } else { branch_forms(i64_eq) };
        let at = self.op(forms[SI][0], &[pack(0, slot, 0, 0), 0, 0]);
        self.open_site(at + 3);
        if in_place {
            self.set_target(at + 2, label);
        } else {
            self.branch_around(at + 2, label);
        }
        if non_null {
            self.pop_entry();
        } else {
            self.push(Kind::Temp, entry.ty);
        }
        self.last = None;
    }

    pub(super) fn br_table(&mut self, table: BrTable<'_>) {
        table.labels().for_each(|label| self.settle_many(label.index(), 1));
        let (is_acc, slot) = self.pop_acc_or_slot();
        let n = table.labels().count();
        self.close_sites();
        self.n_tables += 1;
        let default = (n as u64 - 1) << 32;
        let at = self.op(BRANCH_TABLE[usize::from(is_acc)], &[pack(0, slot, 0, 0) | default]);
        let first = at + 2;
        self.ops.resize(first + n, 0);
        for (index, label) in table.labels().enumerate() {
            let label = label.index();
            if self.frame_of(label) != 0 && self.is_in_place(label, 0) {
                self.set_target(first + index, label);
                continue;
            }
            let stub = self.stub(label);
            self.ops[first + index] = displacement(first + index, stub);
        }
        self.die();
    }

    /// Returns where the stub of a `br_table` stands that moves a label's values and branches, or returns.
    fn stub(&mut self, label: usize) -> usize {
        let (frame, table) = (self.frame_of(label), self.n_tables);
        let (of, at) = self.frames[frame].stub;
        if of == table {
            return at;
        }
        let at = self.ops.len();
        self.frames[frame].stub = (table, at);
        self.live = true;
        self.acc = [None; 3];
        self.forget_ops();
        self.br(label);
        at
    }

    pub(super) fn select(&mut self) {
        let n = self.stack.len();
        let ty = self.stack[n - 2].ty;
        let condition = self.pop();
        let condition = match condition {
            Operand::Const(_) => {
                let temp = self.next_temp();
                Operand::Slot(self.in_slot(condition, Ty::I32, temp))
            }
            condition => condition,
        };
        let (y, x) = (self.pop_slot(), self.pop_slot());
        let (is_acc, slot) = match self.again(condition, Ty::I32) {
            Operand::Acc(slot) => (true, slot),
            Operand::Slot(slot) => (false, slot),
            Operand::Const(_) => unreachable!("it was put into a slot"),
        };
        let forms = match ty {
            Ty::I32 | Ty::I64 => const { select_forms::<u64>() },
            Ty::F32 => const { select_forms::<f32>() },
            Ty::F64 => const { select_forms::<f64>() },
            Ty::V128 => const { select_forms::<V128>() },
        };
        let at = self.op(forms[usize::from(is_acc)], &[pack(0, x, y, slot)]);
        self.result(at, ty);
    }
}

/// Returns the lower half of a target word at `word` that leads to `target`.
fn displacement(word: usize, target: usize) -> u64 {
    let words = target as i64 - word as i64;
    u64::from((words as i32).wrapping_mul(8).cast_unsigned())
}

//! The symbolic operand stack: pushing, popping, results, and how entries get into their slots.

use wasmos_frontend::instr::V128;
use wasmos_frontend::types::ValType;

use super::{Fusible, Last, Translator, WINDOW_OPERAND, WINDOW_OPERANDS, pack, pair, word};
use crate::interp::ops::variable::{constant, constant_vector, copy, copy_many, copy_vector, copy2};

/// How handlers see a type: references are integers of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
}

impl Ty {
    pub(super) fn of(ty: ValType) -> Self {
        match ty {
            ValType::I32 => Self::I32,
            ValType::F32 => Self::F32,
            ValType::F64 => Self::F64,
            ValType::V128 => Self::V128,
            _ => Self::I64,
        }
    }

    pub(super) const fn val(self) -> ValType {
        match self {
            Self::I32 => ValType::I32,
            Self::I64 => ValType::I64,
            Self::F32 => ValType::F32,
            Self::F64 => ValType::F64,
            Self::V128 => ValType::V128,
        }
    }

    /// The accumulator: integers, 64-bit floats, 32-bit floats; vectors have none.
    pub(super) const fn class(self) -> Option<usize> {
        match self {
            Self::I32 | Self::I64 => Some(0),
            Self::F64 => Some(1),
            Self::F32 => Some(2),
            Self::V128 => None,
        }
    }

    pub(super) const fn slots(self) -> u32 {
        if matches!(self, Self::V128) { 2 } else { 1 }
    }
}

/// Where the value of an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// In the temporary of its height.
    Temp,
    /// Still in the local.
    Local(u32),
    /// Nowhere: the bits.
    Const(u64),
}

/// An entry of the operand stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) ty: Ty,
    /// Slots of the entries below.
    pub(super) at: u32,
}

/// An operand of an op.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    /// In the accumulator of its class, and in the slot.
    Acc(u16),
    Slot(u16),
    Const(u64),
}

/// How many pending copies of locals are looked at one by one, when one of the locals is set.
const FEW: usize = 8;

impl Translator<'_> {
    pub(super) fn push(&mut self, kind: Kind, ty: Ty) {
        let index = self.stack.len() as u32;
        match kind {
            Kind::Temp => {}
            Kind::Local(local) => {
                self.uses[local as usize] += 1;
                self.local_entries.push(index);
            }
            Kind::Const(_) => self.const_entries.push(index),
        }
        self.stack.push(Entry { kind, ty, at: self.height });
        self.height += ty.slots();
    }

    /// Pops an entry. Validation has seen that there is one.
    pub(super) fn pop_entry(&mut self) -> Entry {
        let Some(entry) = self.stack.pop() else { unreachable!("validation has seen the operand") };
        match entry.kind {
            Kind::Temp => {}
            Kind::Local(local) => {
                self.uses[local as usize] -= 1;
                self.local_entries.pop();
            }
            Kind::Const(_) => {
                self.const_entries.pop();
            }
        }
        self.height = entry.at;
        entry
    }

    pub(super) fn pop_to(&mut self, height: usize) {
        while self.stack.len() > height {
            self.pop_entry();
        }
    }

    pub(super) fn top(&self) -> Entry {
        match self.stack.last() {
            Some(entry) => *entry,
            None => unreachable!("validation has seen the operand"),
        }
    }

    /// Returns the slot of the temporary of an entry.
    pub(super) const fn temp(&self, entry: Entry) -> u32 {
        self.first_temp + entry.at
    }

    /// Returns the slot of the temporary that the next push gets.
    pub(super) const fn next_temp(&self) -> u32 {
        self.first_temp + self.height
    }

    /// Returns the slot of a local.
    pub(super) fn local(&self, local: u32) -> u32 {
        self.locals[local as usize].0
    }

    /// Returns the slot that an entry is in; a constant is put into its temporary.
    pub(super) fn slot_of_entry(&mut self, entry: Entry) -> u32 {
        match entry.kind {
            Kind::Temp => self.temp(entry),
            Kind::Local(local) => self.local(local),
            Kind::Const(bits) => {
                let temp = self.temp(entry);
                self.constant(temp, bits, entry.ty);
                temp
            }
        }
    }

    /// Returns the operand of 16 bits for a slot: the slot, or one of the window with its value.
    fn narrow(&mut self, slot: u32, ty: Ty) -> u16 {
        if !self.is_wide {
            return slot as u16;
        }
        let window = self.n_param_slots + self.window_used;
        self.window_used = (self.window_used + WINDOW_OPERAND).min(WINDOW_OPERAND * (WINDOW_OPERANDS - 1));
        self.copy_range(window, slot, ty.slots());
        window as u16
    }

    /// Pops an operand.
    pub(super) fn pop(&mut self) -> Operand {
        let entry = self.pop_entry();
        let slot = match entry.kind {
            Kind::Const(bits) => return Operand::Const(bits),
            Kind::Local(local) => self.local(local),
            Kind::Temp => self.temp(entry),
        };
        if self.is_cached(slot, entry.ty) {
            return Operand::Acc(slot as u16);
        }
        Operand::Slot(self.narrow(slot, entry.ty))
    }

    fn is_cached(&self, slot: u32, ty: Ty) -> bool {
        ty.class().is_some_and(|class| self.acc[class] == Some(slot))
    }

    /// Returns an operand in a slot. A constant goes into the temporary that it would have had.
    pub(super) fn in_slot(&mut self, operand: Operand, ty: Ty, temp: u32) -> u16 {
        match operand {
            Operand::Acc(slot) | Operand::Slot(slot) => slot,
            Operand::Const(bits) => {
                self.constant(temp, bits, ty);
                self.narrow(temp, ty)
            }
        }
    }

    /// Pops an operand that is to be in a slot.
    pub(super) fn pop_slot(&mut self) -> u16 {
        let ty = self.top().ty;
        let operand = self.pop();
        let temp = self.next_temp();
        self.in_slot(operand, ty, temp)
    }

    /// Pops an operand that is to be in the accumulator (`true`) or in a slot.
    pub(super) fn pop_acc_or_slot(&mut self) -> (bool, u16) {
        let ty = self.top().ty;
        match self.pop() {
            Operand::Acc(slot) => (true, slot),
            operand => {
                let temp = self.next_temp();
                (false, self.in_slot(operand, ty, temp))
            }
        }
    }

    /// Returns an operand as it is after more ops: the accumulator may have been overwritten since.
    pub(super) fn again(&self, operand: Operand, ty: Ty) -> Operand {
        match operand {
            Operand::Acc(slot) if !self.is_cached(u32::from(slot), ty) => Operand::Slot(slot),
            operand => operand,
        }
    }

    /// Pushes the result of the op at `at`, whose handler writes slot and accumulator.
    pub(super) fn result(&mut self, at: usize, ty: Ty) {
        let temp = self.next_temp();
        self.push(Kind::Temp, ty);
        if self.is_wide {
            self.set_dst(at, self.n_param_slots as u16);
            self.copy_range(temp, self.n_param_slots, ty.slots());
            return;
        }
        self.set_dst(at, temp as u16);
        if let Some(class) = ty.class() {
            self.acc[class] = Some(temp);
        }
        self.last = Some(Last { at, end: self.ops.len(), fusible: None, sum: None });
    }

    /// Pushes the two results of the op at `at`, in slots that follow each other.
    pub(super) fn results2(&mut self, at: usize) {
        let temp = self.next_temp();
        self.push(Kind::Temp, Ty::I64);
        self.push(Kind::Temp, Ty::I64);
        if self.is_wide {
            self.set_dst(at, self.n_param_slots as u16);
            self.copy_range(temp, self.n_param_slots, 2);
            return;
        }
        self.set_dst(at, temp as u16);
        self.forget(temp);
        self.forget(temp + 1);
    }

    fn set_dst(&mut self, at: usize, slot: u16) {
        self.ops[at + 1] = self.ops[at + 1] & !0xffff | u64::from(slot);
    }

    /// A slot was written without its accumulator.
    fn forget(&mut self, slot: u32) {
        for cached in &mut self.acc {
            if *cached == Some(slot) {
                *cached = None;
            }
        }
    }

    /// Puts a constant into a slot.
    pub(super) fn constant(&mut self, slot: u32, bits: u64, ty: Ty) {
        let handler = match ty {
            Ty::F32 => constant::<f32>,
            Ty::F64 => constant::<f64>,
            Ty::I32 | Ty::I64 | Ty::V128 => constant::<u64>,
        };
        self.op(handler, &[u64::from(slot), bits]);
        let Some(class) = ty.class() else { return };
        self.acc[class] = if self.is_wide { None } else { Some(slot) };
    }

    /// Pushes a vector constant.
    pub(super) fn push_vector(&mut self, vector: V128) {
        let [low, high] = Self::vector_words(vector);
        let slot = u64::from(self.next_temp());
        self.op(constant_vector, &[slot, low, high]);
        self.push(Kind::Temp, Ty::V128);
    }

    /// Copies a value from one slot to another.
    pub(super) fn copy(&mut self, dst: u32, src: u32, ty: Ty) {
        if dst == src {
            return;
        }
        if self.is_wide {
            return self.copy_range(dst, src, ty.slots());
        }
        let operands = pack(dst as u16, src as u16, 0, 0);
        if ty == Ty::V128 {
            self.op(copy_vector, &[operands]);
        } else if let Some(at) = self.copy_at.take().filter(|at| at + 2 == self.ops.len()) {
            self.ops[at] = word(copy2);
            self.ops[at + 1] |= operands << 32;
            self.last = None;
        } else {
            self.copy_at = Some(self.op(copy, &[operands]));
        }
        self.forget(dst);
    }

    /// Copies slots in a row.
    pub(super) fn copy_range(&mut self, dst: u32, src: u32, n: u32) {
        if dst != src && n > 0 {
            self.op(copy_many, &[pair(dst, src), u64::from(n)]);
            self.acc = [None; 3];
        }
    }

    /// Brings an entry into its temporary. It must be taken off its list by the caller.
    fn settle(&mut self, index: u32) {
        let entry = self.stack[index as usize];
        let temp = self.temp(entry);
        match entry.kind {
            Kind::Temp => return,
            Kind::Local(local) => {
                self.uses[local as usize] -= 1;
                let slot = self.local(local);
                self.copy(temp, slot, entry.ty);
            }
            Kind::Const(bits) => self.constant(temp, bits, entry.ty),
        }
        self.stack[index as usize].kind = Kind::Temp;
    }

    /// Brings all copies of locals below `to` into their temporaries.
    pub(super) fn settle_locals(&mut self, to: usize) {
        let keep = self.local_entries.partition_point(|index| (*index as usize) < to);
        let rest = self.local_entries.split_off(keep);
        for index in core::mem::replace(&mut self.local_entries, rest) {
            self.settle(index);
        }
    }

    /// Brings all entries from `from` on into their temporaries.
    pub(super) fn settle_from(&mut self, from: usize) {
        let local = self.local_entries.partition_point(|index| (*index as usize) < from);
        let constant = self.const_entries.partition_point(|index| (*index as usize) < from);
        let mut entries = self.local_entries.split_off(local);
        entries.extend(self.const_entries.drain(constant..));
        entries.sort_unstable();
        for index in entries {
            self.settle(index);
        }
    }

    /// Returns whether all entries from `from` on are in their temporaries.
    pub(super) fn is_settled_from(&self, from: usize) -> bool {
        let settled = |entries: &[u32]| entries.last().is_none_or(|index| (*index as usize) < from);
        settled(&self.local_entries) && settled(&self.const_entries)
    }

    /// Saves the copies of a local that is about to be set.
    fn preserve(&mut self, local: u32) {
        if self.uses[local as usize] == 0 {
            return;
        }
        if self.local_entries.len() > FEW {
            return self.settle_locals(usize::MAX);
        }
        for index in core::mem::take(&mut self.local_entries) {
            if self.stack[index as usize].kind == Kind::Local(local) {
                self.settle(index);
            } else {
                self.local_entries.push(index);
            }
        }
    }

    pub(super) fn local_get(&mut self, local: u32) {
        let ty = self.locals[local as usize].1;
        self.push(Kind::Local(local), ty);
    }

    /// `local.set`, and `local.tee`, which leaves the value.
    pub(super) fn local_set(&mut self, local: u32, is_tee: bool) {
        let (slot, ty) = self.locals[local as usize];
        let top = self.top();
        if top.kind == Kind::Local(local) {
            if !is_tee {
                self.pop_entry();
            }
            return;
        }
        if !self.redirect(local, slot, top) {
            self.preserve(local);
            let top = self.pop_entry();
            match top.kind {
                Kind::Const(bits) => self.constant(slot, bits, ty),
                Kind::Local(from) => {
                    let from = self.local(from);
                    self.copy(slot, from, ty);
                }
                Kind::Temp => {
                    let from = self.temp(top);
                    self.copy(slot, from, ty);
                }
            }
        }
        if is_tee {
            self.push(Kind::Local(local), ty);
        }
    }

    /// Returns the last op if its result is on top of the stack.
    fn last_result(&self) -> Option<Last> {
        let top = self.stack.last()?;
        let last = self.last.filter(|last| last.end == self.ops.len())?;
        let is_its = top.kind == Kind::Temp && self.ops[last.at + 1] as u16 == self.temp(*top) as u16;
        is_its.then_some(last)
    }

    /// Returns the last op if its result is on top of the stack and it may become part of the next op.
    pub(super) fn last_fusible(&self) -> Option<(Last, Fusible)> {
        let last = self.last_result()?;
        Some((last, last.fusible?))
    }

    /// Makes the last op write the local instead of the temporary on top, if it can.
    fn redirect(&mut self, local: u32, slot: u32, top: Entry) -> bool {
        let temp = self.temp(top);
        let Some(last) = self.last_result().filter(|_| self.uses[local as usize] == 0) else { return false };
        self.set_dst(last.at, slot as u16);
        self.pop_entry();
        let was_cached = self.is_cached(temp, top.ty);
        self.forget(slot);
        if let (Some(class), true) = (top.ty.class(), was_cached) {
            self.acc[class] = Some(slot);
        }
        // An addition to the local itself may become part of a branch.
        let count = last.sum.filter(|(from, _)| u32::from(*from) == slot);
        self.count = count.map(|(local, step)| super::Count { at: last.at, local, step });
        self.last = None;
        true
    }
}

//! Calls and returns.

use wasmos_frontend::instr::CallIndirect;
use wasmos_frontend::types::{FuncIdx, FuncType, TypeIdx};

use super::operand::{Kind, Ty};
use super::{Translator, Types, pack, pair};
use crate::interp::ops::call::{
    CALL, LISTED, call_import, call_indirect, call_ref, list_words, reload, return_call, return_call_import,
    return_call_indirect, return_call_ref, return_forms, return_listed, return_none, return_row, row_words,
};
use crate::interp::regs::Handler;
use crate::vm::HEADER_SLOTS;

/// Arguments, taken off the stack.
enum Args {
    /// Slot by slot.
    Listed(Vec<u16>),
    /// The first slot, and how many.
    Row(u32, u32),
}

/// How many slots lie between the operands below a call's and the callee's frame: arguments or results, and the header.
fn room(ty: &FuncType) -> u32 {
    let (params, results) = (Types::Many(ty.params()).slots(), Types::Many(ty.results()).slots());
    params.max(results) + HEADER_SLOTS as u32
}

impl Args {
    /// Returns the form of a call within the instance.
    fn form(&self) -> usize {
        match self {
            Self::Listed(slots) => slots.len().min(CALL.len() - 1),
            Self::Row(..) => CALL.len() - 1,
        }
    }
}

impl<'m> Translator<'m> {
    pub(super) fn call(&mut self, func: FuncIdx) {
        let Some(ty) = self.module.func_type(func) else { return };
        let args = self.args(ty);
        if let Some(cell) = self.cell(func) {
            self.call_op(CALL[args.form()], &[cell], &args, ty, false);
        } else {
            self.call_op(call_import, &[func.0.into(), 0], &args, ty, true);
        }
    }

    pub(super) fn return_call(&mut self, func: FuncIdx) {
        let Some(ty) = self.module.func_type(func) else { return };
        let args = self.args(ty);
        if let Some(cell) = self.cell(func) {
            self.close_sites();
            self.op(return_call, &[cell]);
            self.arg_words(&args, self.delta(ty));
            self.die();
        } else {
            self.tail_call_op(return_call_import, &[func.0.into(), 0], &args, ty);
        }
    }

    /// Returns the address of a defined function's cell.
    fn cell(&self, func: FuncIdx) -> Option<u64> {
        self.code.cell(func).map(|cell| core::ptr::from_ref(cell) as u64)
    }

    pub(super) fn call_indirect(&mut self, callee: CallIndirect) {
        if let Some((ty, words, args)) = self.indirect(callee) {
            self.call_op(call_indirect, &words, &args, ty, true);
        }
    }

    pub(super) fn return_call_indirect(&mut self, callee: CallIndirect) {
        if let Some((ty, words, args)) = self.indirect(callee) {
            self.tail_call_op(return_call_indirect, &words, &args, ty);
        }
    }

    fn indirect(&mut self, callee: CallIndirect) -> Option<(&'m FuncType, [u64; 2], Args)> {
        let ty = self.func_type(callee.ty)?;
        let type_id = self.code.type_id(callee.ty)?;
        let index = self.pop_slot();
        let args = self.args(ty);
        let words = [pair(index.into(), type_id.0), callee.table.0.into()];
        Some((ty, words, args))
    }

    pub(super) fn call_ref(&mut self, ty: TypeIdx) {
        let Some(ty) = self.func_type(ty) else { return };
        let func = self.pop_slot();
        let args = self.args(ty);
        self.call_op(call_ref, &[func.into(), 0], &args, ty, true);
    }

    pub(super) fn return_call_ref(&mut self, ty: TypeIdx) {
        let Some(ty) = self.func_type(ty) else { return };
        let func = self.pop_slot();
        let args = self.args(ty);
        self.tail_call_op(return_call_ref, &[func.into(), 0], &args, ty);
    }

    /// Takes the arguments of a call off the stack.
    fn args(&mut self, ty: &FuncType) -> Args {
        let n = ty.params().len();
        let from = self.stack.len() - n;
        let first = self.stack.get(from).map_or(self.next_temp(), |entry| self.temp(*entry));
        let slots = self.next_temp() - first;
        // Arguments and results of a callee may lie a little beyond what 16 bits can say although the frame does not.
        let far = first.saturating_add(room(ty)) > u32::from(u16::MAX);
        let args = if self.is_wide || far || slots as usize > LISTED {
            self.settle_from(from);
            Args::Row(first, slots)
        } else {
            Args::Listed(self.list(from))
        };
        self.pop_to(from);
        args
    }

    /// Returns the slots of the entries from `from` on.
    fn list(&mut self, from: usize) -> Vec<u16> {
        let mut slots = Vec::with_capacity(LISTED);
        for index in from..self.stack.len() {
            let entry = self.stack[index];
            let slot = self.slot_of_entry(entry) as u16;
            slots.push(slot);
            if entry.ty == Ty::V128 {
                slots.push(slot + 1);
            }
        }
        slots
    }

    /// Puts `delta` and the arguments.
    fn arg_words(&mut self, args: &Args, delta: u32) {
        match args {
            Args::Row(first, n) => self.ops.extend(row_words(delta, *first, *n)),
            Args::Listed(slots) => {
                let end = self.ops.len() + list_words(slots.len());
                debug_assert!(u16::try_from(delta).is_ok(), "arguments that lie so far out are a row");
                let mut halves = vec![delta as u16, slots.len() as u16];
                halves.extend(slots);
                self.halves(&halves);
                self.ops.resize(end, 0);
            }
        }
    }

    fn halves(&mut self, halves: &[u16]) {
        for four in halves.chunks(4) {
            let at = |index: usize| four.get(index).copied().unwrap_or(0);
            self.ops.push(pack(at(0), at(1), at(2), at(3)));
        }
    }

    /// Returns how far a callee's frame lies: behind everything that lives, and where arguments and results lie.
    fn delta(&self, ty: &FuncType) -> u32 {
        self.next_temp() + room(ty)
    }

    fn call_op(&mut self, handler: Handler, words: &[u64], args: &Args, ty: &FuncType, may_leave: bool) {
        self.close_sites();
        self.op(handler, words);
        self.arg_words(args, self.delta(ty));
        let dst = self.next_temp();
        self.back_word(dst);
        if may_leave {
            // Not an op of its own in the trace: it belongs to the call.
            self.ops.push(super::word(reload));
            self.back_word(dst);
        }
        for result in ty.results() {
            self.push(Kind::Temp, Ty::of(*result));
        }
        self.acc = [None; 3];
        if let ([result], false) = (ty.results(), self.is_wide)
            && let Some(class) = Ty::of(*result).class()
        {
            self.acc[class] = Some(dst);
        }
        self.forget_ops();
    }

    fn back_word(&mut self, dst: u32) {
        self.ops.push(dst.into());
        self.open_site(self.ops.len() - 1);
    }

    /// A tail call that may lead to a function of the host, which is called from the frame: behind it stands a return of
    /// its results. They may lie beyond the highest operand, within what the slack pays for (V5).
    fn tail_call_op(&mut self, handler: Handler, words: &[u64], args: &Args, ty: &FuncType) {
        self.call_op(handler, words, args, ty, true);
        self.return_();
    }

    /// `return`, and the end of the body. The stack stays as it is.
    pub(super) fn return_(&mut self) {
        let frame = &self.frames[0];
        let (len, slots) = (frame.label_len, frame.label_slots);
        let from = self.stack.len() - len;
        match (len, slots) {
            (0, _) => {
                self.close_sites();
                self.emit(return_none);
            }
            (1, 1) if !self.is_wide => self.return_one(),
            _ if self.is_wide || self.next_temp() > u16::MAX.into() || slots as usize > LISTED => {
                self.settle_from(from);
                let first = self.temp(self.stack[from]);
                self.close_sites();
                self.op(return_row, &[pair(first, slots)]);
            }
            _ => {
                let slots = self.list(from);
                let mut halves = vec![slots.len() as u16];
                halves.extend(slots);
                self.close_sites();
                // The destination's half is the number of results.
                self.emit(return_listed);
                self.halves(&halves);
            }
        }
        self.die();
    }

    fn return_one(&mut self) {
        let entry = self.top();
        let slot = self.slot_of_entry(entry);
        let is_acc = entry.ty.class().is_some_and(|class| self.acc[class] == Some(slot));
        let forms = match entry.ty {
            Ty::F32 => const { return_forms::<f32>() },
            Ty::F64 => const { return_forms::<f64>() },
            Ty::I32 | Ty::I64 | Ty::V128 => const { return_forms::<u64>() },
        };
        self.close_sites();
        self.op(forms[usize::from(is_acc)], &[u64::from(slot)]);
    }
}

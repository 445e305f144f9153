//! Arithmetic: which form of an op its operands call for.

use super::operand::{Kind, Operand, Ty};
use super::{Fusible, Relation, Translator, pack};
use crate::interp::ops::numeric::form::{AI, AS, IA, IS, SA, SI, SS};
use crate::interp::ops::numeric::{shuffle, wide_2, wide_4};
use crate::interp::ops::reference::{ref_as_non_null, ref_func, ref_is_null};
use crate::interp::regs::Handler;
use crate::semantics;

/// An operation whose operands may be exchanged.
#[derive(Clone, Copy)]
pub(super) struct Symmetric {
    pub(super) forms: &'static [Handler; 4],
    pub(super) relation: Option<Relation>,
}

impl Symmetric {
    pub(super) const fn plain(forms: &'static [Handler; 4]) -> Self {
        Self { forms, relation: None }
    }
}

/// Returns whether a constant fits an immediate: sign-extended from 32 bits, or a word for a 64-bit float.
fn fits(ty: Ty, bits: u64) -> bool {
    match ty {
        Ty::I64 => bits.cast_signed() == i64::from(bits as i32),
        Ty::V128 => false,
        Ty::I32 | Ty::F32 | Ty::F64 => true,
    }
}

impl Translator<'_> {
    /// Pops two operands, of which at most one is a constant, and one that fits.
    fn pop2(&mut self, ty: Ty) -> (Operand, Operand) {
        let mut b = self.pop();
        let mut a = self.pop();
        let temp = self.next_temp();
        if let Operand::Const(bits) = b
            && !fits(ty, bits)
        {
            b = Operand::Slot(self.in_slot(b, ty, temp + 1));
        }
        if let Operand::Const(bits) = a
            && (!fits(ty, bits) || matches!(b, Operand::Const(_)))
        {
            a = Operand::Slot(self.in_slot(a, ty, temp));
        }
        (self.again(a, ty), self.again(b, ty))
    }

    /// Puts the words of an op with an immediate.
    fn immediate(&mut self, ty: Ty, a: u16, bits: u64) {
        if ty == Ty::F64 {
            self.ops.extend([pack(0, a, 0, 0), bits]);
        } else {
            self.ops.push(pack(0, a, 0, 0) | bits << 32);
        }
    }

    /// An operation of which `exchanged` is the one with its operands exchanged.
    pub(super) fn symmetric(
        &mut self,
        op: Symmetric,
        exchanged: Symmetric,
        ty: Ty,
        result: Ty,
        is_sum: bool,
    ) {
        let (mut a, mut b) = self.pop2(ty);
        let exchange =
            matches!(a, Operand::Const(_)) || matches!((a, b), (Operand::Slot(_), Operand::Acc(_)));
        let op = if exchange { exchanged } else { op };
        if exchange {
            core::mem::swap(&mut a, &mut b);
        }
        let acc = self.acc;
        let at = self.emit(op.forms[SS]);
        let (form, x, y, bits) = match (a, b) {
            (Operand::Slot(x), Operand::Const(bits)) => (SI, x, 0, bits),
            (Operand::Acc(x), Operand::Const(bits)) => (AI, x, 0, bits),
            (Operand::Acc(x), Operand::Slot(y) | Operand::Acc(y)) => (AS, x, y, 0),
            (Operand::Slot(x), Operand::Slot(y) | Operand::Acc(y)) => (SS, x, y, 0),
            (Operand::Const(_), _) => unreachable!("exchanged above"),
        };
        self.ops[at] = super::word(op.forms[form]);
        let has_immediate = form == SI || form == AI;
        if has_immediate {
            self.immediate(ty, x, bits);
        } else {
            self.ops.push(pack(0, x, y, 0));
        }
        self.result(at, result);
        let Some(last) = &mut self.last else { return };
        let is_wide = ty == Ty::F64 && has_immediate;
        last.fusible =
            Some(Fusible { is_sum, relation: op.relation, form, a: x, b: y, immediate: bits, is_wide, acc });
        last.sum = (is_sum && has_immediate).then_some((x, bits as i32));
    }

    /// An operation whose operands may be exchanged for nothing.
    pub(super) fn commutative(&mut self, forms: &'static [Handler; 4], ty: Ty) {
        self.symmetric(Symmetric::plain(forms), Symmetric::plain(forms), ty, ty, false);
    }

    /// An operation whose operands may not be exchanged.
    pub(super) fn binary(&mut self, forms: &'static [Handler; 7], ty: Ty) {
        let (a, b) = self.pop2(ty);
        let at = self.emit(forms[SS]);
        let form = match (a, b) {
            (Operand::Slot(x), Operand::Slot(y)) => {
                self.ops.push(pack(0, x, y, 0));
                SS
            }
            (Operand::Acc(_), Operand::Slot(y) | Operand::Acc(y)) => {
                self.ops.push(pack(0, 0, y, 0));
                AS
            }
            (Operand::Slot(x), Operand::Acc(_)) => {
                self.ops.push(pack(0, x, 0, 0));
                SA
            }
            (Operand::Slot(x), Operand::Const(bits)) => {
                self.immediate(ty, x, bits);
                SI
            }
            (Operand::Acc(_), Operand::Const(bits)) => {
                self.immediate(ty, 0, bits);
                AI
            }
            (Operand::Const(bits), Operand::Slot(y)) => {
                self.immediate(ty, y, bits);
                IS
            }
            (Operand::Const(bits), Operand::Acc(_) | Operand::Const(_)) => {
                self.immediate(ty, 0, bits);
                IA
            }
        };
        self.ops[at] = super::word(forms[form]);
        self.result(at, ty);
    }

    /// `i32.add`, which may become part of an access or of a loop's counter.
    pub(super) fn add32(&mut self, forms: &'static [Handler; 4]) {
        self.symmetric(Symmetric::plain(forms), Symmetric::plain(forms), Ty::I32, Ty::I32, true);
    }

    /// `i32.sub`: of a constant, it is an addition.
    pub(super) fn sub32(&mut self, sub: &'static [Handler; 7], add: &'static [Handler; 4]) {
        let Kind::Const(bits) = self.top().kind else { return self.binary(sub, Ty::I32) };
        self.pop_entry();
        self.push(Kind::Const(u64::from((bits as u32).wrapping_neg())), Ty::I32);
        self.add32(add);
    }

    /// An operation on one scalar.
    pub(super) fn unary(&mut self, forms: &'static [Handler; 2], result: Ty) {
        let (is_acc, slot) = self.pop_acc_or_slot();
        let at = self.op(forms[usize::from(is_acc)], &[pack(0, slot, 0, 0)]);
        self.result(at, result);
    }

    /// An operation on one operand in a slot.
    pub(super) fn slots1(&mut self, handler: Handler, result: Ty) {
        let a = self.pop_slot();
        let at = self.op(handler, &[pack(0, a, 0, 0)]);
        self.result(at, result);
    }

    /// An operation on two operands in slots.
    pub(super) fn slots2(&mut self, handler: Handler, result: Ty) {
        let (b, a) = (self.pop_slot(), self.pop_slot());
        let at = self.op(handler, &[pack(0, a, b, 0)]);
        self.result(at, result);
    }

    /// An operation on three vectors.
    pub(super) fn slots3(&mut self, handler: Handler) {
        let (c, b, a) = (self.pop_slot(), self.pop_slot(), self.pop_slot());
        let at = self.op(handler, &[pack(0, a, b, c)]);
        self.result(at, Ty::V128);
    }

    pub(super) fn extract_lane(&mut self, handler: Handler, lane: u8, result: Ty) {
        let a = self.pop_slot();
        let at = self.op(handler, &[pack(0, a, 0, 0), lane.into()]);
        self.result(at, result);
    }

    pub(super) fn replace_lane(&mut self, handler: Handler, lane: u8) {
        let (x, a) = (self.pop_slot(), self.pop_slot());
        let at = self.op(handler, &[pack(0, a, x, 0), lane.into()]);
        self.result(at, Ty::V128);
    }

    pub(super) fn shuffle(&mut self, lanes: [u8; 16]) {
        let (b, a) = (self.pop_slot(), self.pop_slot());
        let [low, high] = Self::vector_words(semantics::V128(lanes));
        let at = self.op(shuffle, &[pack(0, a, b, 0), low, high]);
        self.result(at, Ty::V128);
    }

    pub(super) fn wide2<F: Fn(i64, i64) -> (i64, i64) + Copy>(&mut self, function: F) {
        let (b, a) = (self.pop_slot(), self.pop_slot());
        let at = self.op(wide_2(function), &[pack(0, a, b, 0)]);
        self.results2(at);
    }

    pub(super) fn wide4<F: Fn(i64, i64, i64, i64) -> (i64, i64) + Copy>(&mut self, function: F) {
        let (d, c) = (self.pop_slot(), self.pop_slot());
        let (b, a) = (self.pop_slot(), self.pop_slot());
        let at = self.op(wide_4(function), &[pack(0, a, b, c), d.into()]);
        self.results2(at);
    }

    pub(super) fn ref_is_null(&mut self) {
        self.slots1(ref_is_null, Ty::I32);
    }

    /// Leaves its operand where it is.
    pub(super) fn ref_as_non_null(&mut self) {
        let entry = self.top();
        let from = self.stack.len() - 1;
        self.settle_from(from);
        let slot = self.pop_slot();
        self.op(ref_as_non_null, &[pack(0, slot, 0, 0)]);
        self.push(Kind::Temp, entry.ty);
    }

    pub(super) fn ref_func(&mut self, func: u32) {
        let at = self.op(ref_func, &[0, func.into()]);
        self.result(at, Ty::I64);
    }
}

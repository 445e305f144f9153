//! Scalar arithmetic, and what makes NaNs canonical.
//!
//! Promise P5 asks for NaNs as if each operation canonicalised. A result of float arithmetic is *raw* until somebody
//! can see its bits: a store, a reinterpretation, a sign, a label, a call, and most locals. Only there a compare and a select are
//! made, so that an expression pays once.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value, types};

use wasmos_frontend::code::Instrs;
use wasmos_frontend::opcode::{Class, Instr, Op};

use super::translate::Translator;
use crate::semantics::{CANONICAL_NAN_F32, CANONICAL_NAN_F64};

impl Translator<'_> {
    /// Pushes a result of float arithmetic.
    pub(super) fn push_raw(&mut self, value: Value) {
        if self.env.options.canonical_nans {
            self.raw.insert(value);
        }
        self.push(value);
    }

    /// Returns the value with a canonical NaN, if it may have another one.
    pub(super) fn canonical(&mut self, value: Value) -> Value {
        if !self.raw.contains(&value) {
            return value;
        }
        let ty = self.ty(value);
        let is_nan = self.b.ins().fcmp(FloatCC::Unordered, value, value);
        let nan = self.canonical_nan(ty.lane_type());
        if !ty.is_vector() {
            return self.b.ins().select(is_nan, nan, value);
        }
        let nan = self.b.ins().splat(ty, nan);
        let mask = self.as_vector(is_nan, ty);
        self.b.ins().bitselect(mask, nan, value)
    }

    fn canonical_nan(&mut self, ty: Type) -> Value {
        if ty == types::F32 {
            self.b.ins().f32const(Ieee32::with_bits(CANONICAL_NAN_F32))
        } else {
            self.b.ins().f64const(Ieee64::with_bits(CANONICAL_NAN_F64))
        }
    }

    /// Takes an operand whose bits are looked at.
    pub(super) fn pop_canonical(&mut self) -> Value {
        let value = self.pop();
        self.canonical(value)
    }

    pub(super) fn is_zero(&mut self, value: Value) -> Value {
        self.b.ins().icmp_imm_u(IntCC::Equal, value, 0)
    }

    /// Pushes a condition as an `i32`.
    pub(super) fn push_bool(&mut self, condition: Value) {
        let value = self.b.ins().uextend(types::I32, condition);
        self.push(value);
    }

    pub(super) fn eqz(&mut self) {
        let value = self.pop();
        let is_zero = self.is_zero(value);
        self.push_bool(is_zero);
    }

    pub(super) fn icmp(&mut self, condition: IntCC) {
        let (a, b) = self.pop2();
        let value = self.b.ins().icmp(condition, a, b);
        self.push_bool(value);
    }

    pub(super) fn fcmp(&mut self, condition: FloatCC) {
        let (a, b) = self.pop2();
        let value = self.b.ins().fcmp(condition, a, b);
        self.push_bool(value);
    }

    /// `i32.extend8_s` and its like: of the low `part` only.
    pub(super) fn extend_low(&mut self, part: Type, to: Type) {
        let value = self.pop();
        let low = self.b.ins().ireduce(part, value);
        let value = self.b.ins().sextend(to, low);
        self.push(value);
    }

    pub(super) fn reinterpret(&mut self, ty: Type) {
        let value = self.pop_canonical();
        let value = self.b.ins().bitcast(ty, MemFlagsData::new(), value);
        self.push(value);
    }

    pub(super) fn copysign(&mut self) {
        let sign = self.pop_canonical();
        let value = self.pop_canonical();
        let value = self.b.ins().fcopysign(value, sign);
        self.push(value);
    }

    pub(super) fn select(&mut self) {
        let condition = self.pop();
        self.settle(2);
        let (a, b) = self.pop2();
        let value = self.b.ins().select(condition, a, b);
        self.push(value);
    }

    pub(super) fn local_get(&mut self, local: usize) {
        let value = self.b.use_var(self.locals[local].0);
        if self.raw_locals.get(local) == Some(&true) {
            self.raw.insert(value);
        }
        self.push(value);
    }

    pub(super) fn local_set(&mut self, local: usize) {
        let mut value = self.pop();
        if self.raw_locals.get(local) != Some(&true) {
            value = self.settled(value);
        }
        self.note_set(value);
        self.b.def_var(self.locals[local].0, value);
    }

    pub(super) fn local_tee(&mut self, local: usize) {
        if self.raw_locals.get(local) != Some(&true) {
            self.settle(1);
        }
        let value = self.pop();
        self.note_set(value);
        self.b.def_var(self.locals[local].0, value);
        self.push(value);
    }

    /// Finds the locals that may stay raw: whatever is set there has just been computed or is no NaN, so that a NaN that
    /// is read there is one that arithmetic left.
    pub(super) fn find_raw_locals(&mut self, n_params: usize, instrs: Instrs<'_>) {
        let is_float = |ty: Type| ty == types::F32 || ty == types::F64;
        if !self.env.options.canonical_nans || !self.locals[n_params..].iter().any(|local| is_float(local.1))
        {
            return;
        }
        let mut raw: Vec<_> = self.locals.iter().map(|local| is_float(local.1)).collect();
        raw[..n_params].fill(false);
        let mut before = None;
        for (_, instr) in instrs {
            if let Instr::LocalSet(local) | Instr::LocalTee(local) = instr {
                raw[local.index()] &= before.is_some_and(leaves_raw);
            }
            before = Some(instr);
        }
        self.raw_locals = raw;
    }

    /// `i64.add128` and `i64.sub128`: halves of two numbers, low ones first.
    pub(super) fn wide_sum(&mut self, subtract: bool) {
        let (b_low, b_high) = self.pop2();
        let (a_low, a_high) = self.pop2();
        let a = self.b.ins().iconcat(a_low, a_high);
        let b = self.b.ins().iconcat(b_low, b_high);
        let sum = if subtract { self.b.ins().isub(a, b) } else { self.b.ins().iadd(a, b) };
        self.push_halves(sum);
    }

    pub(super) fn wide_product(&mut self, signed: bool) {
        let (a, b) = self.pop2();
        let low = self.b.ins().imul(a, b);
        let high = if signed { self.b.ins().smulhi(a, b) } else { self.b.ins().umulhi(a, b) };
        self.push(low);
        self.push(high);
    }

    fn push_halves(&mut self, value: Value) {
        let (low, high) = self.b.ins().isplit(value);
        self.push(low);
        self.push(high);
    }
}

/// Returns whether an instruction leaves a float that is raw or no NaN.
fn leaves_raw(instr: Instr<'_>) -> bool {
    match instr {
        Instr::F32Const(value) => !f32::from_bits(value.0).is_nan(),
        Instr::F64Const(value) => !f64::from_bits(value.0).is_nan(),
        Instr::F32DemoteF64 | Instr::F64PromoteF32 => true,
        instr => {
            let op = instr.op();
            let moves_bits = matches!(
                op,
                Op::F32Abs | Op::F64Abs | Op::F32Neg | Op::F64Neg | Op::F32Copysign | Op::F64Copysign
            );
            op.info().class == Class::Float && !moves_bits
        }
    }
}

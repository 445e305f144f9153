//! Arithmetic on slots: one handler per function of [`crate::semantics`] and kinds of operands.
//!
//! Scalar operations take their operands from slots, the accumulator or the op; vectors from slots only. A 64-bit float
//! in the op stands in word 2, a lane index at byte 16, the lanes of a shuffle in words 2 and 3.

use core::marker::PhantomData;

use wasmos_abi::TrapCode;
use wasmos_frontend::instr::V128;

use super::{item, trap};
use crate::interp::regs::{Acc, Handler, Imm, Slot, Source, Val, handlers};
use crate::semantics::i8x16_shuffle;

/// What a function of the semantics returns.
pub(crate) trait Output {
    type Value: Val;
    fn output(self) -> Result<Self::Value, TrapCode>;
}

macro_rules! outputs {
    ($($ty:ty)*) => {$(
        impl Output for $ty {
            type Value = Self;
            #[inline(always)]
            fn output(self) -> Result<Self, TrapCode> {
                Ok(self)
            }
        }
    )*};
}
outputs! { i32 i64 f32 f64 bool V128 }

impl<T: Val> Output for Result<T, TrapCode> {
    type Value = T;
    #[inline(always)]
    fn output(self) -> Self {
        self
    }
}

handlers! {
    fn binary[F: Fn(T, T) -> O + Copy, T: Val, O: Output, X: Source, Y: Source](r) {
        let (a, b) = (X::get::<T>(&r), Y::get::<T>(&r));
        match item::<F>()(a, b).output() {
            Ok(value) => {
                r.put(value);
                r.next(2 + if X::IS_IMM || Y::IS_IMM { T::IMM_WORDS } else { 0 })
            }
            Err(code) => trap(r, code),
        }
    }
    fn unary[F: Fn(T) -> O + Copy, T: Val, O: Output, X: Source](r) {
        match item::<F>()(X::get::<T>(&r)).output() {
            Ok(value) => {
                r.put(value);
                r.next(2)
            }
            Err(code) => trap(r, code),
        }
    }
    fn mixed[F: Fn(A, B) -> O + Copy, A: Val, B: Val, O: Val](r) {
        let value = item::<F>()(r.slot(10), r.slot(12));
        r.put(value);
        r.next(2)
    }
    fn ternary[F: Fn(V128, V128, V128) -> V128 + Copy](r) {
        let value = item::<F>()(r.slot(10), r.slot(12), r.slot(14));
        r.put(value);
        r.next(2)
    }
    fn extract[F: Fn(V128, u8) -> O + Copy, O: Val](r) {
        let value = item::<F>()(r.slot(10), r.u16(16) as u8);
        r.put(value);
        r.next(3)
    }
    fn replace[F: Fn(V128, u8, T) -> V128 + Copy, T: Val](r) {
        let value = item::<F>()(r.slot(10), r.u16(16) as u8, r.slot(12));
        r.put(value);
        r.next(3)
    }
    fn shuffle(r) {
        let lanes = r.ip.add(2).cast::<[u8; 16]>().read_unaligned();
        let value = i8x16_shuffle(r.slot(10), r.slot(12), lanes);
        r.put(value);
        r.next(4)
    }
    // Two results, in `dst` and the slot above it.
    fn wide2[F: Fn(i64, i64) -> (i64, i64) + Copy](r) {
        let (low, high) = item::<F>()(r.slot(10), r.slot(12));
        let dst = r.fp.add(r.u16(8));
        low.write(dst);
        high.write(dst.add(1));
        r.next(2)
    }
    // The fourth operand is at byte 16.
    fn wide4[F: Fn(i64, i64, i64, i64) -> (i64, i64) + Copy](r) {
        let (low, high) = item::<F>()(r.slot(10), r.slot(12), r.slot(14), r.slot(16));
        let dst = r.fp.add(r.u16(8));
        low.write(dst);
        high.write(dst.add(1));
        r.next(3)
    }
}

/// Kinds of operands, the index into the tables below: slot and slot, accumulator and slot, slot and immediate,
/// accumulator and immediate, slot and accumulator, immediate and slot, immediate and accumulator.
pub(crate) mod form {
    pub(crate) const SS: usize = 0;
    pub(crate) const AS: usize = 1;
    pub(crate) const SI: usize = 2;
    pub(crate) const AI: usize = 3;
    pub(crate) const SA: usize = 4;
    pub(crate) const IS: usize = 5;
    pub(crate) const IA: usize = 6;
}

struct Table<F, T, O>(PhantomData<(F, T, O)>);

impl<F: Fn(T, T) -> O + Copy, T: Val, O: Output> Table<F, T, O> {
    const BINARY: [Handler; 7] = [
        binary::<F, T, O, Slot<10>, Slot<12>>,
        binary::<F, T, O, Acc, Slot<12>>,
        binary::<F, T, O, Slot<10>, Imm>,
        binary::<F, T, O, Acc, Imm>,
        binary::<F, T, O, Slot<10>, Acc>,
        binary::<F, T, O, Imm, Slot<10>>,
        binary::<F, T, O, Imm, Acc>,
    ];
    const SYMMETRIC: [Handler; 4] = [
        binary::<F, T, O, Slot<10>, Slot<12>>,
        binary::<F, T, O, Acc, Slot<12>>,
        binary::<F, T, O, Slot<10>, Imm>,
        binary::<F, T, O, Acc, Imm>,
    ];
}

struct UnaryTable<F, T, O>(PhantomData<(F, T, O)>);

impl<F: Fn(T) -> O + Copy, T: Val, O: Output> UnaryTable<F, T, O> {
    const UNARY: [Handler; 2] = [unary::<F, T, O, Slot<10>>, unary::<F, T, O, Acc>];
}

/// Returns the handlers of an operation by kinds of operands.
pub(crate) fn binary_forms<F, T, O>(_: F) -> &'static [Handler; 7]
where
    F: Fn(T, T) -> O + Copy + 'static,
    T: Val + 'static,
    O: Output + 'static,
{
    const { &Table::<F, T, O>::BINARY }
}

/// The same for one whose operands may be exchanged, or whose exchanged form is another operation.
pub(crate) fn symmetric_forms<F, T, O>(_: F) -> &'static [Handler; 4]
where
    F: Fn(T, T) -> O + Copy + 'static,
    T: Val + 'static,
    O: Output + 'static,
{
    const { &Table::<F, T, O>::SYMMETRIC }
}

/// The same for one operand: in a slot, in the accumulator.
pub(crate) fn unary_forms<F, T, O>(_: F) -> &'static [Handler; 2]
where
    F: Fn(T) -> O + Copy + 'static,
    T: Val + 'static,
    O: Output + 'static,
{
    const { &UnaryTable::<F, T, O>::UNARY }
}

/// Returns the handler of an operation on one vector.
pub(crate) fn vector1<F: Fn(V128) -> O + Copy, O: Output>(_: F) -> Handler {
    unary::<F, V128, O, Slot<10>>
}

/// Returns the handler of an operation on one operand that makes a vector.
pub(crate) fn splat<F: Fn(T) -> V128 + Copy, T: Val>(_: F) -> Handler {
    unary::<F, T, V128, Slot<10>>
}

/// Returns the handler of an operation on two operands in slots.
pub(crate) fn vector2<F: Fn(A, B) -> O + Copy, A: Val, B: Val, O: Val>(_: F) -> Handler {
    mixed::<F, A, B, O>
}

/// Returns the handler of an operation on three vectors.
pub(crate) fn vector3<F: Fn(V128, V128, V128) -> V128 + Copy>(_: F) -> Handler {
    ternary::<F>
}

/// Returns the handler that takes a lane out of a vector.
pub(crate) fn extract_lane<F: Fn(V128, u8) -> O + Copy, O: Val>(_: F) -> Handler {
    extract::<F, O>
}

/// Returns the handler that replaces a lane of a vector.
pub(crate) fn replace_lane<F: Fn(V128, u8, T) -> V128 + Copy, T: Val>(_: F) -> Handler {
    replace::<F, T>
}

/// Returns the handler of a wide operation on two words.
pub(crate) fn wide_2<F: Fn(i64, i64) -> (i64, i64) + Copy>(_: F) -> Handler {
    wide2::<F>
}

/// Returns the handler of a wide operation on twice two words.
pub(crate) fn wide_4<F: Fn(i64, i64, i64, i64) -> (i64, i64) + Copy>(_: F) -> Handler {
    wide4::<F>
}

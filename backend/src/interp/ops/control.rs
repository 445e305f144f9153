//! Branches and fuel.
//!
//! A *target word* is `displacement i32 | cost u32`: how far the target lies from the word itself, in bytes, and what
//! the taken edge pays. Behind the target word of a conditional branch stands a word whose upper half the falling edge
//! pays. A loop's first op is a `charge`; branches back pay for it themselves and go behind it. Hence only branches
//! backwards and `charge` ops are test points (promise P3), and a run that stops always stops at a `charge` op whose
//! cost is not taken: resuming charges and tests again.
//!
//! A `charge` is `test u32 @8 | total u32 @12`: what the plan charges here, and that with the charges which follow
//! without a test, a branch or a look at the counter in between.

use core::marker::PhantomData;

use wasmos_abi::TrapCode;

use super::{item, trap};
use crate::interp::regs::{Acc, Handler, Imm, METERED, Registers, Slot, Source, Val, exit, handlers, opaque};
use crate::vm::Verdict;

handlers! {
    /// Compare and branch: operands as in arithmetic, then a target word and the falling edge's.
    fn compare_branch[F: Fn(T, T) -> bool + Copy, T: Val, X: Source, Y: Source, const NEGATED: bool](r) {
        let (a, b) = (X::get::<T>(&r), Y::get::<T>(&r));
        let words = 2 + if Y::IS_IMM { T::IMM_WORDS } else { 0 };
        if item::<F>()(a, b) != NEGATED {
            taken(r, words)
        } else {
            r.pay(r.i32(words * 8 + 12));
            r.next(words + 2)
        }
    }
    /// Adds the constant @12 to the slot @10, compares with the slot @8 or the constant in word 2, branches.
    fn count_branch[F: Fn(i32, i32) -> bool + Copy, Y: Source](r) {
        let value = r.slot::<i32>(10).wrapping_add(r.i32(12));
        value.write(r.fp.add(r.u16(10)));
        value.set(&mut r);
        let bound = if Y::IS_IMM { r.i32(16) } else { r.slot::<i32>(8) };
        let words = if Y::IS_IMM { 3 } else { 2 };
        if item::<F>()(value, bound) {
            taken(r, words)
        } else {
            r.pay(r.i32(words * 8 + 12));
            r.next(words + 2)
        }
    }
    fn branch(r) {
        taken(r, 1)
    }
    /// Adds the constant @12 to the slot @10, then branches.
    fn count_and_branch(r) {
        let value = r.slot::<i32>(10).wrapping_add(r.i32(12));
        value.write(r.fp.add(r.u16(10)));
        taken(r, 2)
    }
    /// Index in the slot @10 or the accumulator, number of the default @12, target words from word 2.
    fn branch_table[X: Source](r) {
        let index = X::get::<u32>(&r).min(r.u32(12)) as usize;
        r.ip = r.ip.add(index);
        taken(r, 2)
    }
    fn charge(r) {
        let short = r.fuel < r.i32(8);
        r.fuel = r.fuel.wrapping_sub(r.i32(12));
        if short {
            return r.to(charge_cold);
        }
        r.next(2)
    }
    fn unreachable(r) {
        trap(r, TrapCode::Unreachable)
    }
    /// A `charge` that the counter does not cover; it is taken already.
    #[cold]
    #[inline(never)]
    fn charge_cold(r) {
        r.fuel = r.fuel.wrapping_add(r.i32(12));
        test_point(r)
    }
    /// An edge that the counter does not cover: it is paid, `ip` is the target, `acc` the displacement. Forward edges
    /// are no test points. A back edge stops at the loop's own `charge`; what was paid on the way to it stays paid.
    #[cold]
    #[inline(never)]
    fn edge_cold(r) {
        if r.acc as i32 >= 0 {
            return r.go();
        }
        let before = r.fuel.wrapping_add(*r.ip.sub(1).cast::<i32>().add(1));
        let test = *r.ip.sub(1).cast::<i32>();
        if test == 0 || before >= test {
            return r.go();
        }
        r.ip = r.ip.sub(2);
        r.fuel = before;
        test_point(r)
    }
}

/// Decides at the `charge` op at `ip`, whose cost is not taken.
///
/// # Safety
/// V3, V5, V6.
#[inline(always)]
pub(super) unsafe fn test_point(mut r: Registers) -> u32 {
    // SAFETY: the caller's promise; V9.
    unsafe {
        if r.u32(8) == 0 {
            // Not a test point of the plan: the counter is overdrawn, and the run goes on.
            r.fuel = r.fuel.wrapping_sub(r.i32(12));
            return r.next(2);
        }
        let counter = &mut (*(*r.context()).state).counter;
        counter.sync(r.fuel);
        match counter.judge(r.u32(8)) {
            Verdict::GoOn => {
                r.fuel = counter.grant().wrapping_sub(r.i32(12));
                r.next(2)
            }
            Verdict::Slice => opaque(r.leave(exit::SLICE)),
            Verdict::OutOfFuel => opaque(r.leave(exit::OUT_OF_FUEL)),
        }
    }
}

/// Follows the target word `word` of the op and pays for it.
///
/// # Safety
/// V6, V7: the op has such a word.
#[inline(always)]
unsafe fn taken(mut r: Registers, word: usize) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        let displacement = r.i32(word * 8);
        let cost = r.i32(word * 8 + 4);
        r.ip = r.ip.byte_offset(displacement as isize + word as isize * 8);
        let short = METERED && r.fuel < cost;
        r.pay(cost);
        if short {
            r.acc = u64::from(displacement.cast_unsigned());
            return r.to(edge_cold);
        }
        r.go()
    }
}

struct Branches<F, T>(PhantomData<(F, T)>);

/// Handlers of a comparison that branches: by kinds of operands, then as it is and negated.
pub(crate) type BranchForms = [[Handler; 2]; 4];

impl<F: Fn(T, T) -> bool + Copy, T: Val> Branches<F, T> {
    const FORMS: BranchForms = [
        [compare_branch::<F, T, Slot<10>, Slot<12>, false>, compare_branch::<F, T, Slot<10>, Slot<12>, true>],
        [compare_branch::<F, T, Acc, Slot<12>, false>, compare_branch::<F, T, Acc, Slot<12>, true>],
        [compare_branch::<F, T, Slot<10>, Imm, false>, compare_branch::<F, T, Slot<10>, Imm, true>],
        [compare_branch::<F, T, Acc, Imm, false>, compare_branch::<F, T, Acc, Imm, true>],
    ];
}

struct Counters<F>(PhantomData<F>);

impl<F: Fn(i32, i32) -> bool + Copy> Counters<F> {
    const FORMS: [Handler; 2] = [count_branch::<F, Slot<8>>, count_branch::<F, Imm>];
}

/// Returns the handlers of a comparison that branches.
pub(crate) fn branch_forms<F, T>(_: F) -> &'static BranchForms
where
    F: Fn(T, T) -> bool + Copy + 'static,
    T: Val + 'static,
{
    const { &Branches::<F, T>::FORMS }
}

/// Returns the handlers of a loop's counter, compared with a slot and with a constant.
pub(crate) fn counter_forms<F: Fn(i32, i32) -> bool + Copy + 'static>(_: F) -> &'static [Handler; 2] {
    const { &Counters::<F>::FORMS }
}

/// The index of a `br_table` in a slot, and in the accumulator.
pub(crate) const BRANCH_TABLE: [Handler; 2] = [branch_table::<Slot<10>>, branch_table::<Acc>];

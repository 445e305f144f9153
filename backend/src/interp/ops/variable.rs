//! Moves: locals, globals, constants, `select`.

use crate::interp::regs::{Acc, Handler, Slot, Source, Val, handlers};
use crate::vm::VmGlobal;
use wasmos_frontend::instr::V128;

handlers! {
    /// One slot of any type; accumulators stay as they are.
    fn copy(r) {
        r.slot::<u64>(10).write(r.fp.add(r.u16(8)));
        r.next(2)
    }
    /// A second copy, from @14 to @12.
    fn copy2(r) {
        r.slot::<u64>(10).write(r.fp.add(r.u16(8)));
        r.slot::<u64>(14).write(r.fp.add(r.u16(12)));
        r.next(2)
    }
    /// Two slots.
    fn copy_vector(r) {
        r.slot::<V128>(10).write(r.fp.add(r.u16(8)));
        r.next(2)
    }
    /// Slots of 32 bits: to @8, from @12, how many at byte 16. The ranges may overlap.
    fn copy_many(r) {
        core::ptr::copy(r.fp.add(r.u32(12) as usize), r.fp.add(r.u32(8) as usize), r.u32(16) as usize);
        r.next(3)
    }
    /// Slot of 32 bits @8, value in word 2.
    fn constant[T: Val](r) {
        let value = T::read(r.ip.add(2));
        value.write(r.fp.add(r.u32(8) as usize));
        value.set(&mut r);
        r.next(3)
    }
    /// Slot of 32 bits @8, value in words 2 and 3.
    fn constant_vector(r) {
        V128::read(r.ip.add(2)).write(r.fp.add(r.u32(8) as usize));
        r.next(4)
    }
    /// Operands @10 and @12, condition @14 or in the accumulator.
    fn select[T: Val, X: Source](r) {
        let chosen = if X::get::<u32>(&r) != 0 { r.u16(10) } else { r.u16(12) };
        let value = T::read(r.fp.add(chosen));
        r.put(value);
        r.next(2)
    }
    /// Displacement @12 of the pointer to the global in the context.
    fn global_get[T: Val](r) {
        let global = *r.context().byte_add(r.u32(12) as usize).cast::<*const VmGlobal>();
        let value = T::read((*global).0.get().cast());
        r.put(value);
        r.next(2)
    }
    fn global_set[T: Val, X: Source](r) {
        let global = *r.context().byte_add(r.u32(12) as usize).cast::<*const VmGlobal>();
        X::get::<T>(&r).write((*global).0.get().cast());
        r.next(2)
    }
}

/// `select` of a type: condition in a slot, in the accumulator.
pub(crate) const fn select_forms<T: Val>() -> [Handler; 2] {
    [select::<T, Slot<14>>, select::<T, Acc>]
}

/// `global.set` of a type: value in a slot, in the accumulator.
pub(crate) const fn global_set_forms<T: Val>() -> [Handler; 2] {
    [global_set::<T, Slot<10>>, global_set::<T, Acc>]
}

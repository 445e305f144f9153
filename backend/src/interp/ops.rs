//! The handlers, by family, and the tables from which translation picks them.
//!
//! Words of an op: 0 is the handler's address, 1 is `dst u16 @8, a u16 @10, b u16 @12, c u16 @14`, where an immediate of
//! 32 bits may take @12. What a family does differently stands with it. Slots are counted from the frame pointer.

pub(super) mod atomic;
pub(super) mod bulk;
pub(crate) mod call;
pub(super) mod control;
pub(super) mod float;
pub(super) mod memory;
pub(super) mod numeric;
pub(super) mod observe;
pub(super) mod reference;
pub(super) mod variable;

use wasmos_abi::TrapCode;

use crate::interp::regs::{Registers, exit, handlers, opaque};

/// Returns a function's value from its type.
///
/// # Safety
/// A value of the type was handed to who picked the handler; it has no bytes, so that any is that one.
#[inline(always)]
unsafe fn item<F: Copy>() -> F {
    const { assert!(size_of::<F>() == 0, "handlers are made of function items and closures that capture nothing") };
    // SAFETY: the caller's promise.
    unsafe { core::ptr::NonNull::<F>::dangling().read() }
}

/// Leaves with a trap at the op.
///
/// # Safety
/// V3, V5: `fp` has a header with a context.
#[inline(always)]
unsafe fn trap(mut r: Registers, code: TrapCode) -> u32 {
    r.acc = u64::from(code as u8);
    // SAFETY: the caller's promise.
    unsafe { r.to(trap_exit) }
}

handlers! {
    #[cold]
    #[inline(never)]
    fn trap_exit(r) {
        let code = TrapCode::from_number(r.acc as u8).unwrap_or(TrapCode::Unreachable);
        (*(*r.context()).state).trap = code;
        opaque(r.leave(exit::TRAP))
    }
}

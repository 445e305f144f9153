//! What stands in front of each instruction of an observed body, and of no other body.
//!
//! An `observe` is `offset u32 @8 | ahead u32 @12 | kinds`: the instruction's offset, what its charge has paid for it and
//! for what stands behind it, and which kinds of places this is. Locals and operands are in their slots there.

use crate::interp::regs::{exit, handlers, opaque};
use crate::vm::InstanceId;

/// Words of an `observe`.
pub(crate) const OBSERVE_WORDS: usize = 3;

handlers! {
    /// Leaves if the machine watches for such a place; it goes on with the same op, which is passed then.
    fn observe(r) {
        let context = r.context();
        let instance = InstanceId::new((*context).instance as u32);
        let watcher = &mut (*(*context).state).watcher;
        if watcher.stops(instance, r.u32(8), r.u32(16)) {
            return opaque(r.leave(exit::STEP));
        }
        r.next(OBSERVE_WORDS)
    }
}

//! Growth, bulk operations and waiting: what pays a surcharge or may leave in between (promise P4).
//!
//! Operands @10, @12 and @14, result @8; two indices in word 2; the upper half of word 3 is what follows pays.

use wasmos_abi::TrapCode;

use super::{item, trap};
use crate::interp::ops::memory::address;
use crate::interp::regs::{Handler, Registers, exit, handlers, opaque};
use crate::vm::state::{State, Waiting};
use crate::vm::{InstanceId, Stop};

/// How many words such an op has.
pub(crate) const WORDS: usize = 4;

handlers! {
    #[inline(never)]
    fn bulk[F: Fn(&mut State, InstanceId, [u32; 2], [u64; 3]) -> Result<u64, Stop> + Copy, const RESULT: bool](r) {
        let context = r.context();
        let state = &mut *(*context).state;
        state.counter.sync(r.fuel);
        let instance = InstanceId::new((*context).instance as u32);
        let operands = [r.slot(10), r.slot(12), r.slot(14)];
        let result = item::<F>()(state, instance, [r.u32(16), r.u32(20)], operands);
        r.fuel = state.counter.grant();
        match result {
            Ok(value) => {
                if RESULT {
                    r.put(value);
                }
                r.reload();
                r.fuel = r.fuel.wrapping_sub(r.i32(28));
                r.next(WORDS)
            }
            Err(stop) => stopped(r, stop),
        }
    }
}

/// Leaves at the op, which is executed again unless it trapped.
///
/// # Safety
/// V3, V5, V6.
unsafe fn stopped(r: Registers, stop: Stop) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        match stop {
            Stop::Trap(code) => trap(r, code),
            Stop::OutOfFuel => opaque(r.leave(exit::OUT_OF_FUEL)),
            Stop::Poll => opaque(r.leave(exit::POLL)),
            Stop::Wait => opaque(r.leave(exit::WAIT)),
        }
    }
}

/// Returns the handler of an operation.
const fn form<F, const RESULT: bool>(_: F) -> Handler
where
    F: Fn(&mut State, InstanceId, [u32; 2], [u64; 3]) -> Result<u64, Stop> + Copy,
{
    bulk::<F, RESULT>
}

pub(crate) const MEMORY_GROW: Handler =
    form::<_, true>(|state, at, [memory, _], [delta, ..]| state.memory_grow(at, memory, delta));
pub(crate) const MEMORY_FILL: Handler =
    form::<_, false>(|state, at, [memory, _], operands| state.memory_fill(at, memory, operands));
pub(crate) const MEMORY_COPY: Handler =
    form::<_, false>(|state, at, memories, operands| state.memory_copy(at, memories, operands));
pub(crate) const MEMORY_INIT: Handler =
    form::<_, false>(|state, at, indices, operands| state.memory_init(at, indices, operands));
pub(crate) const TABLE_GROW: Handler =
    form::<_, true>(|state, at, [table, _], [init, delta, _]| state.table_grow(at, table, [init, delta]));
pub(crate) const TABLE_FILL: Handler =
    form::<_, false>(|state, at, [table, _], operands| state.table_fill(at, table, operands));
pub(crate) const TABLE_COPY: Handler =
    form::<_, false>(|state, at, tables, operands| state.table_copy(at, tables, operands));
pub(crate) const TABLE_INIT: Handler =
    form::<_, false>(|state, at, indices, operands| state.table_init(at, indices, operands));

// Waiting and notifying have the general form of an access, with the operands @12 and @14 and what follows pays in the
// upper half of word 4.
/// How many words such an op has.
pub(crate) const WAIT_WORDS: usize = 5;

handlers! {
    /// `SHARED` is whether the memory is shared, which its type says.
    fn wait[const N: usize, const SHARED: bool](r) {
        let Some(at) = address(&r, N) else { return trap(r, TrapCode::MemoryOutOfBounds) };
        if at.addr() % N != 0 {
            return trap(r, TrapCode::UnalignedAtomic);
        }
        if !SHARED {
            return trap(r, TrapCode::ExpectedSharedMemory);
        }
        let state = &mut *(*r.context()).state;
        let result = match state.wait_result.take() {
            Some(result) => result,
            None if super::atomic::load_any::<N>(at) != super::atomic::low::<N>(r.slot(12)) => 1,
            None => {
                let instance = InstanceId::new((*r.context()).instance as u32);
                let memory = state.instance(instance).memories[r.u32(16) as usize];
                let addr = r.slot::<u64>(10).wrapping_add(*r.ip.add(3));
                state.waiting = Waiting { timeout_ns: r.slot(14), memory, addr };
                return stopped(r, Stop::Wait);
            }
        };
        r.put(result);
        r.fuel = r.fuel.wrapping_sub(r.i32(36));
        r.next(WAIT_WORDS)
    }
    /// Nobody waits while a guest of the same machine runs.
    fn notify(r) {
        let Some(at) = address(&r, 4) else { return trap(r, TrapCode::MemoryOutOfBounds) };
        if at.addr() % 4 != 0 {
            return trap(r, TrapCode::UnalignedAtomic);
        }
        r.put(0_u32);
        r.fuel = r.fuel.wrapping_sub(r.i32(36));
        r.next(WAIT_WORDS)
    }
}

/// `wait32` and `wait64`, of memories that are not shared and of those that are.
pub(crate) const WAIT: [[Handler; 2]; 2] =
    [[wait::<4, false>, wait::<4, true>], [wait::<8, false>, wait::<8, true>]];

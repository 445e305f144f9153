//! Loads and stores.
//!
//! Fast ones are of memory 0 with 32-bit addresses: address @10 or in the accumulator, `offset + size` @12, so that
//! the check and the access share one sum. A store has its value @8, in the accumulator or in word 2. Any other access
//! has the memory in word 2 and the offset in word 3, and computes with 64 bits.

use core::marker::PhantomData;

use wasmos_abi::TrapCode;
use wasmos_frontend::instr::V128;

use super::{item, trap};
use crate::interp::regs::{Acc, Handler, Imm, Registers, Slot, Source, Val, Zero, handlers};

handlers! {
    fn load[F: Fn([u8; N]) -> T + Copy, T: Val, const N: usize, X: Source](r) {
        let end = u64::from(X::get::<u32>(&r)) + u64::from(r.u32(12));
        if end > r.len {
            return trap(r, TrapCode::MemoryOutOfBounds);
        }
        let value = item::<F>()(r.mem.add(end as usize).sub(N).cast::<[u8; N]>().read());
        r.put(value);
        r.next(2)
    }
    /// The address is the sum of two operands, @10 or in the accumulator and @12, modulo 2^32; the end is in word 2.
    fn load_indexed[F: Fn([u8; N]) -> T + Copy, T: Val, const N: usize, X: Source](r) {
        let address = X::get::<u32>(&r).wrapping_add(r.slot::<u32>(12));
        let end = u64::from(address) + u64::from(r.u32(16));
        if end > r.len {
            return trap(r, TrapCode::MemoryOutOfBounds);
        }
        let value = item::<F>()(r.mem.add(end as usize).sub(N).cast::<[u8; N]>().read());
        r.put(value);
        r.next(3)
    }
    fn store[F: Fn(T) -> [u8; N] + Copy, T: Val, const N: usize, X: Source, Y: Source](r) {
        let end = u64::from(X::get::<u32>(&r)) + u64::from(r.u32(12));
        let value: T = if Y::IS_IMM { T::read(r.ip.add(2)) } else { Y::get(&r) };
        if end > r.len {
            return trap(r, TrapCode::MemoryOutOfBounds);
        }
        r.mem.add(end as usize).sub(N).cast::<[u8; N]>().write(item::<F>()(value));
        r.next(if Y::IS_IMM { 3 } else { 2 })
    }
    fn load_any[F: Fn([u8; N]) -> T + Copy, T: Val, const N: usize](r) {
        match address(&r, N) {
            Some(at) => {
                let value = item::<F>()(at.cast::<[u8; N]>().read());
                r.put(value);
                r.next(4)
            }
            None => trap(r, TrapCode::MemoryOutOfBounds),
        }
    }
    fn store_any[F: Fn(T) -> [u8; N] + Copy, T: Val, const N: usize](r) {
        match address(&r, N) {
            Some(at) => {
                at.cast::<[u8; N]>().write(item::<F>()(r.slot(8)));
                r.next(4)
            }
            None => trap(r, TrapCode::MemoryOutOfBounds),
        }
    }
    /// The vector @12, the lane at byte 20.
    fn load_lane[F: Fn(V128, u8, [u8; N]) -> V128 + Copy, const N: usize](r) {
        match address(&r, N) {
            Some(at) => {
                let value = item::<F>()(r.slot(12), r.u16(20) as u8, at.cast::<[u8; N]>().read());
                r.put(value);
                r.next(4)
            }
            None => trap(r, TrapCode::MemoryOutOfBounds),
        }
    }
    /// The vector @8, the lane at byte 20.
    fn store_lane[const N: usize](r) {
        match address(&r, N) {
            Some(at) => {
                let vector: V128 = r.slot(8);
                let lane = (r.u16(20) * N).min(16 - N);
                let (from, mut bytes) = (&vector.0, [0; N]);
                bytes.copy_from_slice(&from[lane..lane + N]);
                at.cast::<[u8; N]>().write(bytes);
                r.next(4)
            }
            None => trap(r, TrapCode::MemoryOutOfBounds),
        }
    }
    /// Page size as a binary logarithm at byte 16, the memory at byte 20.
    fn memory_size(r) {
        let memory = *(*r.context()).memories.add(r.u32(20) as usize);
        let pages = (*memory).len_bytes as u64 >> r.u32(16);
        r.put(pages);
        r.next(3)
    }
}

/// Returns where the access of an op of the general form lies; `None` out of bounds.
///
/// # Safety
/// V2, V3, V5, V6, V7: the op has address, memory and offset.
#[inline(always)]
pub(super) unsafe fn address(r: &Registers, size: usize) -> Option<*mut u8> {
    // SAFETY: the caller's promise.
    unsafe {
        let memory = *(*r.context()).memories.add(r.u32(16) as usize);
        let start = r.slot::<u64>(10).checked_add(*r.ip.add(3))?;
        let end = start.checked_add(size as u64)?;
        (end <= (*memory).len_bytes as u64).then(|| (*memory).base.add(start as usize))
    }
}

/// Handlers of a load.
#[derive(Debug)]
pub(crate) struct LoadForms {
    /// Address in a slot, in the accumulator, in the offset.
    pub(crate) fast: [Handler; 3],
    /// Base in a slot, in the accumulator.
    pub(crate) indexed: [Handler; 2],
    pub(crate) any: Handler,
    pub(crate) size: u32,
}

struct Loads<F, T, const N: usize>(PhantomData<(F, T)>);

impl<F: Fn([u8; N]) -> T + Copy, T: Val, const N: usize> Loads<F, T, N> {
    const FORMS: LoadForms = LoadForms {
        fast: [load::<F, T, N, Slot<10>>, load::<F, T, N, Acc>, load::<F, T, N, Zero>],
        indexed: [load_indexed::<F, T, N, Slot<10>>, load_indexed::<F, T, N, Acc>],
        any: load_any::<F, T, N>,
        size: N as u32,
    };
}

/// Returns the handlers of a load that makes a value of `N` bytes.
pub(crate) fn load_forms<F, T, const N: usize>(_: F) -> &'static LoadForms
where
    F: Fn([u8; N]) -> T + Copy + 'static,
    T: Val + 'static,
{
    const { &Loads::<F, T, N>::FORMS }
}

/// Handlers of a store.
#[derive(Debug)]
pub(crate) struct StoreForms {
    /// Address in a slot, in the accumulator, in the offset; value in a slot, in the accumulator, in the op.
    pub(crate) fast: [[Handler; 3]; 3],
    pub(crate) any: Handler,
    pub(crate) size: u32,
}

struct Stores<F, T, const N: usize>(PhantomData<(F, T)>);

impl<F: Fn(T) -> [u8; N] + Copy, T: Val, const N: usize> Stores<F, T, N> {
    const FORMS: StoreForms = StoreForms {
        fast: [
            [
                store::<F, T, N, Slot<10>, Slot<8>>,
                store::<F, T, N, Slot<10>, Acc>,
                store::<F, T, N, Slot<10>, Imm>,
            ],
            [store::<F, T, N, Acc, Slot<8>>, store::<F, T, N, Acc, Acc>, store::<F, T, N, Acc, Imm>],
            [store::<F, T, N, Zero, Slot<8>>, store::<F, T, N, Zero, Acc>, store::<F, T, N, Zero, Imm>],
        ],
        any: store_any::<F, T, N>,
        size: N as u32,
    };
}

/// Returns the handlers of a store that writes `N` bytes.
pub(crate) fn store_forms<F, T, const N: usize>(_: F) -> &'static StoreForms
where
    F: Fn(T) -> [u8; N] + Copy + 'static,
    T: Val + 'static,
{
    const { &Stores::<F, T, N>::FORMS }
}

/// Returns the handler of a load into a lane, and its size.
pub(crate) fn load_lane_form<F, const N: usize>(_: F) -> (Handler, u32)
where
    F: Fn(V128, u8, [u8; N]) -> V128 + Copy,
{
    (load_lane::<F, N>, N as u32)
}

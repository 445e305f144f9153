//! Atomic accesses, all of them sequentially consistent.
//!
//! The general form of an access; operands @12 and @14. Bounds are tested first, then the alignment.

use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::SeqCst, fence};

use wasmos_abi::TrapCode;

use super::memory::address;
use super::{item, trap};
use crate::interp::regs::{Handler, handlers};

handlers! {
    fn access[F: Fn(*mut u8, u64, u64) -> u64 + Copy, const N: usize, const RESULT: bool](r) {
        let Some(at) = address(&r, N) else { return trap(r, TrapCode::MemoryOutOfBounds) };
        if at.addr() % N != 0 {
            return trap(r, TrapCode::UnalignedAtomic);
        }
        let value = item::<F>()(at, r.slot(12), r.slot(14));
        if RESULT {
            r.put(value);
        }
        r.next(4)
    }
    fn atomic_fence(r) {
        fence(SeqCst);
        r.next(1)
    }
}

/// Handlers of an atomic access by its size in bytes, 1, 2, 4 and 8.
pub(crate) type AtomicForms = [Handler; 4];

/// Declares an access at all sizes: what it does to the atomic cell with its operands.
macro_rules! forms {
    ($($name:ident $result:literal |$cell:ident, $a:ident, $b:ident| $value:expr;)*) => {$(
        pub(crate) const $name: AtomicForms = [
            forms!(@size AtomicU8 u8 1 $result |$cell, $a, $b| $value),
            forms!(@size AtomicU16 u16 2 $result |$cell, $a, $b| $value),
            forms!(@size AtomicU32 u32 4 $result |$cell, $a, $b| $value),
            forms!(@size AtomicU64 u64 8 $result |$cell, $a, $b| $value),
        ];
    )*};
    (@size $atomic:ident $int:ident $size:literal $result:literal |$cell:ident, $a:ident, $b:ident| $value:expr) => {
        form::<_, $size, $result>(|at, $a, $b| {
            // SAFETY: V2. The handler has checked bounds and alignment, and the memory outlives the access.
            let $cell = unsafe { $atomic::from_ptr(at.cast()) };
            #[allow(unused_variables, reason = "not every access has two operands")]
            let ($a, $b) = ($a as $int, $b as $int);
            u64::from($value)
        })
    };
}

const fn form<F, const N: usize, const RESULT: bool>(_: F) -> Handler
where
    F: Fn(*mut u8, u64, u64) -> u64 + Copy,
{
    access::<F, N, RESULT>
}

forms! {
    LOAD true |cell, a, b| cell.load(SeqCst);
    STORE false |cell, a, b| { cell.store(a, SeqCst); 0_u8 };
    ADD true |cell, a, b| cell.fetch_add(a, SeqCst);
    SUB true |cell, a, b| cell.fetch_sub(a, SeqCst);
    AND true |cell, a, b| cell.fetch_and(a, SeqCst);
    OR true |cell, a, b| cell.fetch_or(a, SeqCst);
    XOR true |cell, a, b| cell.fetch_xor(a, SeqCst);
    EXCHANGE true |cell, a, b| cell.swap(a, SeqCst);
}

/// Compare and exchange. The expected value is compared whole: one that does not fit the access never matches.
pub(crate) const COMPARE_EXCHANGE: AtomicForms =
    [compare_exchange::<1>(), compare_exchange::<2>(), compare_exchange::<4>(), compare_exchange::<8>()];

const fn compare_exchange<const N: usize>() -> Handler {
    form::<_, N, true>(|at, expected, replacement| {
        if low::<N>(expected) != expected {
            return load_any::<N>(at);
        }
        // SAFETY: V2. The handler has checked bounds and alignment, and the memory outlives the access.
        unsafe {
            match N {
                1 => swap(AtomicU8::from_ptr(at).compare_exchange(
                    expected as u8,
                    replacement as u8,
                    SeqCst,
                    SeqCst,
                )),
                2 => swap(AtomicU16::from_ptr(at.cast()).compare_exchange(
                    expected as u16,
                    replacement as u16,
                    SeqCst,
                    SeqCst,
                )),
                4 => swap(AtomicU32::from_ptr(at.cast()).compare_exchange(
                    expected as u32,
                    replacement as u32,
                    SeqCst,
                    SeqCst,
                )),
                _ => swap(AtomicU64::from_ptr(at.cast()).compare_exchange(
                    expected,
                    replacement,
                    SeqCst,
                    SeqCst,
                )),
            }
        }
    })
}

fn swap<T: Into<u64>>(result: Result<T, T>) -> u64 {
    match result {
        Ok(before) | Err(before) => before.into(),
    }
}

/// Returns the low `N` bytes of a slot.
#[inline(always)]
pub(crate) const fn low<const N: usize>(value: u64) -> u64 {
    if N == 8 { value } else { value & ((1 << (N * 8)) - 1) }
}

/// Loads `N` bytes atomically from an address that was checked.
pub(crate) fn load_any<const N: usize>(at: *mut u8) -> u64 {
    // SAFETY: V2. The handler has checked bounds and alignment, and the memory outlives the access.
    unsafe {
        match N {
            1 => AtomicU8::from_ptr(at).load(SeqCst).into(),
            2 => AtomicU16::from_ptr(at.cast()).load(SeqCst).into(),
            4 => AtomicU32::from_ptr(at.cast()).load(SeqCst).into(),
            _ => AtomicU64::from_ptr(at.cast()).load(SeqCst),
        }
    }
}

//! Linear memories: reserved at their largest size, so that the base never moves, and grown in place.

use core::fmt;
use core::ptr::NonNull;
use std::io;

use wasmos_frontend::types::{AddressType, MemoryType};

use crate::vm::mapping::Mapping;

/// What a memory instruction looks at. It has a fixed address as long as the memory lives.
#[derive(Debug)]
#[repr(C)]
pub struct VmMemory {
    /// Address of the first byte; it never changes.
    pub base: *mut u8,
    /// How many bytes are accessible.
    pub len_bytes: usize,
}

/// Why a memory could not be made.
#[derive(Debug)]
pub enum MemoryError {
    /// Its least size is over the limit.
    Limit {
        /// The least size.
        min_bytes: u128,
        /// What is allowed.
        limit_bytes: u64,
    },
    /// The system refused.
    System(io::Error),
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit { min_bytes, limit_bytes } => {
                write!(f, "a memory needs {min_bytes} bytes at least, the limit is {limit_bytes}")
            }
            Self::System(error) => write!(f, "no memory from the system: {error}"),
        }
    }
}

impl core::error::Error for MemoryError {}

/// A linear memory.
#[derive(Debug)]
pub struct LinearMemory {
    /// From a box: contexts point at it.
    vm: NonNull<VmMemory>,
    mapping: Mapping,
    /// It never grows beyond this.
    max_bytes: usize,
    ty: MemoryType,
}

// SAFETY: V1. What `vm` points at is the memory's own, and so is its mapping; both may move between threads.
unsafe impl Send for LinearMemory {}
// SAFETY: V1. A shared reference only reads what a guest that runs elsewhere cannot change: it needs `&mut`.
unsafe impl Sync for LinearMemory {}

/// Largest size of a memory with 32-bit addresses, in bytes.
const SPACE_32: u64 = 1 << 32;
/// Largest size of a memory with 64-bit addresses, in bytes: what one mapping may take of an address space of 47 bits.
const SPACE_64: u64 = 1 << 40;

/// Address space behind a guarded memory with 32-bit addresses, so that an access whose offset is within it needs no
/// compare.
pub(crate) const GUARD_BYTES: u64 = 32 << 20;

/// Reserves `most` bytes, or half as often as the system refuses, but at least `least`, which are committed.
fn reserve(least: usize, most: usize) -> io::Result<Mapping> {
    let mut bytes = most;
    loop {
        match Mapping::new(bytes, least) {
            Err(_) if bytes / 2 >= least && bytes > 0 => bytes /= 2,
            result => return result,
        }
    }
}

impl LinearMemory {
    /// Makes a memory of its least size, which never grows beyond `limit_bytes`, nor beyond its own maximum. With
    /// `guarded`, all that a 32-bit address and an offset of up to `GUARD_BYTES` reach belongs to the mapping.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn new(ty: MemoryType, limit_bytes: u64, guarded: bool) -> Result<Self, MemoryError> {
        let page_bytes = 1_u128 << ty.page_size_log2;
        let min_bytes = u128::from(ty.limits.min) * page_bytes;
        let space = if ty.address == AddressType::I32 { SPACE_32 } else { SPACE_64 };
        let limit_bytes = limit_bytes.min(space);
        if min_bytes > u128::from(limit_bytes) {
            return Err(MemoryError::Limit { min_bytes, limit_bytes });
        }
        let max_bytes = ty.limits.max.map_or(u128::from(limit_bytes), |max| u128::from(max) * page_bytes);
        // Both fit: they are at most `limit_bytes`, which an address space holds.
        let (len_bytes, reserved) = (min_bytes as usize, max_bytes.min(u128::from(limit_bytes)) as usize);
        let mapping = if guarded && ty.address == AddressType::I32 {
            Mapping::new((SPACE_32 + GUARD_BYTES) as usize, len_bytes)
        } else {
            reserve(len_bytes, reserved)
        };
        let mapping = mapping.map_err(MemoryError::System)?;
        let max_bytes = reserved.min(mapping.len_bytes());
        let vm = Box::new(VmMemory { base: mapping.base(), len_bytes });
        Ok(Self { vm: NonNull::from(Box::leak(vm)), mapping, max_bytes, ty })
    }

    /// Returns whether an address belongs to the memory, be it accessible or not.
    pub(crate) fn reserves(&self, address: usize) -> bool {
        address.wrapping_sub(self.mapping.base() as usize) < self.mapping.len_bytes()
    }

    /// Returns the type, with the least size that it was made with.
    #[must_use]
    pub const fn ty(&self) -> &MemoryType {
        &self.ty
    }

    fn get(&self) -> &VmMemory {
        // SAFETY: V3. It lives as long as `self`, and no guest runs while `self` is borrowed.
        unsafe { self.vm.as_ref() }
    }

    /// Returns the size in pages of the memory's own page size.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.get().len_bytes as u64 >> self.ty.page_size_log2
    }

    /// Returns the size in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.get().len_bytes
    }

    /// Returns how many bytes growing by `delta_pages` would add; `None` if the memory cannot grow so far.
    #[must_use]
    pub fn growth_bytes(&self, delta_pages: u64) -> Option<usize> {
        let delta_bytes = usize::try_from(u128::from(delta_pages) << self.ty.page_size_log2).ok()?;
        let len_bytes = self.get().len_bytes.checked_add(delta_bytes)?;
        (len_bytes <= self.max_bytes).then_some(delta_bytes)
    }

    /// Grows by `delta_pages` and returns the size before, in pages; `None` leaves the memory as it was.
    pub fn grow(&mut self, delta_pages: u64) -> Option<u64> {
        let pages = self.pages();
        let len_bytes = self.get().len_bytes + self.growth_bytes(delta_pages)?;
        self.mapping.commit(len_bytes).ok()?;
        // SAFETY: V3, V9. As for reading; the borrow is exclusive.
        unsafe { self.vm.as_mut() }.len_bytes = len_bytes;
        Some(pages)
    }

    /// Returns what instructions look at; the address stays valid as long as the memory lives.
    #[must_use]
    pub fn vm(&self) -> *const VmMemory {
        self.vm.as_ptr()
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: V2. The first `len_bytes` are committed, and no guest runs while `self` is borrowed.
        unsafe { core::slice::from_raw_parts(self.get().base, self.get().len_bytes) }
    }

    /// Returns the bytes, to be written.
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: V2. As above; the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(self.get().base, self.get().len_bytes) }
    }
}

impl Drop for LinearMemory {
    fn drop(&mut self) {
        // SAFETY: V3. It was made from a box, and nothing uses it after the memory.
        drop(unsafe { Box::from_raw(self.vm.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    use wasmos_frontend::types::Limits;

    use super::*;

    fn memory(min: u64, max: Option<u64>, limit_bytes: u64) -> Result<LinearMemory, MemoryError> {
        let limits = Limits { min, max };
        LinearMemory::new(
            MemoryType { address: AddressType::I32, limits, shared: false, page_size_log2: 16 },
            limit_bytes,
            false,
        )
    }

    #[test]
    fn it_grows_to_its_maximum_and_to_the_limit() {
        let mut own = memory(1, Some(3), u64::MAX).unwrap();
        assert_eq!((own.grow(2), own.grow(1), own.pages()), (Some(1), None, 3));
        let mut limited = memory(1, None, 2 << 16).unwrap();
        assert_eq!((limited.grow(1), limited.grow(1), limited.grow(0)), (Some(1), None, Some(2)));
        assert_eq!(limited.grow(u64::MAX), None);
        assert!(matches!(memory(3, None, 2 << 16), Err(MemoryError::Limit { .. })));
    }

    #[test]
    fn new_pages_are_zero_and_old_ones_keep_their_bytes() {
        let mut memory = memory(1, None, 1 << 20).unwrap();
        memory.bytes_mut()[65_535] = 9;
        memory.grow(1).unwrap();
        assert_eq!(memory.len_bytes(), 131_072);
        assert_eq!(memory.bytes().iter().map(|byte| u32::from(*byte)).sum::<u32>(), 9);
    }
}

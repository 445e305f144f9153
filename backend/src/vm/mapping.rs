//! Address space that is reserved at once and committed piece by piece, so that what lies in it never moves.

use core::ptr::NonNull;
use std::io;

/// A reservation of address space. Committed bytes are zero until written.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<u8>,
    len_bytes: usize,
}

// SAFETY: V1. The mapping owns its address range; nothing in it refers to a thread.
unsafe impl Send for Mapping {}
// SAFETY: V1. A shared reference gives out only the address and the length.
unsafe impl Sync for Mapping {}

/// Committing is done in multiples of this, which every page size divides that Linux, macOS and Windows have.
pub(crate) const COMMIT_BYTES: usize = 64 * 1024;

impl Mapping {
    /// Returns the address of the first byte; it is valid as long as the mapping lives.
    pub(crate) const fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Returns how many bytes are reserved.
    pub(crate) const fn len_bytes(&self) -> usize {
        self.len_bytes
    }
}

#[cfg(unix)]
mod system {
    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

    use super::{COMMIT_BYTES, Mapping, NonNull, io};

    impl Mapping {
        /// Reserves `len_bytes`, none of them committed.
        ///
        /// # Errors
        /// What the system says, e.g. that the address space is used up.
        pub(crate) fn reserve(len_bytes: usize) -> io::Result<Self> {
            if len_bytes == 0 {
                return Ok(Self { base: NonNull::dangling(), len_bytes: 0 });
            }
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
            // SAFETY: V1. The system chooses an address range that nothing else uses.
            let base =
                unsafe { mmap_anonymous(core::ptr::null_mut(), len_bytes, ProtFlags::empty(), flags) }?;
            let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(Self { base, len_bytes })
        }

        /// Makes the first `len_bytes` readable and writable, rounded up to [`COMMIT_BYTES`].
        ///
        /// # Errors
        /// What the system says.
        pub(crate) fn commit(&self, len_bytes: usize) -> io::Result<()> {
            let len_bytes = len_bytes.next_multiple_of(COMMIT_BYTES).min(self.len_bytes);
            if len_bytes == 0 {
                return Ok(());
            }
            // SAFETY: V1. The range lies in the mapping, by the line above.
            unsafe {
                mprotect(self.base.as_ptr().cast(), len_bytes, MprotectFlags::READ | MprotectFlags::WRITE)
            }?;
            Ok(())
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            if self.len_bytes > 0 {
                // SAFETY: V1. The range is the mapping's own, and it is not used after its owner is dropped.
                let result = unsafe { munmap(self.base.as_ptr().cast(), self.len_bytes) };
                debug_assert!(result.is_ok(), "{result:?}");
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::alloc::{Layout, alloc_zeroed, dealloc};

    use super::{COMMIT_BYTES, Mapping, NonNull, io};

    fn layout(len_bytes: usize) -> io::Result<Layout> {
        Layout::from_size_align(len_bytes, COMMIT_BYTES).map_err(|_| io::ErrorKind::OutOfMemory.into())
    }

    impl Mapping {
        /// Allocates `len_bytes`: zeroed pages that the system provides when they are touched.
        ///
        /// # Errors
        /// Out of memory.
        pub(crate) fn reserve(len_bytes: usize) -> io::Result<Self> {
            if len_bytes == 0 {
                return Ok(Self { base: NonNull::dangling(), len_bytes: 0 });
            }
            // SAFETY: V1. The layout is not empty.
            let base = unsafe { alloc_zeroed(layout(len_bytes)?) };
            let base = NonNull::new(base).ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(Self { base, len_bytes })
        }

        /// Does nothing: an allocation is committed from the start.
        ///
        /// # Errors
        /// None.
        pub(crate) fn commit(&self, _len_bytes: usize) -> io::Result<()> {
            Ok(())
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            if let (true, Ok(layout)) = (self.len_bytes > 0, layout(self.len_bytes)) {
                // SAFETY: V1. It was allocated with this layout.
                unsafe { dealloc(self.base.as_ptr(), layout) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_bytes_are_zero_and_keep_what_is_written() {
        let mapping = Mapping::reserve(4 * COMMIT_BYTES).unwrap();
        mapping.commit(1).unwrap();
        // SAFETY: V1. The first commit made 64 KiB accessible.
        let first = unsafe { core::slice::from_raw_parts_mut(mapping.base(), COMMIT_BYTES) };
        assert!(first.iter().all(|byte| *byte == 0));
        first[COMMIT_BYTES - 1] = 7;
        mapping.commit(4 * COMMIT_BYTES).unwrap();
        // SAFETY: V1. All of it is accessible now.
        let all = unsafe { core::slice::from_raw_parts(mapping.base(), mapping.len_bytes()) };
        assert_eq!(all.iter().map(|byte| u32::from(*byte)).sum::<u32>(), 7);
    }

    #[test]
    fn nothing_may_be_reserved() {
        let mapping = Mapping::reserve(0).unwrap();
        mapping.commit(0).unwrap();
        assert_eq!(mapping.len_bytes(), 0);
    }
}

//! Address space that is reserved at once and committed piece by piece, so that what lies in it never moves.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::io;
use std::ops::Range;

/// A reservation of address space. Committed bytes are zero until written.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<u8>,
    len_bytes: usize,
    committed_bytes: AtomicUsize,
}

// SAFETY: V1. The mapping owns its address range; nothing in it refers to a thread.
unsafe impl Send for Mapping {}
// SAFETY: V1. A shared reference gives out only the address and the length.
unsafe impl Sync for Mapping {}

/// Committing is done in multiples of this, which every page size divides that Linux, macOS and Windows have.
pub(crate) const COMMIT_BYTES: usize = 64 * 1024;

impl Mapping {
    /// Reserves `len_bytes` and commits the first `committed_bytes`, rounded up to [`COMMIT_BYTES`].
    ///
    /// # Errors
    /// What the system says, e.g. that the address space is used up.
    pub(crate) fn new(len_bytes: usize, committed_bytes: usize) -> io::Result<Self> {
        let committed_bytes = committed_bytes.next_multiple_of(COMMIT_BYTES).min(len_bytes);
        if let Some(kept) = kept::take(len_bytes, committed_bytes) {
            return Ok(kept);
        }
        // What is kept may be what is missing.
        let mapping = Self::reserve(len_bytes)
            .or_else(|error| if kept::clear() { Self::reserve(len_bytes) } else { Err(error) })?;
        mapping.commit(committed_bytes)?;
        Ok(mapping)
    }

    const fn reserved(base: NonNull<u8>, len_bytes: usize) -> Self {
        Self { base, len_bytes, committed_bytes: AtomicUsize::new(0) }
    }

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

    use super::{COMMIT_BYTES, Mapping, NonNull, Ordering, Range, io, kept};

    impl Mapping {
        /// Reserves `len_bytes`, none of them committed.
        ///
        /// # Errors
        /// What the system says, e.g. that the address space is used up.
        pub(crate) fn reserve(len_bytes: usize) -> io::Result<Self> {
            if len_bytes == 0 {
                return Ok(Self::reserved(NonNull::dangling(), 0));
            }
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
            // SAFETY: V1. The system chooses an address range that nothing else uses.
            let base =
                unsafe { mmap_anonymous(core::ptr::null_mut(), len_bytes, ProtFlags::empty(), flags) }?;
            let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(Self::reserved(base, len_bytes))
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
            self.committed_bytes.fetch_max(len_bytes, Ordering::Relaxed);
            Ok(())
        }
    }

    impl Mapping {
        /// Makes the bytes of `code`, whole pages, executable and all others readable: nothing is writable and executable
        /// at once.
        ///
        /// # Errors
        /// What the system says.
        pub(crate) fn protect_code(&self, code: &Range<usize>) -> io::Result<()> {
            // Never kept for somebody who would write to it.
            self.committed_bytes.store(0, Ordering::Relaxed);
            let parts = [
                (0..code.start, MprotectFlags::READ),
                (code.clone(), MprotectFlags::READ | MprotectFlags::EXEC),
                (code.end..self.len_bytes, MprotectFlags::READ),
            ];
            for (part, flags) in parts.into_iter().filter(|(part, _)| !part.is_empty()) {
                // SAFETY: V1. The range is the mapping's own.
                unsafe { mprotect(self.base.as_ptr().add(part.start).cast(), part.len(), flags) }?;
            }
            Ok(())
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            if self.len_bytes > 0 && !kept::keep(self) {
                // SAFETY: V1. The range is the mapping's own, and it is not used after its owner is dropped.
                let result = unsafe { munmap(self.base.as_ptr().cast(), self.len_bytes) };
                debug_assert!(result.is_ok(), "{result:?}");
            }
        }
    }
}

/// Mappings whose owners are gone, for the next ones of the same size: a store that lives for microseconds would spend
/// most of them on the system's map of the address space. Linux promises zeros for private pages that were given back;
/// others do not.
#[cfg(target_os = "linux")]
mod kept {
    use std::sync::{Mutex, PoisonError};

    use rustix::mm::{Advice, madvise};

    use super::{AtomicUsize, Mapping, NonNull, Ordering};

    /// How many are kept. They take address space, no memory.
    const MOST: usize = 16;
    /// How much of one may be committed: giving more pages back costs what unmapping costs.
    const MOST_BYTES: usize = 8 << 20;

    /// Address, length and committed bytes.
    static KEPT: Mutex<Vec<(usize, usize, usize)>> = Mutex::new(Vec::new());

    /// Takes one whose length and committed part are as wanted.
    pub(super) fn take(len_bytes: usize, committed_bytes: usize) -> Option<Mapping> {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |kept: &(usize, usize, usize)| (kept.1, kept.2) == (len_bytes, committed_bytes);
        let at = kept.iter().rposition(fits)?;
        let base = NonNull::new(core::ptr::with_exposed_provenance_mut(kept.swap_remove(at).0))?;
        Some(Mapping { base, len_bytes, committed_bytes: AtomicUsize::new(committed_bytes) })
    }

    /// Keeps the range of a mapping that is being dropped; returns whether it did.
    pub(super) fn keep(mapping: &Mapping) -> bool {
        let committed_bytes = mapping.committed_bytes.load(Ordering::Relaxed);
        if committed_bytes == 0 || committed_bytes > MOST_BYTES {
            return false;
        }
        // SAFETY: V1. The range is the mapping's own, and its owner is gone.
        let cleared = unsafe { madvise(mapping.base().cast(), committed_bytes, Advice::LinuxDontNeed) };
        if cleared.is_err() {
            return false;
        }
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (kept.len() >= MOST).then(|| kept.remove(0));
        kept.push((mapping.base().expose_provenance(), mapping.len_bytes, committed_bytes));
        drop(kept);
        oldest.into_iter().for_each(unmap);
        true
    }

    /// Nothing is committed as far as the mapping knows, so that it is not kept again.
    fn unmap((base, len_bytes, _): (usize, usize, usize)) {
        let base = NonNull::new(core::ptr::with_exposed_provenance_mut(base));
        drop(base.map(|base| Mapping::reserved(base, len_bytes)));
    }

    /// Unmaps all; returns whether there were any.
    pub(super) fn clear() -> bool {
        let kept = core::mem::take(&mut *KEPT.lock().unwrap_or_else(PoisonError::into_inner));
        let any = !kept.is_empty();
        kept.into_iter().for_each(unmap);
        any
    }
}

#[cfg(not(target_os = "linux"))]
mod kept {
    use super::Mapping;

    pub(super) const fn take(_: usize, _: usize) -> Option<Mapping> {
        None
    }

    #[cfg(unix)]
    pub(super) const fn keep(_: &Mapping) -> bool {
        false
    }

    pub(super) const fn clear() -> bool {
        false
    }
}

#[cfg(not(unix))]
mod system {
    use std::alloc::{Layout, alloc_zeroed, dealloc};

    use super::{COMMIT_BYTES, Mapping, NonNull, Range, io};

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
                return Ok(Self::reserved(NonNull::dangling(), 0));
            }
            // SAFETY: V1. The layout is not empty.
            let base = unsafe { alloc_zeroed(layout(len_bytes)?) };
            let base = NonNull::new(base).ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(Self::reserved(base, len_bytes))
        }

        /// Refuses: there is no native code on this platform.
        ///
        /// # Errors
        /// Always.
        pub(crate) fn protect_code(&self, _code: &Range<usize>) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
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
    fn what_was_kept_is_zero_and_no_more_of_it_is_committed() {
        // A length that no other test has.
        let len_bytes = 7 * COMMIT_BYTES;
        for _ in 0..3 {
            let mapping = Mapping::new(len_bytes, 1).unwrap();
            assert_eq!(mapping.committed_bytes.load(Ordering::Relaxed), COMMIT_BYTES);
            // SAFETY: V1. The first piece is committed.
            let first = unsafe { core::slice::from_raw_parts_mut(mapping.base(), COMMIT_BYTES) };
            assert!(first.iter().all(|byte| *byte == 0));
            first.fill(7);
        }
        let more = Mapping::new(len_bytes, 2 * COMMIT_BYTES).unwrap();
        assert_eq!(more.committed_bytes.load(Ordering::Relaxed), 2 * COMMIT_BYTES);
    }

    #[test]
    fn nothing_may_be_reserved() {
        let mapping = Mapping::reserve(0).unwrap();
        mapping.commit(0).unwrap();
        assert_eq!(mapping.len_bytes(), 0);
    }
}

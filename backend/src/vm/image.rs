//! Bytes in memory of their own, some of which become code: read or linked, checked, and only then executable.

use std::io::{self, Read};
use std::ops::Range;

use super::mapping::Mapping;

/// Code begins and ends at multiples of this: the size of a page where there is native code.
pub(crate) const PAGE_BYTES: usize = 4096;

/// Bytes that nobody else sees or changes: a file that was read here is the same when it is checked and when it runs.
#[derive(Debug)]
pub(crate) struct Image {
    mapping: Mapping,
    len_bytes: usize,
}

impl Image {
    /// Makes an image of zeros.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn zeroed(len_bytes: usize) -> io::Result<Self> {
        let mapping = Mapping::reserve(len_bytes.next_multiple_of(PAGE_BYTES))?;
        mapping.commit(len_bytes)?;
        Ok(Self { mapping, len_bytes })
    }

    /// Reads `len_bytes` bytes.
    ///
    /// # Errors
    /// What the system or the reader says, also if there are fewer.
    pub(crate) fn read(from: &mut dyn Read, len_bytes: usize) -> io::Result<Self> {
        let mut image = Self::zeroed(len_bytes)?;
        from.read_exact(image.bytes_mut())?;
        Ok(image)
    }

    /// Returns the bytes.
    #[must_use]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: V1. So many bytes are committed, and they change through an exclusive reference only.
        unsafe { core::slice::from_raw_parts(self.mapping.base(), self.len_bytes) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: V1. As above, and the reference is exclusive.
        unsafe { core::slice::from_raw_parts_mut(self.mapping.base(), self.len_bytes) }
    }

    /// Makes the bytes of `code`, whole pages, executable and all others readable. None can be written any more.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// If `code` is not whole pages of the image.
    pub(crate) fn into_code(self, code: Range<usize>) -> io::Result<CodeImage> {
        let is_whole = code.start.is_multiple_of(PAGE_BYTES) && code.end.is_multiple_of(PAGE_BYTES);
        assert!(is_whole && code.start <= code.end && code.end <= self.mapping.len_bytes(), "whole pages");
        self.mapping.protect_code(&code)?;
        Ok(CodeImage { image: self, code })
    }
}

/// Bytes that never change again, with code among them.
#[derive(Debug)]
pub(crate) struct CodeImage {
    image: Image,
    code: Range<usize>,
}

impl CodeImage {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.image.bytes()
    }

    /// Returns the address of a displacement in the code.
    pub(crate) fn address(&self, displacement: u32) -> *const u8 {
        self.image.mapping.base().wrapping_add(self.code.start + displacement as usize)
    }

    /// Returns the addresses between which the code lies.
    pub(crate) fn range(&self) -> Range<usize> {
        let base = self.image.mapping.base() as usize;
        base + self.code.start..base + self.code.end
    }
}

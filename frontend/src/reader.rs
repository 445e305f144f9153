//! A cursor over the bytes of a module: absolute offsets, LEB128, nothing read past the end.
//!
//! Source: core 3.0, "Values" of the binary format. The slice always begins at byte 0 of the module, so that
//! the position is the absolute offset; it ends where the section or body that is being read ends.

use crate::error::{Error, ErrorKind, Result};
use crate::features::{Feature, Features};
use crate::limits;
use crate::module::{Name, Span};

/// A cursor over the bytes of a module.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
    features: Features,
    context: &'static str,
}

impl<'a> Reader<'a> {
    /// Makes a reader of `span` in `module`, the bytes of a whole module; `context` names what is read.
    ///
    /// A span that ends behind the module is cut at the module's end.
    #[must_use]
    pub fn new(module: &'a [u8], span: Span, features: Features, context: &'static str) -> Self {
        let bytes = module.get(..span.end as usize).unwrap_or(module);
        Self { bytes, pos: span.start as usize, features, context }
    }

    /// Returns the absolute offset of the next byte.
    #[inline]
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.pos
    }

    /// Returns the absolute offset of the next byte as the module's tables keep it.
    ///
    /// Modules are shorter than 4 GiB ([`limits::MODULE_BYTES`]); the value saturates otherwise.
    #[inline]
    #[must_use]
    pub fn offset32(&self) -> u32 {
        u32::try_from(self.pos).unwrap_or(u32::MAX)
    }

    /// Returns whether everything has been read.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    /// Returns how many bytes are left.
    #[inline]
    #[must_use]
    pub fn left(&self) -> u32 {
        u32::try_from(self.bytes.len().saturating_sub(self.pos)).unwrap_or(u32::MAX)
    }

    /// Returns what is being read.
    #[must_use]
    pub const fn context(&self) -> &'static str {
        self.context
    }

    /// Makes an error at the next byte.
    #[cold]
    #[must_use]
    pub fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.pos, self.context)
    }

    /// Makes an error at `offset`.
    #[cold]
    #[must_use]
    pub fn error_at(&self, kind: ErrorKind, offset: usize) -> Error {
        Error::new(kind, offset, self.context)
    }

    /// Refuses what needs `feature`, found at `offset`, if it is switched off.
    ///
    /// # Errors
    /// [`ErrorKind::FeatureDisabled`].
    #[inline]
    pub fn require(&self, feature: Feature, offset: usize) -> Result<()> {
        if self.features.contains(feature) {
            return Ok(());
        }
        Err(self.error_at(ErrorKind::FeatureDisabled(feature), offset))
    }

    /// Returns the features that are switched on.
    #[inline]
    #[must_use]
    pub const fn features(&self) -> Features {
        self.features
    }

    /// Returns the next byte without reading it.
    #[inline]
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    /// Passes over `n` bytes that have been looked at.
    #[inline(always)]
    pub(crate) const fn pass(&mut self, n: usize) {
        self.pos += n;
    }

    /// Passes over an integer in LEB128 that has been read before.
    #[inline(always)]
    pub(crate) fn pass_integer(&mut self) {
        while let Some(&byte) = self.bytes.get(self.pos) {
            self.pos += 1;
            if byte < 0x80 {
                return;
            }
        }
    }

    /// Passes over alignment and offset of an access that have been read before.
    #[inline(always)]
    pub(crate) fn pass_access(&mut self) {
        // Bit 6 of the first byte says that the index of a memory follows; alignments are far below it.
        let names_memory = self.peek().is_some_and(|flags| flags & 0x40 != 0);
        self.pass_integer();
        if names_memory {
            self.pass_integer();
        }
        self.pass_integer();
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEnd`].
    #[inline(always)]
    pub fn byte(&mut self) -> Result<u8> {
        match self.bytes.get(self.pos) {
            Some(&byte) => {
                self.pos += 1;
                Ok(byte)
            }
            None => Err(self.error(ErrorKind::UnexpectedEnd)),
        }
    }

    /// Reads `N` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEnd`].
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.bytes.get(self.pos..).and_then(<[u8]>::first_chunk::<N>) {
            Some(chunk) => {
                self.pos += N;
                Ok(*chunk)
            }
            None => Err(self.error_at(ErrorKind::UnexpectedEnd, self.bytes.len())),
        }
    }

    /// Passes over `len` bytes and returns where they were.
    ///
    /// # Errors
    /// [`ErrorKind::LengthOutOfBounds`] if fewer are left.
    pub fn skip(&mut self, len: u32) -> Result<Span> {
        if len > self.left() {
            return Err(self.error(ErrorKind::LengthOutOfBounds { len, left: self.left() }));
        }
        let start = self.offset32();
        self.pos += len as usize;
        Ok(Span { start, end: self.offset32() })
    }

    /// Returns the bytes from the next one to the end.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or(&[])
    }

    /// Returns the bytes from the absolute offset `start` to the next byte to read.
    #[must_use]
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.pos).unwrap_or(&[])
    }

    /// Makes a reader of `span`, which must lie in what this reader covers.
    #[must_use]
    pub fn sub(&self, span: Span, context: &'static str) -> Self {
        Self::new(self.bytes, span, self.features, context)
    }

    /// Reads an unsigned 32-bit integer in LEB128.
    ///
    /// # Errors
    /// [`ErrorKind::IntegerTooLong`], [`ErrorKind::IntegerTooLarge`], [`ErrorKind::UnexpectedEnd`].
    #[inline(always)]
    pub fn var_u32(&mut self) -> Result<u32> {
        match self.bytes.get(self.pos) {
            Some(&byte) if byte < 0x80 => {
                self.pos += 1;
                Ok(u32::from(byte))
            }
            _ => self.long_u32(),
        }
    }

    #[inline(never)]
    fn long_u32(&mut self) -> Result<u32> {
        // The conversion cannot fail: `unsigned` has checked the bits above 32.
        self.unsigned(32).map(|value| value as u32)
    }

    /// Reads an unsigned 64-bit integer in LEB128.
    ///
    /// # Errors
    /// As [`Reader::var_u32`].
    #[inline]
    pub fn var_u64(&mut self) -> Result<u64> {
        self.unsigned(64)
    }

    /// Reads the offset of a memory access: 64 bits, or 32 without memory64.
    #[inline(always)]
    pub(crate) fn memory_offset(&mut self) -> Result<u64> {
        match self.bytes.get(self.pos) {
            Some(&byte) if byte < 0x80 => {
                self.pos += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_memory_offset(),
        }
    }

    #[inline(never)]
    fn long_memory_offset(&mut self) -> Result<u64> {
        self.unsigned(if self.features.contains(Feature::Memory64) { 64 } else { 32 })
    }

    /// Reads a signed 32-bit integer in LEB128.
    ///
    /// # Errors
    /// As [`Reader::var_u32`].
    #[inline(always)]
    pub fn var_i32(&mut self) -> Result<i32> {
        match self.bytes.get(self.pos) {
            Some(&byte) if byte < 0x80 => {
                self.pos += 1;
                Ok(i32::from((byte << 1).cast_signed()) >> 1)
            }
            _ => self.long_i32(),
        }
    }

    #[inline(never)]
    fn long_i32(&mut self) -> Result<i32> {
        // `signed` has sign-extended from bit 31.
        self.signed(32).map(|value| value as i32)
    }

    /// Reads a signed 33-bit integer in LEB128 (block and heap types).
    ///
    /// # Errors
    /// As [`Reader::var_u32`].
    pub fn var_s33(&mut self) -> Result<i64> {
        self.signed(33)
    }

    /// Reads a signed 64-bit integer in LEB128.
    ///
    /// # Errors
    /// As [`Reader::var_u32`].
    #[inline]
    pub fn var_i64(&mut self) -> Result<i64> {
        self.signed(64)
    }

    /// The value must fit `bits`: unused bits of the last byte are zero, and there is no byte after
    /// ceil(bits / 7).
    fn unsigned(&mut self, bits: u32) -> Result<u64> {
        let start = self.pos;
        let mut value = 0_u64;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            let used = bits - shift;
            if used < 7 {
                if byte & 0x80 != 0 {
                    return Err(self.error_at(ErrorKind::IntegerTooLong, start));
                }
                if byte >> used != 0 {
                    return Err(self.error_at(ErrorKind::IntegerTooLarge, start));
                }
                return Ok(value);
            }
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    /// As `unsigned`, but the unused bits of the last byte must repeat the sign.
    fn signed(&mut self, bits: u32) -> Result<i64> {
        let start = self.pos;
        let mut value = 0_i64;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            value |= i64::from(byte & 0x7f) << shift;
            let used = bits - shift;
            if used < 7 {
                if byte & 0x80 != 0 {
                    return Err(self.error_at(ErrorKind::IntegerTooLong, start));
                }
                let sign_and_unused = ((byte << 1).cast_signed()) >> used;
                if sign_and_unused != 0 && sign_and_unused != -1 {
                    return Err(self.error_at(ErrorKind::IntegerTooLarge, start));
                }
            }
            shift += 7;
            if byte & 0x80 == 0 {
                let unused = 64_u32.saturating_sub(shift);
                return Ok((value << unused) >> unused);
            }
        }
    }

    /// Reads the length of a vector of `what`, refusing more than `limit` items.
    ///
    /// # Errors
    /// [`ErrorKind::TooMany`], or what the integer is refused for.
    pub fn count(&mut self, what: &'static str, limit: u32) -> Result<u32> {
        let offset = self.pos;
        let count = self.var_u32()?;
        if count > limit {
            let kind = ErrorKind::TooMany { what, count: count.into(), limit: limit.into() };
            return Err(self.error_at(kind, offset));
        }
        Ok(count)
    }

    /// Reads a vector: its length, then each item by `item`. No more is reserved than the bytes left can
    /// hold, at `min_bytes` an item.
    ///
    /// # Errors
    /// As [`Reader::count`], or what `item` fails with.
    pub fn vector<T>(
        &mut self,
        what: &'static str,
        limit: u32,
        min_bytes: u32,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let count = self.count(what, limit)?;
        let mut items = Vec::with_capacity(count.min(self.left() / min_bytes.max(1)) as usize);
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Reads a name: a length in bytes and UTF-8.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedUtf8`], [`ErrorKind::TooLarge`] over [`limits::NAME_BYTES`],
    /// [`ErrorKind::LengthOutOfBounds`].
    pub fn name(&mut self) -> Result<Name> {
        let offset = self.pos;
        let len = self.var_u32()?;
        if len > limits::NAME_BYTES {
            let kind =
                ErrorKind::TooLarge { what: "name", len: len.into(), limit: limits::NAME_BYTES.into() };
            return Err(self.error_at(kind, offset));
        }
        let span = self.skip(len)?;
        match core::str::from_utf8(self.since(span.start as usize)) {
            Ok(_) => Ok(Name(span)),
            Err(error) => {
                Err(self.error_at(ErrorKind::MalformedUtf8, span.start as usize + error.valid_up_to()))
            }
        }
    }

    /// Refuses bytes that are left at the end of a section.
    ///
    /// # Errors
    /// [`ErrorKind::SectionSizeMismatch`].
    pub fn finish(&self) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        Err(self.error(ErrorKind::SectionSizeMismatch { left: self.left() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader<'_> {
        let end = u32::try_from(bytes.len()).unwrap();
        Reader::new(bytes, Span { start: 0, end }, Features::all(), "a test")
    }

    #[track_caller]
    fn check<T: core::fmt::Debug + PartialEq>(
        read: fn(&mut Reader<'_>) -> Result<T>,
        cases: &[(&[u8], core::result::Result<T, ErrorKind>)],
    ) {
        for (bytes, expected) in cases {
            let mut r = reader(bytes);
            let found = read(&mut r).map_err(|e| e.kind.clone());
            assert_eq!(found.as_ref(), expected.as_ref(), "{bytes:02x?}");
            assert!(found.is_err() || r.is_empty(), "{bytes:02x?}: {} bytes left", r.left());
        }
    }

    #[test]
    fn unsigned_integers() {
        check(
            |r| r.var_u32(),
            &[
                (&[0x00], Ok(0)),
                (&[0x7f], Ok(127)),
                (&[0x80, 0x01], Ok(128)),
                (&[0x80, 0x80, 0x80, 0x80, 0x00], Ok(0)),
                (&[0xff, 0xff, 0xff, 0xff, 0x0f], Ok(u32::MAX)),
                (&[0xff, 0xff, 0xff, 0xff, 0x1f], Err(ErrorKind::IntegerTooLarge)),
                (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], Err(ErrorKind::IntegerTooLong)),
                (&[0x80], Err(ErrorKind::UnexpectedEnd)),
                (&[], Err(ErrorKind::UnexpectedEnd)),
            ],
        );
        check(
            |r| r.var_u64(),
            &[
                (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Ok(u64::MAX)),
                (
                    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
                    Err(ErrorKind::IntegerTooLarge),
                ),
                (
                    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
                    Err(ErrorKind::IntegerTooLong),
                ),
            ],
        );
    }

    #[test]
    fn signed_integers() {
        check(
            |r| r.var_i32(),
            &[
                (&[0x00], Ok(0)),
                (&[0x3f], Ok(63)),
                (&[0x40], Ok(-64)),
                (&[0x7f], Ok(-1)),
                (&[0xff, 0xff, 0xff, 0xff, 0x7f], Ok(-1)),
                (&[0xff, 0xff, 0xff, 0xff, 0x07], Ok(i32::MAX)),
                (&[0x80, 0x80, 0x80, 0x80, 0x78], Ok(i32::MIN)),
                (&[0xff, 0xff, 0xff, 0xff, 0x0f], Err(ErrorKind::IntegerTooLarge)),
                (&[0x80, 0x80, 0x80, 0x80, 0x70], Err(ErrorKind::IntegerTooLarge)),
                (&[0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], Err(ErrorKind::IntegerTooLong)),
            ],
        );
        check(
            |r| r.var_i64(),
            &[
                (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f], Ok(i64::MIN)),
                (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00], Ok(i64::MAX)),
                (
                    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e],
                    Err(ErrorKind::IntegerTooLarge),
                ),
            ],
        );
        check(
            |r| r.var_s33(),
            &[
                (&[0xff, 0xff, 0xff, 0xff, 0x0f], Ok(i64::from(u32::MAX))),
                (&[0x40], Ok(-64)),
                (&[0xff, 0xff, 0xff, 0xff, 0x1f], Err(ErrorKind::IntegerTooLarge)),
            ],
        );
    }

    #[test]
    fn a_vector_reserves_no_more_than_the_bytes_left_can_hold() {
        let mut r = reader(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2]);
        let mut capacity = 0;
        let error = r
            .vector("items", u32::MAX, 1, |r| {
                capacity += 1;
                r.byte()
            })
            .unwrap_err();
        assert_eq!((error.kind.clone(), capacity), (ErrorKind::UnexpectedEnd, 3));
    }

    #[test]
    fn names() {
        assert_eq!(reader(&[3, b'a', 0xc3, 0xa4]).name().unwrap().0, Span { start: 1, end: 4 });
        let error = reader(&[2, b'a', 0xff]).name().unwrap_err();
        assert_eq!((error.kind.clone(), error.offset), (ErrorKind::MalformedUtf8, 2));
        let error = reader(&[9, b'a']).name().unwrap_err();
        assert_eq!(error.kind, ErrorKind::LengthOutOfBounds { len: 9, left: 1 });
    }
}

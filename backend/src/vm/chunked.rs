//! A table of which only the parts exist that were asked for.

use std::sync::OnceLock;

/// Entries per part.
const PART: usize = 256;

type Part<T> = Box<[OnceLock<T>]>;

/// A table of fixed length whose entries are made at their first use: a module of 600,000 functions costs a few
/// thousand words until its functions are called.
#[derive(Debug)]
pub(crate) struct Chunked<T> {
    parts: Box<[OnceLock<Part<T>>]>,
    len: usize,
}

impl<T> Chunked<T> {
    pub(crate) fn new(len: usize) -> Self {
        let parts = core::iter::repeat_with(OnceLock::new).take(len.div_ceil(PART)).collect();
        Self { parts, len }
    }

    /// Returns the entry, made by `make` if this is its first use; `None` behind the end. It never moves.
    pub(crate) fn get_or_init(&self, index: usize, make: impl FnOnce() -> T) -> Option<&T> {
        if index >= self.len {
            return None;
        }
        let part = self.parts.get(index / PART)?;
        let part = part.get_or_init(|| core::iter::repeat_with(OnceLock::new).take(PART).collect());
        Some(part.get(index % PART)?.get_or_init(make))
    }

    /// Returns the entry if it has been made.
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.parts.get(index / PART)?.get()?.get(index % PART)?.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_made_once_and_stay() {
        let table = Chunked::new(PART + 1);
        let first = table.get_or_init(PART, || 1_u64).map(core::ptr::from_ref);
        assert_eq!(table.get_or_init(PART, || 2).map(core::ptr::from_ref), first);
        assert_eq!(
            (table.get(PART), table.get(0), table.get_or_init(PART + 1, || 3)),
            (Some(&1), None, None)
        );
    }
}

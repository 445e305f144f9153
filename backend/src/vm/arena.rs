//! Things that keep their address while more of them are added.

/// Entries in the first chunk, as a binary logarithm; each further chunk is twice as long.
const FIRST_LOG2: u32 = 5;

/// A list whose entries never move.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    /// Each is filled up to the capacity that it was made with, and never beyond.
    chunks: Vec<Vec<T>>,
    len: u32,
}

impl<T> Arena<T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }

    /// Adds an entry and returns its index.
    ///
    /// # Panics
    /// With 2^32 - 64 entries.
    pub(crate) fn push(&mut self, value: T) -> u32 {
        let index = self.len;
        assert!(index < u32::MAX - 64, "an arena is full");
        let (chunk, _) = place(index);
        if chunk == self.chunks.len() {
            self.chunks.push(Vec::with_capacity(1 << (FIRST_LOG2 as usize + chunk)));
        }
        self.chunks[chunk].push(value);
        self.len += 1;
        index
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        if index >= self.len {
            return None;
        }
        let (chunk, position) = place(index);
        self.chunks.get(chunk)?.get(position)
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let (chunk, position) = place(index);
        self.chunks.get_mut(chunk)?.get_mut(position)
    }

    /// Returns the entry at an address; `None` if there is none.
    pub(crate) fn at(&self, address: u64) -> Option<&T> {
        self.chunks.iter().find_map(|chunk| {
            let distance = usize::try_from(address.checked_sub(chunk.as_ptr() as u64)?).ok()?;
            if distance % size_of::<T>() == 0 { chunk.get(distance / size_of::<T>()) } else { None }
        })
    }
}

const fn place(index: u32) -> (usize, usize) {
    let shifted = index + (1 << FIRST_LOG2);
    let log2 = 31 - shifted.leading_zeros();
    ((log2 - FIRST_LOG2) as usize, (shifted - (1 << log2)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_index_and_address() {
        let mut arena = Arena::new();
        let addresses: Vec<_> = (0..1_000_u64)
            .map(|value| {
                let index = arena.push(value);
                (index, core::ptr::from_ref(arena.get(index).unwrap()) as u64)
            })
            .collect();
        for (value, (index, address)) in addresses.into_iter().enumerate() {
            assert_eq!(index as usize, value);
            assert_eq!(arena.get(index), Some(&(value as u64)));
            assert_eq!(arena.at(address), Some(&(value as u64)));
            assert_eq!(arena.at(address + 1), None);
        }
        assert_eq!((arena.get(1_000), arena.at(0), arena.at(u64::MAX)), (None, None, None));
    }
}

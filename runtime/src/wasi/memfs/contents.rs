//! The bytes of a file in memory: chunks of 64 KiB, where something was written.

use std::collections::BTreeMap;

use super::Space;
use crate::wasi::abi::Errno;

/// Bytes of a chunk.
const CHUNK: usize = 64 * 1024;
/// What a chunk takes beside its bytes.
const CHUNK_OVERHEAD: u64 = 64;

/// The bytes of a file. What was never written reads as zeros and takes no memory, so that a size is free of charge and
/// only bytes count.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    size: u64,
    /// By position / `CHUNK`. A chunk may be shorter than `CHUNK`; what is missing is zero.
    chunks: BTreeMap<u64, Vec<u8>>,
    /// What the chunks take of the quota.
    charged: u64,
}

impl Contents {
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Reads at an offset; returns how many bytes there were.
    pub(crate) fn read(&self, into: &mut [u8], offset: u64) -> usize {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = into.len().min(left);
        let mut done = 0;
        while done < len {
            let (index, start) = place(offset + done as u64);
            let n = (CHUNK - start).min(len - done);
            let part = &mut into[done..done + n];
            let there = self.chunks.get(&index).and_then(|chunk| chunk.get(start..)).unwrap_or(&[]);
            let copied = there.len().min(n);
            part[..copied].copy_from_slice(&there[..copied]);
            part[copied..].fill(0);
            done += n;
        }
        len
    }

    /// Writes at an offset; returns how many bytes found space, `nospc` if none did.
    pub(crate) fn write(
        &mut self,
        bytes: &[u8],
        offset: u64,
        (space, max): (&Space, u64),
    ) -> Result<usize, Errno> {
        offset.checked_add(bytes.len() as u64).filter(|end| *end <= MAX_SIZE).ok_or(Errno::Fbig)?;
        let mut done = 0;
        while done < bytes.len() {
            let (index, start) = place(offset + done as u64);
            let n = (CHUNK - start).min(bytes.len() - done);
            if let Err(errno) = self.reserve(index, start + n, space, max) {
                return if done == 0 { Err(errno) } else { Ok(done) };
            }
            if let Some(chunk) = self.chunks.get_mut(&index) {
                if chunk.len() < start + n {
                    chunk.resize(start + n, 0);
                }
                chunk[start..start + n].copy_from_slice(&bytes[done..done + n]);
            }
            done += n;
            self.size = self.size.max(offset + done as u64);
        }
        Ok(done)
    }

    /// Makes room for the first `len` bytes of a chunk.
    fn reserve(&mut self, index: u64, len: usize, space: &Space, max: u64) -> Result<(), Errno> {
        let (has, overhead) = match self.chunks.get(&index) {
            Some(chunk) => (chunk.capacity(), 0),
            None => (0, CHUNK_OVERHEAD),
        };
        if len <= has && overhead == 0 {
            return Ok(());
        }
        // Doubling, so that small writes at the end of a file are not copied each time.
        let wanted = len.max((has * 2).min(CHUNK));
        let more = (wanted - has) as u64 + overhead;
        space.take_bytes(more, max)?;
        self.charged += more;
        let chunk = self.chunks.entry(index).or_default();
        chunk.reserve_exact(wanted - chunk.len());
        Ok(())
    }

    /// Sets the size; bytes beyond it are forgotten.
    pub(crate) fn set_size(&mut self, size: u64, space: &Space) -> Result<(), Errno> {
        if size > MAX_SIZE {
            return Err(Errno::Fbig);
        }
        if size < self.size {
            let (index, start) = place(size);
            let beyond = self.chunks.split_off(&(index + u64::from(start > 0)));
            for chunk in beyond.into_values() {
                self.give(chunk.capacity() as u64 + CHUNK_OVERHEAD, space);
            }
            if start > 0
                && let Some(chunk) = self.chunks.get_mut(&index)
            {
                chunk.truncate(start);
            }
        }
        self.size = size;
        Ok(())
    }

    /// Gives back all that it takes.
    pub(crate) fn clear(&mut self, space: &Space) {
        self.chunks.clear();
        self.size = 0;
        self.give(self.charged, space);
    }

    fn give(&mut self, bytes: u64, space: &Space) {
        self.charged = self.charged.saturating_sub(bytes);
        space.give_bytes(bytes);
    }
}

/// The largest file, as offsets are signed on every system.
const MAX_SIZE: u64 = i64::MAX as u64;

/// Returns the chunk of an offset and the position in it.
const fn place(offset: u64) -> (u64, usize) {
    (offset / CHUNK as u64, (offset % CHUNK as u64) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = u64::MAX;

    #[test]
    fn holes_are_zeros_and_free() {
        let (space, mut file) = (Space::default(), Contents::default());
        file.set_size(1 << 40, &space).unwrap();
        assert_eq!(space.bytes(), 0);
        assert_eq!(file.write(b"end", (1 << 40) - 1, (&space, ALL)), Ok(3));
        assert_eq!((file.size(), space.bytes() < 2 * CHUNK as u64 + 256), ((1 << 40) + 2, true));
        let mut bytes = [9; 6];
        assert_eq!(file.read(&mut bytes, (1 << 40) - 3), 5);
        assert_eq!(bytes, [0, 0, b'e', b'n', b'd', 9]);
        assert_eq!(file.write(b"x", u64::MAX, (&space, ALL)), Err(Errno::Fbig));
        assert_eq!(file.set_size(1 << 63, &space), Err(Errno::Fbig));
        file.clear(&space);
        assert_eq!(space.bytes(), 0);
    }

    #[test]
    fn cut_bytes_come_back_as_zeros() {
        let (space, mut file) = (Space::default(), Contents::default());
        file.write(&[7; 3 * CHUNK], 10, (&space, ALL)).unwrap();
        file.set_size(CHUNK as u64 + 4, &space).unwrap();
        file.set_size(4 * CHUNK as u64, &space).unwrap();
        let mut bytes = [1; 8];
        assert_eq!(file.read(&mut bytes, CHUNK as u64), 8);
        assert_eq!(bytes, [7, 7, 7, 7, 0, 0, 0, 0]);
        file.set_size(0, &space).unwrap();
        assert_eq!(space.bytes(), 0);
    }

    #[test]
    fn a_full_quota_ends_a_write_where_it_stands() {
        let (space, mut file) = (Space::default(), Contents::default());
        let max = CHUNK as u64 + CHUNK_OVERHEAD;
        assert_eq!(file.write(&[1; 2 * CHUNK], 0, (&space, max)), Ok(CHUNK));
        assert_eq!(file.write(&[1], CHUNK as u64, (&space, max)), Err(Errno::Nospc));
        assert_eq!(file.size(), CHUNK as u64);
    }
}

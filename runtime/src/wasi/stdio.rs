//! Standard streams: what the guest reads on 0 and writes on 1 and 2.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// What the guest reads as its standard input.
#[derive(Default)]
pub enum Stdin {
    /// Nothing.
    #[default]
    Null,
    /// The host's own. A read waits for it and for the store's limits together.
    Inherit,
    /// These bytes.
    Bytes(Vec<u8>),
    /// A file, a pipe, a terminal. A read waits for it and for the store's limits together.
    File(File),
    /// Whatever this reads. A read that blocks is not ended by the store's limits.
    Reader(Box<dyn Read + Send>),
}

impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Inherit => "Inherit",
            Self::Bytes(_) => "Bytes",
            Self::File(_) => "File",
            Self::Reader(_) => "Reader",
        })
    }
}

/// Where the guest's standard output or standard error goes. What is written counts against
/// [`crate::Limits::output_bytes`].
#[derive(Default)]
pub enum Output {
    /// Nowhere.
    #[default]
    Null,
    /// The host's own, unfiltered.
    Inherit,
    /// Into a buffer that the embedder keeps a handle of.
    Buffer(OutputBuffer),
    /// To a file, a pipe, a terminal.
    File(File),
    /// To whatever this writes.
    Writer {
        /// Takes the bytes; an error of kind `BrokenPipe` reaches the guest as `pipe`, any other as `io`.
        writer: Box<dyn Write + Send>,
        /// Whether the guest is told that it writes to a terminal.
        terminal: bool,
    },
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Inherit => "Inherit",
            Self::Buffer(_) => "Buffer",
            Self::File(_) => "File",
            Self::Writer { .. } => "Writer",
        })
    }
}

/// What the guest has written. Cloning it gives another handle to the same bytes.
#[derive(Clone, Debug, Default)]
pub struct OutputBuffer(Arc<Mutex<Vec<u8>>>);

impl OutputBuffer {
    /// Returns a copy of the bytes.
    #[must_use]
    pub fn contents(&self) -> Vec<u8> {
        self.lock().clone()
    }

    /// Takes the bytes out.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock())
    }

    pub(crate) fn append(&self, bytes: &[u8]) {
        self.lock().extend_from_slice(bytes);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for OutputBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! What a directory that was given can do, whatever stands behind it: the host or memory.
//!
//! A file system is asked about one name in one directory at a time. It never sees `..`, a slash or a path, and it never
//! follows a symbolic link; that is done in one place for all of them ([`super::path`]).

use super::abi::{Errno, Filestat, Filetype};
use super::memfs::MemFs;
use crate::limits::Limits;

/// An open file or directory of a file system. Whoever got it closes it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle(pub(crate) u32);

/// How a regular file is opened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpenHow {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) create: bool,
    /// With `create`: it must not be there.
    pub(crate) exclusive: bool,
    pub(crate) truncate: bool,
}

/// Times to be set, in nanoseconds since 1970; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) atim: Option<u64>,
    pub(crate) mtim: Option<u64>,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) ino: u64,
    pub(crate) filetype: Filetype,
}

/// What entering a name comes to.
#[derive(Debug)]
pub(crate) enum Entered {
    /// A directory, which is open now.
    Directory(Handle),
    /// A symbolic link, with its target.
    Link(String),
}

/// A tree of files. Names are single components: not empty, no `.`, no `..`, no slash, no NUL, at most 255 bytes.
pub(crate) trait FileSystem: Send {
    /// Tells the time in nanoseconds since 1970, and what may be used, before an operation.
    fn tick(&mut self, now_ns: u64, limits: &Limits);
    /// Returns whether anything in it may be changed.
    fn writable(&self) -> bool;
    /// Returns whether what is written leaves the sandbox.
    fn is_host(&self) -> bool;
    /// Returns the root, which is never closed.
    fn root(&self) -> Handle;
    /// Opens the same file or directory once more.
    fn again(&mut self, handle: Handle) -> Result<Handle, Errno>;
    /// Closes what is open.
    fn close(&mut self, handle: Handle);

    /// Opens a directory, or reads a symbolic link; `notdir` if it is something else.
    fn enter(&mut self, dir: Handle, name: &str) -> Result<Entered, Errno>;
    /// Returns the target if it is a symbolic link.
    fn read_link(&mut self, dir: Handle, name: &str) -> Result<Option<String>, Errno>;
    /// Opens a regular file; `loop` if it is a symbolic link.
    fn open(&mut self, dir: Handle, name: &str, how: OpenHow) -> Result<Handle, Errno>;
    fn stat_at(&mut self, dir: Handle, name: &str) -> Result<Filestat, Errno>;
    fn set_times_at(&mut self, dir: Handle, name: &str, times: Times) -> Result<(), Errno>;
    fn create_directory(&mut self, dir: Handle, name: &str) -> Result<(), Errno>;
    fn remove_directory(&mut self, dir: Handle, name: &str) -> Result<(), Errno>;
    fn unlink(&mut self, dir: Handle, name: &str) -> Result<(), Errno>;
    fn symlink(&mut self, target: &str, dir: Handle, name: &str) -> Result<(), Errno>;
    /// Makes another name of a file; `perm` for a directory.
    fn link(&mut self, from: (Handle, &str), to: (Handle, &str)) -> Result<(), Errno>;
    fn rename(&mut self, from: (Handle, &str), to: (Handle, &str)) -> Result<(), Errno>;

    fn stat(&mut self, handle: Handle) -> Result<Filestat, Errno>;
    fn set_times(&mut self, handle: Handle, times: Times) -> Result<(), Errno>;
    fn set_size(&mut self, file: Handle, size: u64) -> Result<(), Errno>;
    /// Makes the file at least `end` bytes long.
    fn allocate(&mut self, file: Handle, offset: u64, len_bytes: u64) -> Result<(), Errno>;
    /// Reads up to a buffer; 0 at the end.
    fn read(&mut self, file: Handle, into: &mut [u8], offset: u64) -> Result<usize, Errno>;
    /// Writes up to a buffer; beyond the end, zeros come in between.
    fn write(&mut self, file: Handle, bytes: &[u8], offset: u64) -> Result<usize, Errno>;
    /// Writes up to a buffer at the end, and returns where the end is then.
    fn append(&mut self, file: Handle, bytes: &[u8]) -> Result<(usize, u64), Errno>;
    fn sync(&mut self, handle: Handle, data_only: bool) -> Result<(), Errno>;
    /// Lists a directory, sorted by name, without `.` and `..`. `max_bytes` bounds what the list takes.
    fn list(&mut self, dir: Handle, max_bytes: u64) -> Result<Vec<Entry>, Errno>;

    /// Returns the tree if what is written stays in memory.
    fn memory(&mut self) -> Option<&mut MemFs> {
        None
    }
}

/// What an entry of a listing takes beside its name, in bytes.
pub(crate) const ENTRY_BYTES: u64 = size_of::<Entry>() as u64;

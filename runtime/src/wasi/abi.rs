//! Numbers of the interface: error numbers, rights, flags, kinds of files, and how structures lie in memory.
//!
//! Source: the witx documents `wasi_snapshot_preview1` and `wasi_unstable` (snapshot 0).

/// Which of the two interfaces a call came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// `wasi_unstable`.
    Snapshot0,
    /// `wasi_snapshot_preview1`.
    Preview1,
}

macro_rules! errnos {
    ($($name:ident $number:literal $sentence:literal;)*) => {
        /// What a function answers when it does not do what was asked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub(crate) enum Errno {
            $(#[doc = $sentence] $name = $number,)*
        }
    };
}

errnos! {
    Acces       2  "The host forbids it.";
    Again       6  "It would block.";
    Badf        8  "There is no such descriptor, or not for this.";
    Busy        10 "It is in use.";
    Dquot       19 "A quota of the host is used up.";
    Exist       20 "It exists.";
    Fault       21 "A pointer leads outside memory.";
    Fbig        22 "The file would be too large.";
    Ilseq       25 "A path is not UTF-8.";
    Intr        27 "It was interrupted.";
    Inval       28 "An argument is invalid.";
    Io          29 "The host failed.";
    Isdir       31 "It is a directory.";
    Loop        32 "Too many symbolic links.";
    Mfile       33 "Too many descriptors are open.";
    Mlink       34 "Too many links.";
    Nametoolong 37 "A name is too long.";
    Nfile       41 "The host has no descriptors left.";
    Nodev       43 "There is no such device.";
    Noent       44 "There is no such file.";
    Nomem       48 "There is no memory left.";
    Nospc       51 "There is no space left.";
    Notdir      54 "It is no directory.";
    Notempty    55 "The directory is not empty.";
    Notsock     57 "It is no socket.";
    Notsup      58 "It is not supported.";
    Nxio        60 "There is no such device or address.";
    Overflow    61 "A number is too large for its type.";
    Perm        63 "It is not permitted.";
    Pipe        64 "Nobody reads the pipe.";
    Rofs        69 "The directory is given to be read only.";
    Spipe       70 "It has no position.";
    Stale       72 "The file is gone.";
    Txtbsy      74 "The file is being run.";
    Xdev        75 "Links do not reach into another directory that was given.";
    Notcapable  76 "It was not granted.";
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Filetype {
    Unknown = 0,
    BlockDevice = 1,
    CharacterDevice = 2,
    Directory = 3,
    RegularFile = 4,
    SocketStream = 6,
    SymbolicLink = 7,
}

/// What may be done with a descriptor, a bit each.
pub(crate) mod rights {
    pub(crate) const FD_DATASYNC: u64 = 1;
    pub(crate) const FD_READ: u64 = 1 << 1;
    pub(crate) const FD_SEEK: u64 = 1 << 2;
    pub(crate) const FD_FDSTAT_SET_FLAGS: u64 = 1 << 3;
    pub(crate) const FD_SYNC: u64 = 1 << 4;
    pub(crate) const FD_TELL: u64 = 1 << 5;
    pub(crate) const FD_WRITE: u64 = 1 << 6;
    pub(crate) const FD_ADVISE: u64 = 1 << 7;
    pub(crate) const FD_ALLOCATE: u64 = 1 << 8;
    pub(crate) const PATH_CREATE_DIRECTORY: u64 = 1 << 9;
    pub(crate) const PATH_CREATE_FILE: u64 = 1 << 10;
    pub(crate) const PATH_LINK_SOURCE: u64 = 1 << 11;
    pub(crate) const PATH_LINK_TARGET: u64 = 1 << 12;
    pub(crate) const PATH_OPEN: u64 = 1 << 13;
    pub(crate) const FD_READDIR: u64 = 1 << 14;
    pub(crate) const PATH_READLINK: u64 = 1 << 15;
    pub(crate) const PATH_RENAME_SOURCE: u64 = 1 << 16;
    pub(crate) const PATH_RENAME_TARGET: u64 = 1 << 17;
    pub(crate) const PATH_FILESTAT_GET: u64 = 1 << 18;
    pub(crate) const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    pub(crate) const PATH_FILESTAT_SET_TIMES: u64 = 1 << 20;
    pub(crate) const FD_FILESTAT_GET: u64 = 1 << 21;
    pub(crate) const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    pub(crate) const FD_FILESTAT_SET_TIMES: u64 = 1 << 23;
    pub(crate) const PATH_SYMLINK: u64 = 1 << 24;
    pub(crate) const PATH_REMOVE_DIRECTORY: u64 = 1 << 25;
    pub(crate) const PATH_UNLINK_FILE: u64 = 1 << 26;
    pub(crate) const POLL_FD_READWRITE: u64 = 1 << 27;

    /// What makes sense for a regular file.
    pub(crate) const FILE: u64 = FD_DATASYNC
        | FD_READ
        | FD_SEEK
        | FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_TELL
        | FD_WRITE
        | FD_ADVISE
        | FD_ALLOCATE
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_SIZE
        | FD_FILESTAT_SET_TIMES
        | POLL_FD_READWRITE;
    /// What makes sense for a directory.
    pub(crate) const DIRECTORY: u64 = FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_DATASYNC
        | FD_ADVISE
        | PATH_CREATE_DIRECTORY
        | PATH_CREATE_FILE
        | PATH_LINK_SOURCE
        | PATH_LINK_TARGET
        | PATH_OPEN
        | FD_READDIR
        | PATH_READLINK
        | PATH_RENAME_SOURCE
        | PATH_RENAME_TARGET
        | PATH_FILESTAT_GET
        | PATH_FILESTAT_SET_SIZE
        | PATH_FILESTAT_SET_TIMES
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_TIMES
        | PATH_SYMLINK
        | PATH_REMOVE_DIRECTORY
        | PATH_UNLINK_FILE
        | POLL_FD_READWRITE;
    /// What makes sense for a standard stream. Without `FD_SEEK` and `FD_TELL`, which is how libc knows a terminal.
    pub(crate) const STREAM: u64 = FD_FDSTAT_SET_FLAGS | FD_FILESTAT_GET | POLL_FD_READWRITE;
    /// What only an open for writing has.
    pub(crate) const WRITING: u64 = FD_WRITE | FD_DATASYNC | FD_ALLOCATE | FD_FILESTAT_SET_SIZE;
}

/// Flags of a descriptor.
pub(crate) mod fdflags {
    pub(crate) const APPEND: u16 = 1;
    pub(crate) const DSYNC: u16 = 1 << 1;
    pub(crate) const NONBLOCK: u16 = 1 << 2;
    pub(crate) const RSYNC: u16 = 1 << 3;
    pub(crate) const SYNC: u16 = 1 << 4;
    pub(crate) const ALL: u16 = APPEND | DSYNC | NONBLOCK | RSYNC | SYNC;
}

/// How a path is opened.
pub(crate) mod oflags {
    pub(crate) const CREAT: u16 = 1;
    pub(crate) const DIRECTORY: u16 = 1 << 1;
    pub(crate) const EXCL: u16 = 1 << 2;
    pub(crate) const TRUNC: u16 = 1 << 3;
    pub(crate) const ALL: u16 = CREAT | DIRECTORY | EXCL | TRUNC;
}

/// Which times are set, and to what.
pub(crate) mod fstflags {
    pub(crate) const ATIM: u16 = 1;
    pub(crate) const ATIM_NOW: u16 = 1 << 1;
    pub(crate) const MTIM: u16 = 1 << 2;
    pub(crate) const MTIM_NOW: u16 = 1 << 3;
    pub(crate) const ALL: u16 = ATIM | ATIM_NOW | MTIM | MTIM_NOW;
}

/// The last component of a path is followed if it is a symbolic link.
pub(crate) const LOOKUP_SYMLINK_FOLLOW: u32 = 1;

/// Where a seek counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whence {
    Set,
    Cur,
    End,
}

impl Whence {
    /// The two interfaces number them differently.
    pub(crate) const fn new(version: Version, number: u32) -> Result<Self, Errno> {
        Ok(match (version, number) {
            (Version::Preview1, 0) | (Version::Snapshot0, 2) => Self::Set,
            (Version::Preview1, 1) | (Version::Snapshot0, 0) => Self::Cur,
            (Version::Preview1, 2) | (Version::Snapshot0, 1) => Self::End,
            _ => return Err(Errno::Inval),
        })
    }
}

/// The attributes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filestat {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) filetype: Filetype,
    pub(crate) nlink: u64,
    pub(crate) size: u64,
    /// Nanoseconds since 1970, clamped to what the type holds.
    pub(crate) atim: u64,
    pub(crate) mtim: u64,
    pub(crate) ctim: u64,
}

/// The longest structure that is written.
pub(crate) struct Layout<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Layout<N> {
    pub(crate) const fn new(len: usize) -> Self {
        assert!(len <= N);
        Self { bytes: [0; N], len }
    }

    /// Puts a field at its offset; padding stays zero.
    pub(crate) fn put<const M: usize>(&mut self, offset: usize, field: [u8; M]) -> &mut Self {
        self.bytes[offset..offset + M].copy_from_slice(&field);
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Filestat {
    pub(crate) fn layout(&self, version: Version) -> Layout<64> {
        let (len, links, rest) = match version {
            Version::Preview1 => (64, 24, 32),
            Version::Snapshot0 => (56, 20, 24),
        };
        let mut layout = Layout::new(len);
        layout.put(0, self.dev.to_le_bytes()).put(8, self.ino.to_le_bytes()).put(16, [self.filetype as u8]);
        match version {
            Version::Preview1 => layout.put(links, self.nlink.to_le_bytes()),
            Version::Snapshot0 => {
                layout.put(links, u32::try_from(self.nlink).unwrap_or(u32::MAX).to_le_bytes())
            }
        };
        for (index, field) in [self.size, self.atim, self.mtim, self.ctim].into_iter().enumerate() {
            layout.put(rest + 8 * index, field.to_le_bytes());
        }
        layout
    }
}

/// How long a `filestat` is.
pub(crate) const fn filestat_bytes(version: Version) -> u32 {
    match version {
        Version::Preview1 => 64,
        Version::Snapshot0 => 56,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filestat_lies_as_each_interface_says() {
        let stat = Filestat {
            dev: 1,
            ino: 2,
            filetype: Filetype::RegularFile,
            nlink: 3,
            size: 4,
            atim: 5,
            mtim: 6,
            ctim: 7,
        };
        let at = |bytes: &[u8], offset: usize| bytes[offset];
        let new = stat.layout(Version::Preview1);
        let fields = [0, 8, 16, 24, 32, 40, 48, 56].map(|offset| at(new.bytes(), offset));
        assert_eq!((fields, new.bytes().len()), ([1, 2, 4, 3, 4, 5, 6, 7], 64));
        let old = stat.layout(Version::Snapshot0);
        let fields = [0, 8, 16, 20, 24, 32, 40, 48].map(|offset| at(old.bytes(), offset));
        assert_eq!((fields, old.bytes().len()), ([1, 2, 4, 3, 4, 5, 6, 7], 56));
        for version in [Version::Preview1, Version::Snapshot0] {
            assert_eq!(stat.layout(version).bytes().len() as u32, filestat_bytes(version));
        }
    }

    #[test]
    fn whence_differs_between_the_interfaces() {
        let numbers = |version| [0, 1, 2].map(|number| Whence::new(version, number).unwrap());
        assert_eq!(numbers(Version::Preview1), [Whence::Set, Whence::Cur, Whence::End]);
        assert_eq!(numbers(Version::Snapshot0), [Whence::Cur, Whence::End, Whence::Set]);
        assert_eq!(Whence::new(Version::Preview1, 3), Err(Errno::Inval));
    }
}

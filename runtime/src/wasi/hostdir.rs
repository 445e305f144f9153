//! A directory of the host.
//!
//! The kernel is asked about one name at a time, relative to an open directory and without following symbolic links,
//! so that no race between a look and an open leads anywhere else: a name that turns into a link meanwhile is `loop`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self as sys, AtFlags, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps};

use super::abi::{Errno, Filestat, Filetype};
use super::fs::{ENTRY_BYTES, Entered, Entry, FileSystem, Handle, OpenHow, Times};
use crate::limits::Limits;

/// How a directory is opened to be walked through: no right to list it is needed where the system can say so.
const WALK: OFlags = if cfg!(target_os = "linux") { PATH_ONLY } else { OFlags::RDONLY };
#[cfg(target_os = "linux")]
const PATH_ONLY: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PATH_ONLY: OFlags = OFlags::RDONLY;
/// What every open has. A FIFO that appears in place of a file must not block.
const ALWAYS: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NOCTTY).union(OFlags::NONBLOCK);
/// Rights of what a guest makes, before the host's mask: as `open` and `mkdir` of a shell.
const FILE_MODE: Mode = Mode::from_raw_mode(0o666);
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o777);

/// A directory of the host, and what is open in it.
#[derive(Debug)]
pub(crate) struct HostDir {
    writable: bool,
    root: OwnedFd,
    /// What is open, by handle; the root is none of them.
    open: Vec<Option<OwnedFd>>,
    free: Vec<u32>,
}

/// The root's handle.
const ROOT: Handle = Handle(u32::MAX);

impl HostDir {
    /// Opens the directory at a path of the host, which is the embedder's and followed wherever it leads.
    pub(crate) fn open(path: &Path, writable: bool) -> io::Result<Self> {
        let root = sys::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { writable, root, open: Vec::new(), free: Vec::new() })
    }

    fn fd(&self, handle: Handle) -> Result<BorrowedFd<'_>, Errno> {
        if handle == ROOT {
            return Ok(self.root.as_fd());
        }
        let open = self.open.get(handle.0 as usize).and_then(Option::as_ref);
        open.map(AsFd::as_fd).ok_or(Errno::Badf)
    }

    fn add(&mut self, fd: OwnedFd) -> Result<Handle, Errno> {
        if let Some(index) = self.free.pop() {
            self.open[index as usize] = Some(fd);
            return Ok(Handle(index));
        }
        let index = u32::try_from(self.open.len()).ok().filter(|index| Handle(*index) != ROOT);
        self.open.push(Some(fd));
        index.map(Handle).ok_or(Errno::Nfile)
    }

    /// Says what is told of a file. Where nothing is written, a run leaves nothing behind that the next one could see; but
    /// the host notes when a file was read, so that this is not told.
    fn told(&self, stat: &Stat) -> Filestat {
        let stat = filestat(stat);
        if self.writable { stat } else { Filestat { atim: stat.mtim, ..stat } }
    }

    fn check_writable(&self) -> Result<(), Errno> {
        if self.writable { Ok(()) } else { Err(Errno::Rofs) }
    }

    /// Opens a directory again so that it can be listed or changed itself.
    fn readable(&self, dir: Handle) -> Result<OwnedFd, Errno> {
        Ok(sys::openat(
            self.fd(dir)?,
            c".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?)
    }
}

impl FileSystem for HostDir {
    fn tick(&mut self, _now_ns: u64, _limits: &Limits) {}

    fn writable(&self) -> bool {
        self.writable
    }

    fn is_host(&self) -> bool {
        true
    }

    fn root(&self) -> Handle {
        ROOT
    }

    fn again(&mut self, handle: Handle) -> Result<Handle, Errno> {
        let fd = rustix::io::fcntl_dupfd_cloexec(self.fd(handle)?, 0)?;
        self.add(fd)
    }

    fn close(&mut self, handle: Handle) {
        if let Some(open) = self.open.get_mut(handle.0 as usize)
            && open.take().is_some()
        {
            self.free.push(handle.0);
        }
    }

    fn enter(&mut self, dir: Handle, name: &str) -> Result<Entered, Errno> {
        let flags = WALK | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match sys::openat(self.fd(dir)?, name, flags, Mode::empty()) {
            Ok(fd) => Ok(Entered::Directory(self.add(fd)?)),
            Err(rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
                self.read_link(dir, name)?.map(Entered::Link).ok_or(Errno::Notdir)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn read_link(&mut self, dir: Handle, name: &str) -> Result<Option<String>, Errno> {
        match sys::readlinkat(self.fd(dir)?, name, Vec::new()) {
            Ok(target) => target.into_string().map(Some).map_err(|_| Errno::Ilseq),
            // It is there and no link.
            Err(rustix::io::Errno::INVAL) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn open(&mut self, dir: Handle, name: &str, how: OpenHow) -> Result<Handle, Errno> {
        if how.write || how.create || how.truncate {
            self.check_writable()?;
        }
        let mut flags = ALWAYS;
        // To truncate, the kernel wants a file that is open for writing.
        flags |= match (how.read, how.write || how.truncate) {
            (_, false) => OFlags::RDONLY,
            (false, true) => OFlags::WRONLY,
            (true, true) => OFlags::RDWR,
        };
        flags.set(OFlags::CREATE, how.create);
        flags.set(OFlags::EXCL, how.create && how.exclusive);
        flags.set(OFlags::TRUNC, how.truncate);
        let fd = sys::openat(self.fd(dir)?, name, flags, FILE_MODE)?;
        match FileType::from_raw_mode(sys::fstat(&fd)?.st_mode) {
            FileType::RegularFile => self.add(fd),
            FileType::Directory => Err(Errno::Isdir),
            _ => Err(Errno::Notcapable),
        }
    }

    fn stat_at(&mut self, dir: Handle, name: &str) -> Result<Filestat, Errno> {
        Ok(self.told(&sys::statat(self.fd(dir)?, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    fn set_times_at(&mut self, dir: Handle, name: &str, times: Times) -> Result<(), Errno> {
        self.check_writable()?;
        Ok(sys::utimensat(self.fd(dir)?, name, &timestamps(times)?, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn create_directory(&mut self, dir: Handle, name: &str) -> Result<(), Errno> {
        self.check_writable()?;
        Ok(sys::mkdirat(self.fd(dir)?, name, DIRECTORY_MODE)?)
    }

    fn remove_directory(&mut self, dir: Handle, name: &str) -> Result<(), Errno> {
        self.check_writable()?;
        Ok(sys::unlinkat(self.fd(dir)?, name, AtFlags::REMOVEDIR)?)
    }

    fn unlink(&mut self, dir: Handle, name: &str) -> Result<(), Errno> {
        self.check_writable()?;
        Ok(sys::unlinkat(self.fd(dir)?, name, AtFlags::empty())?)
    }

    fn symlink(&mut self, target: &str, dir: Handle, name: &str) -> Result<(), Errno> {
        self.check_writable()?;
        Ok(sys::symlinkat(target, self.fd(dir)?, name)?)
    }

    fn link(&mut self, from: (Handle, &str), to: (Handle, &str)) -> Result<(), Errno> {
        self.check_writable()?;
        Ok(sys::linkat(self.fd(from.0)?, from.1, self.fd(to.0)?, to.1, AtFlags::empty())?)
    }

    fn rename(&mut self, from: (Handle, &str), to: (Handle, &str)) -> Result<(), Errno> {
        self.check_writable()?;
        Ok(sys::renameat(self.fd(from.0)?, from.1, self.fd(to.0)?, to.1)?)
    }

    fn stat(&mut self, handle: Handle) -> Result<Filestat, Errno> {
        Ok(self.told(&sys::fstat(self.fd(handle)?)?))
    }

    fn set_times(&mut self, handle: Handle, times: Times) -> Result<(), Errno> {
        self.check_writable()?;
        let times = timestamps(times)?;
        let fd = self.fd(handle)?;
        match FileType::from_raw_mode(sys::fstat(fd)?.st_mode) {
            FileType::Directory => sys::futimens(self.readable(handle)?, &times)?,
            _ => sys::futimens(fd, &times)?,
        }
        Ok(())
    }

    fn set_size(&mut self, file: Handle, size: u64) -> Result<(), Errno> {
        self.check_writable()?;
        if i64::try_from(size).is_err() {
            return Err(Errno::Fbig);
        }
        Ok(sys::ftruncate(self.fd(file)?, size)?)
    }

    fn allocate(&mut self, file: Handle, offset: u64, len_bytes: u64) -> Result<(), Errno> {
        self.check_writable()?;
        let end = offset.checked_add(len_bytes).ok_or(Errno::Fbig)?;
        if sys::fstat(self.fd(file)?)?.st_size.cast_unsigned() < end {
            self.set_size(file, end)?;
        }
        Ok(())
    }

    fn read(&mut self, file: Handle, into: &mut [u8], offset: u64) -> Result<usize, Errno> {
        Ok(rustix::io::pread(self.fd(file)?, into, offset)?)
    }

    fn write(&mut self, file: Handle, bytes: &[u8], offset: u64) -> Result<usize, Errno> {
        self.check_writable()?;
        Ok(rustix::io::pwrite(self.fd(file)?, bytes, offset)?)
    }

    fn append(&mut self, file: Handle, bytes: &[u8]) -> Result<(usize, u64), Errno> {
        self.check_writable()?;
        let fd = self.fd(file)?;
        let n = append(fd, bytes)?;
        Ok((n, sys::fstat(fd)?.st_size.cast_unsigned()))
    }

    fn sync(&mut self, handle: Handle, data_only: bool) -> Result<(), Errno> {
        let fd = self.fd(handle)?;
        let own;
        let fd = match FileType::from_raw_mode(sys::fstat(fd)?.st_mode) {
            FileType::Directory => {
                own = self.readable(handle)?;
                own.as_fd()
            }
            _ => fd,
        };
        if data_only {
            sys::fdatasync(fd)?
        } else {
            sys::fsync(fd)?
        }
        Ok(())
    }

    fn list(&mut self, dir: Handle, max_bytes: u64) -> Result<Vec<Entry>, Errno> {
        let fd = self.readable(dir)?;
        let mut left = max_bytes;
        let mut entries = Vec::new();
        for entry in Dir::read_from(&fd)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if matches!(name, "." | "..") {
                continue;
            }
            left = left.checked_sub(ENTRY_BYTES + name.len() as u64).ok_or(Errno::Nospc)?;
            let filetype = match entry.file_type() {
                // Some file systems do not say.
                FileType::Unknown => sys::statat(&fd, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(Filetype::Unknown, |stat| filetype(FileType::from_raw_mode(stat.st_mode))),
                known => filetype(known),
            };
            entries.push(Entry { name: name.to_owned(), ino: entry.ino(), filetype });
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

/// Writes at the end, wherever others have moved it meanwhile.
#[cfg(target_os = "linux")]
fn append(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    let bytes = [io::IoSlice::new(bytes)];
    Ok(rustix::io::pwritev2(fd, &bytes, 0, rustix::io::ReadWriteFlags::APPEND)?)
}

/// Writes at the end.
#[cfg(not(target_os = "linux"))]
fn append(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    Ok(rustix::io::pwrite(fd, bytes, sys::fstat(fd)?.st_size.cast_unsigned())?)
}

fn filetype(ty: FileType) -> Filetype {
    match ty {
        FileType::RegularFile => Filetype::RegularFile,
        FileType::Directory => Filetype::Directory,
        FileType::Symlink => Filetype::SymbolicLink,
        FileType::CharacterDevice => Filetype::CharacterDevice,
        FileType::BlockDevice => Filetype::BlockDevice,
        FileType::Socket => Filetype::SocketStream,
        _ => Filetype::Unknown,
    }
}

fn filestat(stat: &Stat) -> Filestat {
    #[allow(
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "the types differ between systems"
    )]
    Filestat {
        dev: stat.st_dev as u64,
        ino: stat.st_ino as u64,
        filetype: filetype(FileType::from_raw_mode(stat.st_mode)),
        nlink: stat.st_nlink as u64,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        atim: nanos(stat.st_atime as i64, stat.st_atime_nsec as i64),
        mtim: nanos(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        ctim: nanos(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
    }
}

/// Returns a time in nanoseconds since 1970: 0 for what came before, the largest number for what lies beyond 2554.
fn nanos(seconds: i64, nanos: i64) -> u64 {
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    u64::try_from(total.max(0)).unwrap_or(u64::MAX)
}

fn timestamps(times: Times) -> Result<Timestamps, Errno> {
    Ok(Timestamps { last_access: timespec(times.atim)?, last_modification: timespec(times.mtim)? })
}

fn timespec(time: Option<u64>) -> Result<Timespec, Errno> {
    let Some(ns) = time else {
        return Ok(Timespec { tv_sec: 0, tv_nsec: sys::UTIME_OMIT });
    };
    let seconds = i64::try_from(ns / 1_000_000_000).map_err(|_| Errno::Overflow)?;
    #[allow(clippy::useless_conversion, reason = "the types differ between systems")]
    Ok(Timespec { tv_sec: seconds, tv_nsec: (ns % 1_000_000_000) as _ })
}

impl From<rustix::io::Errno> for Errno {
    fn from(errno: rustix::io::Errno) -> Self {
        use rustix::io::Errno as E;
        match errno {
            E::ACCESS => Self::Acces,
            E::AGAIN => Self::Again,
            E::BADF => Self::Badf,
            E::BUSY => Self::Busy,
            E::DQUOT => Self::Dquot,
            E::EXIST => Self::Exist,
            E::FBIG => Self::Fbig,
            E::ILSEQ => Self::Ilseq,
            E::INTR => Self::Intr,
            E::INVAL => Self::Inval,
            E::ISDIR => Self::Isdir,
            E::LOOP => Self::Loop,
            E::MFILE | E::NFILE => Self::Nfile,
            E::MLINK => Self::Mlink,
            E::NAMETOOLONG => Self::Nametoolong,
            E::NODEV => Self::Nodev,
            E::NOENT => Self::Noent,
            E::NOMEM => Self::Nomem,
            E::NOSPC => Self::Nospc,
            E::NOTDIR => Self::Notdir,
            E::NOTEMPTY => Self::Notempty,
            E::NXIO => Self::Nxio,
            E::OPNOTSUPP => Self::Notsup,
            E::OVERFLOW => Self::Overflow,
            E::PERM => Self::Perm,
            E::PIPE => Self::Pipe,
            E::ROFS => Self::Rofs,
            E::SPIPE => Self::Spipe,
            E::STALE => Self::Stale,
            E::TXTBSY => Self::Txtbsy,
            E::XDEV => Self::Xdev,
            _ => Self::Io,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_file_was_read_is_told_only_where_it_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "x").unwrap();
        let stat = |writable| {
            let mut dir = HostDir::open(folder.path(), writable).unwrap();
            let root = dir.root();
            dir.stat_at(root, "a").unwrap()
        };
        let before = stat(false);
        let read = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(5);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_times(std::fs::FileTimes::new().set_accessed(read)).unwrap();
        assert_eq!(stat(false).atim, before.atim);
        assert_eq!(stat(true).atim, 5_000_000_000);
    }

    #[test]
    fn times_are_clamped() {
        assert_eq!((nanos(-1, 5), nanos(0, 5), nanos(1, 5)), (0, 5, 1_000_000_005));
        assert_eq!((nanos(i64::MAX, 0), nanos(i64::MIN, 0)), (u64::MAX, 0));
        assert_eq!(timespec(Some(u64::MAX)).unwrap().tv_sec, 18_446_744_073);
    }
}

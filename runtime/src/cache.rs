//! Code that has been compiled before, in a folder of the user's, and the key by which an installation knows it.
//!
//! A file is named after all that its code depends on, and has a MAC ([`wasmos_backend::jit::artifact`]). The folder and the files are the
//! user's alone, links are not followed, a file appears whole or not at all, and those that were used least recently go
//! first. What is refused is compiled again and replaced.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use wasmos_backend::jit::artifact::{Artifact, MacKey};

/// The part of a cache's folder that holds code.
const FOLDER: &str = "code";
/// Begins the names of files that are being written.
const UNFINISHED: &str = ".new-";
/// After so long nobody is writing a file any more.
const ABANDONED: Duration = Duration::from_secs(3600);
/// What a cache may take by default, in bytes.
pub const CACHE_BYTES: u64 = 1 << 30;

/// Code that has been compiled before.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    key: MacKey,
    limit_bytes: u64,
}

impl Cache {
    /// Opens the cache in `folder`, which is made if it is not there. It takes up to about `limit_bytes`.
    ///
    /// # Errors
    /// What the system says, or that the folder is not the user's alone.
    pub fn open(folder: &Path, key: MacKey, limit_bytes: u64) -> io::Result<Self> {
        let folder = folder.join(FOLDER);
        make_private(&folder)?;
        let metadata = fs::symlink_metadata(&folder)?;
        if !metadata.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        private::check(&metadata)?;
        Ok(Self { folder, key, limit_bytes })
    }

    pub(crate) const fn key(&self) -> &MacKey {
        &self.key
    }

    /// Returns what has the name, unchecked, and notes that it was used.
    pub(crate) fn get(&self, name: &str) -> io::Result<Option<Artifact>> {
        let mut file = match private::open(&self.folder.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let len = file.metadata()?.len();
        if len > self.limit_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // A time that cannot be written makes the file older than it is, no more.
        let _ = file.set_modified(SystemTime::now());
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Artifact::read(&mut file, len).map(Some)
    }

    /// Keeps `bytes` under the name, and drops what was not used for longest if there is too much.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() as u64 > self.limit_bytes {
            return Ok(());
        }
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.folder)?;
        file.write_all(bytes)?;
        // A link that has the name is replaced, not followed.
        file.persist(self.folder.join(name)).map_err(|error| error.error)?;
        self.evict(name)
    }

    /// Drops files until the rest fits, but not the one called `newest`.
    fn evict(&self, newest: &str) -> io::Result<()> {
        let mut files = Vec::new();
        let mut total = 0_u64;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // Another process may have dropped it meanwhile.
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(UNFINISHED) {
                if used.elapsed().is_ok_and(|age| age > ABANDONED) {
                    drop_file(&entry.path())?;
                }
                continue;
            }
            total = total.saturating_add(metadata.len());
            if name != newest {
                files.push((used, metadata.len(), entry.path()));
            }
        }
        files.sort();
        for (_, len, path) in files {
            if total <= self.limit_bytes {
                break;
            }
            drop_file(&path)?;
            total -= len;
        }
        Ok(())
    }
}

fn drop_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns the key in a file, which is made if it is not there.
///
/// # Errors
/// What the system says, or that the file is not the user's alone, or holds no key.
pub fn installation_key(path: &Path) -> io::Result<MacKey> {
    match read_key(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => return result,
    }
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    make_private(folder)?;
    let mut key = [0; MacKey::BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    file.write_all(&key)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(MacKey::new(key)),
        // Another process was first.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => read_key(path),
        Err(error) => Err(error.error),
    }
}

fn read_key(path: &Path) -> io::Result<MacKey> {
    let file = private::open(path)?;
    if file.metadata()?.len() != MacKey::BYTES as u64 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no key"));
    }
    let mut key = [0; MacKey::BYTES];
    (&file).read_exact(&mut key)?;
    Ok(MacKey::new(key))
}

/// Returns what is in a file that is the user's alone; `None` if there is no such file.
///
/// # Errors
/// What the system says, or that the file is not the user's alone, or longer than `limit_bytes`.
pub fn read_private(path: &Path, limit_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match private::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result?,
    };
    let mut bytes = Vec::new();
    file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(Some(bytes))
}

/// Writes a file that is the user's alone, in a folder that is. It appears whole or not at all; a link in its place is
/// replaced, not followed.
///
/// # Errors
/// What the system says, or that the folder is not the user's alone.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    make_private(folder)?;
    private::check(&fs::symlink_metadata(folder)?)?;
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Makes a folder and those above it, the user's alone.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
mod private {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

    use super::{File, OpenOptions, Path, io};

    /// Opens a file that is the user's alone; a link is not followed, and nobody is waited for.
    pub(super) fn open(path: &Path) -> io::Result<File> {
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
        let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
        let file = match file {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is a symbolic link"));
            }
            result => result?,
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is no regular file"));
        }
        check(&metadata)?;
        Ok(file)
    }

    /// Refuses what is not the user's alone.
    pub(super) fn check(metadata: &std::fs::Metadata) -> io::Result<()> {
        let denied = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return denied("it belongs to another user");
        }
        if metadata.mode() & 0o077 != 0 {
            return denied("others may use it; `chmod go=` would help");
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod private {
    use super::{File, Path, io};

    /// Opens a file: the folders of a user are the user's alone there.
    pub(super) fn open(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    pub(super) fn check(_: &std::fs::Metadata) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;

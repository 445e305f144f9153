//! What a run has written in memory, saved into a directory of the host.
//!
//! Names and links are the guest's. They are written with the same care with which guests are kept inside a directory: a
//! component at a time, never through a link that the guest made.

use std::io;
use std::path::Path;

use super::WasiCtx;
use super::abi::Errno;
use super::fs::{FileSystem, Handle, OpenHow};
use super::memfs::{Change, ChangeKind, FileKind, MemFs};
use super::path::{At, Last, walk};

/// Bytes that are copied at once.
const COPY_BYTES: usize = 64 * 1024;

/// What was saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Files, directories and links.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Symbolic links that might lead out of the directory and were left out: untrusted text.
    pub skipped: Vec<String>,
}

impl WasiCtx {
    /// Lists what the run has changed in memory: in overlays, and in directories that exist only there.
    #[must_use]
    pub fn changes(&mut self) -> Vec<Change> {
        let mut all = Vec::new();
        for mount in &mut self.mounts {
            if let Some(memory) = mount.fs.memory() {
                // A directory of the host that cannot be read any more has nothing to compare with.
                all.extend(memory.changes(&mount.guest).unwrap_or_default());
            }
        }
        all
    }

    /// Hands out the contents of a regular file that [`WasiCtx::changes`] listed, piece by piece.
    ///
    /// # Errors
    /// If it is not there any more.
    pub fn read_changed(&mut self, change: &Change, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let failed = |errno: Errno| io::Error::other(format!("cannot read what was changed: {errno:?}"));
        let mount = self.mounts.iter_mut().find(|mount| *mount.guest == *change.guest);
        let memory = mount.and_then(|mount| mount.fs.memory()).ok_or_else(|| failed(Errno::Noent))?;
        let (parent, name) = change.path.rsplit_once('/').unwrap_or(("", &change.path));
        let dir = memory.open_listed(parent).map_err(failed)?;
        let file = memory.open(dir, name, OpenHow { read: true, ..OpenHow::default() });
        memory.close(dir);
        let file = file.map_err(failed)?;
        let read = pieces(memory, file, |bytes, _| {
            each(bytes);
            Ok(())
        });
        memory.close(file);
        read.map(|_| ()).map_err(failed)
    }

    /// Writes what was created and modified in memory into a directory of the host, which is made if it is missing: each
    /// given directory into one of its own, under the guest's name for it. What was removed is not saved.
    ///
    /// # Errors
    /// What the host said first; what was written before stays.
    #[cfg(unix)]
    pub fn save_changes(&mut self, into: &Path) -> io::Result<Saved> {
        std::fs::create_dir_all(into)?;
        let mut target = super::hostdir::HostDir::open(into, true)?;
        let mut saved = Saved::default();
        for mount in &mut self.mounts {
            let Some(memory) = mount.fs.memory() else { continue };
            let failed = |path: &str, errno: Errno| {
                io::Error::other(format!("cannot save {:?}: {errno:?}", path.escape_debug().to_string()))
            };
            let mut changes = memory.changes(&mount.guest).map_err(|errno| failed(&mount.guest, errno))?;
            changes.retain(|change| change.kind != ChangeKind::Removed);
            if changes.is_empty() {
                continue;
            }
            // Links come last, so that nothing is written through them.
            changes.sort_by_key(|change| change.file == FileKind::Symlink);
            let top = folder(&mount.guest);
            make_parents(&mut target, &format!("{top}/x")).map_err(|errno| failed(&top, errno))?;
            for change in changes {
                let path = format!("{top}/{}", change.path);
                save_one(memory, &mut target, &change, path.trim_start_matches('/'), &mut saved)
                    .map_err(|errno| failed(&path, errno))?;
            }
        }
        Ok(saved)
    }

    /// Directories of the host are written on Unix systems only.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(unix))]
    pub fn save_changes(&mut self, _into: &Path) -> io::Result<Saved> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "changes are saved on Unix systems only"))
    }
}

/// Returns the folder of a given directory: its name without what would lead elsewhere.
fn folder(guest: &str) -> String {
    let parts: Vec<_> = guest.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    parts.join("/")
}

fn make_parents(target: &mut dyn FileSystem, path: &str) -> Result<(), Errno> {
    let path = path.trim_start_matches('/');
    for (end, _) in path.match_indices('/') {
        let made = at(target, &path[..end], |fs, dir, name| fs.create_directory(dir, name));
        match made {
            Ok(()) | Err(Errno::Exist) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Calls `act` with a name in a directory of the target.
fn at<R>(
    target: &mut dyn FileSystem,
    path: &str,
    act: impl FnOnce(&mut dyn FileSystem, Handle, &str) -> Result<R, Errno>,
) -> Result<R, Errno> {
    let root = target.root();
    walk(target, root, path, Last::Name, |fs, At { dir, name, .. }| act(fs, dir, name.ok_or(Errno::Exist)?))
}

fn save_one(
    memory: &mut MemFs,
    target: &mut dyn FileSystem,
    change: &Change,
    path: &str,
    saved: &mut Saved,
) -> Result<(), Errno> {
    make_parents(target, path)?;
    let (parent, name) = change.path.rsplit_once('/').unwrap_or(("", &change.path));
    let dir = memory.open_listed(parent)?;
    let result = match change.file {
        FileKind::Directory => match at(target, path, |fs, dir, name| fs.create_directory(dir, name)) {
            Err(Errno::Exist) => Ok(Some(0)),
            made => made.map(|()| Some(0)),
        },
        FileKind::Symlink => save_link(memory, dir, name, target, path),
        FileKind::File { .. } => save_file(memory, dir, name, target, path).map(Some),
        FileKind::Unknown => Ok(None),
    };
    memory.close(dir);
    match result? {
        Some(bytes) => (saved.files, saved.bytes) = (saved.files + 1, saved.bytes + bytes),
        None => saved.skipped.push(path.to_owned()),
    }
    Ok(())
}

/// Saves a symbolic link; `None` if it might lead out of the directory.
fn save_link(
    memory: &mut MemFs,
    dir: Handle,
    name: &str,
    target: &mut dyn FileSystem,
    path: &str,
) -> Result<Option<u64>, Errno> {
    let link = memory.read_link(dir, name)?.unwrap_or_default();
    if link.is_empty() || link.starts_with('/') || link.split('/').any(|part| part == "..") {
        return Ok(None);
    }
    at(target, path, |fs, dir, name| {
        // What was saved before may stand there.
        let _ = fs.unlink(dir, name);
        fs.symlink(&link, dir, name)
    })?;
    Ok(Some(0))
}

fn save_file(
    memory: &mut MemFs,
    dir: Handle,
    name: &str,
    target: &mut dyn FileSystem,
    path: &str,
) -> Result<u64, Errno> {
    let from = memory.open(dir, name, OpenHow { read: true, ..OpenHow::default() })?;
    let copied = at(target, path, |fs, dir, name| {
        let how = OpenHow { write: true, create: true, truncate: true, ..OpenHow::default() };
        let to = match fs.open(dir, name, how) {
            Err(Errno::Loop) => {
                fs.unlink(dir, name)?;
                fs.open(dir, name, how)?
            }
            opened => opened?,
        };
        let copied = copy(memory, from, fs, to);
        fs.close(to);
        copied
    });
    memory.close(from);
    copied
}

fn copy(memory: &mut MemFs, from: Handle, fs: &mut dyn FileSystem, to: Handle) -> Result<u64, Errno> {
    pieces(memory, from, |bytes, offset| {
        let mut done = 0;
        while done < bytes.len() {
            done += fs.write(to, &bytes[done..], offset + done as u64)?;
        }
        Ok(())
    })
}

/// Hands out a file in pieces, each with its offset; returns the length in bytes.
fn pieces(
    memory: &mut MemFs,
    file: Handle,
    mut each: impl FnMut(&[u8], u64) -> Result<(), Errno>,
) -> Result<u64, Errno> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut offset = 0;
    loop {
        let n = memory.read(file, &mut buffer, offset)?;
        if n == 0 {
            return Ok(offset);
        }
        each(&buffer[..n], offset)?;
        offset += n as u64;
    }
}

//! What a run has written in memory, as somebody who looks at it afterwards wants to see it.

use super::{Kind, MemFs, NodeId, ROOT, Slot};
use crate::wasi::abi::{Errno, Filetype};
use crate::wasi::fs::{Entered, FileSystem, Handle};

/// Something that a run changed in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The name of the directory as the guest knows it.
    pub guest: String,
    /// Where it is below that directory: untrusted text.
    pub path: String,
    /// What was done.
    pub kind: ChangeKind,
    /// What it is, or was.
    pub file: FileKind,
}

/// What was done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Created,
    /// The host has it too, and its contents or its attributes differ.
    Modified,
    /// The host has it still.
    Removed,
}

/// What a changed file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File {
        /// Its size in bytes.
        len_bytes: u64,
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// What the host has where something was removed.
    Unknown,
}

impl MemFs {
    /// Lists what differs from the host's directory, in the order of paths; everything if there is none.
    pub(crate) fn changes(&mut self, guest: &str) -> Result<Vec<Change>, Errno> {
        let mut found = Vec::new();
        // Directories that are left to look into: node, path, whether all of it is new.
        let mut left = vec![(ROOT, String::new(), false)];
        while let Some((dir, path, is_new)) = left.pop() {
            if is_new {
                // What came along with a directory that was moved is new where it is now.
                for entry in self.list_node(dir, u64::MAX)? {
                    self.find(dir, &entry.name)?;
                }
            }
            let slots: Vec<_> = self.entries(dir)?.iter().map(|(name, slot)| (name.clone(), *slot)).collect();
            for (name, slot) in slots {
                let path = if path.is_empty() { name.to_string() } else { format!("{path}/{name}") };
                let change = |kind, file| Change { guest: guest.to_owned(), path: path.clone(), kind, file };
                match slot {
                    Slot::Gone if is_new => {}
                    Slot::Gone => found.push(change(ChangeKind::Removed, FileKind::Unknown)),
                    Slot::Node { id, paid } => {
                        let replaced = if paid && !is_new { self.type_below(dir, &name)? } else { None };
                        let own = self.node(id)?.kind.filetype();
                        // Another directory is another tree, though the host has one of that name.
                        let other = replaced.filter(|ty| *ty != own || own == Filetype::Directory);
                        if other.is_some() {
                            found.push(change(ChangeKind::Removed, FileKind::Unknown));
                        }
                        let is_new = is_new || paid && (replaced.is_none() || other.is_some());
                        if let Some(kind) = self.kind_of_change(id, is_new, paid)? {
                            found.push(change(kind, self.file_kind(id)?));
                        }
                        if own == Filetype::Directory {
                            left.push((id, path, is_new));
                        }
                    }
                }
            }
        }
        // What was removed comes before what is there instead.
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn kind_of_change(&self, id: NodeId, is_new: bool, paid: bool) -> Result<Option<ChangeKind>, Errno> {
        let node = self.node(id)?;
        Ok(match is_new {
            true => Some(ChangeKind::Created),
            // A directory of the host in which something happened is no change itself.
            false if !paid && matches!(node.kind, Kind::Directory(_)) && !node.made => None,
            false => (paid || node.changed).then_some(ChangeKind::Modified),
        })
    }

    fn file_kind(&mut self, id: NodeId) -> Result<FileKind, Errno> {
        Ok(match self.node(id)?.kind {
            Kind::File(_) => FileKind::File { len_bytes: self.size(id)? },
            Kind::Directory(_) => FileKind::Directory,
            Kind::Link(_) => FileKind::Symlink,
        })
    }

    /// Opens the directory at a path that [`MemFs::changes`] listed.
    pub(crate) fn open_listed(&mut self, path: &str) -> Result<Handle, Errno> {
        let mut dir = self.again(self.root())?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let entered = self.enter(dir, name);
            self.close(dir);
            dir = match entered? {
                Entered::Directory(handle) => handle,
                Entered::Link(_) => return Err(Errno::Notdir),
            };
        }
        Ok(dir)
    }
}

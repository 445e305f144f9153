//! Files in memory; over a directory of the host if there is one, which is read and never changed (an overlay).
//!
//! A node is made when a name of the host is looked at first, and may be forgotten again while nothing is open and
//! nothing was changed in it; from its first change on it lives here. What was removed leaves a mark where the host
//! still has the name.

mod changes;
mod contents;
mod lower;
mod tree;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use changes::{Change, ChangeKind, FileKind};
use contents::Contents;
use lower::Lower;

use super::abi::{Errno, Filestat, Filetype};
use super::fs::{ENTRY_BYTES, Entry, Handle, Times};

/// What everything in memory takes, over all directories of a run.
#[derive(Debug, Default)]
pub(crate) struct Space {
    bytes: AtomicU64,
    files: AtomicU64,
}

impl Space {
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn take_bytes(&self, n: u64, max: u64) -> Result<(), Errno> {
        take(&self.bytes, n, max)
    }

    pub(crate) fn give_bytes(&self, n: u64) {
        self.bytes.fetch_sub(n, Ordering::Relaxed);
    }

    /// Returns how many bytes are left.
    pub(crate) fn left(&self, max: u64) -> u64 {
        max.saturating_sub(self.bytes.load(Ordering::Relaxed))
    }
}

fn take(used: &AtomicU64, n: u64, max: u64) -> Result<(), Errno> {
    let add = |used: u64| used.checked_add(n).filter(|used| *used <= max);
    used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).map(|_| ()).map_err(|_| Errno::Nospc)
}

/// What a node or an entry takes beside its name and contents.
const NODE_BYTES: u64 = 256;
/// Devices of directories in memory begin here, far from those of a host.
const DEVICE: u64 = 0x7761_736d_0000_0000;
/// How many nodes of the host may be remembered before those that nobody needs are forgotten.
const REMEMBERED: usize = 4_096;

/// A node by its number.
type NodeId = u32;
const ROOT: NodeId = 0;

/// A tree in memory.
pub(crate) struct MemFs {
    device: u64,
    space: Arc<Space>,
    nodes: HashMap<NodeId, Node>,
    next: NodeId,
    lower: Option<Lower>,
    now: u64,
    max_files: u64,
    max_bytes: u64,
    /// At how many nodes those that nobody needs are forgotten.
    sweep_at: usize,
}

/// A file, a directory or a link.
#[derive(Debug)]
struct Node {
    kind: Kind,
    /// Names that stand for it.
    links: u32,
    /// Handles to it.
    opens: u32,
    /// The directory that it was found or made in; its own number for the root.
    parent: NodeId,
    dev: u64,
    ino: u64,
    atim: u64,
    mtim: u64,
    ctim: u64,
    /// Where the host has its contents or further entries, if it has.
    below: Option<Box<str>>,
    /// Whether it differs from what the host has, so that it must not be forgotten.
    changed: bool,
    /// Whether it was made here, and counts towards the quota.
    made: bool,
}

#[derive(Debug)]
enum Kind {
    Directory(BTreeMap<Box<str>, Slot>),
    File(Contents),
    Link(Box<str>),
}

/// What a name in a directory stands for.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Node {
        id: NodeId,
        /// Whether the name counts towards the quota; one of the host's that was only looked at does not.
        paid: bool,
    },
    /// It was removed, and the host still has it.
    Gone,
}

impl Kind {
    const fn filetype(&self) -> Filetype {
        match self {
            Self::Directory(_) => Filetype::Directory,
            Self::File(_) => Filetype::RegularFile,
            Self::Link(_) => Filetype::SymbolicLink,
        }
    }
}

impl MemFs {
    /// Makes an empty tree; `number` tells directories of a run apart.
    pub(crate) fn new(number: u32, space: Arc<Space>) -> Self {
        Self::with(number, space, None)
    }

    /// Makes a tree over a directory of the host.
    #[cfg(unix)]
    pub(crate) fn over(number: u32, space: Arc<Space>, host: super::hostdir::HostDir) -> Self {
        Self::with(number, space, Some(Lower::new(host)))
    }

    fn with(number: u32, space: Arc<Space>, lower: Option<Lower>) -> Self {
        let device = DEVICE | u64::from(number);
        let root = Node {
            kind: Kind::Directory(BTreeMap::new()),
            links: 1,
            opens: 1,
            parent: ROOT,
            dev: device,
            ino: 1,
            atim: 0,
            mtim: 0,
            ctim: 0,
            below: lower.as_ref().map(|_| "".into()),
            changed: false,
            made: false,
        };
        Self {
            device,
            space,
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT + 1,
            lower,
            now: 0,
            max_files: u64::MAX,
            max_bytes: u64::MAX,
            sweep_at: REMEMBERED,
        }
    }

    fn node(&self, id: NodeId) -> Result<&Node, Errno> {
        self.nodes.get(&id).ok_or(Errno::Stale)
    }

    fn node_mut(&mut self, id: NodeId) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&id).ok_or(Errno::Stale)
    }

    fn entries(&self, dir: NodeId) -> Result<&BTreeMap<Box<str>, Slot>, Errno> {
        match &self.node(dir)?.kind {
            Kind::Directory(entries) => Ok(entries),
            _ => Err(Errno::Notdir),
        }
    }

    fn entries_mut(&mut self, dir: NodeId) -> Result<&mut BTreeMap<Box<str>, Slot>, Errno> {
        match &mut self.node_mut(dir)?.kind {
            Kind::Directory(entries) => Ok(entries),
            _ => Err(Errno::Notdir),
        }
    }

    /// Finds what a name stands for.
    fn find(&mut self, dir: NodeId, name: &str) -> Result<NodeId, Errno> {
        match self.entries(dir)?.get(name) {
            Some(Slot::Node { id, .. }) => Ok(*id),
            Some(Slot::Gone) => Err(Errno::Noent),
            None => self.find_below(dir, name),
        }
    }

    /// Finds what a name stands for, `None` if it is free.
    fn find_free(&mut self, dir: NodeId, name: &str) -> Result<Option<NodeId>, Errno> {
        match self.find(dir, name) {
            Ok(id) => Ok(Some(id)),
            Err(Errno::Noent) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn number(&mut self) -> Result<NodeId, Errno> {
        let id = self.next;
        self.next = self.next.checked_add(1).ok_or(Errno::Nospc)?;
        Ok(id)
    }

    /// Makes a node and gives it a name, which is free.
    fn make(&mut self, dir: NodeId, name: &str, kind: Kind) -> Result<NodeId, Errno> {
        // A directory that was removed while it was open takes nothing new.
        if self.node(dir)?.links == 0 {
            return Err(Errno::Noent);
        }
        let extra = match &kind {
            Kind::Link(target) => target.len() as u64,
            _ => 0,
        };
        take(&self.space.files, 1, self.max_files)?;
        let bytes = NODE_BYTES + extra + name_bytes(name);
        if let Err(errno) = self.space.take_bytes(bytes, self.max_bytes) {
            self.space.files.fetch_sub(1, Ordering::Relaxed);
            return Err(errno);
        }
        let id = self.number()?;
        let (now, dev) = (self.now, self.device);
        let node = Node {
            kind,
            links: 1,
            opens: 0,
            parent: dir,
            dev,
            ino: u64::from(id) + 1,
            atim: now,
            mtim: now,
            ctim: now,
            below: None,
            changed: true,
            made: true,
        };
        self.nodes.insert(id, node);
        self.put(dir, name, id)?;
        Ok(id)
    }

    /// Gives a node a name, which is charged already.
    fn put(&mut self, dir: NodeId, name: &str, id: NodeId) -> Result<(), Errno> {
        // Only the mark of something that was removed stands there, and it had been charged too.
        if self.entries_mut(dir)?.insert(name.into(), Slot::Node { id, paid: true }).is_some() {
            self.space.give_bytes(name_bytes(name));
        }
        self.touch_directory(dir)
    }

    fn touch_directory(&mut self, dir: NodeId) -> Result<(), Errno> {
        let now = self.now;
        let node = self.node_mut(dir)?;
        (node.mtim, node.ctim, node.changed) = (now, now, true);
        Ok(())
    }

    /// Takes a name away; the host's stays hidden by a mark.
    fn take_name(&mut self, dir: NodeId, name: &str) -> Result<(), Errno> {
        let hidden = self.type_below(dir, name)?.is_some();
        let removed = self.entries_mut(dir)?.remove(name);
        if matches!(removed, Some(Slot::Node { paid: true, .. })) {
            self.space.give_bytes(name_bytes(name));
        }
        if hidden {
            // Removing must work with a full quota, too: the mark is charged, and bounded by what the host has.
            let _ = self.space.take_bytes(name_bytes(name), u64::MAX);
            self.entries_mut(dir)?.insert(name.into(), Slot::Gone);
        }
        self.touch_directory(dir)
    }

    /// Takes one of a node's names into account that is gone.
    fn unlinked(&mut self, id: NodeId) -> Result<(), Errno> {
        let now = self.now;
        let node = self.node_mut(id)?;
        node.links = node.links.saturating_sub(1);
        (node.ctim, node.changed) = (now, true);
        self.forget_unused(id);
        Ok(())
    }

    /// Drops a node that has neither names nor handles.
    fn forget_unused(&mut self, id: NodeId) {
        if !self.nodes.get(&id).is_some_and(|node| node.links == 0 && node.opens == 0) {
            return;
        }
        let Some(mut node) = self.nodes.remove(&id) else { return };
        let mut bytes = 0;
        match &mut node.kind {
            Kind::File(contents) => contents.clear(&self.space),
            Kind::Link(target) if node.made => bytes = target.len() as u64,
            Kind::Link(_) => {}
            // Nothing but marks is left.
            Kind::Directory(entries) => bytes = entries.keys().map(|name| name_bytes(name)).sum(),
        }
        if node.made {
            self.space.give_bytes(NODE_BYTES);
            self.space.files.fetch_sub(1, Ordering::Relaxed);
        }
        self.space.give_bytes(bytes);
    }

    /// Returns whether a directory holds nothing.
    fn is_empty(&mut self, dir: NodeId) -> Result<bool, Errno> {
        let entries = self.entries(dir)?;
        if entries.values().any(|slot| matches!(slot, Slot::Node { .. })) {
            return Ok(false);
        }
        Ok(self.list_node(dir, u64::MAX)?.is_empty())
    }

    fn list_node(&mut self, dir: NodeId, max_bytes: u64) -> Result<Vec<Entry>, Errno> {
        let mut found: BTreeMap<String, (u64, Filetype)> = BTreeMap::new();
        for entry in self.list_below(dir, max_bytes)? {
            found.insert(entry.name, (entry.ino, entry.filetype));
        }
        for (name, slot) in self.entries(dir)? {
            match slot {
                Slot::Gone => {
                    found.remove(&**name);
                }
                Slot::Node { id, .. } => {
                    let node = self.node(*id)?;
                    found.insert(name.to_string(), (node.ino, node.kind.filetype()));
                }
            }
        }
        let mut left = max_bytes;
        let entry = |(name, (ino, filetype)): (String, _)| {
            left = left.checked_sub(ENTRY_BYTES + name.len() as u64).ok_or(Errno::Nospc)?;
            Ok(Entry { name, ino, filetype })
        };
        found.into_iter().map(entry).collect()
    }

    /// Returns whether `dir` is `node` or lies below it.
    fn is_within(&self, mut dir: NodeId, node: NodeId) -> Result<bool, Errno> {
        while dir != node && dir != ROOT {
            dir = self.node(dir)?.parent;
        }
        Ok(dir == node)
    }

    fn stat_node(&mut self, id: NodeId) -> Result<Filestat, Errno> {
        let size = self.size(id)?;
        let node = self.node(id)?;
        Ok(Filestat {
            dev: node.dev,
            ino: node.ino,
            filetype: node.kind.filetype(),
            nlink: u64::from(node.links),
            size,
            atim: node.atim,
            mtim: node.mtim,
            ctim: node.ctim,
        })
    }

    fn size(&mut self, id: NodeId) -> Result<u64, Errno> {
        let node = self.node(id)?;
        Ok(match &node.kind {
            Kind::Directory(_) => 0,
            Kind::Link(target) => target.len() as u64,
            Kind::File(_) if node.below.is_some() => self.size_below(id)?,
            Kind::File(contents) => contents.size(),
        })
    }

    fn set_times_of(&mut self, id: NodeId, times: Times) -> Result<(), Errno> {
        self.keep(id)?;
        let now = self.now;
        let node = self.node_mut(id)?;
        node.atim = times.atim.unwrap_or(node.atim);
        node.mtim = times.mtim.unwrap_or(node.mtim);
        (node.ctim, node.changed) = (now, true);
        Ok(())
    }

    /// Returns the contents of a file, which are in memory from now on.
    fn contents(&mut self, id: NodeId) -> Result<(&mut Contents, (&Space, u64)), Errno> {
        self.copy_up(id)?;
        let now = self.now;
        let node = self.nodes.get_mut(&id).ok_or(Errno::Stale)?;
        (node.mtim, node.ctim, node.changed) = (now, now, true);
        match &mut node.kind {
            Kind::File(contents) => Ok((contents, (&self.space, self.max_bytes))),
            Kind::Directory(_) => Err(Errno::Isdir),
            Kind::Link(_) => Err(Errno::Inval),
        }
    }

    fn opened(&mut self, id: NodeId) -> Result<Handle, Errno> {
        let node = self.node_mut(id)?;
        node.opens = node.opens.checked_add(1).ok_or(Errno::Mfile)?;
        Ok(Handle(id))
    }
}

fn name_bytes(name: &str) -> u64 {
    ENTRY_BYTES + name.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::wasi::fs::{Entered, FileSystem, OpenHow};

    /// What is removed gives back all that it took, in whatever order names and handles go.
    #[test]
    fn an_empty_tree_takes_nothing() {
        let space = Arc::<Space>::default();
        let mut fs = MemFs::new(0, space.clone());
        let limits = Limits::standard();
        fs.tick(5, &limits);
        let root = fs.root();
        let how = OpenHow { read: true, write: true, create: true, ..OpenHow::default() };
        fs.create_directory(root, "dir").unwrap();
        let Entered::Directory(dir) = fs.enter(root, "dir").unwrap() else { unreachable!() };
        let file = fs.open(dir, "file", how).unwrap();
        fs.write(file, &[1; 100_000], 50_000).unwrap();
        fs.symlink("dir/file", root, "link").unwrap();
        fs.link((dir, "file"), (root, "second name")).unwrap();
        fs.rename((root, "second name"), (root, "link")).unwrap();
        let other = fs.open(root, "other", how).unwrap();
        fs.write(other, &[1; 10], 0).unwrap();
        fs.rename((root, "other"), (dir, "file")).unwrap();
        fs.unlink(root, "link").unwrap();
        assert_eq!(fs.stat(file).unwrap().nlink, 0);
        fs.close(file);
        fs.unlink(dir, "file").unwrap();
        fs.remove_directory(root, "dir").unwrap();
        assert_eq!(fs.create_directory(dir, "late").unwrap_err(), Errno::Noent);
        fs.close(dir);
        fs.close(other);
        assert_eq!((space.bytes(), space.files.load(Ordering::Relaxed)), (0, 0));
        assert_eq!(fs.nodes.len(), 1);
    }
}

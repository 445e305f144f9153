//! The directory of the host under an overlay: found by path from its root, a component at a time, and only read.

use std::collections::HashMap;

use super::{Kind, MemFs, NODE_BYTES, Node, NodeId, REMEMBERED, ROOT, Slot, take};
use crate::wasi::abi::{Errno, Filestat, Filetype};
use crate::wasi::fs::{Entered, Entry, FileSystem, Handle, OpenHow};

/// Bytes that are copied at once when a file of the host is written to first.
const COPY_BYTES: usize = 64 * 1024;

/// A directory of the host that is only read.
pub(super) struct Lower {
    host: Box<dyn FileSystem>,
    /// Files of the host that are open, by node.
    open: HashMap<NodeId, Handle>,
}

impl Lower {
    pub(super) fn new(host: impl FileSystem + 'static) -> Self {
        Self { host: Box::new(host), open: HashMap::new() }
    }

    /// Opens the directory at a path and looks into it. A component that has become something else is `notdir`.
    fn with_dir<R>(
        &mut self,
        path: &str,
        look: impl FnOnce(&mut dyn FileSystem, Handle) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let host = &mut *self.host;
        let mut dir = host.root();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let entered = host.enter(dir, name);
            host.close(dir);
            dir = match entered? {
                Entered::Directory(handle) => handle,
                Entered::Link(_) => return Err(Errno::Notdir),
            };
        }
        let result = look(host, dir);
        host.close(dir);
        result
    }

    /// Looks at a name in the directory that a path leads to.
    fn with_name<R>(
        &mut self,
        path: &str,
        look: impl FnOnce(&mut dyn FileSystem, Handle, &str) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.with_dir(dir, |host, dir| look(host, dir, name))
    }

    fn stat(&mut self, path: &str) -> Result<Filestat, Errno> {
        self.with_name(path, |host, dir, name| host.stat_at(dir, name))
    }

    /// Returns a node's open file.
    fn file(&mut self, id: NodeId, path: &str) -> Result<Handle, Errno> {
        if let Some(handle) = self.open.get(&id) {
            return Ok(*handle);
        }
        let how = OpenHow { read: true, ..OpenHow::default() };
        let handle = self.with_name(path, |host, dir, name| host.open(dir, name, how))?;
        self.open.insert(id, handle);
        Ok(handle)
    }

    fn close(&mut self, id: NodeId) {
        if let Some(handle) = self.open.remove(&id) {
            self.host.close(handle);
        }
    }
}

impl MemFs {
    /// Returns the path of a name below a directory that the host has.
    fn path_below(&self, dir: NodeId, name: &str) -> Result<Option<String>, Errno> {
        let below = self.node(dir)?.below.as_deref();
        Ok(below.map(|below| if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") }))
    }

    /// Returns the host's directory with the path of a node.
    fn lower(&mut self, id: NodeId) -> Result<(&mut Lower, Box<str>), Errno> {
        let path = self.node(id)?.below.clone().ok_or(Errno::Noent)?;
        Ok((self.lower.as_mut().ok_or(Errno::Noent)?, path))
    }

    /// Finds a name that was not looked at before.
    pub(super) fn find_below(&mut self, dir: NodeId, name: &str) -> Result<NodeId, Errno> {
        let path = self.path_below(dir, name)?.ok_or(Errno::Noent)?;
        let lower = self.lower.as_mut().ok_or(Errno::Noent)?;
        let (stat, target) = lower.with_name(&path, |host, dir, name| {
            let stat = host.stat_at(dir, name)?;
            let target = match stat.filetype {
                Filetype::SymbolicLink => host.read_link(dir, name)?,
                _ => None,
            };
            Ok((stat, target))
        })?;
        let kind = match (stat.filetype, target) {
            (Filetype::Directory, _) => Kind::Directory(Default::default()),
            (Filetype::RegularFile, _) => Kind::File(Default::default()),
            (Filetype::SymbolicLink, Some(target)) => Kind::Link(target.into()),
            _ => return Err(Errno::Notcapable),
        };
        let below = match kind {
            Kind::Link(_) => None,
            _ => Some(path.into()),
        };
        let id = self.number()?;
        let Filestat { dev, ino, atim, mtim, ctim, .. } = stat;
        let node = Node {
            kind,
            links: 1,
            opens: 0,
            parent: dir,
            dev,
            ino,
            atim,
            mtim,
            ctim,
            below,
            changed: false,
            made: false,
        };
        self.nodes.insert(id, node);
        self.entries_mut(dir)?.insert(name.into(), Slot::Node { id, paid: false });
        Ok(id)
    }

    /// Returns what the host has under a name.
    pub(super) fn type_below(&mut self, dir: NodeId, name: &str) -> Result<Option<Filetype>, Errno> {
        let Some(path) = self.path_below(dir, name)? else { return Ok(None) };
        let Some(lower) = &mut self.lower else { return Ok(None) };
        match lower.stat(&path) {
            Ok(stat) => Ok(Some(stat.filetype)),
            Err(Errno::Noent) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Lists what the host has in a directory; what it no longer has is empty.
    pub(super) fn list_below(&mut self, dir: NodeId, max_bytes: u64) -> Result<Vec<Entry>, Errno> {
        let Some(path) = self.node(dir)?.below.clone() else { return Ok(Vec::new()) };
        let Some(lower) = &mut self.lower else { return Ok(Vec::new()) };
        match lower.with_dir(&path, |host, dir| host.list(dir, max_bytes)) {
            Err(Errno::Noent) => Ok(Vec::new()),
            listed => listed,
        }
    }

    pub(super) fn size_below(&mut self, id: NodeId) -> Result<u64, Errno> {
        let (lower, path) = self.lower(id)?;
        match lower.open.get(&id) {
            Some(handle) => Ok(lower.host.stat(*handle)?.size),
            None => Ok(lower.stat(&path)?.size),
        }
    }

    /// Opens a file of the host, so that errors come when the guest opens it.
    pub(super) fn open_below(&mut self, id: NodeId) -> Result<(), Errno> {
        if self.node(id)?.below.is_none() {
            return Ok(());
        }
        let (lower, path) = self.lower(id)?;
        lower.file(id, &path).map(|_| ())
    }

    pub(super) fn close_below(&mut self, id: NodeId) {
        if let Some(lower) = &mut self.lower {
            lower.close(id);
        }
    }

    pub(super) fn read_below(&mut self, id: NodeId, into: &mut [u8], offset: u64) -> Result<usize, Errno> {
        let (lower, path) = self.lower(id)?;
        let handle = lower.file(id, &path)?;
        lower.host.read(handle, into, offset)
    }

    /// Lets a node count as one of memory's own.
    pub(super) fn keep(&mut self, id: NodeId) -> Result<(), Errno> {
        let node = self.nodes.get_mut(&id).ok_or(Errno::Stale)?;
        if !node.made && id != ROOT {
            take(&self.space.files, 1, self.max_files)?;
            if let Err(errno) = self.space.take_bytes(NODE_BYTES, self.max_bytes) {
                self.space.files.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
                return Err(errno);
            }
            node.made = true;
        }
        node.changed = true;
        Ok(())
    }

    /// Copies a file of the host into memory before it is written to first.
    pub(super) fn copy_up(&mut self, id: NodeId) -> Result<(), Errno> {
        if self.node(id)?.below.is_none() || !matches!(self.node(id)?.kind, Kind::File(_)) {
            return Ok(());
        }
        // Said at once: a copy that must fail would be work that nobody pays for, again and again.
        if self.size_below(id)? > self.space.left(self.max_bytes) {
            return Err(Errno::Nospc);
        }
        self.keep(id)?;
        let mut buffer = vec![0; COPY_BYTES];
        let mut offset = 0;
        loop {
            let n = self.read_below(id, &mut buffer, offset)?;
            if n == 0 {
                break;
            }
            let quota = (&*self.space, self.max_bytes);
            let Some(Node { kind: Kind::File(contents), .. }) = self.nodes.get_mut(&id) else { break };
            let written = contents.write(&buffer[..n], offset, quota);
            if written != Ok(n) {
                contents.clear(&self.space);
                return Err(written.err().unwrap_or(Errno::Nospc));
            }
            offset += n as u64;
        }
        self.drop_below(id)
    }

    /// Makes a file empty, without a look at what the host has in it.
    pub(super) fn empty(&mut self, id: NodeId) -> Result<(), Errno> {
        self.keep(id)?;
        self.drop_below(id)?;
        let (contents, (space, _)) = self.contents(id)?;
        contents.set_size(0, space)
    }

    fn drop_below(&mut self, id: NodeId) -> Result<(), Errno> {
        self.close_below(id);
        self.node_mut(id)?.below = None;
        Ok(())
    }

    /// Forgets nodes of the host that nothing needs, when there are many.
    pub(super) fn sweep(&mut self) {
        if self.nodes.len() <= self.sweep_at {
            return;
        }
        let mut unused: Vec<_> = self
            .nodes
            .iter()
            .filter(|(_, node)| is_unused(node))
            .map(|(id, node)| (*id, node.parent))
            .collect();
        while let Some((id, parent)) = unused.pop() {
            self.nodes.remove(&id);
            self.close_below(id);
            let Some(Node { kind: Kind::Directory(entries), .. }) = self.nodes.get_mut(&parent) else {
                continue;
            };
            entries.retain(|_, slot| !matches!(slot, Slot::Node { id: other, .. } if *other == id));
            if let Some(node) = self.nodes.get(&parent).filter(|node| parent != ROOT && is_unused(node)) {
                unused.push((parent, node.parent));
            }
        }
        self.sweep_at = REMEMBERED.max(self.nodes.len() * 2);
    }
}

/// Returns whether a node tells nothing that the host would not tell again.
fn is_unused(node: &Node) -> bool {
    !node.changed
        && node.opens == 0
        && match &node.kind {
            Kind::Directory(entries) => entries.is_empty(),
            _ => true,
        }
}

//! What the tree in memory does when it is asked as a file system. Errors come in the order in which Linux has them.

use std::collections::BTreeMap;

use super::contents::Contents;
use super::{Kind, MemFs, ROOT, name_bytes};
use crate::limits::Limits;
use crate::wasi::abi::{Errno, Filestat, Filetype};
use crate::wasi::fs::{Entered, Entry, FileSystem, Handle, OpenHow, Times};

impl FileSystem for MemFs {
    fn tick(&mut self, now_ns: u64, limits: &Limits) {
        (self.now, self.max_files, self.max_bytes) = (now_ns, limits.files, limits.file_bytes);
        self.sweep();
    }

    fn writable(&self) -> bool {
        true
    }

    fn is_host(&self) -> bool {
        false
    }

    fn root(&self) -> Handle {
        Handle(ROOT)
    }

    fn again(&mut self, handle: Handle) -> Result<Handle, Errno> {
        self.opened(handle.0)
    }

    fn close(&mut self, Handle(id): Handle) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.opens = node.opens.saturating_sub(1);
            if node.opens == 0 {
                self.close_below(id);
            }
        }
        self.forget_unused(id);
    }

    fn enter(&mut self, dir: Handle, name: &str) -> Result<Entered, Errno> {
        let id = self.find(dir.0, name)?;
        match &self.node(id)?.kind {
            Kind::Directory(_) => self.opened(id).map(Entered::Directory),
            Kind::Link(target) => Ok(Entered::Link(target.to_string())),
            Kind::File(_) => Err(Errno::Notdir),
        }
    }

    fn read_link(&mut self, dir: Handle, name: &str) -> Result<Option<String>, Errno> {
        let id = self.find(dir.0, name)?;
        Ok(match &self.node(id)?.kind {
            Kind::Link(target) => Some(target.to_string()),
            _ => None,
        })
    }

    fn open(&mut self, dir: Handle, name: &str, how: OpenHow) -> Result<Handle, Errno> {
        let id = match self.find_free(dir.0, name)? {
            Some(_) if how.create && how.exclusive => return Err(Errno::Exist),
            Some(id) => id,
            None if how.create => self.make(dir.0, name, Kind::File(Contents::default()))?,
            None => return Err(Errno::Noent),
        };
        match &self.node(id)?.kind {
            Kind::File(_) => {}
            Kind::Directory(_) => return Err(Errno::Isdir),
            Kind::Link(_) => return Err(Errno::Loop),
        }
        if how.truncate {
            self.empty(id)?;
        }
        self.open_below(id)?;
        self.opened(id)
    }

    fn stat_at(&mut self, dir: Handle, name: &str) -> Result<Filestat, Errno> {
        let id = self.find(dir.0, name)?;
        self.stat_node(id)
    }

    fn set_times_at(&mut self, dir: Handle, name: &str, times: Times) -> Result<(), Errno> {
        let id = self.find(dir.0, name)?;
        self.set_times_of(id, times)
    }

    fn create_directory(&mut self, dir: Handle, name: &str) -> Result<(), Errno> {
        match self.find_free(dir.0, name)? {
            Some(_) => Err(Errno::Exist),
            None => self.make(dir.0, name, Kind::Directory(BTreeMap::new())).map(|_| ()),
        }
    }

    fn remove_directory(&mut self, dir: Handle, name: &str) -> Result<(), Errno> {
        let id = self.find(dir.0, name)?;
        if !self.is_empty(id)? {
            return Err(Errno::Notempty);
        }
        self.take_name(dir.0, name)?;
        self.unlinked(id)
    }

    fn unlink(&mut self, dir: Handle, name: &str) -> Result<(), Errno> {
        let id = self.find(dir.0, name)?;
        if self.node(id)?.kind.filetype() == Filetype::Directory {
            return Err(Errno::Isdir);
        }
        self.take_name(dir.0, name)?;
        self.unlinked(id)
    }

    fn symlink(&mut self, target: &str, dir: Handle, name: &str) -> Result<(), Errno> {
        match self.find_free(dir.0, name)? {
            Some(_) => Err(Errno::Exist),
            None => self.make(dir.0, name, Kind::Link(target.into())).map(|_| ()),
        }
    }

    fn link(&mut self, from: (Handle, &str), to: (Handle, &str)) -> Result<(), Errno> {
        let id = self.find(from.0.0, from.1)?;
        if self.find_free(to.0.0, to.1)?.is_some() {
            return Err(Errno::Exist);
        }
        if self.node(id)?.kind.filetype() == Filetype::Directory {
            return Err(Errno::Perm);
        }
        if self.node(to.0.0)?.links == 0 {
            return Err(Errno::Noent);
        }
        self.space.take_bytes(name_bytes(to.1), self.max_bytes)?;
        self.keep(id)?;
        let now = self.now;
        let node = self.node_mut(id)?;
        node.links = node.links.checked_add(1).ok_or(Errno::Mlink)?;
        node.ctim = now;
        self.put(to.0.0, to.1, id)
    }

    fn rename(&mut self, from: (Handle, &str), to: (Handle, &str)) -> Result<(), Errno> {
        let id = self.find(from.0.0, from.1)?;
        let replaced = self.find_free(to.0.0, to.1)?;
        if replaced == Some(id) {
            return Ok(());
        }
        let is_directory = self.node(id)?.kind.filetype() == Filetype::Directory;
        if is_directory && self.is_within(to.0.0, id)? {
            return Err(Errno::Inval);
        }
        if self.node(to.0.0)?.links == 0 {
            return Err(Errno::Noent);
        }
        if let Some(old) = replaced {
            // What is moved lies in it.
            if self.is_within(from.0.0, old)? {
                return Err(Errno::Notempty);
            }
            match (is_directory, self.node(old)?.kind.filetype() == Filetype::Directory) {
                (true, false) => return Err(Errno::Notdir),
                (false, true) => return Err(Errno::Isdir),
                (true, true) if !self.is_empty(old)? => return Err(Errno::Notempty),
                _ => {}
            }
        }
        self.space.take_bytes(name_bytes(to.1), self.max_bytes)?;
        self.keep(id)?;
        if let Some(old) = replaced {
            self.take_name(to.0.0, to.1)?;
            self.unlinked(old)?;
        }
        self.take_name(from.0.0, from.1)?;
        self.put(to.0.0, to.1, id)?;
        let now = self.now;
        let node = self.node_mut(id)?;
        (node.parent, node.ctim) = (to.0.0, now);
        Ok(())
    }

    fn stat(&mut self, handle: Handle) -> Result<Filestat, Errno> {
        self.stat_node(handle.0)
    }

    fn set_times(&mut self, handle: Handle, times: Times) -> Result<(), Errno> {
        self.set_times_of(handle.0, times)
    }

    fn set_size(&mut self, file: Handle, size: u64) -> Result<(), Errno> {
        if size == 0 {
            return self.empty(file.0);
        }
        let (contents, (space, _)) = self.contents(file.0)?;
        contents.set_size(size, space)
    }

    fn allocate(&mut self, file: Handle, offset: u64, len_bytes: u64) -> Result<(), Errno> {
        let end = offset.checked_add(len_bytes).ok_or(Errno::Fbig)?;
        if self.size(file.0)? < end { self.set_size(file, end) } else { Ok(()) }
    }

    fn read(&mut self, file: Handle, into: &mut [u8], offset: u64) -> Result<usize, Errno> {
        if self.node(file.0)?.below.is_some() {
            return self.read_below(file.0, into, offset);
        }
        match &self.node(file.0)?.kind {
            Kind::File(contents) => Ok(contents.read(into, offset)),
            _ => Err(Errno::Isdir),
        }
    }

    fn write(&mut self, file: Handle, bytes: &[u8], offset: u64) -> Result<usize, Errno> {
        let (contents, quota) = self.contents(file.0)?;
        contents.write(bytes, offset, quota)
    }

    fn append(&mut self, file: Handle, bytes: &[u8]) -> Result<(usize, u64), Errno> {
        let (contents, quota) = self.contents(file.0)?;
        let n = contents.write(bytes, contents.size(), quota)?;
        Ok((n, contents.size()))
    }

    fn sync(&mut self, _handle: Handle, _data_only: bool) -> Result<(), Errno> {
        Ok(())
    }

    fn list(&mut self, dir: Handle, max_bytes: u64) -> Result<Vec<Entry>, Errno> {
        self.list_node(dir.0, max_bytes)
    }

    fn memory(&mut self) -> Option<&mut MemFs> {
        Some(self)
    }
}

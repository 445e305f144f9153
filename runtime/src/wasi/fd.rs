//! What is done with an open descriptor.

use super::abi::{Errno, Filestat, Filetype, Layout, Whence, fdflags, filestat_bytes, fstflags, rights};
use super::descriptor::{Descriptor, Listing, Object};
use super::fs::{ENTRY_BYTES, Entry, FileSystem, Handle, Times};
use super::guest::{Answer, Call, Failure, Vectors};
use super::{Mount, WasiCtx};

/// Units of fuel for an entry of a listing.
const LIST_UNITS: u64 = 8;
/// The most that one listing takes: more than a million entries. A larger directory cannot be listed (`nospc`), because
/// it is read in one go.
const LIST_BYTES: u64 = 64 << 20;
/// How an advice is numbered at most.
const MAX_ADVICE: u32 = 5;

impl WasiCtx {
    /// Closes what a descriptor stood for.
    pub(super) fn drop_descriptor(&mut self, descriptor: Descriptor) {
        if let Object::File { mount, handle, .. } | Object::Directory { mount, handle, .. } =
            descriptor.object
            && let Some(mount) = self.mounts.get_mut(mount as usize)
        {
            mount.fs.close(handle);
        }
        if let Object::Directory { listing: Some(listing), .. } = descriptor.object {
            self.space.give_bytes(listing.bytes);
        }
    }

    fn filetype(&self, object: &Object) -> Filetype {
        match object {
            Object::Stdin => self.streams.stdin.filetype(),
            Object::Stdout => self.streams.stdout.filetype(),
            Object::Stderr => self.streams.stderr.filetype(),
            Object::File { .. } => Filetype::RegularFile,
            Object::Directory { .. } => Filetype::Directory,
        }
    }
}

/// Returns the file system of a mount.
pub(super) fn fs_of(mounts: &mut [Mount], mount: u32) -> Result<&mut dyn FileSystem, Errno> {
    match mounts.get_mut(mount as usize) {
        Some(mount) => Ok(&mut *mount.fs),
        None => Err(Errno::Badf),
    }
}

/// Decides which times are set to what.
pub(super) fn times(atim: u64, mtim: u64, flags: u32, now: u64) -> Result<Times, Errno> {
    let flags = u16::try_from(flags).map_err(|_| Errno::Inval)?;
    let one = |time, set, set_now| match (flags & set != 0, flags & set_now != 0) {
        (true, true) => Err(Errno::Inval),
        (true, false) => Ok(Some(time)),
        (false, true) => Ok(Some(now)),
        (false, false) => Ok(None),
    };
    if flags & !fstflags::ALL != 0 {
        return Err(Errno::Inval);
    }
    Ok(Times {
        atim: one(atim, fstflags::ATIM, fstflags::ATIM_NOW)?,
        mtim: one(mtim, fstflags::MTIM, fstflags::MTIM_NOW)?,
    })
}

impl Call<'_> {
    /// Returns the file system and the handle of a descriptor that stands for a file or a directory, ready for use.
    fn file(&mut self, fd: u32, right: u64) -> Result<(&mut dyn FileSystem, Handle, bool), Errno> {
        let now = self.now();
        let descriptor = self.ctx.descriptors.get(fd)?;
        let (mount, handle, is_file) = match descriptor.object {
            Object::File { mount, handle, .. } => (mount, handle, true),
            Object::Directory { mount, handle, .. } => (mount, handle, false),
            Object::Stdin | Object::Stdout | Object::Stderr => return Err(Errno::Spipe),
        };
        descriptor.require(right)?;
        let fs = fs_of(&mut self.ctx.mounts, mount)?;
        fs.tick(now, self.run.limits);
        Ok((fs, handle, is_file))
    }

    /// As [`Call::file`], for what is done with regular files only.
    fn regular(&mut self, fd: u32, right: u64) -> Result<(&mut dyn FileSystem, Handle), Errno> {
        if matches!(self.ctx.descriptors.get(fd)?.object, Object::Directory { .. }) {
            return Err(Errno::Badf);
        }
        self.file(fd, right).map(|(fs, handle, _)| (fs, handle))
    }

    pub(crate) fn fd_advise(&mut self, fd: u32, offset: u64, len: u64, advice: u32) -> Answer {
        if advice > MAX_ADVICE || offset.checked_add(len).is_none() {
            return Err(Errno::Inval.into());
        }
        Ok(self.regular(fd, rights::FD_ADVISE).map(|_| ())?)
    }

    pub(crate) fn fd_allocate(&mut self, fd: u32, offset: u64, len: u64) -> Answer {
        if len == 0 {
            return Err(Errno::Inval.into());
        }
        let end = offset.checked_add(len).ok_or(Errno::Fbig)?;
        self.check_growth(fd, rights::FD_ALLOCATE, end)?;
        let (fs, handle) = self.regular(fd, rights::FD_ALLOCATE)?;
        Ok(fs.allocate(handle, offset, len)?)
    }

    /// Lets the growth of a file of the host count as output, and bounds the size of one in memory.
    fn check_growth(&mut self, fd: u32, right: u64, size: u64) -> Answer {
        let max = self.run.limits.file_bytes;
        let (fs, handle) = self.regular(fd, right)?;
        let (is_host, now) = (fs.is_host(), fs.stat(handle)?.size);
        if size > i64::MAX as u64 || !is_host && size > max {
            return Err(Errno::Fbig.into());
        }
        if is_host { self.run.charge_output(size.saturating_sub(now)) } else { Ok(()) }
    }

    pub(crate) fn fd_close(&mut self, fd: u32) -> Answer {
        let descriptor = self.ctx.descriptors.remove(fd)?;
        self.ctx.drop_descriptor(descriptor);
        Ok(())
    }

    pub(crate) fn fd_sync(&mut self, fd: u32, data_only: bool) -> Answer {
        let right = if data_only { rights::FD_DATASYNC } else { rights::FD_SYNC };
        let (fs, handle, _) = self.file(fd, right)?;
        Ok(fs.sync(handle, data_only)?)
    }

    pub(crate) fn fd_fdstat_get(&mut self, fd: u32, result_addr: u32) -> Answer {
        let descriptor = self.ctx.descriptors.get(fd)?;
        let mut layout = Layout::<24>::new(24);
        layout
            .put(0, [self.ctx.filetype(&descriptor.object) as u8])
            .put(2, descriptor.flags.to_le_bytes())
            .put(8, descriptor.base.to_le_bytes())
            .put(16, descriptor.inheriting.to_le_bytes());
        Ok(self.memory.put(result_addr, layout.bytes())?)
    }

    /// Only appending and blocking can be changed, as on POSIX systems.
    pub(crate) fn fd_fdstat_set_flags(&mut self, fd: u32, flags: u32) -> Answer {
        let flags = u16::try_from(flags).map_err(|_| Errno::Inval)?;
        let descriptor = self.ctx.descriptors.get_mut(fd)?;
        let changeable = fdflags::APPEND | fdflags::NONBLOCK;
        if (flags ^ descriptor.flags) & !changeable != 0 {
            return Err(Errno::Inval.into());
        }
        descriptor.require(rights::FD_FDSTAT_SET_FLAGS)?;
        descriptor.flags = flags;
        Ok(())
    }

    /// Rights are given up; none is ever added.
    pub(crate) fn fd_fdstat_set_rights(&mut self, fd: u32, base: u64, inheriting: u64) -> Answer {
        let descriptor = self.ctx.descriptors.get_mut(fd)?;
        if base & !descriptor.base != 0 || inheriting & !descriptor.inheriting != 0 {
            return Err(Errno::Notcapable.into());
        }
        (descriptor.base, descriptor.inheriting) = (base, inheriting);
        Ok(())
    }

    pub(crate) fn fd_filestat_get(&mut self, fd: u32, result_addr: u32) -> Answer {
        self.memory.check(result_addr, filestat_bytes(self.version))?;
        let descriptor = self.ctx.descriptors.get(fd)?;
        descriptor.require(rights::FD_FILESTAT_GET)?;
        let stat = match descriptor.object {
            Object::File { .. } | Object::Directory { .. } => {
                let (fs, handle, _) = self.file(fd, rights::FD_FILESTAT_GET)?;
                fs.stat(handle)?
            }
            Object::Stdin | Object::Stdout | Object::Stderr => Filestat {
                dev: 0,
                ino: 0,
                filetype: self.ctx.filetype(&descriptor.object),
                nlink: 0,
                size: 0,
                atim: 0,
                mtim: 0,
                ctim: 0,
            },
        };
        Ok(self.memory.put(result_addr, stat.layout(self.version).bytes())?)
    }

    pub(crate) fn fd_filestat_set_size(&mut self, fd: u32, size: u64) -> Answer {
        self.check_growth(fd, rights::FD_FILESTAT_SET_SIZE, size)?;
        let (fs, handle) = self.regular(fd, rights::FD_FILESTAT_SET_SIZE)?;
        Ok(fs.set_size(handle, size)?)
    }

    pub(crate) fn fd_filestat_set_times(&mut self, fd: u32, atim: u64, mtim: u64, flags: u32) -> Answer {
        let times = times(atim, mtim, flags, self.now())?;
        let (fs, handle, _) = self.file(fd, rights::FD_FILESTAT_SET_TIMES)?;
        let set = fs.set_times(handle, times);
        self.report_read_only(set, "")
    }

    /// Leaves an event if somebody wanted to change what is read only.
    pub(super) fn report_read_only<T>(&mut self, result: Result<T, Errno>, path: &str) -> Answer<T> {
        result.map_err(|errno| match errno {
            Errno::Rofs => self.run.violation(wasmos_abi::Capability::FsWrite, path, errno),
            errno => errno.into(),
        })
    }

    pub(crate) fn fd_prestat_get(&mut self, fd: u32, result_addr: u32) -> Answer {
        let len = given_name(self.ctx.descriptors.get(fd)?)?.len() as u32;
        // The tag of a directory is 0.
        let mut layout = Layout::<8>::new(8);
        layout.put(4, len.to_le_bytes());
        Ok(self.memory.put(result_addr, layout.bytes())?)
    }

    pub(crate) fn fd_prestat_dir_name(&mut self, fd: u32, addr: u32, len_bytes: u32) -> Answer {
        let name = given_name(self.ctx.descriptors.get(fd)?)?;
        if (len_bytes as usize) < name.len() {
            return Err(Errno::Nametoolong.into());
        }
        Ok(self.memory.put(addr, name.as_bytes())?)
    }

    pub(crate) fn fd_renumber(&mut self, from: u32, to: u32) -> Answer {
        if let Some(replaced) = self.ctx.descriptors.renumber(from, to)? {
            self.ctx.drop_descriptor(replaced);
        }
        Ok(())
    }

    pub(crate) fn fd_seek(&mut self, fd: u32, delta: i64, whence: u32, result_addr: u32) -> Answer {
        let whence = Whence::new(self.version, whence)?;
        self.memory.check(result_addr, 8)?;
        // To ask where one is needs no right to go elsewhere.
        let right = if whence == Whence::Cur && delta == 0 { rights::FD_TELL } else { rights::FD_SEEK };
        let (fs, handle) = self.regular(fd, right)?;
        let end = if whence == Whence::End { fs.stat(handle)?.size } else { 0 };
        let Object::File { position, .. } = &mut self.ctx.descriptors.get_mut(fd)?.object else {
            return Err(Errno::Badf.into());
        };
        let from = match whence {
            Whence::Set => 0,
            Whence::Cur => *position,
            Whence::End => end,
        };
        let to = from.checked_add_signed(delta).filter(|to| i64::try_from(*to).is_ok());
        *position = to.ok_or(Errno::Inval)?;
        let position = *position;
        Ok(self.memory.put_u64(result_addr, position)?)
    }

    pub(crate) fn fd_tell(&mut self, fd: u32, result_addr: u32) -> Answer {
        self.regular(fd, rights::FD_TELL)?;
        let position = match self.ctx.descriptors.get(fd)?.object {
            Object::File { position, .. } => position,
            _ => return Err(Errno::Badf.into()),
        };
        Ok(self.memory.put_u64(result_addr, position)?)
    }

    /// Reads at the position, or at an offset.
    pub(crate) fn fd_read(
        &mut self,
        fd: u32,
        vectors: u32,
        len: u32,
        offset: Option<u64>,
        result_addr: u32,
    ) -> Answer {
        self.memory.check(result_addr, 4)?;
        let vectors = self.memory.vectors(vectors, len)?;
        let descriptor = self.ctx.descriptors.get(fd)?;
        if matches!(descriptor.object, Object::Directory { .. }) {
            return Err(Errno::Isdir.into());
        }
        descriptor.require(rights::FD_READ).map_err(|_| Errno::Badf)?;
        self.run.charge_bytes(u64::from(vectors.total))?;
        self.run.look_up(vectors.total)?;
        let done = match self.ctx.descriptors.get(fd)?.object {
            Object::File { mount, handle, position } => {
                self.read_file(vectors, (mount, handle), offset.unwrap_or(position))?
            }
            _ if offset.is_some() => return Err(Errno::Spipe.into()),
            _ => self.read_stream(vectors, fd)?,
        };
        if offset.is_none()
            && let Object::File { position, .. } = &mut self.ctx.descriptors.get_mut(fd)?.object
        {
            *position = position.saturating_add(u64::from(done));
        }
        Ok(self.memory.put_u32(result_addr, done)?)
    }

    /// Reads vectors until one is not filled; an error counts only if nothing was read.
    fn read_file(&mut self, vectors: Vectors, (mount, handle): (u32, Handle), offset: u64) -> Answer<u32> {
        let fs = fs_of(&mut self.ctx.mounts, mount)?;
        let mut done = 0_u32;
        for index in 0..vectors.len {
            let (addr, len_bytes) = self.memory.vector(vectors, index)?;
            // What a count of bytes cannot say is left for the next call.
            let len_bytes = len_bytes.min(u32::MAX - done);
            let at = offset.checked_add(u64::from(done)).filter(|at| i64::try_from(*at).is_ok());
            let into = self.memory.write(addr, len_bytes)?;
            let n = match at.ok_or(Errno::Inval).and_then(|at| fs.read(handle, into, at)) {
                Ok(n) => n as u32,
                Err(_) if done > 0 => break,
                Err(errno) => return Err(errno.into()),
            };
            done += n;
            if n < len_bytes {
                break;
            }
        }
        Ok(done)
    }

    /// Reads into the first vector that has room: what comes next might have to be waited for.
    fn read_stream(&mut self, vectors: Vectors, fd: u32) -> Answer<u32> {
        let nonblock = self.ctx.descriptors.get(fd)?.flags & fdflags::NONBLOCK != 0;
        for index in 0..vectors.len {
            let (addr, len_bytes) = self.memory.vector(vectors, index)?;
            if len_bytes > 0 {
                let into = self.memory.write(addr, len_bytes)?;
                return Ok(self.ctx.streams.stdin.read(into, &self.run, nonblock)? as u32);
            }
        }
        Ok(0)
    }

    /// Writes at the position, at an offset, or at the end.
    pub(crate) fn fd_write(
        &mut self,
        fd: u32,
        vectors: u32,
        len: u32,
        offset: Option<u64>,
        result_addr: u32,
    ) -> Answer {
        self.memory.check(result_addr, 4)?;
        let vectors = self.memory.vectors(vectors, len)?;
        let descriptor = self.ctx.descriptors.get(fd)?;
        if matches!(descriptor.object, Object::Directory { .. }) {
            return Err(Errno::Isdir.into());
        }
        descriptor.require(rights::FD_WRITE).map_err(|_| Errno::Badf)?;
        let flags = descriptor.flags;
        self.run.charge_bytes(u64::from(vectors.total))?;
        self.run.look_up(vectors.total)?;
        let done = match descriptor.object {
            Object::File { mount, handle, position } => {
                let append = offset.is_none() && flags & fdflags::APPEND != 0;
                let at = if append { None } else { Some(offset.unwrap_or(position)) };
                let (done, end) = self.write_file(vectors, (mount, handle), at)?;
                if flags & (fdflags::SYNC | fdflags::DSYNC) != 0 {
                    let data_only = flags & fdflags::SYNC == 0;
                    fs_of(&mut self.ctx.mounts, mount)?.sync(handle, data_only)?;
                }
                if offset.is_none()
                    && let Object::File { position, .. } = &mut self.ctx.descriptors.get_mut(fd)?.object
                {
                    *position = end;
                }
                done
            }
            _ if offset.is_some() => return Err(Errno::Spipe.into()),
            Object::Stderr => self.write_stream(vectors, true, flags)?,
            _ => self.write_stream(vectors, false, flags)?,
        };
        Ok(self.memory.put_u32(result_addr, done)?)
    }

    /// Writes vectors until one is not taken; returns how many bytes were, and where the next would go.
    fn write_file(
        &mut self,
        vectors: Vectors,
        (mount, handle): (u32, Handle),
        at: Option<u64>,
    ) -> Answer<(u32, u64)> {
        let now = self.now();
        let fs = fs_of(&mut self.ctx.mounts, mount)?;
        fs.tick(now, self.run.limits);
        if fs.is_host() {
            self.run.charge_output(u64::from(vectors.total))?;
        }
        let max = if fs.is_host() { i64::MAX as u64 } else { self.run.limits.file_bytes };
        let (mut done, mut end) = (0_u32, at.unwrap_or(0));
        for index in 0..vectors.len {
            let (addr, len_bytes) = self.memory.vector(vectors, index)?;
            let len_bytes = len_bytes.min(u32::MAX - done);
            if len_bytes == 0 {
                continue;
            }
            let bytes = self.memory.read(addr, len_bytes)?;
            let room = max.saturating_sub(end);
            let written = match at {
                None => fs.append(handle, bytes),
                Some(_) if room == 0 => Err(Errno::Fbig),
                Some(_) => {
                    let fits = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
                    fs.write(handle, &bytes[..fits], end).map(|n| (n, end + n as u64))
                }
            };
            match written {
                Ok((n, after)) => {
                    (done, end) = (done + n as u32, after);
                    if n < bytes.len() {
                        break;
                    }
                }
                Err(_) if done > 0 => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok((done, end))
    }

    fn write_stream(&mut self, vectors: Vectors, is_error: bool, flags: u16) -> Answer<u32> {
        self.run.charge_output(u64::from(vectors.total))?;
        let streams = &mut self.ctx.streams;
        let sink = if is_error { &mut streams.stderr } else { &mut streams.stdout };
        let nonblock = flags & fdflags::NONBLOCK != 0;
        let mut done = 0_u32;
        for index in 0..vectors.len {
            let (addr, len_bytes) = self.memory.vector(vectors, index)?;
            let bytes = self.memory.read(addr, len_bytes.min(u32::MAX - done))?;
            if bytes.is_empty() {
                continue;
            }
            match sink.write(bytes, &self.run, nonblock) {
                Ok(n) => {
                    done += n as u32;
                    if n < bytes.len() {
                        break;
                    }
                }
                Err(Failure::Errno(_)) if done > 0 => break,
                Err(failure) => return Err(failure),
            }
        }
        Ok(done)
    }

    /// Lists a directory from a cookie on: 0 is `.`, 1 is `..`, then the names in their order.
    pub(crate) fn fd_readdir(
        &mut self,
        fd: u32,
        addr: u32,
        len_bytes: u32,
        cookie: u64,
        result_addr: u32,
    ) -> Answer {
        self.memory.check(result_addr, 4)?;
        self.memory.check(addr, len_bytes)?;
        let descriptor = self.ctx.descriptors.get(fd)?;
        let Object::Directory { listing, .. } = &descriptor.object else { return Err(Errno::Notdir.into()) };
        descriptor.require(rights::FD_READDIR)?;
        if cookie == 0 || listing.is_none() {
            self.list(fd)?;
        }
        self.run.charge_bytes(u64::from(len_bytes))?;
        let (fs, handle, _) = self.file(fd, rights::FD_READDIR)?;
        let own_ino = fs.stat(handle)?.ino;
        let Object::Directory { listing: Some(listing), .. } = &self.ctx.descriptors.get(fd)?.object else {
            return Err(Errno::Notdir.into());
        };
        let buffer = self.memory.write(addr, len_bytes)?;
        let used = fill(buffer, listing, cookie, own_ino);
        Ok(self.memory.put_u32(result_addr, used as u32)?)
    }

    /// Takes the entries of a directory down, so that cookies keep their meaning.
    fn list(&mut self, fd: u32) -> Answer {
        self.run.check_interrupted()?;
        let (space, max) = (self.ctx.space.clone(), self.run.limits.file_bytes);
        if let Object::Directory { listing, .. } = &mut self.ctx.descriptors.get_mut(fd)?.object
            && let Some(old) = listing.take()
        {
            space.give_bytes(old.bytes);
        }
        let left = space.left(max).min(LIST_BYTES);
        let (fs, handle, _) = self.file(fd, rights::FD_READDIR)?;
        let entries = fs.list(handle, left)?;
        let bytes = entries.iter().map(|entry| ENTRY_BYTES + entry.name.len() as u64).sum();
        self.run.charge(LIST_UNITS * entries.len() as u64)?;
        space.take_bytes(bytes, max)?;
        if let Object::Directory { listing, .. } = &mut self.ctx.descriptors.get_mut(fd)?.object {
            *listing = Some(Box::new(Listing { entries, bytes }));
        }
        Ok(())
    }
}

/// Fills a buffer with entries, the last one cut where the buffer ends; returns how much of it is used.
fn fill(buffer: &mut [u8], listing: &Listing, cookie: u64, own_ino: u64) -> usize {
    let mut used = 0;
    let mut index = cookie;
    while used < buffer.len() {
        let (name, ino, filetype) = match index {
            0 => (".", own_ino, Filetype::Directory),
            // What is above is not for the guest to know.
            1 => ("..", own_ino, Filetype::Directory),
            _ => match usize::try_from(index - 2).ok().and_then(|index| listing.entries.get(index)) {
                Some(Entry { name, ino, filetype }) => (&**name, *ino, *filetype),
                None => break,
            },
        };
        // There is an entry, so that this is far from the end of the numbers.
        index += 1;
        let mut layout = Layout::<24>::new(24);
        layout
            .put(0, index.to_le_bytes())
            .put(8, ino.to_le_bytes())
            .put(16, (name.len() as u32).to_le_bytes())
            .put(20, [filetype as u8]);
        for part in [layout.bytes(), name.as_bytes()] {
            let room = &mut buffer[used..];
            let n = part.len().min(room.len());
            room[..n].copy_from_slice(&part[..n]);
            used += n;
        }
    }
    used
}

/// Returns the name under which a directory was given.
fn given_name(descriptor: &Descriptor) -> Result<&str, Errno> {
    match &descriptor.object {
        Object::Directory { given: Some(name), .. } => Ok(name),
        _ => Err(Errno::Badf),
    }
}

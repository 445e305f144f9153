//! What is done by path, in a directory that is open.

use wasmos_abi::Capability;

use super::abi::{Errno, Filetype, LOOKUP_SYMLINK_FOLLOW, fdflags, filestat_bytes, oflags, rights};
use super::descriptor::{Descriptor, Object};
use super::fd::{fs_of, times};
use super::fs::{FileSystem, Handle, OpenHow};
use super::guest::{Answer, Call};
use super::path::{At, Last, check_slash, walk};

/// Units of fuel for a path, and one more for each of its bytes: it stands for as many calls of the host's system as it
/// has components.
const PATH_UNITS: u64 = 128;

/// Where a path lies in the guest's memory: address and length.
type PathAt = (u32, u32);

/// What is done to a path: the right that it needs of the directory, and whether it changes anything.
#[derive(Clone, Copy)]
struct Deed {
    right: u64,
    changes: bool,
    last: Last,
}

impl Deed {
    const fn look(right: u64, last: Last) -> Self {
        Self { right, changes: false, last }
    }

    const fn change(right: u64) -> Self {
        Self { right, changes: true, last: Last::Name }
    }

    const fn capability(self) -> Capability {
        if self.changes { Capability::FsWrite } else { Capability::FsRead }
    }
}

/// Says what becomes of a symbolic link at the end of a path.
const fn lookup(flags: u32) -> Result<Last, Errno> {
    match flags {
        0 => Ok(Last::NoFollow),
        LOOKUP_SYMLINK_FOLLOW => Ok(Last::Follow),
        _ => Err(Errno::Inval),
    }
}

impl Call<'_> {
    /// Checks a descriptor and a path, and returns the directory and the path.
    fn directory(&mut self, fd: u32, (addr, len): PathAt, deed: Deed) -> Answer<(u32, Handle)> {
        let descriptor = match self.ctx.descriptors.get(fd) {
            Ok(descriptor) => descriptor,
            // No directory was given under this number: whoever reads the events wants to know what was looked for.
            Err(errno) => {
                let path = self.memory.path(addr, len, self.run.limits)?;
                return Err(self.run.violation(deed.capability(), path, errno));
            }
        };
        let Object::Directory { mount, handle, .. } = descriptor.object else {
            return Err(Errno::Notdir.into());
        };
        let path = self.memory.path(addr, len, self.run.limits)?;
        self.run.charge(PATH_UNITS + u64::from(len))?;
        // What the host's file system takes for it is nothing that fuel knows.
        self.run.check_interrupted()?;
        descriptor.require(deed.right)?;
        let now = self.ctx.clocks.now(super::clock::ClockId::Realtime, self.run.fuel.used());
        let fs = fs_of(&mut self.ctx.mounts, mount)?;
        if deed.changes && !fs.writable() {
            return Err(self.run.violation(Capability::FsWrite, path, Errno::Rofs));
        }
        fs.tick(now, self.run.limits);
        Ok((mount, handle))
    }

    /// Walks a path and does something where it leads.
    fn walk<R>(
        &mut self,
        fd: u32,
        path_at: PathAt,
        deed: Deed,
        act: impl FnOnce(&mut dyn FileSystem, At<'_>) -> Result<R, Errno>,
    ) -> Answer<R> {
        let (mount, handle) = self.directory(fd, path_at, deed)?;
        let path = self.memory.path(path_at.0, path_at.1, self.run.limits)?;
        let fs = fs_of(&mut self.ctx.mounts, mount)?;
        let result = walk(fs, handle, path, deed.last, act);
        result.map_err(|errno| match errno {
            Errno::Notcapable => self.run.violation(deed.capability(), path, errno),
            errno => errno.into(),
        })
    }

    /// Walks two paths of one file system and does something with both ends.
    fn walk_two<R>(
        &mut self,
        (from, from_deed): ((u32, PathAt), Deed),
        (to, to_deed): ((u32, PathAt), Deed),
        act: impl FnOnce(&mut dyn FileSystem, At<'_>, At<'_>) -> Result<R, Errno>,
    ) -> Answer<R> {
        let (mount, from_dir) = self.directory(from.0, from.1, from_deed)?;
        let (to_mount, to_dir) = self.directory(to.0, to.1, to_deed)?;
        if mount != to_mount {
            return Err(Errno::Xdev.into());
        }
        let from_path = self.memory.path(from.1.0, from.1.1, self.run.limits)?;
        let to_path = self.memory.path(to.1.0, to.1.1, self.run.limits)?;
        let fs = fs_of(&mut self.ctx.mounts, mount)?;
        let mut beyond = from_path;
        let result = walk(fs, from_dir, from_path, from_deed.last, |fs, from| {
            beyond = to_path;
            walk(fs, to_dir, to_path, to_deed.last, |fs, to| act(fs, from, to))
        });
        result.map_err(|errno| match errno {
            Errno::Notcapable => self.run.violation(Capability::FsWrite, beyond, errno),
            errno => errno.into(),
        })
    }

    pub(crate) fn path_create_directory(&mut self, fd: u32, path: PathAt) -> Answer {
        self.walk(fd, path, Deed::change(rights::PATH_CREATE_DIRECTORY), |fs, at| {
            fs.create_directory(at.dir, at.name.ok_or(Errno::Exist)?)
        })
    }

    pub(crate) fn path_filestat_get(
        &mut self,
        fd: u32,
        lookup_flags: u32,
        path: PathAt,
        result_addr: u32,
    ) -> Answer {
        self.memory.check(result_addr, filestat_bytes(self.version))?;
        let deed = Deed::look(rights::PATH_FILESTAT_GET, lookup(lookup_flags)?);
        let stat = self.walk(fd, path, deed, |fs, at| {
            let stat = match at.name {
                Some(name) => fs.stat_at(at.dir, name)?,
                None => fs.stat(at.dir)?,
            };
            if at.slash && stat.filetype != Filetype::Directory { Err(Errno::Notdir) } else { Ok(stat) }
        })?;
        Ok(self.memory.put(result_addr, stat.layout(self.version).bytes())?)
    }

    pub(crate) fn path_filestat_set_times(
        &mut self,
        fd: u32,
        lookup_flags: u32,
        path: PathAt,
        (atim, mtim): (u64, u64),
        flags: u32,
    ) -> Answer {
        let times = times(atim, mtim, flags, self.now())?;
        let deed = Deed { last: lookup(lookup_flags)?, ..Deed::change(rights::PATH_FILESTAT_SET_TIMES) };
        self.walk(fd, path, deed, |fs, at| {
            check_slash(fs, at)?;
            match at.name {
                Some(name) => fs.set_times_at(at.dir, name, times),
                None => fs.set_times(at.dir, times),
            }
        })
    }

    /// Symbolic links are linked to themselves; to follow them is refused, as by wasmtime.
    pub(crate) fn path_link(
        &mut self,
        (fd, lookup_flags, path): (u32, u32, PathAt),
        (to_fd, to_path): (u32, PathAt),
    ) -> Answer {
        if lookup(lookup_flags)? != Last::NoFollow {
            return Err(Errno::Inval.into());
        }
        let from = ((fd, path), Deed::change(rights::PATH_LINK_SOURCE));
        let to = ((to_fd, to_path), Deed::change(rights::PATH_LINK_TARGET));
        self.walk_two(from, to, |fs, from, to| {
            check_slash(fs, from)?;
            let from_name = from.name.ok_or(Errno::Perm)?;
            let to_name = free_name(fs, to)?;
            fs.link((from.dir, from_name), (to.dir, to_name))
        })
    }

    pub(crate) fn path_readlink(
        &mut self,
        fd: u32,
        path: PathAt,
        (addr, max): (u32, u32),
        result_addr: u32,
    ) -> Answer {
        self.memory.check(result_addr, 4)?;
        self.memory.check(addr, max)?;
        let target = self.walk(fd, path, Deed::look(rights::PATH_READLINK, Last::NoFollow), |fs, at| {
            fs.read_link(at.dir, at.name.ok_or(Errno::Inval)?)?.ok_or(Errno::Inval)
        })?;
        let len = target.len().min(max as usize);
        self.memory.put(addr, &target.as_bytes()[..len])?;
        Ok(self.memory.put_u32(result_addr, len as u32)?)
    }

    pub(crate) fn path_remove_directory(&mut self, fd: u32, path: PathAt) -> Answer {
        self.walk(fd, path, Deed::change(rights::PATH_REMOVE_DIRECTORY), |fs, at| {
            fs.remove_directory(at.dir, at.name.ok_or(Errno::Inval)?)
        })
    }

    pub(crate) fn path_rename(
        &mut self,
        (fd, path): (u32, PathAt),
        (to_fd, to_path): (u32, PathAt),
    ) -> Answer {
        let from = ((fd, path), Deed::change(rights::PATH_RENAME_SOURCE));
        let to = ((to_fd, to_path), Deed::change(rights::PATH_RENAME_TARGET));
        self.walk_two(from, to, |fs, from, to| {
            let from_name = from.name.ok_or(Errno::Busy)?;
            let to_name = to.name.ok_or(Errno::Busy)?;
            // A slash behind either says that a directory is moved.
            if from.slash || to.slash {
                check_slash(fs, At { slash: true, ..from })?;
            }
            fs.rename((from.dir, from_name), (to.dir, to_name))
        })
    }

    /// A link that nobody could follow, because it is absolute, is not made: it would only wait for a host's program.
    pub(crate) fn path_symlink(&mut self, target: PathAt, fd: u32, path: PathAt) -> Answer {
        let text = self.memory.path(target.0, target.1, self.run.limits)?;
        if text.is_empty() {
            return Err(Errno::Noent.into());
        }
        if text.starts_with('/') {
            return Err(self.run.violation(Capability::FsWrite, text, Errno::Notcapable));
        }
        let text = text.to_owned();
        self.walk(fd, path, Deed::change(rights::PATH_SYMLINK), |fs, at| {
            let name = free_name(fs, at)?;
            fs.symlink(&text, at.dir, name)
        })
    }

    pub(crate) fn path_unlink_file(&mut self, fd: u32, path: PathAt) -> Answer {
        self.walk(fd, path, Deed::change(rights::PATH_UNLINK_FILE), |fs, at| {
            check_slash(fs, at)?;
            fs.unlink(at.dir, at.name.ok_or(Errno::Isdir)?)
        })
    }

    pub(crate) fn path_open(
        &mut self,
        fd: u32,
        lookup_flags: u32,
        path: PathAt,
        (open_flags, base, inheriting, flags): (u32, u64, u64, u32),
        result_addr: u32,
    ) -> Answer {
        self.memory.check(result_addr, 4)?;
        let last = lookup(lookup_flags)?;
        let asked = Asked::new(open_flags, base, flags)?;
        self.ctx.descriptors.check_room(self.run.limits.descriptors)?;
        let deed = Deed::look(asked.rights(), last);
        let (mount, _) = self.directory(fd, path, deed)?;
        let parent = self.ctx.descriptors.get(fd)?;
        // What cannot be inherited is left out, but for what the caller would miss at once.
        let wanted = base & (rights::FD_READ | rights::FD_WRITE);
        let (allowed, allowed_below) = (parent.inheriting, parent.inheriting & inheriting);
        if wanted & !allowed != 0 {
            return Err(Errno::Notcapable.into());
        }
        let writable = self.may_write(mount, path, asked)?;
        let create = asked.how.create && writable;
        let how = OpenHow { create, ..asked.how };
        let opened = self.walk(fd, path, deed, |fs, at| open(fs, at, asked, how));
        let (handle, is_directory) = match opened {
            Err(super::guest::Failure::Errno(Errno::Noent)) if asked.how.create && !writable => {
                let path = self.memory.path(path.0, path.1, self.run.limits)?;
                return Err(self.run.violation(Capability::FsWrite, path, Errno::Rofs));
            }
            opened => opened?,
        };
        let descriptor = if is_directory {
            let object = Object::Directory { mount, handle, given: None, listing: None };
            let base = base & allowed & rights::DIRECTORY;
            Descriptor { object, base, inheriting: allowed_below, flags: asked.flags }
        } else {
            let object = Object::File { mount, handle, position: 0 };
            let denied = if asked.how.write { 0 } else { rights::WRITING };
            let base = base & allowed & rights::FILE & !denied;
            Descriptor { object, base, inheriting: allowed_below, flags: asked.flags }
        };
        let fd = self.ctx.descriptors.add(descriptor);
        Ok(self.memory.put_u32(result_addr, fd)?)
    }

    /// Returns whether anything may be created; refuses what is to be written and may not.
    fn may_write(&mut self, mount: u32, path: PathAt, asked: Asked) -> Answer<bool> {
        let fs = fs_of(&mut self.ctx.mounts, mount)?;
        let writable = fs.writable();
        let granted = self.run.gate.grants.contains(Capability::FsWrite);
        let must = asked.how.truncate || asked.how.write && !asked.directory;
        let path = self.memory.path(path.0, path.1, self.run.limits)?;
        if !granted && (must || asked.how.create) {
            return Err(self.run.violation(Capability::FsWrite, path, Errno::Notcapable));
        }
        if !writable && must {
            return Err(self.run.violation(Capability::FsWrite, path, Errno::Rofs));
        }
        Ok(writable)
    }
}

/// Returns a name that is to be made; a slash behind it is wrong whatever it is.
fn free_name<'a>(fs: &mut dyn FileSystem, at: At<'a>) -> Result<&'a str, Errno> {
    let name = at.name.ok_or(Errno::Exist)?;
    if !at.slash {
        return Ok(name);
    }
    match fs.stat_at(at.dir, name)?.filetype {
        Filetype::Directory => Err(Errno::Exist),
        _ => Err(Errno::Notdir),
    }
}

/// What `path_open` is asked for.
#[derive(Clone, Copy)]
struct Asked {
    how: OpenHow,
    directory: bool,
    flags: u16,
}

impl Asked {
    fn new(open_flags: u32, base: u64, flags: u32) -> Result<Self, Errno> {
        let checked = |flags: u32, all: u16| u16::try_from(flags).ok().filter(|flags| flags & !all == 0);
        let open_flags = checked(open_flags, oflags::ALL).ok_or(Errno::Inval)?;
        let flags = checked(flags, fdflags::ALL).ok_or(Errno::Inval)?;
        let has = |flag| open_flags & flag != 0;
        if has(oflags::CREAT) && has(oflags::DIRECTORY) {
            return Err(Errno::Inval);
        }
        let how = OpenHow {
            read: base & rights::FD_READ != 0,
            write: base & rights::FD_WRITE != 0,
            create: has(oflags::CREAT),
            exclusive: has(oflags::CREAT) && has(oflags::EXCL),
            truncate: has(oflags::TRUNC),
        };
        Ok(Self { how, directory: has(oflags::DIRECTORY), flags })
    }

    /// What it needs of the directory.
    const fn rights(self) -> u64 {
        let create = if self.how.create { rights::PATH_CREATE_FILE } else { 0 };
        let truncate = if self.how.truncate { rights::PATH_FILESTAT_SET_SIZE } else { 0 };
        rights::PATH_OPEN | create | truncate
    }
}

/// Opens what a path leads to; returns it and whether it is a directory.
fn open(fs: &mut dyn FileSystem, at: At<'_>, asked: Asked, how: OpenHow) -> Result<(Handle, bool), Errno> {
    let refuse_directory = if asked.how.exclusive {
        Some(Errno::Exist)
    } else if asked.how.create || asked.how.truncate || asked.how.write && !asked.directory {
        Some(Errno::Isdir)
    } else {
        None
    };
    let Some(name) = at.name else {
        return refuse_directory.map_or_else(|| Ok((fs.again(at.dir)?, true)), Err);
    };
    match fs.stat_at(at.dir, name).map(|stat| stat.filetype) {
        Ok(Filetype::Directory) => match (refuse_directory, fs.enter(at.dir, name)) {
            (None, Ok(super::fs::Entered::Directory(handle))) => Ok((handle, true)),
            (refused, entered) => {
                if let Ok(super::fs::Entered::Directory(handle)) = entered {
                    fs.close(handle);
                }
                Err(refused.or(entered.err()).unwrap_or(Errno::Loop))
            }
        },
        Ok(_) if asked.how.exclusive => Err(Errno::Exist),
        Ok(Filetype::SymbolicLink) => Err(Errno::Loop),
        Ok(_) if asked.directory || at.slash => Err(Errno::Notdir),
        Ok(Filetype::RegularFile) => Ok((fs.open(at.dir, name, how)?, false)),
        Ok(_) => Err(Errno::Notcapable),
        Err(Errno::Noent) if how.create && at.slash => Err(Errno::Isdir),
        Err(Errno::Noent) if how.create => Ok((fs.open(at.dir, name, how)?, false)),
        Err(errno) => Err(errno),
    }
}

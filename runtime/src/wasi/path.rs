//! Paths: the one place that walks them, for every file system alike.
//!
//! 1. A walk begins at a directory that is open and never leaves what is below it: `..` goes back to the directory that
//!    the walk came from, which is still open, and is `notcapable` where the walk began. No file system is ever asked for
//!    `..`, so that a directory that somebody moves meanwhile changes nothing.
//! 2. A path that begins with a slash, and a symbolic link whose target does, is `notcapable`.
//! 3. Each component is looked up by itself, without following; what a symbolic link says is walked by these rules.
//! 4. A walk ends: after 40 links or 4,096 lookups with `loop`, at a depth of 256 with `nametoolong`.

use super::abi::{Errno, Filetype};
use super::fs::{Entered, FileSystem, Handle};

/// Symbolic links of one walk, as Linux has it.
const MAX_LINKS: u32 = 40;
/// Lookups of one walk.
const MAX_STEPS: u32 = 4_096;
/// Directories that are open at once for one walk.
const MAX_DEPTH: usize = 256;
/// Bytes of a name (`NAME_MAX` of every file system that counts).
const MAX_NAME_BYTES: usize = 255;

/// What becomes of a symbolic link at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// It is followed.
    Follow,
    /// It is followed only if a slash stands behind it.
    NoFollow,
    /// It is never followed: the name itself is made, removed or moved.
    Name,
}

/// Where a path leads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    /// An open directory.
    pub(crate) dir: Handle,
    /// The name in it, which may be free; `None` for the directory itself.
    pub(crate) name: Option<&'a str>,
    /// Whether a slash stands behind the name, so that only a directory will do.
    pub(crate) slash: bool,
}

/// Walks a path from a directory and calls `act` with where it leads.
pub(crate) fn walk<R>(
    fs: &mut dyn FileSystem,
    base: Handle,
    path: &str,
    last: Last,
    act: impl FnOnce(&mut dyn FileSystem, At<'_>) -> Result<R, Errno>,
) -> Result<R, Errno> {
    let mut walk = Walk { base, entered: Vec::new(), links: 0, steps: 0 };
    let end = walk.run(fs, path, last);
    let result = end.and_then(|end| {
        let at = At { dir: walk.current(), name: end.name.as_deref(), slash: end.slash };
        act(fs, at)
    });
    for handle in walk.entered {
        fs.close(handle);
    }
    result
}

struct Walk {
    base: Handle,
    /// Directories that the walk has entered, outermost first.
    entered: Vec<Handle>,
    links: u32,
    steps: u32,
}

/// How a walk ends in the directory that it has reached.
struct End {
    name: Option<String>,
    slash: bool,
}

impl Walk {
    fn current(&self) -> Handle {
        self.entered.last().copied().unwrap_or(self.base)
    }

    fn run(&mut self, fs: &mut dyn FileSystem, path: &str, last: Last) -> Result<End, Errno> {
        if path.is_empty() {
            return Err(Errno::Noent);
        }
        let mut rest = path.to_owned();
        loop {
            if rest.starts_with('/') {
                return Err(Errno::Notcapable);
            }
            let (name, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let slash = !tail.is_empty();
            let tail = tail.trim_start_matches('/');
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(Errno::Loop);
            }
            let target = match name {
                "." | ".." => {
                    if name == ".." {
                        let left = self.entered.pop().ok_or(Errno::Notcapable)?;
                        fs.close(left);
                    }
                    if tail.is_empty() {
                        return Ok(End { name: None, slash });
                    }
                    None
                }
                _ if name.len() > MAX_NAME_BYTES => return Err(Errno::Nametoolong),
                _ if tail.is_empty() => match self.last(fs, name, slash, last)? {
                    Some(target) => Some(target),
                    None => return Ok(End { name: Some(name.to_owned()), slash }),
                },
                _ => self.enter(fs, name)?,
            };
            rest = match target {
                Some(target) => self.follow(&target, tail, slash)?,
                None => tail.to_owned(),
            };
        }
    }

    /// Returns the target if the last name is a symbolic link that is to be followed.
    fn last(
        &self,
        fs: &mut dyn FileSystem,
        name: &str,
        slash: bool,
        last: Last,
    ) -> Result<Option<String>, Errno> {
        let follow = match last {
            Last::Follow => true,
            Last::NoFollow => slash,
            Last::Name => false,
        };
        if !follow {
            return Ok(None);
        }
        match fs.read_link(self.current(), name) {
            // A free name is for `act` to judge.
            Err(Errno::Noent) => Ok(None),
            target => target,
        }
    }

    /// Enters a directory, or returns the target of a symbolic link.
    fn enter(&mut self, fs: &mut dyn FileSystem, name: &str) -> Result<Option<String>, Errno> {
        match fs.enter(self.current(), name)? {
            Entered::Link(target) => Ok(Some(target)),
            Entered::Directory(handle) if self.entered.len() < MAX_DEPTH => {
                self.entered.push(handle);
                Ok(None)
            }
            Entered::Directory(handle) => {
                fs.close(handle);
                Err(Errno::Nametoolong)
            }
        }
    }

    /// Returns what is left to walk behind a symbolic link.
    fn follow(&mut self, target: &str, tail: &str, slash: bool) -> Result<String, Errno> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::Loop);
        }
        if target.is_empty() {
            return Err(Errno::Noent);
        }
        Ok(if slash { format!("{target}/{tail}") } else { target.to_owned() })
    }
}

/// Refuses a slash behind what is there and is no directory.
pub(crate) fn check_slash(fs: &mut dyn FileSystem, at: At<'_>) -> Result<(), Errno> {
    match at.name {
        Some(name) if at.slash => match fs.stat_at(at.dir, name)?.filetype {
            Filetype::Directory => Ok(()),
            _ => Err(Errno::Notdir),
        },
        _ => Ok(()),
    }
}

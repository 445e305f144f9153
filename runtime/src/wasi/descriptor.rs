//! Descriptors: what is open, by number.

use super::abi::{Errno, rights};
use super::fs::{Entry, Handle};

/// What a descriptor stands for.
#[derive(Debug)]
pub(crate) enum Object {
    Stdin,
    Stdout,
    Stderr,
    File {
        mount: u32,
        handle: Handle,
        /// Where the next read or write begins.
        position: u64,
    },
    Directory {
        mount: u32,
        handle: Handle,
        /// The name under which it was given, if it was.
        given: Option<Box<str>>,
        /// What the last listing from the beginning found.
        listing: Option<Box<Listing>>,
    },
}

/// A directory's entries as they were when a listing began, so that cookies keep their meaning while it goes on.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) entries: Vec<Entry>,
    /// What it takes of the quota on memory.
    pub(crate) bytes: u64,
}

/// Something that is open.
#[derive(Debug)]
pub(crate) struct Descriptor {
    pub(crate) object: Object,
    /// What may be done with it.
    pub(crate) base: u64,
    /// What may be done with what is opened through it.
    pub(crate) inheriting: u64,
    pub(crate) flags: u16,
}

impl Descriptor {
    pub(crate) const fn stream(object: Object, right: u64) -> Self {
        Self { object, base: rights::STREAM | right, inheriting: 0, flags: 0 }
    }

    pub(crate) fn given(mount: u32, handle: Handle, name: &str) -> Self {
        let object = Object::Directory { mount, handle, given: Some(name.into()), listing: None };
        let inheriting = rights::DIRECTORY | rights::FILE;
        Self { object, base: rights::DIRECTORY, inheriting, flags: 0 }
    }

    /// Demands rights of what the descriptor is used for.
    pub(crate) const fn require(&self, rights: u64) -> Result<(), Errno> {
        if self.base & rights == rights { Ok(()) } else { Err(Errno::Notcapable) }
    }
}

/// The descriptors of a run. A new one gets the lowest free number.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    slots: Vec<Option<Descriptor>>,
    open: u32,
    /// No number below is free.
    lowest: usize,
}

impl Descriptors {
    pub(crate) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.slots.get(fd as usize).and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    pub(crate) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.slots.get_mut(fd as usize).and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    /// Returns whether one more may be opened.
    pub(crate) const fn check_room(&self, max: u32) -> Result<(), Errno> {
        if self.open < max { Ok(()) } else { Err(Errno::Mfile) }
    }

    /// Adds a descriptor; [`Descriptors::check_room`] comes before.
    pub(crate) fn add(&mut self, descriptor: Descriptor) -> u32 {
        self.open += 1;
        let free = self.slots.iter().skip(self.lowest).position(Option::is_none);
        let index = free.map_or(self.slots.len(), |free| self.lowest + free);
        match self.slots.get_mut(index) {
            Some(slot) => *slot = Some(descriptor),
            None => self.slots.push(Some(descriptor)),
        }
        self.lowest = index + 1;
        // There are never more than the limit, which is 32 bits wide.
        index as u32
    }

    /// Closes a number and returns what it stood for.
    pub(crate) fn remove(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        let removed = self.slots.get_mut(fd as usize).and_then(Option::take).ok_or(Errno::Badf)?;
        self.open -= 1;
        self.lowest = self.lowest.min(fd as usize);
        while self.slots.last().is_some_and(Option::is_none) {
            self.slots.pop();
        }
        Ok(removed)
    }

    /// Moves a descriptor to a number that is open, and returns what that stood for; nothing if they are the same.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<Option<Descriptor>, Errno> {
        self.get(from)?;
        self.get(to)?;
        if from == to {
            return Ok(None);
        }
        let moved = self.remove(from)?;
        Ok(Some(std::mem::replace(self.get_mut(to)?, moved)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Descriptors {
        let mut descriptors = Descriptors::default();
        for object in [Object::Stdin, Object::Stdout, Object::Stderr] {
            descriptors.add(Descriptor::stream(object, 0));
        }
        descriptors
    }

    #[test]
    fn the_lowest_free_number_is_taken() {
        let mut descriptors = three();
        assert_eq!(descriptors.check_room(3), Err(Errno::Mfile));
        descriptors.remove(1).unwrap();
        assert_eq!(descriptors.remove(1).unwrap_err(), Errno::Badf);
        assert_eq!(descriptors.check_room(3), Ok(()));
        assert_eq!(descriptors.add(Descriptor::stream(Object::Stdout, 0)), 1);
        assert_eq!(descriptors.add(Descriptor::stream(Object::Stdout, 0)), 3);
    }

    #[test]
    fn renumbering_closes_one_of_two() {
        let mut descriptors = three();
        assert!(descriptors.renumber(2, 2).unwrap().is_none());
        assert_eq!(descriptors.renumber(2, u32::MAX).unwrap_err(), Errno::Badf);
        assert_eq!(descriptors.renumber(7, 0).unwrap_err(), Errno::Badf);
        assert!(matches!(descriptors.renumber(2, 0).unwrap().unwrap().object, Object::Stdin));
        assert!(matches!(descriptors.get(0).unwrap().object, Object::Stderr));
        assert_eq!((descriptors.get(2).unwrap_err(), descriptors.open), (Errno::Badf, 2));
    }
}

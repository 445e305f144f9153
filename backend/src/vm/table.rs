//! Tables: references, packed as the operand stack holds them.

use core::ptr::NonNull;

use wasmos_frontend::types::{AddressType, TableType};

/// What a table instruction looks at. It has a fixed address as long as the table lives; `elements` moves when the
/// table grows.
#[derive(Debug)]
#[repr(C)]
pub struct VmTable {
    /// Address of the first element.
    pub elements: *mut u64,
    /// How many elements there are.
    pub len: usize,
}

/// A table. An element is a reference as the operand stack holds it; null is 0.
#[derive(Debug)]
pub struct Table {
    /// From a box: contexts point at it.
    vm: NonNull<VmTable>,
    elements: Vec<u64>,
    ty: TableType,
    limit: u64,
}

// SAFETY: V3. What `vm` points at is the table's own, and so are its elements; both may move between threads.
unsafe impl Send for Table {}
// SAFETY: V1. A shared reference only reads.
unsafe impl Sync for Table {}

/// The least size of a table is over the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLimit {
    /// The least size, in elements.
    pub min: u64,
    /// What is allowed.
    pub limit: u64,
}

impl core::fmt::Display for TableLimit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "a table needs {} elements at least, the limit is {}", self.min, self.limit)
    }
}

impl core::error::Error for TableLimit {}

impl Table {
    /// Makes a table of its least size, each element being `init`, which never grows beyond `limit` elements, nor
    /// beyond its own maximum.
    ///
    /// # Errors
    /// [`TableLimit`].
    pub fn new(ty: TableType, init: u64, limit: u64) -> Result<Self, TableLimit> {
        let own = if ty.address == AddressType::I32 { u64::from(u32::MAX) } else { u64::MAX };
        let limit = limit.min(own).min(ty.limits.max.unwrap_or(u64::MAX));
        let min = ty.limits.min;
        if min > limit {
            return Err(TableLimit { min, limit });
        }
        let len = usize::try_from(min).map_err(|_| TableLimit { min, limit })?;
        let mut table = Self {
            vm: NonNull::from(Box::leak(Box::new(VmTable { elements: core::ptr::null_mut(), len: 0 }))),
            elements: Vec::new(),
            ty,
            limit,
        };
        table.elements.try_reserve_exact(len).map_err(|_| TableLimit { min, limit })?;
        table.elements.resize(len, init);
        table.publish();
        Ok(table)
    }

    fn publish(&mut self) {
        let vm = VmTable { elements: self.elements.as_mut_ptr(), len: self.elements.len() };
        // SAFETY: V3, V9. It lives as long as `self`, and no guest runs while `self` is borrowed.
        unsafe { *self.vm.as_mut() = vm };
    }

    /// Returns the type, with the least size that it was made with.
    #[must_use]
    pub const fn ty(&self) -> &TableType {
        &self.ty
    }

    /// Returns how many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Returns whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Returns whether the table can grow by `delta` elements.
    #[must_use]
    pub fn can_grow(&self, delta: u64) -> bool {
        (self.elements.len() as u64).checked_add(delta).is_some_and(|len| len <= self.limit)
    }

    /// Grows by `delta` elements of value `init` and returns the length before; `None` leaves the table as it was.
    pub fn grow(&mut self, delta: u64, init: u64) -> Option<u64> {
        if !self.can_grow(delta) {
            return None;
        }
        let (before, delta) = (self.elements.len(), usize::try_from(delta).ok()?);
        self.elements.try_reserve(delta).ok()?;
        self.elements.resize(before + delta, init);
        self.publish();
        Some(before as u64)
    }

    /// Returns what instructions look at; the address stays valid as long as the table lives.
    #[must_use]
    pub fn vm(&self) -> *const VmTable {
        self.vm.as_ptr()
    }

    /// Returns the elements.
    #[must_use]
    pub fn elements(&self) -> &[u64] {
        &self.elements
    }

    /// Returns the elements, to be written.
    #[must_use]
    pub fn elements_mut(&mut self) -> &mut [u64] {
        &mut self.elements
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: V3. It was made from a box, and nothing uses it after the table.
        drop(unsafe { Box::from_raw(self.vm.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    use wasmos_frontend::types::{Limits, ValType};

    use super::*;

    fn table(min: u64, max: Option<u64>, limit: u64) -> Result<Table, TableLimit> {
        let limits = Limits { min, max };
        Table::new(TableType { address: AddressType::I32, limits, element: ValType::FUNCREF }, 5, limit)
    }

    #[test]
    fn it_grows_to_its_maximum_and_to_the_limit() {
        let mut own = table(1, Some(3), u64::MAX).unwrap();
        assert_eq!((own.grow(2, 7), own.grow(1, 7), own.elements()), (Some(1), None, &[5, 7, 7][..]));
        let mut limited = table(0, None, 2).unwrap();
        assert_eq!(
            (limited.grow(u64::MAX, 0), limited.grow(2, 0), limited.grow(1, 0)),
            (None, Some(0), None)
        );
        assert_eq!(table(3, None, 2).unwrap_err(), TableLimit { min: 3, limit: 2 });
    }

    #[test]
    fn what_instructions_look_at_follows_growth() {
        let mut table = table(1, None, 1_000).unwrap();
        table.grow(999, 1).unwrap();
        // SAFETY: V1. The table lives and is not being changed.
        let vm = unsafe { &*table.vm() };
        assert_eq!((vm.len, vm.elements.cast_const()), (1_000, table.elements().as_ptr()));
    }
}

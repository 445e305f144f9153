//! Memories, tables and globals of a store, as handles.

use wasmos_abi::TrapCode;
use wasmos_backend::vm::{GlobalId, MemoryId, TableId};
use wasmos_frontend::types::{GlobalType, MemoryType, TableType};
use wasmos_frontend::validate::{check_memory_type, check_table_size};

use crate::error::Error;
use crate::store::{AsStore, Store, StoreId, StoreInner};
use crate::value::Val;

/// A linear memory of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    pub(crate) store: StoreId,
    pub(crate) id: MemoryId,
}

impl Memory {
    /// Makes a memory that modules can import.
    ///
    /// # Errors
    /// [`Error::BadType`], [`Error::Limit`], [`Error::Resources`].
    pub fn new<T>(store: &mut Store<T>, ty: MemoryType) -> Result<Self, Error> {
        check_memory_type(&ty).map_err(Error::BadType)?;
        Ok(Self { store: store.inner.id, id: store.inner.add_memory(ty)? })
    }

    /// Returns the type, with the size that it has now as the least.
    #[must_use]
    pub fn ty(&self, store: &impl AsStore) -> MemoryType {
        self.ty_in(&store.store().inner)
    }

    pub(crate) fn ty_in(&self, store: &StoreInner) -> MemoryType {
        store.check(self.store);
        let memory = store.machine.memory(self.id);
        let mut ty = *memory.ty();
        ty.limits.min = memory.pages();
        ty
    }

    /// Returns the size in pages.
    #[must_use]
    pub fn pages(&self, store: &impl AsStore) -> u64 {
        let store = &store.store().inner;
        store.check(self.store);
        store.machine.memory(self.id).pages()
    }

    /// Returns the bytes. They borrow the store, so that no view outlives what the guest does next:
    ///
    /// ```compile_fail,E0502
    /// # use wasmos_runtime::{Instance, Memory, Store};
    /// fn stale(store: &mut Store<()>, memory: Memory) -> u8 {
    ///     let view = memory.data(store);
    ///     let _ = memory.grow(store, 1);
    ///     view[0]
    /// }
    /// ```
    #[must_use]
    pub fn data<'s>(&self, store: &'s impl AsStore) -> &'s [u8] {
        let store = &store.store().inner;
        store.check(self.store);
        store.machine.memory(self.id).bytes()
    }

    /// Returns the bytes, to be changed.
    #[must_use]
    pub fn data_mut<'s>(&self, store: &'s mut impl AsStore) -> &'s mut [u8] {
        let store = &mut store.store_mut().inner;
        store.check(self.store);
        store.machine.memory_bytes_mut(self.id)
    }

    /// Copies bytes from `addr` on.
    ///
    /// # Errors
    /// [`TrapCode::MemoryOutOfBounds`] unless all of them are there.
    pub fn read(&self, store: &impl AsStore, addr: usize, into: &mut [u8]) -> Result<(), TrapCode> {
        let end = addr.checked_add(into.len()).ok_or(TrapCode::MemoryOutOfBounds)?;
        into.copy_from_slice(self.data(store).get(addr..end).ok_or(TrapCode::MemoryOutOfBounds)?);
        Ok(())
    }

    /// Copies bytes to `addr`.
    ///
    /// # Errors
    /// [`TrapCode::MemoryOutOfBounds`] unless there is room for all of them; nothing is written then.
    pub fn write(&self, store: &mut impl AsStore, addr: usize, bytes: &[u8]) -> Result<(), TrapCode> {
        let end = addr.checked_add(bytes.len()).ok_or(TrapCode::MemoryOutOfBounds)?;
        self.data_mut(store).get_mut(addr..end).ok_or(TrapCode::MemoryOutOfBounds)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Grows by `delta_pages` and returns the size before, in pages; `None` leaves the memory as it was.
    #[must_use]
    pub fn grow(&self, store: &mut impl AsStore, delta_pages: u64) -> Option<u64> {
        let store = &mut store.store_mut().inner;
        store.check(self.store);
        store.machine.grow_memory(self.id, delta_pages)
    }
}

/// A table of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    pub(crate) store: StoreId,
    pub(crate) id: TableId,
}

impl Table {
    /// Makes a table that modules can import, all elements being `init`.
    ///
    /// # Errors
    /// [`Error::BadType`], [`Error::Limit`], [`Error::Resources`], [`Error::WrongType`].
    pub fn new<T>(store: &mut Store<T>, ty: TableType, init: Val) -> Result<Self, Error> {
        check_table_size(&ty).map_err(Error::BadType)?;
        store.inner.must_fit(&init, ty.element)?;
        let init = store.inner.reference(init);
        Ok(Self { store: store.inner.id, id: store.inner.add_table(ty, init)? })
    }

    /// Returns the type, with the size that it has now as the least.
    #[must_use]
    pub fn ty(&self, store: &impl AsStore) -> TableType {
        self.ty_in(&store.store().inner)
    }

    pub(crate) fn ty_in(&self, store: &StoreInner) -> TableType {
        store.check(self.store);
        let table = store.machine.table(self.id);
        let mut ty = *table.ty();
        ty.limits.min = table.len() as u64;
        ty
    }

    /// Returns how many elements there are.
    #[must_use]
    pub fn len(&self, store: &impl AsStore) -> u64 {
        self.ty(store).limits.min
    }

    /// Returns whether there are no elements.
    #[must_use]
    pub fn is_empty(&self, store: &impl AsStore) -> bool {
        self.len(store) == 0
    }

    /// Returns the element at `index`; `None` if there is no such element.
    #[must_use]
    pub fn get(&self, store: &impl AsStore, index: u64) -> Option<Val> {
        let inner = &store.store().inner;
        inner.check(self.store);
        let bits = inner.machine.table_get(self.id, index)?.bits();
        Some(Val::from_slots(inner, inner.machine.table(self.id).ty().element, &[bits]))
    }

    /// Sets the element at `index`; `None` if there is no such element.
    ///
    /// # Errors
    /// [`Error::WrongType`].
    pub fn set(&self, store: &mut impl AsStore, index: u64, value: Val) -> Result<Option<()>, Error> {
        let inner = &mut store.store_mut().inner;
        inner.check(self.store);
        inner.must_fit(&value, inner.machine.table(self.id).ty().element)?;
        let value = inner.reference(value);
        Ok(inner.machine.table_set(self.id, index, value))
    }

    /// Grows by `delta` elements of value `init` and returns the length before; `None` leaves the table as it was.
    ///
    /// # Errors
    /// [`Error::WrongType`].
    pub fn grow(&self, store: &mut impl AsStore, delta: u64, init: Val) -> Result<Option<u64>, Error> {
        let inner = &mut store.store_mut().inner;
        inner.check(self.store);
        inner.must_fit(&init, inner.machine.table(self.id).ty().element)?;
        let init = inner.reference(init);
        Ok(inner.machine.grow_table(self.id, delta, init))
    }
}

/// A global of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Global {
    pub(crate) store: StoreId,
    pub(crate) id: GlobalId,
}

impl Global {
    /// Makes a global that modules can import.
    ///
    /// # Errors
    /// [`Error::WrongType`].
    pub fn new<T>(store: &mut Store<T>, ty: GlobalType, value: Val) -> Result<Self, Error> {
        store.inner.must_fit(&value, ty.value)?;
        let slots = value.to_slots(&store.inner);
        Ok(Self { store: store.inner.id, id: store.inner.add_global(ty, slots) })
    }

    /// Returns the type.
    #[must_use]
    pub fn ty(&self, store: &impl AsStore) -> GlobalType {
        self.ty_in(&store.store().inner)
    }

    pub(crate) fn ty_in(&self, store: &StoreInner) -> GlobalType {
        store.check(self.store);
        store.global_types[self.id.index()]
    }

    /// Returns the value.
    #[must_use]
    pub fn get(&self, store: &impl AsStore) -> Val {
        let inner = &store.store().inner;
        let ty = self.ty_in(inner);
        Val::from_slots(inner, ty.value, &inner.machine.global(self.id))
    }

    /// Sets the value.
    ///
    /// # Errors
    /// [`Error::WrongType`], also if the global is immutable.
    pub fn set(&self, store: &mut impl AsStore, value: Val) -> Result<(), Error> {
        let inner = &mut store.store_mut().inner;
        let ty = self.ty_in(inner);
        if !ty.mutable {
            return Err(Error::WrongType { wanted: "mutable global".into(), found: "immutable one".into() });
        }
        inner.must_fit(&value, ty.value)?;
        let slots = value.to_slots(inner);
        inner.machine.set_global(self.id, slots);
        Ok(())
    }
}

impl StoreInner {
    fn must_fit(&self, value: &Val, wanted: wasmos_frontend::types::ValType) -> Result<(), Error> {
        if self.fits(value, wanted) {
            return Ok(());
        }
        Err(Error::WrongType { wanted: wanted.to_string(), found: value.ty().to_string() })
    }

    /// Returns a value of reference type as the machine holds it.
    pub(crate) fn reference(&self, value: Val) -> wasmos_backend::vm::Ref {
        let [bits, _] = value.to_slots(self);
        self.machine.ref_from_bits(bits).unwrap_or(wasmos_backend::vm::Ref::NULL)
    }
}

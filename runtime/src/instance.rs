//! Instances, and what they export.

use wasmos_backend::vm::InstanceId;
use wasmos_frontend::module::{ExternIdx, ExternKind};

use crate::error::Error;
use crate::func::{Func, TypedFunc};
use crate::module::Module;
use crate::objects::{Global, Memory, Table};
use crate::store::{AsStore, StoreId, StoreInner};
use crate::value::WasmTuple;

/// An instance of a module in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    pub(crate) store: StoreId,
    pub(crate) id: InstanceId,
}

/// Something that is imported or exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
    /// A global.
    Global(Global),
}

impl Extern {
    /// Returns what it is.
    #[must_use]
    pub const fn kind(&self) -> ExternKind {
        match self {
            Self::Func(_) => ExternKind::Func,
            Self::Table(_) => ExternKind::Table,
            Self::Memory(_) => ExternKind::Memory,
            Self::Global(_) => ExternKind::Global,
        }
    }

    /// Returns the function, if it is one.
    #[must_use]
    pub const fn into_func(self) -> Option<Func> {
        if let Self::Func(func) = self { Some(func) } else { None }
    }

    /// Returns the table, if it is one.
    #[must_use]
    pub const fn into_table(self) -> Option<Table> {
        if let Self::Table(table) = self { Some(table) } else { None }
    }

    /// Returns the memory, if it is one.
    #[must_use]
    pub const fn into_memory(self) -> Option<Memory> {
        if let Self::Memory(memory) = self { Some(memory) } else { None }
    }

    /// Returns the global, if it is one.
    #[must_use]
    pub const fn into_global(self) -> Option<Global> {
        if let Self::Global(global) = self { Some(global) } else { None }
    }

    /// Returns the type as text.
    pub(crate) fn describe(&self, store: &StoreInner) -> String {
        match self {
            Self::Func(func) => func.ty_in(store).to_string(),
            Self::Table(table) => format!("(table {})", table.ty_in(store)),
            Self::Memory(memory) => format!("(memory {})", memory.ty_in(store)),
            Self::Global(global) => format!("(global {})", global.ty_in(store)),
        }
    }
}

impl Instance {
    /// Returns the module.
    #[must_use]
    pub fn module(&self, store: &impl AsStore) -> Module {
        let inner = &store.store().inner;
        inner.check(self.store);
        inner.instance(self.id).module.clone()
    }

    /// Returns what is exported under a name. A tag is not: nothing throws yet.
    #[must_use]
    pub fn get_export<S: AsStore + ?Sized>(&self, store: &mut S, name: &str) -> Option<Extern> {
        let inner = &mut store.store_mut().inner;
        inner.check(self.store);
        let item = inner.instance(self.id).module.export(name)?.item;
        inner.extern_at(*self, item)
    }

    /// Returns every export: name (untrusted text) and what it is.
    #[must_use]
    pub fn exports(&self, store: &mut impl AsStore) -> Vec<(String, Extern)> {
        let inner = &mut store.store_mut().inner;
        inner.check(self.store);
        let module = inner.instance(self.id).module.clone();
        let valid = module.decoded();
        let export = |export: &wasmos_frontend::module::Export| {
            let item = inner.extern_at(*self, export.item)?;
            Some((valid.text(export.name).to_owned(), item))
        };
        valid.exports.iter().filter_map(export).collect()
    }

    /// Returns the function that is exported under a name.
    #[must_use]
    pub fn get_func(&self, store: &mut impl AsStore, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// Returns the function that is exported under a name, as one of a Rust type.
    ///
    /// # Errors
    /// [`Error::NoExport`], [`Error::WrongType`].
    pub fn get_typed_func<P: WasmTuple, R: WasmTuple>(
        &self,
        store: &mut impl AsStore,
        name: &str,
    ) -> Result<TypedFunc<P, R>, Error> {
        let func = self.get_func(store, name);
        func.ok_or_else(|| Error::NoExport { kind: "function", name: name.into() })?.typed(store)
    }

    /// Returns the memory that is exported under a name.
    #[must_use]
    pub fn get_memory(&self, store: &mut impl AsStore, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// Returns the table that is exported under a name.
    #[must_use]
    pub fn get_table(&self, store: &mut impl AsStore, name: &str) -> Option<Table> {
        self.get_export(store, name)?.into_table()
    }

    /// Returns the global that is exported under a name.
    #[must_use]
    pub fn get_global(&self, store: &mut impl AsStore, name: &str) -> Option<Global> {
        self.get_export(store, name)?.into_global()
    }
}

impl StoreInner {
    fn extern_at(&mut self, instance: Instance, item: ExternIdx) -> Option<Extern> {
        let store = self.id;
        let data = self.instance(instance.id);
        Some(match item {
            ExternIdx::Func(func) => Extern::Func(Func { store, func: self.machine.func(instance.id, func) }),
            ExternIdx::Table(index) => Extern::Table(Table { store, id: *data.tables.get(index.index())? }),
            ExternIdx::Memory(index) => {
                Extern::Memory(Memory { store, id: *data.memories.get(index.index())? })
            }
            ExternIdx::Global(index) => {
                Extern::Global(Global { store, id: *data.globals.get(index.index())? })
            }
            ExternIdx::Tag(_) => return None,
        })
    }
}

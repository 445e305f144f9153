//! The linker: names to definitions, of the host or of other instances.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use wasmos_abi::Capability;
use wasmos_frontend::types::FuncType;

use crate::engine::Engine;
use crate::error::Error;
use crate::host::{Caller, HostFailure, HostFunc, IntoHostFunc};
use crate::instance::{Extern, Instance};
use crate::module::Module;
use crate::store::Store;
use crate::value::Val;

/// What becomes of an import that nobody defines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownImports {
    /// Linking fails, naming it.
    #[default]
    Refuse,
    /// A function traps when it is called; anything else is refused.
    Trap,
    /// A function returns zeros and nulls; anything else is refused.
    Zero,
}

/// Names to definitions.
pub struct Linker<T> {
    engine: Engine,
    /// By module and name.
    definitions: HashMap<Box<str>, HashMap<Box<str>, Definition<T>>>,
    /// What becomes of an import that nobody defines.
    pub unknown_imports: UnknownImports,
}

/// What a name stands for.
pub(crate) enum Definition<T> {
    /// A function of the host, which each store gets its own of.
    Host(Arc<HostFunc<T>>),
    /// Something of a store.
    Extern(Extern),
}

impl<T> fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linker").field("modules", &self.definitions.len()).finish_non_exhaustive()
    }
}

impl<T> Linker<T> {
    /// Makes a linker without definitions.
    #[must_use]
    pub fn new(engine: &Engine) -> Self {
        Self { engine: engine.clone(), definitions: HashMap::new(), unknown_imports: UnknownImports::Refuse }
    }

    /// Returns the engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition<T>) -> Result<&mut Self, Error> {
        if self.get(module, name).is_some() {
            return Err(Error::DefinedTwice { module: module.into(), name: name.into() });
        }
        self.definitions.entry(module.into()).or_default().insert(name.into(), definition);
        Ok(self)
    }

    /// Defines a function of the host by a closure.
    ///
    /// # Errors
    /// [`Error::DefinedTwice`].
    pub fn func_wrap<Marker>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoHostFunc<T, Marker>,
    ) -> Result<&mut Self, Error> {
        self.insert(module, name, Definition::Host(HostFunc::typed(module, name, func).into()))
    }

    /// Defines a function of the host that a capability guards.
    ///
    /// # Errors
    /// [`Error::DefinedTwice`].
    pub fn func_wrap_guarded<Marker>(
        &mut self,
        (module, name): (&str, &str),
        capability: Capability,
        func: impl IntoHostFunc<T, Marker>,
    ) -> Result<&mut Self, Error> {
        let func = HostFunc { capability: Some(capability), ..HostFunc::typed(module, name, func) };
        self.insert(module, name, Definition::Host(func.into()))
    }

    /// Defines a function of the host of any type, by a closure that takes values and fills in results.
    ///
    /// # Errors
    /// [`Error::DefinedTwice`].
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), HostFailure> + Send + Sync + 'static,
    ) -> Result<&mut Self, Error> {
        self.insert(module, name, Definition::Host(HostFunc::dynamic(module, name, ty, func).into()))
    }

    /// Defines a name by something of a store.
    ///
    /// # Errors
    /// [`Error::DefinedTwice`].
    pub fn define(&mut self, module: &str, name: &str, item: Extern) -> Result<&mut Self, Error> {
        self.insert(module, name, Definition::Extern(item))
    }

    /// Defines each export of an instance under a module name; what was defined under that name goes.
    ///
    /// # Errors
    /// None now; kept for the exports that cannot be defined.
    pub fn instance(
        &mut self,
        store: &mut Store<T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Self, Error> {
        self.definitions.remove(module);
        for (name, item) in instance.exports(store) {
            self.insert(module, &name, Definition::Extern(item))?;
        }
        Ok(self)
    }

    /// Returns the type of a function of the host that is defined.
    #[must_use]
    pub fn host_type(&self, module: &str, name: &str) -> Option<FuncType> {
        match self.get(module, name)? {
            Definition::Host(func) => Some(func.ty.clone()),
            Definition::Extern(_) => None,
        }
    }

    /// Returns how many names are defined.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.definitions.values().map(HashMap::len).sum()
    }

    pub(crate) fn get(&self, module: &str, name: &str) -> Option<&Definition<T>> {
        self.definitions.get(module)?.get(name)
    }

    /// Links, instantiates and runs the start function.
    ///
    /// # Errors
    /// [`Error::Link`] naming the import, [`Error::Guest`] if a segment or the start function traps or a limit ends it,
    /// [`Error::Limit`] if the module needs more at once than the store may use, [`Error::Resources`].
    pub fn instantiate(&self, store: &mut Store<T>, module: &Module) -> Result<Instance, Error> {
        crate::instantiate::instantiate(self, store, module)
    }
}

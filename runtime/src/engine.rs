//! What many modules and stores share: the features that are on, and the space in which their types are compared.

use std::sync::{Arc, PoisonError, RwLock};

use wasmos_backend::jit;
use wasmos_backend::vm::Tier;
use wasmos_frontend::Features;
use wasmos_frontend::registry::TypeRegistry;
use wasmos_frontend::types::{FuncType, TypeIdx, ValType};

use crate::error::Error;

/// How an [`Engine`] is made.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What modules may use; all features by default.
    pub features: Features,
    /// When bodies are validated; before anything runs by default.
    pub validation: Validation,
    /// What runs guest code; the interpreter by default.
    pub backend: Backend,
}

/// When the bodies of a module are validated. All other rules are checked when the module is made, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// When the module is made: nothing of an invalid module ever runs.
    #[default]
    Eager,
    /// A body at its first call, so that a large module starts at once. No instruction runs that has not been validated,
    /// but functions with valid bodies run in a module that is not valid. The call of one with another body ends the
    /// run by [`Error::Module`], as does every later call of it. [`crate::Module::validate`] checks what is left, on any
    /// thread, while the module is in use.
    Lazy,
}

/// What runs guest code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// The interpreter: starts at once.
    #[default]
    Interpreter,
    /// Native code: all bodies of a module are compiled when it is made ready.
    Jit(jit::Options),
}

impl Backend {
    pub(crate) const fn tier(self) -> Tier {
        match self {
            Self::Interpreter => Tier::Interpreter,
            Self::Jit(options) => Tier::Jit(options.bounds),
        }
    }
}

/// What many modules and stores share. Cloning it gives another handle to the same engine.
#[derive(Clone, Debug, Default)]
pub struct Engine(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    config: Config,
    types: RwLock<TypeRegistry>,
}

impl Engine {
    /// Makes an engine.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self(Arc::new(Inner { config, types: RwLock::default() }))
    }

    /// Returns what modules may use.
    #[must_use]
    pub fn features(&self) -> Features {
        self.0.config.features
    }

    /// Returns when bodies are validated.
    #[must_use]
    pub fn validation(&self) -> Validation {
        self.0.config.validation
    }

    /// Returns what runs guest code.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.0.config.backend
    }

    /// Returns whether both are handles to one engine.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Calls `read` with the types of all modules. A panic elsewhere leaves the registry whole: it only grows.
    pub(crate) fn with_types<R>(&self, read: impl FnOnce(&TypeRegistry) -> R) -> R {
        read(&self.0.types.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn with_types_mut<R>(&self, change: impl FnOnce(&mut TypeRegistry) -> R) -> R {
        change(&mut self.0.types.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the index of a host function's type.
    pub(crate) fn register_func(&self, ty: &FuncType) -> Result<TypeIdx, Error> {
        self.with_types_mut(|types| types.register_func(ty.clone())).map_err(|_| Error::TooManyTypes)
    }

    /// Returns the function type at an index of the registry.
    pub(crate) fn func_type(&self, index: TypeIdx) -> FuncType {
        let ty = self.with_types(|types| types.get(index).and_then(|ty| ty.func()).cloned());
        ty.unwrap_or_else(|| FuncType::new(&[], &[]))
    }

    /// Returns whether a value of type `sub` may stand where `sup` is expected; both are types of the registry.
    pub(crate) fn matches(&self, sub: ValType, sup: ValType) -> bool {
        sub == sup || self.with_types(|types| types.matches(sub, sup))
    }

    pub(crate) fn extends(&self, sub: TypeIdx, sup: TypeIdx) -> bool {
        sub == sup || self.with_types(|types| types.extends(sub, sup))
    }
}

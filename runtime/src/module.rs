//! A module that is ready to be instantiated, any number of times, on any thread.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use wasmos_backend::interp::{IsSubtype, ModuleCode};
use wasmos_backend::jit::artifact::{Authentic, MacKey, ModuleHash, Refusal};
use wasmos_backend::jit::{Options as JitOptions, Watch};
use wasmos_backend::vm::TypeId;
use wasmos_frontend::module::{Export, ExternKind, Import};
use wasmos_frontend::registry::map_val;
use wasmos_frontend::types::{FuncIdx, FuncType, TypeIdx, ValType};
use wasmos_frontend::{LazyModule, ValidModule, decode_with, validate_lazily};

use crate::engine::{Backend, Engine, Validation};
use crate::error::Error;

/// A module that is ready to be instantiated. Cloning it gives another handle to the same code.
#[derive(Clone)]
pub struct Module(Arc<Inner>);

struct Inner {
    engine: Engine,
    decoded: LazyModule,
    /// By type of the module: its index in the engine's registry.
    types: Box<[TypeIdx]>,
    code: Arc<ModuleCode>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("bytes", &self.0.decoded.bytes().len()).finish_non_exhaustive()
    }
}

impl Module {
    /// Decodes, validates and prepares a module. The interpreter translates bodies when they are first called; with
    /// [`Validation::Lazy`] they are also validated then. The JIT validates and compiles all of them now.
    ///
    /// # Errors
    /// [`Error::Module`] with the place, [`Error::Unsupported`].
    pub fn new(engine: &Engine, bytes: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let module = validate_lazily(decode_with(bytes, engine.features())?)?;
        if engine.validation() == Validation::Eager {
            module.validate()?;
        }
        Self::prepare(engine, module)
    }

    /// Prepares a module that has been validated.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    pub fn from_valid(engine: &Engine, valid: impl Into<LazyModule>) -> Result<Self, Error> {
        Self::prepare(engine, valid.into())
    }

    fn prepare(engine: &Engine, decoded: LazyModule) -> Result<Self, Error> {
        match engine.backend() {
            Backend::Interpreter => Ok(Self::with_code(engine, decoded, ModuleCode::new)??),
            Backend::Jit(options) => Self::compile(engine, decoded, options, &|_| ControlFlow::Continue(())),
        }
    }

    /// Compiles a module, as long as `watch` says so.
    pub(crate) fn compile(
        engine: &Engine,
        decoded: LazyModule,
        options: JitOptions,
        watch: Watch<'_>,
    ) -> Result<Self, Error> {
        let made = Self::with_code(engine, decoded, |decoded, ids, is_subtype| {
            ModuleCode::compile(decoded, ids, is_subtype, options, watch)
        })?;
        Ok(made?)
    }

    /// Makes a module ready by code that was compiled before; the inner error says why that is refused.
    pub(crate) fn load(
        engine: &Engine,
        decoded: LazyModule,
        code: (Authentic, &ModuleHash),
        options: JitOptions,
    ) -> Result<Result<Self, Refusal>, Error> {
        Self::with_code(engine, decoded, |decoded, ids, is_subtype| {
            ModuleCode::load(decoded, ids, is_subtype, code, options)
        })
    }

    /// Makes what `code` makes of types and bodies.
    fn with_code<E>(
        engine: &Engine,
        decoded: LazyModule,
        code: impl FnOnce(LazyModule, Box<[TypeId]>, IsSubtype) -> Result<ModuleCode, E>,
    ) -> Result<Result<Self, E>, Error> {
        let types =
            engine.with_types_mut(|types| types.register(&decoded)).map_err(|_| Error::TooManyTypes)?;
        let ids = types.iter().map(|index| TypeId(index.0)).collect();
        let registry = engine.clone();
        let is_subtype =
            Arc::new(move |sub: TypeId, sup: TypeId| registry.extends(TypeIdx(sub.0), TypeIdx(sup.0)));
        let code = code(decoded.clone(), ids, is_subtype).map(Arc::new);
        Ok(code.map(|code| Self(Arc::new(Inner { engine: engine.clone(), decoded, types, code }))))
    }

    /// Returns the engine that it was made for.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Returns what the module is made of: types, imports, bodies, names.
    #[must_use]
    pub fn decoded(&self) -> &wasmos_frontend::Module {
        &self.0.decoded
    }

    /// Validates what has not been validated, which is nothing but with [`Validation::Lazy`]; the module may be running
    /// on another thread meanwhile.
    ///
    /// # Errors
    /// [`Error::Module`] with the first function whose body breaks a rule.
    pub fn validate(&self) -> Result<ValidModule, Error> {
        Ok(self.0.decoded.validate()?)
    }

    /// Returns the native code as an artifact, with the module in it if `with_module`; `None` if it has none.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    pub fn artifact(&self, key: &MacKey, with_module: bool) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.code.artifact(key, with_module)?)
    }

    /// Yields the exports: name (untrusted text) and what it is.
    pub fn exports(&self) -> impl Iterator<Item = (&str, ExternKind)> {
        self.0.decoded.exports.iter().map(|export| (self.0.decoded.text(export.name), export.item.kind()))
    }

    /// Yields the imports: module and name (untrusted text) and what is wanted.
    pub fn imports(&self) -> impl Iterator<Item = (&str, &str, &Import)> {
        self.0
            .decoded
            .imports
            .iter()
            .map(|import| (self.0.decoded.text(import.module), self.0.decoded.text(import.name), import))
    }

    /// Returns the type of an exported function.
    #[must_use]
    pub fn export_func_type(&self, name: &str) -> Option<FuncType> {
        match self.export(name)?.item {
            wasmos_frontend::module::ExternIdx::Func(func) => Some(self.func_type(func)),
            _ => None,
        }
    }

    pub(crate) fn export(&self, name: &str) -> Option<&Export> {
        self.0.decoded.export(name)
    }

    pub(crate) fn code(&self) -> &Arc<ModuleCode> {
        &self.0.code
    }

    /// Returns the registry's index of a type of the module.
    pub(crate) fn type_idx(&self, index: TypeIdx) -> TypeIdx {
        self.0.types.get(index.index()).copied().unwrap_or(index)
    }

    /// Returns a type of the module as one of the registry.
    pub(crate) fn map(&self, ty: ValType) -> ValType {
        map_val(ty, &self.0.types)
    }

    /// Returns a function's type, in types of the registry.
    pub(crate) fn func_type(&self, func: FuncIdx) -> FuncType {
        let index = self.0.decoded.funcs.get(func.index()).map_or(TypeIdx(0), |func| func.ty);
        self.0.engine.func_type(self.type_idx(index))
    }
}

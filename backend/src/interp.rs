//! The interpreter: the tier that runs at once, and the reference for the others.
//!
//! A body is translated at its first call, in one pass over its bytes (`translate`), to ops for a register machine
//! over frame slots (`ops`). A machine ([`crate::vm::Machine`]) runs them.

pub(crate) mod offsets;
pub(crate) mod ops;
pub(crate) mod regs;
pub(crate) mod translate;

use core::fmt;
use core::mem::offset_of;
use core::sync::atomic::{AtomicPtr, Ordering};
use std::sync::Arc;

use wasmos_frontend::types::{FuncIdx, TypeIdx};
use wasmos_frontend::validate::ValidBody;
use wasmos_frontend::{Feature, Features, LazyModule};

use crate::error::Error;
use crate::interp::ops::call::{HOST_STUB, NO_FUNC};
use crate::interp::ops::{call, control};
use crate::interp::regs::{Handler, exit};
use crate::jit::artifact::{self, Authentic, MacKey, ModuleHash, Refusal};
use crate::jit::{self, Compiled, Options, Watch};
use crate::vm::TypeId;
use crate::vm::chunked::Chunked;

pub(crate) use regs::Registers;

/// A body that can be entered. It is never changed after it was published (V6).
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Body {
    /// The first op, with a `charge` op in front of it.
    pub(crate) entry: *const u64,
    /// What the entry is tested for.
    pub(crate) test: i32,
    /// What it pays.
    pub(crate) total: i32,
    /// What a frame costs of the call depth, in bytes (promise P6).
    pub(crate) depth_cost: u32,
    /// The first slot to be cleared.
    pub(crate) zero_from: u32,
    /// How many slots are to be cleared.
    pub(crate) n_zero: u32,
    /// Index of the function, in the upper half: what a frame's header has of it.
    pub(crate) tag: u64,
    /// What `entry` points into.
    _ops: Box<[u64]>,
}

impl Body {
    pub(crate) fn func(&self) -> u32 {
        (self.tag >> 32) as u32
    }
}

/// What is behind every reference and every call: a function's body, or a stub until there is one.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Cell {
    pub(crate) body: AtomicPtr<Body>,
    /// Index of the function in its module; for a host's function its position in the machine's list.
    pub(crate) func: u32,
    stub: Option<Box<Stub>>,
}

/// The code of a function that has not been called.
#[derive(Debug)]
#[repr(C)]
struct Stub {
    /// `charge` of nothing, then `lazy` and the cell.
    ops: [u64; 4],
    body: Body,
}

/// The code of a host's function.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct HostStub {
    charge: Handler,
    /// Nothing is charged.
    nothing: u64,
    call: Handler,
    pub(crate) back: Handler,
    pub(crate) n_params: u32,
    pub(crate) n_results: u32,
    /// Position in the machine's list of the host's functions.
    pub(crate) position: u64,
}

const HOST_WORDS: usize = size_of::<HostStub>() / 8;

// SAFETY: V6. What the pointers lead to is not changed after it was published.
unsafe impl Send for Body {}
// SAFETY: V6. As above.
unsafe impl Sync for Body {}

fn word(handler: Handler) -> u64 {
    handler as usize as u64
}

fn stub_body(entry: *const u64, func: u32, ops: Box<[u64]>) -> Body {
    let tag = u64::from(func) << 32;
    Body { entry, test: 0, total: 0, depth_cost: 0, zero_from: 0, n_zero: 0, tag, _ops: ops }
}

impl Cell {
    /// Makes the cell of a defined function, to be translated at its first call.
    fn lazy(func: u32) -> Box<Self> {
        let mut stub = Box::new(Stub {
            ops: [word(control::charge), 0, word(call::lazy), 0],
            body: stub_body(core::ptr::null(), func, Box::default()),
        });
        stub.body.entry = &raw const stub.ops[2];
        let mut cell = Box::new(Self { body: AtomicPtr::new(core::ptr::null_mut()), func, stub: None });
        stub.ops[3] = core::ptr::from_ref(&*cell) as u64;
        *cell.body.get_mut() = &raw mut stub.body;
        cell.stub = Some(stub);
        cell
    }

    /// Makes the cell of a host's function.
    pub(crate) fn host(position: u32, n_params: u32, n_results: u32) -> Box<Self> {
        let [call, back] = HOST_STUB;
        let slots = u64::from(n_params) | u64::from(n_results) << 32;
        let ops: [u64; HOST_WORDS] =
            [word(control::charge), 0, word(call), word(back), slots, position.into()];
        let ops: Box<[u64]> = Box::new(ops);
        let entry = &raw const ops[2];
        let body = Box::new(stub_body(entry, NO_FUNC, ops));
        Box::new(Self { body: AtomicPtr::new(Box::into_raw(body)), func: position, stub: None })
    }

    /// Publishes a body, unless another thread was first; returns what is published.
    fn publish(&self, body: Box<Body>) -> *const Body {
        let Some(stub) = &self.stub else { return self.body.load(Ordering::Acquire) };
        let (old, new) = ((&raw const stub.body).cast_mut(), Box::into_raw(body));
        match self.body.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => new,
            Err(published) => {
                // SAFETY: it was made from a box above, and nobody else has seen it.
                drop(unsafe { Box::from_raw(new) });
                published
            }
        }
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        let body = *self.body.get_mut();
        let is_stub = self.stub.as_ref().is_some_and(|stub| core::ptr::eq(&raw const stub.body, body));
        if !is_stub {
            // SAFETY: what is published was made from a box, and the cell owns it.
            drop(unsafe { Box::from_raw(body) });
        }
    }
}

/// Says whether one function type may stand for another.
pub type IsSubtype = Arc<dyn Fn(TypeId, TypeId) -> bool + Send + Sync>;

/// A module ready to run, shared between its instances and between threads. Bodies are translated when they are first
/// called.
pub struct ModuleCode {
    module: LazyModule,
    type_ids: Box<[TypeId]>,
    is_subtype: IsSubtype,
    cells: Chunked<Box<Cell>>,
    /// Whether each instruction of its bodies can be observed.
    is_observed: bool,
    native: Option<Arc<Compiled>>,
}

impl fmt::Debug for ModuleCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleCode").field("funcs", &self.module.funcs.len()).finish_non_exhaustive()
    }
}

/// What this tier does not run yet.
const UNSUPPORTED: [Feature; 3] = [Feature::Gc, Feature::Exceptions, Feature::LegacyExceptions];

fn check_supported(used: Features) -> Result<(), Error> {
    let missing = UNSUPPORTED.into_iter().find(|feature| used.contains(*feature));
    missing.map_or(Ok(()), |feature| Err(Error::Unsupported { feature }))
}

impl ModuleCode {
    /// Makes a module ready: nothing is translated yet. What has not been validated is validated at the first call.
    ///
    /// `type_ids` has the identity of each type of the module, in order. `is_subtype` is asked where an indirect call
    /// finds a function of another type than the one it names.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    ///
    /// # Panics
    /// If `type_ids` is not as long as the module's list of types.
    pub fn new(
        module: impl Into<LazyModule>,
        type_ids: Box<[TypeId]>,
        is_subtype: IsSubtype,
    ) -> Result<Self, Error> {
        let module = module.into();
        assert_eq!(type_ids.len(), module.types.len(), "one identity for each type");
        check_supported(module.instructions_used())?;
        let cells = Chunked::new(module.bodies.len());
        Ok(Self { module, type_ids, is_subtype, cells, is_observed: false, native: None })
    }

    /// Returns the same module as code that a machine can observe, instruction by instruction: with an op in front of
    /// each, and none joined with another. Results, traps and fuel are the same.
    #[must_use]
    pub fn observed(&self) -> Self {
        Self {
            module: self.module.clone(),
            type_ids: self.type_ids.clone(),
            is_subtype: Arc::clone(&self.is_subtype),
            cells: Chunked::new(self.module.bodies.len()),
            is_observed: true,
            native: None,
        }
    }

    pub(crate) const fn is_observed(&self) -> bool {
        self.is_observed
    }

    /// Makes a module ready for the JIT: all bodies are validated that have not been, and compiled, in parallel, as long
    /// as `watch` says so.
    ///
    /// # Errors
    /// [`Error`].
    ///
    /// # Panics
    /// If `type_ids` is not as long as the module's list of types.
    pub fn compile(
        module: impl Into<LazyModule>,
        type_ids: Box<[TypeId]>,
        is_subtype: IsSubtype,
        options: Options,
        watch: Watch<'_>,
    ) -> Result<Self, Error> {
        let valid = module.into().validate()?;
        let mut code = Self::new(valid.clone(), type_ids, is_subtype)?;
        code.native = Some(Arc::new(jit::compile(&valid, options, watch)?));
        Ok(code)
    }

    /// Makes a module ready for the JIT by code that was compiled before, for a module with this hash, which is its own.
    ///
    /// # Errors
    /// [`Refusal`].
    ///
    /// # Panics
    /// If `type_ids` is not as long as the module's list of types.
    pub fn load(
        module: impl Into<LazyModule>,
        type_ids: Box<[TypeId]>,
        is_subtype: IsSubtype,
        (code, hash): (Authentic, &ModuleHash),
        options: Options,
    ) -> Result<Self, Refusal> {
        // Of a module that cannot be run there is no code.
        let mut ready = Self::new(module, type_ids, is_subtype).map_err(|_| Refusal::Module)?;
        ready.native = Some(Arc::new(code.into_code((&ready.module, hash), options)?));
        Ok(ready)
    }

    /// Returns what [`Self::load`] takes, with the module in it if `with_module`; `None` if there is no native code.
    ///
    /// # Errors
    /// [`Error::Platform`].
    pub fn artifact(&self, key: &MacKey, with_module: bool) -> Result<Option<Vec<u8>>, Error> {
        let Some(native) = &self.native else { return Ok(None) };
        let bytes = self.module.bytes();
        let hash = artifact::hash_module(bytes);
        artifact::write(native, (&hash, with_module.then_some(bytes)), key).map(Some)
    }

    /// Returns the native code; `None` if the module is the interpreter's.
    pub(crate) fn native(&self) -> Option<&Compiled> {
        self.native.as_deref()
    }

    /// Returns the module.
    #[must_use]
    pub fn module(&self) -> &LazyModule {
        &self.module
    }

    /// Returns the body of a defined function, which is validated if it has not been.
    ///
    /// # Errors
    /// Why the function cannot run: [`Error::Invalid`], [`Error::Unsupported`].
    ///
    /// # Panics
    /// If the function is imported.
    pub fn runnable(&self, func: FuncIdx) -> Result<ValidBody<'_>, Error> {
        let Some(body) = self.module.validate_body(func)? else { panic!("{func} is imported") };
        check_supported(body.instructions_used())?;
        Ok(body)
    }

    /// Returns the identity of each type of the module. They never move.
    pub(crate) fn type_ids(&self) -> &[TypeId] {
        &self.type_ids
    }

    pub(crate) fn type_id(&self, index: TypeIdx) -> Option<TypeId> {
        self.type_ids.get(index.index()).copied()
    }

    pub(crate) fn is_subtype(&self, sub: TypeId, sup: TypeId) -> bool {
        (self.is_subtype)(sub, sup)
    }

    /// Returns the cell of a defined function; `None` for an imported one. It never moves.
    pub(crate) fn cell(&self, func: FuncIdx) -> Option<&Cell> {
        let index = func.0.checked_sub(self.module.n_imported_funcs)?;
        self.cells.get_or_init(index as usize, || Cell::lazy(func.0)).map(|cell| &**cell)
    }

    /// Translates a function that is being called for the first time, and returns what is to be entered.
    pub(crate) fn translated(&self, cell: &Cell) -> Result<*const Body, Error> {
        let func = FuncIdx(cell.func);
        let valid = self.runnable(func)?;
        let code = translate::translate(self, valid);
        let charges = (code.entry.test.cast_signed(), code.entry.total.cast_signed());
        let ops: Box<[u64]> = code.ops.into_boxed_slice();
        let body = Body {
            entry: ops[translate::ENTRY..].as_ptr(),
            test: charges.0,
            total: charges.1,
            depth_cost: valid.frame_cost().bytes(),
            zero_from: code.zero_from,
            n_zero: code.n_zero,
            tag: u64::from(func.0) << 32,
            _ops: ops,
        };
        Ok(cell.publish(Box::new(body)))
    }
}

/// Runs until the machine leaves; returns why. The registers are in the state then.
///
/// # Safety
/// V3-V9 hold of the registers.
pub(crate) unsafe fn run(mut registers: Registers) -> u32 {
    // SAFETY: the caller's promise. Each handler that returns has stored registers that keep it.
    unsafe {
        let state = (*registers.context()).state;
        loop {
            let why = registers.step();
            if why != exit::NEXT {
                return why;
            }
            registers = (*state).registers;
        }
    }
}

const _: () = assert!(size_of::<Handler>() == 8, "an op's first word is its handler's address");
const _: () = assert!(offset_of!(HostStub, back) == 24 && HOST_WORDS == 6);

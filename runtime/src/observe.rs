//! Observing runs: what an embedder sees of instructions before they run, and where a run pauses.
//!
//! Only instances that are made after [`Store::observe`] or [`Store::make_observable`] can be observed. Results, traps and
//! fuel are those of any other run, but it is slower; what is not observed pays nothing.

use std::fmt;
use std::sync::Arc;

use wasmos_backend::interp::ModuleCode;
use wasmos_backend::vm::Place;
pub use wasmos_backend::vm::Watch;
use wasmos_frontend::types::{FuncIdx, ValType};

use crate::engine::Backend;
use crate::error::Error;
use crate::instance::Instance;
use crate::module::Module;
use crate::run::{Run, Step};
use crate::store::{AsStore, Store, StoreInner};
use crate::value::Val;

/// What is told of each instruction that is watched for.
pub(crate) type Observer<T> = dyn FnMut(&mut T, &Observed<'_>) + Send;

/// An instruction that is about to run.
pub struct Observed<'a> {
    store: &'a StoreInner,
    place: Place,
}

impl fmt::Debug for Observed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

impl Observed<'_> {
    /// Returns the instance.
    #[must_use]
    pub const fn instance(&self) -> Instance {
        Instance { store: self.store.id, id: self.place.instance }
    }

    /// Returns the module of the instance.
    #[must_use]
    pub fn module(&self) -> &Module {
        &self.store.instance(self.place.instance).module
    }

    /// Returns the function.
    #[must_use]
    pub const fn func(&self) -> FuncIdx {
        self.place.func
    }

    /// Returns the absolute byte offset of the instruction in the module.
    #[must_use]
    pub const fn offset(&self) -> u32 {
        self.place.offset
    }

    /// Returns the fuel that was used in front of the instruction, surcharges included.
    #[must_use]
    pub fn fuel_used(&self) -> u64 {
        self.store.fuel_used()
    }

    /// Returns the locals of the frame, parameters first. It takes time in proportion to the body.
    #[must_use]
    pub fn locals(&self) -> Vec<Val> {
        self.vals(self.store.machine.locals())
    }

    /// Returns the operands of the frame, the lowest first; references count as `i64`. It takes time in proportion to the
    /// body.
    #[must_use]
    pub fn operands(&self) -> Vec<Val> {
        self.vals(self.store.machine.operands())
    }

    fn vals(&self, slots: Vec<(ValType, [u64; 2])>) -> Vec<Val> {
        let module = self.module();
        slots.into_iter().map(|(ty, slots)| Val::from_slots(self.store, module.map(ty), &slots)).collect()
    }
}

impl<T> Store<T> {
    /// Makes the instances that come ready to be observed: by an observer, by breakpoints, step by step.
    /// Native code cannot be observed: of an engine whose backend is the JIT, making an instance panics then.
    pub const fn make_observable(&mut self) {
        self.inner.is_observable = true;
    }

    /// Tells `observer` of the instructions that are watched for, before each of them runs, in instances that are made
    /// from now on. There is one observer, which the next one replaces.
    pub fn observe(&mut self, watch: Watch, observer: impl FnMut(&mut T, &Observed<'_>) + Send + 'static) {
        self.make_observable();
        self.inner.machine.watch(watch);
        self.observer = Some(Box::new(observer));
    }

    /// Makes runs pause in front of the instruction at an offset of an instance's module; returns whether there is one
    /// and the instance can be observed. A pause ends [`Run::resume`] and [`Run::step`]; other calls go on.
    pub fn set_breakpoint(&mut self, instance: Instance, offset: u32) -> bool {
        self.inner.check(instance.store);
        self.inner.machine.set_breakpoint(instance.id, offset, true)
    }

    /// Takes a breakpoint away.
    pub fn remove_breakpoint(&mut self, instance: Instance, offset: u32) {
        self.inner.check(instance.store);
        self.inner.machine.set_breakpoint(instance.id, offset, false);
    }

    /// Returns where the run stands that has paused; `None` if none has.
    #[must_use]
    pub fn paused(&self) -> Option<Observed<'_>> {
        Some(Observed { store: &self.inner, place: self.inner.machine.place()? })
    }

    /// Tells the observer of a place; returns whether the run pauses there.
    pub(crate) fn observed(&mut self, place: Place) -> bool {
        let Self { inner, data, observer, .. } = self;
        if let (Some(observer), true) = (observer, place.is_watched) {
            observer(data, &Observed { store: inner, place });
        }
        place.is_breakpoint || inner.machine.is_stepping()
    }
}

impl Run {
    /// Runs to the next instruction of an instance that can be observed; what a host function calls is one step with it.
    ///
    /// # Errors
    /// As [`Run::resume`].
    pub fn step(&mut self, store: &mut impl AsStore) -> Result<Step, Error> {
        store.store_mut().inner.machine.set_stepping(true);
        let step = loop {
            match self.resume(store, u64::MAX) {
                Ok(Step::Suspended) => {}
                step => break step,
            }
        };
        store.store_mut().inner.machine.set_stepping(false);
        step
    }
}

impl StoreInner {
    /// Returns the code that an instance of a module gets.
    pub(crate) fn code_of(&self, module: &Module) -> Arc<ModuleCode> {
        if !self.is_observable {
            return module.code().clone();
        }
        assert_eq!(self.engine.backend(), Backend::Interpreter, "native code cannot be observed");
        Arc::new(module.code().observed())
    }

    /// Returns the fuel used; in front of an instruction that is observed, without what is charged for it already.
    pub(crate) fn fuel_used(&self) -> u64 {
        let ahead = self.machine.place().map_or(0, |place| place.ahead);
        self.machine.fuel().used.saturating_sub(ahead.into())
    }
}

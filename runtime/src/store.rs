//! The store: everything that instances share while they live, and the embedder's data.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmos_backend::vm::{FuncRef, GlobalId, InstanceId, Machine, MachineConfig, MemoryId, Ref, TableId};
use wasmos_frontend::types::{GlobalType, MemIdx, MemoryType, TableType, TypeIdx};

use crate::engine::Engine;
use crate::error::Error;
use crate::events::Gate;
use crate::func::Func;
use crate::host::HostFunc;
use crate::limits::Limits;
use crate::module::Module;
use crate::objects::Memory;
use crate::observe::Observer;
use crate::outcome::Quota;
use crate::value::ExternRef;

/// Tells stores apart, so that a handle is never used with another store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreId(u64);

static NEXT_STORE: AtomicU64 = AtomicU64::new(1);

/// Everything that instances share, and data of type `T` for host functions.
///
/// What is made in a store lives as long as the store.
pub struct Store<T> {
    pub(crate) inner: StoreInner,
    /// Host functions by number.
    pub(crate) hosts: HostFuncs<T>,
    /// How often each was called.
    pub(crate) host_calls: Vec<u64>,
    pub(crate) observer: Option<Box<Observer<T>>>,
    pub(crate) data: T,
}

/// Host functions by number. A run shares the list, so that a call counts no references.
pub(crate) type HostFuncs<T> = Arc<Vec<Arc<HostFunc<T>>>>;

/// The part of a store that does not depend on the embedder's data.
pub struct StoreInner {
    pub(crate) id: StoreId,
    pub(crate) engine: Engine,
    pub(crate) machine: Machine,
    pub(crate) gate: Gate,
    pub(crate) instances: Vec<InstanceData>,
    /// What `externref`s refer to.
    externs: Vec<Box<dyn Any + Send + Sync>>,
    pub(crate) limits: Limits,
    pub(crate) deadline: Option<Instant>,
    pub(crate) stop: Arc<AtomicBool>,
    /// Types of the globals, by their position.
    pub(crate) global_types: Vec<GlobalType>,
    /// The numbers of the runs whose activations lie on the value stack.
    pub(crate) runs: Vec<u64>,
    /// The number of the next one.
    pub(crate) next_run: u64,
    /// How many of them wait for a host function.
    pub(crate) in_host: usize,
    /// Whether instances get code that can be observed.
    pub(crate) is_observable: bool,
}

/// What the runtime knows of an instance; the machine knows the rest.
pub(crate) struct InstanceData {
    pub(crate) module: Module,
    pub(crate) tables: Vec<TableId>,
    pub(crate) memories: Vec<MemoryId>,
    pub(crate) globals: Vec<GlobalId>,
}

impl<T> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("instances", &self.inner.instances.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for StoreInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreInner").field("instances", &self.instances.len()).finish_non_exhaustive()
    }
}

/// What gives access to a store: the store itself, or the [`crate::Caller`] in a host function.
pub trait AsStore {
    /// The embedder's data.
    type Data;
    /// Returns the store.
    fn store(&self) -> &Store<Self::Data>;
    /// Returns the store, to be changed.
    fn store_mut(&mut self) -> &mut Store<Self::Data>;
}

impl<T> AsStore for Store<T> {
    type Data = T;

    fn store(&self) -> &Self {
        self
    }

    fn store_mut(&mut self) -> &mut Self {
        self
    }
}

impl<S: AsStore> AsStore for &mut S {
    type Data = S::Data;

    fn store(&self) -> &Store<S::Data> {
        (**self).store()
    }

    fn store_mut(&mut self) -> &mut Store<S::Data> {
        (**self).store_mut()
    }
}

/// Stops the runs of a store, from any thread.
#[derive(Clone, Debug)]
pub struct StopHandle(Arc<AtomicBool>);

impl StopHandle {
    /// Ends the run that is under way, or the next one, by [`crate::Outcome::Stopped`].
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<T> Store<T> {
    /// Makes a store with [`Limits::standard`].
    ///
    #[must_use]
    pub fn new(engine: &Engine, data: T) -> Self {
        Self::limited(engine, data, Limits::default())
    }

    /// Makes a store.
    ///
    /// # Errors
    /// None now: the operand stack is made at the first call.
    pub fn with_limits(engine: &Engine, data: T, limits: Limits) -> Result<Self, Error> {
        Ok(Self::limited(engine, data, limits))
    }

    fn limited(engine: &Engine, data: T, limits: Limits) -> Self {
        let mut machine = Machine::new(MachineConfig {
            stack_bytes: limits.stack_bytes,
            memory_limit_bytes: limits.memory_bytes.unwrap_or(u64::MAX),
            table_limit: limits.table_elements,
            tier: engine.backend().tier(),
        });
        machine.set_fuel_limit(limits.fuel.unwrap_or(u64::MAX));
        let inner = StoreInner {
            id: StoreId(NEXT_STORE.fetch_add(1, Ordering::Relaxed)),
            engine: engine.clone(),
            machine,
            gate: Gate::new(&limits),
            instances: Vec::new(),
            externs: Vec::new(),
            limits,
            deadline: None,
            stop: Arc::default(),
            global_types: Vec::new(),
            runs: Vec::new(),
            next_run: 0,
            in_host: 0,
            is_observable: false,
        };
        Self { inner, hosts: HostFuncs::default(), host_calls: Vec::new(), observer: None, data }
    }

    /// Returns the engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Returns the embedder's data.
    #[must_use]
    pub const fn data(&self) -> &T {
        &self.data
    }

    /// Returns the embedder's data, to be changed.
    #[must_use]
    pub const fn data_mut(&mut self) -> &mut T {
        &mut self.data
    }

    /// Returns the embedder's data, the store being given up.
    #[must_use]
    pub fn into_data(self) -> T {
        self.data
    }

    /// Returns the limits.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Returns the gate of host calls: grants, counts, events.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    /// Returns the gate of host calls, to be changed.
    #[must_use]
    pub const fn gate_mut(&mut self) -> &mut Gate {
        &mut self.inner.gate
    }

    /// Returns the fuel used, surcharges included (promise P2).
    #[must_use]
    pub fn fuel_used(&self) -> u64 {
        self.inner.fuel_used()
    }

    /// Returns the instructions begun: the fuel used without surcharges.
    #[must_use]
    pub fn instructions(&self) -> u64 {
        self.inner.fuel_used().saturating_sub(self.inner.machine.fuel().surcharges)
    }

    /// Lets the store use `units` of fuel in all; what has been used counts.
    pub fn set_fuel_limit(&mut self, units: u64) {
        self.inner.machine.set_fuel_limit(units);
    }

    /// Returns a handle that stops runs of the store from any thread.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(self.inner.stop.clone())
    }

    /// Gives the guest this much time from now on; `None` for no end. Without this call the limits' timeout counts from the
    /// first instantiation, also while nothing runs.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.inner.limits.timeout = timeout;
        self.inner.deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    }

    /// Returns what counts against the limit on memory, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.inner.machine.memory_bytes()
    }

    /// Returns the most that [`Store::memory_bytes`] has been.
    #[must_use]
    pub fn memory_peak_bytes(&self) -> u64 {
        self.inner.machine.memory_peak_bytes()
    }

    /// Makes a reference that guests can hold and hand back, but not look into.
    ///
    /// # Errors
    /// [`Error::Resources`] at 2^32 of them.
    pub fn extern_ref(&mut self, value: impl Any + Send + Sync) -> Result<ExternRef, Error> {
        let full = || Error::Resources("the store holds no more host references".into());
        let index = u32::try_from(self.inner.externs.len()).map_err(|_| full())?;
        self.inner.externs.push(Box::new(value));
        Ok(ExternRef { store: self.inner.id, index })
    }

    /// Returns what a reference refers to.
    #[must_use]
    pub fn extern_data(&self, reference: ExternRef) -> Option<&(dyn Any + Send + Sync)> {
        self.inner.check(reference.store);
        self.inner.externs.get(reference.index as usize).map(|value| &**value)
    }

    /// Returns how often each host function was called: module, name (untrusted text), calls.
    #[must_use]
    pub fn host_call_counts(&self) -> Vec<(&str, &str, u64)> {
        let mut counts = BTreeMap::new();
        for (func, calls) in self.hosts.iter().zip(&self.host_calls) {
            *counts.entry((&*func.module, &*func.name)).or_insert(0) += calls;
        }
        let called = counts.into_iter().filter(|(_, calls)| *calls > 0);
        called.map(|((module, name), calls)| (module, name, calls)).collect()
    }

    /// Adds a host function and returns it as a function of the store.
    pub(crate) fn add_host_func(&mut self, func: Arc<HostFunc<T>>) -> Result<FuncRef, Error> {
        let ty = self.inner.engine.register_func(&func.ty)?;
        let number = u32::try_from(self.hosts.len()).map_err(|_| Error::TooManyTypes)?;
        let reference = self.inner.machine.add_host_func(type_id(ty), func.ty.clone(), number);
        Arc::make_mut(&mut self.hosts).push(func);
        self.host_calls.push(0);
        Ok(reference)
    }
}

pub(crate) const fn type_id(index: TypeIdx) -> wasmos_backend::vm::TypeId {
    wasmos_backend::vm::TypeId(index.0)
}

impl StoreInner {
    /// # Panics
    /// If the handle belongs to another store: its indices would mean something else here.
    #[inline]
    pub(crate) fn check(&self, store: StoreId) {
        assert!(self.id == store, "a handle was used with a store that it does not belong to");
    }

    pub(crate) fn instance(&self, id: InstanceId) -> &InstanceData {
        &self.instances[id.index()]
    }

    pub(crate) fn add_global(&mut self, ty: GlobalType, value: [u64; 2]) -> GlobalId {
        self.global_types.push(ty);
        self.machine.add_global(ty, value)
    }

    /// Adds a memory of its least size.
    pub(crate) fn add_memory(&mut self, ty: MemoryType) -> Result<MemoryId, Error> {
        self.admit(u128::from(ty.limits.min) << ty.page_size_log2)?;
        self.machine.add_memory(ty).map_err(|error| Error::Resources(error.to_string()))
    }

    /// Adds a table of its least size.
    pub(crate) fn add_table(&mut self, ty: TableType, init: Ref) -> Result<TableId, Error> {
        let (needed, limit) = (ty.limits.min, self.limits.table_elements);
        if needed > limit {
            return Err(Error::Limit { quota: Quota::TableElements(limit), needed });
        }
        self.admit(u128::from(needed) * 8)?;
        self.machine.add_table(ty, init).map_err(|error| Error::Resources(error.to_string()))
    }

    /// Refuses what would exceed the limit on memory.
    pub(crate) fn admit(&self, bytes: u128) -> Result<(), Error> {
        let needed = bytes.saturating_add(self.machine.memory_bytes().into());
        match self.limits.memory_bytes {
            Some(limit) if needed > limit.into() => Err(Error::Limit {
                quota: Quota::MemoryBytes(limit),
                needed: u64::try_from(needed).unwrap_or(u64::MAX),
            }),
            _ => Ok(()),
        }
    }

    pub(crate) fn memory_of(&self, instance: InstanceId, index: MemIdx) -> Option<Memory> {
        let id = *self.instance(instance).memories.get(index.index())?;
        Some(Memory { store: self.id, id })
    }

    /// Starts the clock of the timeout, at the first instantiation.
    pub(crate) fn start_clock(&mut self) {
        if self.deadline.is_none() {
            self.deadline = self.limits.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        }
    }

    pub(crate) fn func_from_bits(&self, bits: u64) -> Option<Func> {
        let func = self.machine.ref_as_func(self.machine.ref_from_bits(bits)?)?;
        Some(Func { store: self.id, func })
    }

    pub(crate) fn func_bits(&self, func: Option<Func>) -> u64 {
        func.map_or(Ref::NULL, |func| {
            self.check(func.store);
            self.machine.func_as_ref(func.func)
        })
        .bits()
    }

    pub(crate) fn extern_from_bits(&self, bits: u64) -> Option<ExternRef> {
        let index = self.machine.ref_from_bits(bits)?.as_extern()?;
        Some(ExternRef { store: self.id, index })
    }

    pub(crate) fn extern_bits(&self, reference: Option<ExternRef>) -> u64 {
        reference
            .map_or(Ref::NULL, |reference| {
                self.check(reference.store);
                Ref::from_extern(reference.index)
            })
            .bits()
    }
}

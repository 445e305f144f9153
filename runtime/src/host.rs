//! Functions of the host: closures whose wasm type is derived from their Rust type.

use std::fmt;

use wasmos_abi::{Capability, TrapCode};
use wasmos_backend::vm::InstanceId;
use wasmos_frontend::types::{FuncType, MemIdx};

use crate::error::Error;
use crate::instance::{Extern, Instance};
use crate::objects::Memory;
use crate::outcome::{Outcome, Quota};
use crate::store::{AsStore, Store};
use crate::value::{WasmTuple, WasmTy, for_each_arity};
use crate::wasi::RunState;

/// Why a host function does not return.
#[derive(Debug)]
pub enum HostFailure {
    /// The call traps, like an instruction.
    Trap(TrapCode),
    /// The guest asked to end, with a status.
    Exit(i32),
    /// A quota was used up.
    Limit(Quota),
    /// Guest code that the function called did not return; the whole run ends so.
    Guest(Box<Outcome>),
    /// The function itself failed: the embedder gets this error.
    Error(Box<dyn std::error::Error + Send + Sync>),
}

impl From<TrapCode> for HostFailure {
    fn from(code: TrapCode) -> Self {
        Self::Trap(code)
    }
}

impl From<Error> for HostFailure {
    fn from(error: Error) -> Self {
        match error {
            Error::Guest(outcome) => Self::Guest(outcome),
            other => Self::Error(Box::new(other)),
        }
    }
}

/// What a host function is given besides its parameters: the store, and who called.
///
/// The guest waits in that store. Whoever puts another one in its place and leaves it there ends the process, if guests are
/// native code.
#[derive(Debug)]
pub struct Caller<'a, T> {
    pub(crate) store: &'a mut Store<T>,
    pub(crate) instance: Option<InstanceId>,
}

impl<T> Caller<'_, T> {
    /// Returns the embedder's data.
    #[must_use]
    pub const fn data(&self) -> &T {
        self.store.data()
    }

    /// Returns the embedder's data, to be changed.
    #[must_use]
    pub const fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    /// Returns the instance that called; `None` if the embedder called the function itself.
    #[must_use]
    pub fn instance(&self) -> Option<Instance> {
        Some(Instance { store: self.store.inner.id, id: self.instance? })
    }

    /// Returns what the calling instance exports under a name.
    #[must_use]
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        self.instance()?.get_export(self.store, name)
    }

    /// Returns the first memory of the calling instance, exported or not.
    #[must_use]
    pub fn memory(&self) -> Option<Memory> {
        self.store.inner.memory_of(self.instance?, MemIdx(0))
    }

    /// Returns the bytes of the first memory of the calling instance and the embedder's data, both to be changed.
    #[must_use]
    pub fn memory_and_data(&mut self) -> (&mut [u8], &mut T) {
        let memory = self.memory();
        let Store { inner, data, .. } = &mut *self.store;
        match memory {
            Some(memory) => (inner.machine.memory_bytes_mut(memory.id), data),
            None => (&mut [], data),
        }
    }

    /// Returns what a function of an interface of our own works with, side by side.
    pub(crate) fn parts(&mut self) -> (&mut [u8], &mut T, RunState<'_>) {
        let memory = self.memory();
        let Store { inner, data, .. } = &mut *self.store;
        let (memory, fuel) = match memory {
            Some(memory) => inner.machine.memory_and_fuel(memory.id),
            None => (Default::default(), inner.machine.host_fuel()),
        };
        let run = RunState {
            fuel,
            gate: &mut inner.gate,
            limits: &inner.limits,
            deadline: &mut inner.deadline,
            stop: &inner.stop,
        };
        (memory, data, run)
    }

    /// Returns the guest's bytes from `addr` on.
    ///
    /// # Errors
    /// [`TrapCode::MemoryOutOfBounds`] unless all of them are there.
    pub fn read(&self, addr: u32, len_bytes: u32) -> Result<&[u8], TrapCode> {
        let memory = self.memory().ok_or(TrapCode::MemoryOutOfBounds)?;
        let bytes = self.store.inner.machine.memory(memory.id).bytes();
        let end = (addr as usize).checked_add(len_bytes as usize).ok_or(TrapCode::MemoryOutOfBounds)?;
        bytes.get(addr as usize..end).ok_or(TrapCode::MemoryOutOfBounds)
    }

    /// Charges fuel for what the function is about to do.
    ///
    /// # Errors
    /// The run ends out of fuel, nothing being charged.
    pub fn charge(&mut self, units: u64) -> Result<(), HostFailure> {
        if self.store.inner.machine.charge(units) {
            return Ok(());
        }
        Err(HostFailure::Guest(Box::new(Outcome::OutOfFuel)))
    }

    /// Charges output bytes against their quota.
    ///
    /// # Errors
    /// The run ends by the limit.
    pub fn charge_output(&mut self, len_bytes: u64) -> Result<(), HostFailure> {
        self.store.inner.gate.charge_output(len_bytes).map_err(HostFailure::Limit)
    }
}

impl<T> AsStore for Caller<'_, T> {
    type Data = T;

    fn store(&self) -> &Store<T> {
        self.store
    }

    fn store_mut(&mut self) -> &mut Store<T> {
        self.store
    }
}

/// Takes parameters in slots and leaves results there. What went wrong is boxed, so that what comes back is one word.
pub(crate) type Call<T> = dyn Fn(Caller<'_, T>, &mut [u64]) -> Result<(), Box<HostFailure>> + Send + Sync;

/// A function of the host, before it belongs to a store.
pub(crate) struct HostFunc<T> {
    pub(crate) module: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) ty: FuncType,
    /// How many slots parameters or results take, whichever are more.
    pub(crate) n_slots: usize,
    /// What must be granted for it, if it is known.
    pub(crate) capability: Option<Capability>,
    pub(crate) call: Box<Call<T>>,
}

impl<T> fmt::Debug for HostFunc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostFunc({}.{} {})", self.module, self.name, self.ty)
    }
}

/// What a host function may return: results, or results that may fail.
pub trait HostReturn {
    /// The results.
    type Results: WasmTuple;
    /// Returns the results.
    ///
    /// # Errors
    /// What the function failed with.
    fn into_result(self) -> Result<Self::Results, HostFailure>;
}

impl<R: WasmTuple> HostReturn for R {
    type Results = R;
    fn into_result(self) -> Result<R, HostFailure> {
        Ok(self)
    }
}

impl<R: WasmTuple, E: Into<HostFailure>> HostReturn for Result<R, E> {
    type Results = R;
    fn into_result(self) -> Result<R, HostFailure> {
        self.map_err(Into::into)
    }
}

/// A closure that can be a host function: up to 16 parameters, with or without a [`Caller`] in front.
pub trait IntoHostFunc<T, Marker>: Send + Sync + 'static {
    /// The wasm type.
    fn ty() -> FuncType;
    /// Calls it with parameters in slots, and leaves its results there.
    ///
    /// # Errors
    /// What it failed with.
    fn call(&self, caller: Caller<'_, T>, slots: &mut [u64]) -> Result<(), HostFailure>;
}

macro_rules! into_host_func {
    ($(($($name:ident)*))*) => {
        $(
            impl<T, Func, Ret, $($name: WasmTy),*> IntoHostFunc<T, ($($name,)*)> for Func
            where
                Func: Fn($($name),*) -> Ret + Send + Sync + 'static,
                Ret: HostReturn,
            {
                fn ty() -> FuncType {
                    FuncType::new(&[$($name::TYPE),*], &Ret::Results::types())
                }
                #[inline]
                #[allow(non_snake_case, reason = "a variable for each type parameter; none for no parameters")]
                fn call(&self, caller: Caller<'_, T>, slots: &mut [u64]) -> Result<(), HostFailure> {
                    let ($($name,)*) = WasmTuple::load(slots, &caller.store.inner);
                    let results = self($($name),*).into_result()?;
                    results.save(slots, &caller.store.inner);
                    Ok(())
                }
            }

            impl<T, Func, Ret, $($name: WasmTy),*> IntoHostFunc<T, (Caller<'_, T>, $($name,)*)> for Func
            where
                Func: Fn(Caller<'_, T>, $($name),*) -> Ret + Send + Sync + 'static,
                Ret: HostReturn,
            {
                fn ty() -> FuncType {
                    FuncType::new(&[$($name::TYPE),*], &Ret::Results::types())
                }
                #[inline]
                #[allow(non_snake_case, reason = "a variable for each type parameter; none for no parameters")]
                fn call(&self, caller: Caller<'_, T>, slots: &mut [u64]) -> Result<(), HostFailure> {
                    let Caller { store, instance } = caller;
                    let ($($name,)*) = WasmTuple::load(slots, &store.inner);
                    let results = self(Caller { store: &mut *store, instance }, $($name),*).into_result()?;
                    results.save(slots, &store.inner);
                    Ok(())
                }
            }
        )*
    };
}

for_each_arity! { into_host_func }
into_host_func! { () }

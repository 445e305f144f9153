//! Hostile guests, case by case: A030 to A062 and A070 to A079 of the list of attacks, as far as a library user meets
//! them. A test begins with the number of its case.
//!
//! Elsewhere: A050 is in `semantics`, beside its oracle; the bulk of A062 is in `slices.rs` and in the fuzz target of
//! that name; what the program makes of the cases, its exit codes and its output, is in `cli/tests/attack.rs`.
//!
//! No test asserts a time. Where one could hang, `in_time` ends it generously.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

mod abi;
mod access;
#[cfg(target_os = "linux")]
mod allocation;
mod bulk;
mod calls;
mod fuel;
mod growth;
mod isolation;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod native;
mod numbers;
mod refused;
mod stack;

use wasmos_runtime::{
    Engine, Error, Func, Instance, Limits, Linker, Memory, Module, Outcome, Store, TrapCode, Val,
};
pub(crate) use wasmos_tests::tiers::engines;

/// An instance alone in its store.
pub(crate) struct Guest<T = ()> {
    pub(crate) store: Store<T>,
    pub(crate) instance: Instance,
}

#[track_caller]
pub(crate) fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

impl Guest {
    /// Instantiates a module without imports.
    #[track_caller]
    pub(crate) fn new(engine: &Engine, limits: Limits, text: &str) -> Self {
        Self::of(engine, limits, &module(engine, text))
    }

    #[track_caller]
    pub(crate) fn of(engine: &Engine, limits: Limits, module: &Module) -> Self {
        Self::linked(&Linker::new(engine), limits, (), module).unwrap()
    }
}

impl<T> Guest<T> {
    pub(crate) fn linked(
        linker: &Linker<T>,
        limits: Limits,
        data: T,
        module: &Module,
    ) -> Result<Self, Error> {
        let mut store = Store::with_limits(linker.engine(), data, limits).unwrap();
        let instance = linker.instantiate(&mut store, module)?;
        Ok(Self { store, instance })
    }

    #[track_caller]
    pub(crate) fn func(&mut self, name: &str) -> Func {
        self.instance.get_func(&mut self.store, name).unwrap()
    }

    #[track_caller]
    pub(crate) fn call(&mut self, name: &str, params: &[Val]) -> Outcome {
        self.func(name).call(&mut self.store, params).unwrap()
    }

    /// Calls a function of one result.
    #[track_caller]
    pub(crate) fn value(&mut self, name: &str, params: &[Val]) -> Val {
        match self.call(name, params) {
            Outcome::Returned(vals) if vals.len() == 1 => vals[0],
            other => panic!("{name} {params:?}: {other:?}"),
        }
    }

    /// Calls a function that traps.
    #[track_caller]
    pub(crate) fn trap(&mut self, name: &str, params: &[Val]) -> TrapCode {
        trap(self.call(name, params))
    }

    #[track_caller]
    pub(crate) fn global(&mut self, name: &str) -> Val {
        self.instance.get_global(&mut self.store, name).unwrap().get(&self.store)
    }

    #[track_caller]
    pub(crate) fn memory(&mut self) -> Memory {
        self.instance.get_memory(&mut self.store, "memory").unwrap()
    }
}

#[track_caller]
pub(crate) fn trap(outcome: Outcome) -> TrapCode {
    match outcome {
        Outcome::Trapped(trap) => trap.code,
        other => panic!("no trap but {other:?}"),
    }
}

/// Limits with so much fuel and no other end.
pub(crate) fn fuelled(units: u64) -> Limits {
    Limits { fuel: Some(units), ..Limits::unlimited() }
}

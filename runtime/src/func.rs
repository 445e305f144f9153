//! Functions of a store: called with dynamic values, or as one Rust type.

use std::marker::PhantomData;

use wasmos_backend::vm::FuncRef;
use wasmos_frontend::types::{FuncType, TypeIdx, ValType};

use crate::error::Error;
use crate::host::{Caller, HostFailure, HostFunc, IntoHostFunc};
use crate::outcome::Outcome;
use crate::run::Run;
use crate::store::{AsStore, Store, StoreId, StoreInner};
use crate::value::{FEW_SLOTS, TYPED_SLOTS, Val, WasmTuple, n_slots, slots_from_vals, vals_from_slots};

/// A function of a store, of a guest or of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Func {
    pub(crate) store: StoreId,
    pub(crate) func: FuncRef,
}

impl Func {
    /// Makes a function of the host from a closure.
    ///
    /// # Errors
    /// [`Error::TooManyTypes`].
    pub fn wrap<T, Marker>(store: &mut Store<T>, func: impl IntoHostFunc<T, Marker>) -> Result<Self, Error> {
        let func = store.add_host_func(HostFunc::typed("", "", func).into())?;
        Ok(Self { store: store.inner.id, func })
    }

    /// Makes a function of the host of any type from a closure that takes values and fills in results.
    ///
    /// # Errors
    /// [`Error::TooManyTypes`].
    pub fn new<T>(
        store: &mut Store<T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), HostFailure> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let func = store.add_host_func(HostFunc::dynamic("", "", ty, func).into())?;
        Ok(Self { store: store.inner.id, func })
    }

    /// Returns the type; type indices in it are the engine's.
    #[must_use]
    pub fn ty(&self, store: &impl AsStore) -> FuncType {
        self.ty_in(&store.store().inner)
    }

    pub(crate) fn ty_in(&self, store: &StoreInner) -> FuncType {
        store.check(self.store);
        store.engine.func_type(TypeIdx(store.machine.func_type_id(self.func).0))
    }

    /// Calls the function and runs it to its end.
    ///
    /// # Errors
    /// [`Error::WrongType`] for values of other types, [`Error::Host`], [`Error::HostPanicked`]. However the guest ends is
    /// no error but an [`Outcome`].
    pub fn call(&self, store: &mut impl AsStore, params: &[Val]) -> Result<Outcome, Error> {
        self.start(store, params)?.finish(store)
    }

    /// Prepares a call that is run in slices.
    ///
    /// # Errors
    /// [`Error::WrongType`]; [`Error::RunOrder`] if another run of the store is suspended.
    pub fn start(&self, store: &mut impl AsStore, params: &[Val]) -> Result<Run, Error> {
        let store = store.store_mut();
        let ty = self.ty_in(&store.inner);
        let given: Vec<_> = params.iter().map(Val::ty).collect();
        let fits = |(given, wanted): (&Val, &_)| store.inner.fits(given, *wanted);
        if given.len() != ty.params().len() || !params.iter().zip(ty.params()).all(fits) {
            let wanted = FuncType::new(&given, ty.results()).to_string();
            return Err(Error::WrongType { wanted, found: ty.to_string() });
        }
        let slots = slots_from_vals(&store.inner, params);
        Run::start(&mut store.inner, self.func, &slots, ty.results().into())
    }

    /// Returns the function as one of a Rust type.
    ///
    /// # Errors
    /// [`Error::WrongType`].
    pub fn typed<P: WasmTuple, R: WasmTuple>(&self, store: &impl AsStore) -> Result<TypedFunc<P, R>, Error> {
        let (found, wanted) = (self.ty(store), FuncType::new(&P::types(), &R::types()));
        if found != wanted {
            return Err(Error::WrongType { wanted: wanted.to_string(), found: found.to_string() });
        }
        Ok(TypedFunc { func: *self, types: PhantomData })
    }
}

/// A function whose type is known to Rust, and was compared once.
#[derive(Debug)]
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P: WasmTuple, R: WasmTuple> TypedFunc<P, R> {
    /// Calls the function and runs it to its end.
    ///
    /// # Errors
    /// [`Error::Guest`] with how it ended, if it did not return; [`Error::Host`], [`Error::HostPanicked`].
    pub fn call(&self, store: &mut impl AsStore, params: P) -> Result<R, Error> {
        let store = store.store_mut();
        store.inner.check(self.func.store);
        // Most functions take few slots, and clearing the others would cost as much as the call.
        if P::SLOTS <= FEW_SLOTS {
            self.begin(store, params, &mut [0; FEW_SLOTS])?;
        } else {
            self.begin(store, params, &mut [0; TYPED_SLOTS])?;
        }
        loop {
            match store.drive(None)? {
                crate::run::Driven::Returned => {
                    let results = R::load(store.inner.machine.results(), &store.inner);
                    store.end();
                    return Ok(results);
                }
                crate::run::Driven::Ended(outcome) => return Err(outcome.into()),
                crate::run::Driven::Paused => {}
                // Without a budget a run is never suspended.
                crate::run::Driven::Suspended => return Err(Error::RunOrder),
            }
        }
    }

    #[inline]
    fn begin<T>(&self, store: &mut Store<T>, params: P, slots: &mut [u64]) -> Result<(), Error> {
        params.save(slots, &store.inner);
        store.inner.begin(self.func.func, slots.get(..P::SLOTS).unwrap_or(&[]))
    }

    /// Returns the function without its type.
    #[must_use]
    pub const fn func(&self) -> Func {
        self.func
    }
}

impl<T> HostFunc<T> {
    pub(crate) fn typed<Marker>(module: &str, name: &str, func: impl IntoHostFunc<T, Marker>) -> Self {
        fn ty_of<T, Marker, F: IntoHostFunc<T, Marker>>(_: &F) -> FuncType {
            F::ty()
        }
        let ty = ty_of(&func);
        let call = move |caller: Caller<'_, T>, slots: &mut [u64]| func.call(caller, slots).map_err(Box::new);
        Self::erased(module, name, ty, Box::new(call))
    }

    pub(crate) fn dynamic(
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), HostFailure> + Send + Sync + 'static,
    ) -> Self {
        let own = ty.clone();
        let call = move |caller: Caller<'_, T>, slots: &mut [u64]| {
            let Caller { store, instance } = caller;
            let params = vals_from_slots(&store.inner, own.params(), slots);
            let mut results: Vec<_> = own.results().iter().map(|ty| Val::default_for(*ty)).collect();
            func(Caller { store: &mut *store, instance }, &params, &mut results)?;
            let wrong = results.iter().zip(own.results()).find(|(val, ty)| !store.inner.fits(val, **ty));
            if let Some((val, ty)) = wrong {
                let error = format!("a host function returned {val:?} as {ty}");
                return Err(Box::new(HostFailure::Error(error.into())));
            }
            let filled = slots_from_vals(&store.inner, &results);
            if let Some(slots) = slots.get_mut(..filled.len()) {
                slots.copy_from_slice(&filled);
            }
            Ok(())
        };
        Self::erased(module, name, ty, Box::new(call))
    }

    fn erased(module: &str, name: &str, ty: FuncType, call: Box<crate::host::Call<T>>) -> Self {
        let slots = |types: &[ValType]| types.iter().map(|ty| n_slots(*ty)).sum::<usize>();
        let n_slots = slots(ty.params()).max(slots(ty.results()));
        Self { module: module.into(), name: name.into(), ty, n_slots, capability: None, call }
    }
}

impl StoreInner {
    /// Returns whether a value may stand where `wanted` is expected: null where it is allowed, a function where its own
    /// type matches.
    pub(crate) fn fits(&self, val: &Val, wanted: wasmos_frontend::types::ValType) -> bool {
        use wasmos_frontend::types::{HeapType, RefType, ValType};
        match val {
            Val::FuncRef(None) | Val::ExternRef(None) | Val::NullRef => {
                wanted.is_ref() && wanted.is_defaultable() && Val::default_for(wanted) == *val
            }
            Val::FuncRef(Some(func)) => {
                self.check(func.store);
                let heap = HeapType::Concrete(TypeIdx(self.machine.func_type_id(func.func).0));
                self.engine.matches(ValType::reference(RefType { nullable: false, heap }), wanted)
            }
            Val::ExternRef(Some(_)) => self.engine.matches(ValType::EXTERNREF.without_null(), wanted),
            number => number.ty() == wanted,
        }
    }
}

//! The drive: resumes the machine, answers what it exits with, and says how the run ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use std::sync::atomic::Ordering;

use wasmos_backend::vm::{self, Exit, FuncRef, HostCall, InstanceId, Machine};
use wasmos_frontend::types::ValType;

use crate::error::Error;
use crate::events::EventKind;
use crate::host::{Caller, HostFailure, HostFunc};
use crate::outcome::{Frame, Outcome, Trap};
use crate::store::{AsStore, HostFuncs, Store, StoreId, StoreInner};
use crate::value::{FEW_SLOTS, TYPED_SLOTS, vals_from_slots};

/// Units between two looks at the deadline and at stops: a few milliseconds of guest code.
const SLICE: u64 = 1_000_000;
/// Calls of the host between two looks: each may take long.
const CALLS: u32 = 16;
/// The longest sleep between two looks at stops.
const NAP: Duration = Duration::from_millis(10);

/// A call that is run in slices. A run that is not finished keeps its frames on the store's value stack; it must be
/// resumed or abandoned before runs that began earlier go on.
#[derive(Debug)]
#[must_use = "a run that is dropped keeps its frames: resume, finish or abandon it, or `Store::abandon_runs`"]
pub struct Run {
    results: Box<[ValType]>,
    store: StoreId,
    /// Its number in the store.
    serial: u64,
}

/// What a slice came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The slice is used up; the run can be resumed.
    Suspended,
    /// It stands in front of an instruction ([`Store::paused`]): at a breakpoint, or after a step.
    Paused,
    /// The run has ended.
    Done(Outcome),
}

/// What driving came to.
pub(crate) enum Driven {
    /// Results lie in the machine; the activation is still there.
    Returned,
    /// The budget is used up.
    Suspended,
    /// In front of an instruction that is observed.
    Paused,
    /// It ended otherwise; the activation is gone.
    Ended(Outcome),
}

/// How a run ends in a call of the host.
type Ended = Box<Result<Outcome, Error>>;

impl Run {
    pub(crate) fn start(
        store: &mut StoreInner,
        func: FuncRef,
        slots: &[u64],
        results: Box<[ValType]>,
    ) -> Result<Self, Error> {
        store.begin(func, slots)?;
        Ok(Self { results, store: store.id, serial: store.next_run - 1 })
    }

    /// Runs for about `slice` units of fuel: up to the first test point behind them, or to a breakpoint.
    ///
    /// # Errors
    /// [`Error::Host`], [`Error::HostPanicked`]; [`Error::RunOrder`] if a later run of the store has not ended, if this one
    /// has, or if it is a run of another store.
    pub fn resume(&mut self, store: &mut impl AsStore, slice: u64) -> Result<Step, Error> {
        self.advance(store.store_mut(), Some(slice))
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// As [`Run::resume`].
    pub fn finish(mut self, store: &mut impl AsStore) -> Result<Outcome, Error> {
        loop {
            if let Step::Done(outcome) = self.advance(store.store_mut(), None)? {
                return Ok(outcome);
            }
        }
    }

    /// Gives the run up: its frames are dropped, what it has done stays.
    ///
    /// # Errors
    /// [`Error::RunOrder`].
    pub fn abandon(self, store: &mut impl AsStore) -> Result<(), Error> {
        let store = store.store_mut();
        self.check_order(&store.inner)?;
        store.inner.abandon();
        Ok(())
    }

    fn check_order(&self, store: &StoreInner) -> Result<(), Error> {
        let is_topmost = store.id == self.store && store.runs.last() == Some(&self.serial);
        // The topmost run may be in a call of the host, which alone lets it go on.
        if is_topmost && store.runs.len() > store.in_host { Ok(()) } else { Err(Error::RunOrder) }
    }

    fn advance<T>(&mut self, store: &mut Store<T>, budget: Option<u64>) -> Result<Step, Error> {
        self.check_order(&store.inner)?;
        match store.drive(budget)? {
            Driven::Suspended => Ok(Step::Suspended),
            Driven::Paused => Ok(Step::Paused),
            Driven::Ended(outcome) => Ok(Step::Done(outcome)),
            Driven::Returned => {
                let values = vals_from_slots(&store.inner, &self.results, store.inner.machine.results());
                store.end();
                Ok(Step::Done(Outcome::Returned(values)))
            }
        }
    }
}

impl StoreInner {
    /// Puts a call on the value stack: the first, or one that a host function makes.
    pub(crate) fn begin(&mut self, func: FuncRef, slots: &[u64]) -> Result<(), Error> {
        if self.runs.len() != self.in_host {
            return Err(Error::RunOrder);
        }
        self.machine.start(func, slots).map_err(|error| Error::Resources(error.to_string()))?;
        self.runs.push(self.next_run);
        self.next_run += 1;
        Ok(())
    }

    #[inline]
    fn abandon(&mut self) {
        self.machine.abandon();
        self.runs.pop();
        // A stop is for everything that runs: it lasts until the outermost run has ended.
        if self.runs.is_empty() && self.stop.load(Ordering::Relaxed) {
            self.stop.store(false, Ordering::Relaxed);
        }
    }

    /// Gives up the runs above the first `kept`.
    fn abandon_above(&mut self, kept: usize) {
        while self.runs.len() > kept {
            self.abandon();
        }
    }

    /// Says how the run ends if somebody stops it or its time is up.
    pub(crate) fn interrupted(&self) -> Option<Outcome> {
        if self.stop.load(Ordering::Relaxed) {
            return Some(Outcome::Stopped);
        }
        self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| Outcome::Deadline)
    }

    /// The same, for the driver.
    #[inline]
    fn ended_by_others(&self) -> Option<Ended> {
        self.interrupted().map(|outcome| Box::new(Ok(outcome)))
    }

    fn trap(&self, code: wasmos_abi::TrapCode) -> Outcome {
        let trace = self.machine.backtrace();
        let frame = |frame: &wasmos_backend::vm::Frame| {
            let name =
                self.instance(frame.instance).module.decoded().func_name(frame.func).map(str::to_owned);
            Frame { func: frame.func, name, offset: frame.offset }
        };
        let backtrace: Vec<_> = trace.frames.iter().map(frame).collect();
        let offset = backtrace.first().map_or(0, |frame| frame.offset);
        Outcome::Trapped(Box::new(Trap { code, offset, backtrace, left_out: trace.left_out }))
    }

    /// Sleeps for an instruction that waits on memory. Nobody else runs in the store, so that nobody wakes it.
    fn wait(&self, timeout_ns: i64) -> Option<Outcome> {
        let timeout = u64::try_from(timeout_ns).ok().map(Duration::from_nanos);
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            if let Some(outcome) = self.interrupted() {
                return Some(outcome);
            }
            let now = Instant::now();
            let left = until.map_or(NAP, |until| until.saturating_duration_since(now));
            if left.is_zero() {
                return None;
            }
            let deadline = self.deadline.map_or(NAP, |deadline| deadline.saturating_duration_since(now));
            std::thread::sleep(left.min(deadline).min(NAP));
        }
    }
}

impl<T> Store<T> {
    /// Gives up every suspended run that can be: in a host function those that it began, elsewhere all of the store's. Their
    /// frames are dropped, what they have done stays, and their [`Run`]s answer [`Error::RunOrder`].
    pub fn abandon_runs(&mut self) {
        self.inner.abandon_above(self.inner.in_host);
    }

    /// Drops the activation that has returned.
    pub(crate) fn end(&mut self) {
        self.inner.abandon();
    }

    /// Runs the topmost activation until it returns, ends, or has used `budget` units.
    pub(crate) fn drive(&mut self, budget: Option<u64>) -> Result<Driven, Error> {
        let mut left = budget;
        // Units until the next look at the deadline and at stops.
        let mut slice = SLICE;
        // Somebody may have stopped the run before it began.
        let mut ending = self.inner.ended_by_others();
        let mut host = Host { store: self, functions: None, ended: None, calls: CALLS, answers: 0 };
        loop {
            if let Some(ended) = ending.take() {
                host.store.inner.abandon();
                return (*ended).map(Driven::Ended);
            }
            let used = host.store.inner.machine.fuel().used;
            let exit = vm::resume(&mut host, left.unwrap_or(SLICE).min(slice));
            let inner = &mut host.store.inner;
            // What was used in answers belongs to no slice.
            let spent = inner.machine.fuel().used.saturating_sub(used).saturating_sub(host.answers);
            host.answers = 0;
            left = left.map(|left| left.saturating_sub(spent));
            slice = slice.saturating_sub(spent);
            match exit {
                Exit::Returned => return Ok(Driven::Returned),
                Exit::HostCall { host: number, caller } => {
                    ending = host.call(number, caller);
                }
                Exit::Ended => ending = host.ended.take(),
                Exit::Step(place) => {
                    if host.store.observed(place) {
                        return Ok(Driven::Paused);
                    }
                }
                Exit::OutOfFuel => ending = Some(Box::new(Ok(Outcome::OutOfFuel))),
                Exit::Trap(code) => ending = Some(Box::new(Ok(inner.trap(code)))),
                Exit::Refused(error) => {
                    inner.abandon();
                    return Err((*error).into());
                }
                Exit::Poll => ending = inner.ended_by_others(),
                Exit::Wait { timeout_ns, .. } => {
                    ending = inner.wait(timeout_ns).map(|outcome| Box::new(Ok(outcome)));
                    // 2: nobody woke it.
                    inner.machine.finish_wait(2);
                }
                Exit::Slice => {
                    ending = inner.ended_by_others();
                    slice = SLICE;
                    if ending.is_none() && left == Some(0) {
                        return Ok(Driven::Suspended);
                    }
                }
            }
        }
    }

    /// Makes a call of the host; says how the run ends if it does not return.
    #[inline(always)]
    fn host_call(
        &mut self,
        func: &HostFunc<T>,
        host: u32,
        instance: Option<InstanceId>,
        slots: &mut [u64],
    ) -> Option<Ended> {
        let fuel = self.inner.machine.fuel().used;
        if let Err(outcome) = self.inner.gate.enter(fuel, func.capability) {
            return Some(Box::new(Ok(*outcome)));
        }
        if let Some(calls) = self.host_calls.get_mut(host as usize) {
            *calls += 1;
        }
        if self.inner.gate.remembers() {
            return self.told_host_call(func, instance, slots);
        }
        self.enter_host(func, instance, slots)
    }

    /// Makes a call of the host that somebody looks at.
    #[cold]
    fn told_host_call(
        &mut self,
        func: &HostFunc<T>,
        instance: Option<InstanceId>,
        slots: &mut [u64],
    ) -> Option<Ended> {
        let fuel = self.inner.machine.fuel().used;
        let params = vals_from_slots(&self.inner, func.ty.params(), slots);
        let ended = self.enter_host(func, instance, slots);
        let results = ended.is_none().then(|| vals_from_slots(&self.inner, func.ty.results(), slots));
        let (module, name) = (func.module.clone(), func.name.clone());
        self.inner.gate.event(fuel, EventKind::HostCall { module, name, params, results });
        ended
    }

    /// Makes a call of the host that has passed the gate.
    #[inline(always)]
    fn enter_host(
        &mut self,
        func: &HostFunc<T>,
        instance: Option<InstanceId>,
        slots: &mut [u64],
    ) -> Option<Ended> {
        let runs = self.inner.runs.len();
        self.inner.in_host += 1;
        let result = catch_unwind(AssertUnwindSafe(|| (func.call)(Caller { store: self, instance }, slots)));
        self.inner.in_host = runs - 1;
        // A host function may have left runs of its own behind.
        self.inner.abandon_above(runs);
        match result {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(self.host_failed(*failure)),
            Err(panic) => Some(host_panicked(func, &*panic)),
        }
    }

    #[cold]
    fn host_failed(&mut self, failure: HostFailure) -> Ended {
        Box::new(Ok(match failure {
            HostFailure::Trap(code) => self.inner.trap(code),
            HostFailure::Exit(status) => Outcome::Exited(status),
            HostFailure::Limit(quota) => Outcome::Limit(quota),
            HostFailure::Guest(outcome) => *outcome,
            HostFailure::Error(error) => return Box::new(Err(Error::Host(error))),
        }))
    }
}

/// A store whose machine runs, and what answers calls of the host by its guests.
struct Host<'a, T> {
    store: &'a mut Store<T>,
    /// Functions of the host, shared at the first call of one: they outlive the store's borrow.
    functions: Option<HostFuncs<T>>,
    /// How the run ends, if a call did not return.
    ended: Option<Ended>,
    /// Calls until the next look at the deadline and at stops.
    calls: u32,
    /// Fuel used in answers since the machine was resumed.
    answers: u64,
}

impl<T> Host<'_, T> {
    /// Makes a call whose arguments and results are in the slots; says how the run ends if it does not return.
    // Three functions of a call each are a third of what it costs.
    #[inline(always)]
    fn call_with(&mut self, host: u32, caller: Option<InstanceId>, slots: &mut [u64]) -> Option<Ended> {
        if self.functions.as_ref().is_none_or(|functions| functions.len() <= host as usize) {
            self.functions = Some(self.store.hosts.clone());
        }
        let Some(func) = self.functions.as_ref().and_then(|functions| functions.get(host as usize)) else {
            let error = format!("host function {host} is not in the store");
            return Some(Box::new(Err(Error::Host(error.into()))));
        };
        let ended = self.store.host_call(func, host, caller, slots);
        self.calls -= 1;
        if self.calls == 0 && ended.is_none() {
            self.calls = CALLS;
            return self.store.inner.ended_by_others();
        }
        ended
    }

    /// Makes the pending call.
    fn call(&mut self, host: u32, caller: Option<InstanceId>) -> Option<Ended> {
        // Most functions take few slots, and clearing the others would cost as much as the call.
        let (mut few, mut typed, mut many) = ([0; FEW_SLOTS], None, Vec::new());
        let slots: &mut [u64] = match self.store.hosts.get(host as usize).map_or(0, |func| func.n_slots) {
            n if n <= FEW_SLOTS => &mut few[..n],
            n if n <= TYPED_SLOTS => &mut typed.insert([0; TYPED_SLOTS])[..n],
            n => {
                many.resize(n, 0);
                &mut many
            }
        };
        copy_slots(slots, self.store.inner.machine.args());
        let ended = self.call_with(host, caller, slots);
        if ended.is_none() {
            let results = self.store.inner.machine.results_mut();
            let n = results.len();
            copy_slots(results, slots.get(..n).unwrap_or(&[]));
        }
        ended
    }
}

impl<T> vm::Driver for Host<'_, T> {
    fn machine(&mut self) -> &mut Machine {
        &mut self.store.inner.machine
    }

    #[inline(always)]
    fn answer(&mut self, HostCall { host, caller, slots }: HostCall<'_>) -> bool {
        let used = self.store.inner.machine.fuel().used;
        let ended = self.call_with(host, caller, slots);
        self.answers += self.store.inner.machine.fuel().used.saturating_sub(used);
        match ended {
            None => true,
            ended => {
                self.ended = ended;
                false
            }
        }
    }
}

/// Copies slots to the first ones of `to`. One or two are moved here: a call of `memcpy` costs more.
#[inline(always)]
fn copy_slots(to: &mut [u64], from: &[u64]) {
    match (to, from) {
        (_, []) => {}
        ([first, ..], [only]) => *first = *only,
        ([first, second, ..], [one, two]) => (*first, *second) = (*one, *two),
        (to, from) => to[..from.len()].copy_from_slice(from),
    }
}

#[cold]
fn host_panicked<T>(func: &HostFunc<T>, panic: &(dyn std::any::Any + Send)) -> Ended {
    Box::new(Err(Error::HostPanicked {
        module: func.module.to_string(),
        name: func.name.to_string(),
        message: panic_message(panic),
    }))
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

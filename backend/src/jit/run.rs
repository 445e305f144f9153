//! Activations of native code, each on a stack of its own.

use core::convert::Infallible;
use core::ptr::NonNull;
use std::collections::HashMap;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use wasmos_abi::TrapCode;
use wasmos_frontend::types::FuncType;

use super::Bounds;
use super::abi::Shape;
use super::code::Compiled;
use super::compile::{FREE_NATIVE, MOST_NATIVE, NATIVE_PER_COUNTED};
use super::layout::{Entry, Fault, Leave, Pending, VmHost, VmNative};
use super::service;
use super::trap::{self, Active};
use crate::interp::ModuleCode;
use crate::vm::state::State;
use crate::vm::{
    Answer, BOTTOM_SLOTS, Exit, FuncRef, HEADER_SLOTS, InstanceId, MAX_ACTIVATIONS, NESTED_BYTES,
    NO_INSTANCE, Phase, VmContext, VmFunc,
};

/// Records, each with its stack, that are kept for later activations.
const SPARE_RUNS: usize = 8;
/// Room for services, stubs and signals, beyond what guests take.
const SERVICE_BYTES: usize = 256 << 10;

/// Code of a module that has an instance in the machine.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) module: Arc<ModuleCode>,
    /// The first one.
    pub(super) instance: InstanceId,
}

impl Code {
    pub(super) fn compiled(&self) -> &Compiled {
        match self.module.native() {
            Some(compiled) => compiled,
            None => unreachable!("code of the interpreter is refused"),
        }
    }

    /// Returns where in the code an address lies.
    pub(super) fn displacement(&self, address: usize) -> Option<u32> {
        let range = self.compiled().range();
        range.contains(&address).then(|| (address - range.start) as u32)
    }
}

/// Where the innermost frames of an activation that was left begin.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Nowhere,
    /// Behind the frame of a thunk.
    Thunk(*const u64),
    Fault(Fault),
}

/// What native code runs on: it takes one activation after the other, and rests in between.
pub(super) type Fiber = Coroutine<(), Leave, Infallible>;

/// An activation, or the record of one that has ended, for the next one as deep as it was.
pub(super) struct Run {
    phase: Phase,
    func: FuncRef,
    /// Made when native code is first run at this depth.
    fiber: Option<Box<Fiber>>,
    /// Whether it is of native code, and not of a function of the host.
    is_native: bool,
    /// Arguments, then results.
    slots: Vec<u64>,
    n_results: usize,
    yielder: *const Yielder<(), Leave>,
    /// What is left of the depth below its first frame; `None` if nothing was.
    left: Option<u64>,
    pub(super) place: Place,
    call: Option<Pending>,
    /// Of the driver that has resumed it; null while it rests.
    active: *const Active,
}

impl core::fmt::Debug for Run {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Run").field("phase", &self.phase).field("func", &self.func).finish_non_exhaustive()
    }
}

impl Run {
    const fn new() -> Self {
        Self {
            phase: Phase::Returned,
            func: FuncRef(0),
            fiber: None,
            is_native: false,
            slots: Vec::new(),
            n_results: 0,
            yielder: core::ptr::null(),
            left: None,
            place: Place::Nowhere,
            call: None,
            active: core::ptr::null(),
        }
    }

    /// Returns what is active while a call of the host is being answered.
    #[inline]
    fn answering(&self) -> Option<&Active> {
        // SAFETY: J5. It is on the stack of the driver that has resumed the activation.
        unsafe { self.active.as_ref() }.filter(|active| active.answering.is_some())
    }

    /// Returns where its innermost frames begin.
    pub(super) fn place(&self) -> Place {
        self.answering().map_or(self.place, |active| Place::Thunk(active.frame))
    }

    /// Returns the call of the host that it waits for.
    #[inline]
    fn call(&self) -> Option<Pending> {
        match self.answering() {
            Some(active) => active.answering,
            None => self.call.filter(|_| matches!(self.phase, Phase::Host(_))),
        }
    }

    /// Ends the activation: a stack that does not rest is taken back, whatever stands on it.
    fn give_up(&mut self, vm: *mut VmNative) {
        if self.phase != Phase::Returned
            && let Some(stack) = self.stack()
        {
            self.fiber = Some(fiber(stack, vm));
        }
    }

    /// Takes the stack back, whatever stands on it.
    fn stack(&mut self) -> Option<DefaultStack> {
        let mut fiber = self.fiber.take()?;
        if !fiber.done() {
            // SAFETY: J2. No Rust value with a destructor lives on that stack, nor in what one that was never entered
            // would begin with.
            unsafe { fiber.force_reset() };
        }
        Some((*fiber).into_stack())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stack();
    }
}

/// What a machine of the JIT has.
pub(crate) struct Native {
    pub(crate) bounds: Bounds,
    /// From a box: contexts point at it.
    vm: core::ptr::NonNull<VmNative>,
    /// The activations, and behind them records of ended ones.
    runs: Vec<Run>,
    /// How many of them are activations.
    depth: usize,
    stack_bytes: usize,
    pub(super) codes: Vec<Code>,
    /// By shape: what calls the host.
    host_calls: HashMap<Shape, *const u8>,
    /// Functions of the host for whose shape no module has come yet, so that no guest can call them.
    waiting: Vec<(FuncRef, Shape)>,
}

impl core::fmt::Debug for Native {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Native")
            .field("bounds", &self.bounds)
            .field("runs", &self.active())
            .finish_non_exhaustive()
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        self.runs.clear();
        // SAFETY: V3. It was made from a box, and no guest runs any more.
        drop(unsafe { Box::from_raw(self.vm.as_ptr()) });
    }
}

impl Native {
    pub(crate) fn new(bounds: Bounds, depth_bytes: u32) -> Box<Self> {
        trap::install();
        let vm = VmNative {
            fuel: 0,
            frame: core::ptr::null(),
            caller: core::ptr::null(),
            services: service::addresses(),
            yielder: core::ptr::null(),
            pending: None,
            entry: Entry::NONE,
            fault: Fault { pc: 0, frame: core::ptr::null() },
            active: core::ptr::null_mut(),
        };
        // J3: what the depth admits, a frame that does not fit, a free leaf, services.
        let frames = depth_bytes as usize * NATIVE_PER_COUNTED as usize;
        let stack_bytes = frames + MOST_NATIVE as usize + FREE_NATIVE as usize + SERVICE_BYTES;
        Box::new(Self {
            bounds,
            vm: core::ptr::NonNull::from(Box::leak(Box::new(vm))),
            runs: Vec::new(),
            depth: 0,
            stack_bytes,
            codes: Vec::new(),
            host_calls: HashMap::new(),
            waiting: Vec::new(),
        })
    }

    pub(crate) const fn vm(&self) -> *mut VmNative {
        self.vm.as_ptr()
    }

    pub(crate) const fn depth(&self) -> usize {
        self.depth
    }

    /// Returns the activations.
    pub(super) fn active(&self) -> &[Run] {
        self.runs.get(..self.depth).unwrap_or(&[])
    }

    #[inline]
    pub(super) fn top(&self) -> Option<&Run> {
        self.runs.get(self.depth.checked_sub(1)?)
    }

    #[inline]
    fn top_mut(&mut self) -> Option<&mut Run> {
        self.runs.get_mut(self.depth.checked_sub(1)?)
    }

    /// Returns whether a call of the host is being answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.active().iter().any(|run| run.answering().is_some())
    }

    /// Returns the call of the host that is due, unless its slots are in the hands of who answers it.
    #[inline]
    fn open_call(&self) -> Option<Pending> {
        self.top().filter(|run| run.answering().is_none())?.call()
    }

    #[inline]
    pub(crate) fn args(&self) -> &[u64] {
        let Some(call) = self.open_call() else { return &[] };
        // SAFETY: J4. The slots stand on the activation's stack or in its record, and nothing writes them meanwhile.
        unsafe { core::slice::from_raw_parts(call.slots, call.host().n_params) }
    }

    #[inline]
    pub(crate) fn results_mut(&mut self) -> &mut [u64] {
        let Some(call) = self.open_call() else { return &mut [] };
        // SAFETY: J4. As above; the borrow is exclusive, and there is room for the results.
        unsafe { core::slice::from_raw_parts_mut(call.slots, call.host().n_results) }
    }

    #[inline]
    pub(crate) fn results(&self) -> &[u64] {
        let run = self.top().filter(|run| run.phase == Phase::Returned);
        run.map_or(&[], |run| &run.slots[..run.n_results])
    }

    pub(crate) fn abandon(&mut self) {
        let vm = self.vm();
        let Some(run) = self.top_mut() else { return };
        assert!(run.answering().is_none(), "the activation waits for an answer");
        run.give_up(vm);
        self.depth -= 1;
        self.runs.truncate(self.depth + SPARE_RUNS);
    }

    /// Returns the record of the next activation, with a stack if native code is to run on it.
    fn next_run(&mut self, is_native: bool) -> io::Result<&mut Run> {
        let vm = self.vm();
        if self.runs.len() == self.depth {
            self.runs.push(Run::new());
        }
        let run = &mut self.runs[self.depth];
        if is_native && run.fiber.is_none() {
            run.fiber = Some(fiber(DefaultStack::new(self.stack_bytes)?, vm));
        }
        Ok(run)
    }

    /// Returns what is left of the depth, in bytes.
    pub(crate) fn left(&self, limit: u32) -> u32 {
        let Some(run) = self.active().iter().rev().find(|run| run.left.is_some()) else { return limit };
        let left = match run.call() {
            Some(call) => call.left,
            None => run.left.unwrap_or(0).saturating_sub(self.cost_of_frames(run)),
        };
        u32::try_from(left).unwrap_or(limit)
    }

    /// Says what is left of the depth for an activation above the topmost one, which is in a call of the host.
    fn next_left(&self, limit: u32, slots: usize) -> Option<u64> {
        if self.depth == 0 {
            return Some(limit.into());
        }
        let Some(call) = self.top().and_then(Run::call) else {
            panic!("the topmost activation is not in a call of the host")
        };
        let below = call.n_slots();
        let bytes = 8 * (below + slots.max(BOTTOM_SLOTS) + HEADER_SLOTS) as u64;
        if self.depth >= MAX_ACTIVATIONS {
            return None;
        }
        call.left.checked_sub(bytes.max(NESTED_BYTES))
    }
}

/// The signature of a way in.
type Enter = unsafe extern "sysv64" fn(*const VmContext, *const u8, *mut u64, u64);

fn fiber(stack: DefaultStack, vm: *mut VmNative) -> Box<Fiber> {
    Box::new(Coroutine::with_stack(stack, move |yielder: &Yielder<(), Leave>, ()| body(yielder, vm)))
}

/// What runs on a stack: enters native code again and again, and shows no results beyond the limit on fuel (promise P3).
fn body(yielder: &Yielder<(), Leave>, vm: *mut VmNative) -> ! {
    loop {
        // SAFETY: J1, J2. The addresses come from code that is alive, for the function's own shape.
        unsafe {
            let Entry { enter, code, context, slots, left } = (*vm).entry;
            (*vm).yielder = yielder;
            let enter: Enter = core::mem::transmute(enter);
            enter(context, code, slots, left);
            (*vm).frame = core::ptr::null();
            loop {
                let counter = &mut (*(*context).state).counter;
                counter.sync((*vm).fuel as i32);
                if !counter.is_over() {
                    break;
                }
                yielder.suspend(Leave::OutOfFuel);
            }
        }
        yielder.suspend(Leave::Returned);
    }
}

impl State {
    pub(crate) fn native_vm(&self) -> *mut VmNative {
        self.native.as_ref().map_or(core::ptr::null_mut(), |native| native.vm())
    }

    /// Makes the context of a function of the host, if the machine is of the JIT.
    pub(crate) fn native_host(&self, func: &mut VmFunc, host: u32, ty: &FuncType) -> Option<Box<VmHost>> {
        self.native.as_ref()?;
        let shared = &self.host_context;
        let host = Box::new(VmHost {
            context: VmContext { ..**shared },
            position: self.hosts.len(),
            host,
            n_params: func.n_params as usize,
            n_results: func.n_results as usize,
            returns_refs: ty.results().iter().any(|ty| ty.is_ref()),
        });
        // To the whole, of which the context is the beginning.
        func.context = (&raw const *host).cast();
        Some(host)
    }

    /// Gives a function of the host what native code calls it by.
    pub(crate) fn resolve_host(&mut self, func: FuncRef, ty: &FuncType) {
        let Some(native) = &mut self.native else { return };
        let shape = Shape::of(ty);
        match (native.host_calls.get(&shape), self.funcs.get_mut(func.0)) {
            (Some(code), Some(entry)) => entry.code = *code,
            _ => native.waiting.push((func, shape)),
        }
    }

    /// Takes note of a module's code, of which an instance is being added.
    pub(crate) fn add_native_code(&mut self, module: &Arc<ModuleCode>, instance: InstanceId) {
        let Some(native) = &mut self.native else {
            assert!(module.native().is_none(), "the code is not the interpreter's");
            return;
        };
        let Some(compiled) = module.native() else { panic!("the code is not native") };
        assert_eq!(compiled.options.bounds, native.bounds, "the code expects other memories");
        if native.codes.iter().any(|code| Arc::ptr_eq(&code.module, module)) {
            return;
        }
        for (shape, [_, host_call]) in &compiled.stubs {
            let code = compiled.address(*host_call);
            native.host_calls.entry(shape.clone()).or_insert(code);
        }
        native.codes.push(Code { module: Arc::clone(module), instance });
        let host_calls = &native.host_calls;
        let funcs = &mut self.funcs;
        native.waiting.retain(|(func, shape)| {
            let (Some(code), Some(entry)) = (host_calls.get(shape), funcs.get_mut(func.0)) else {
                return true;
            };
            entry.code = *code;
            false
        });
    }

    /// Begins an activation.
    ///
    /// # Errors
    /// What the system says when it is asked for a stack.
    pub(crate) fn start_native(&mut self, func: FuncRef, args: &[u64]) -> io::Result<()> {
        let Some(callee) = self.funcs.get(func.0) else { panic!("a function of another machine") };
        let (n_params, n_results) = (callee.n_params as usize, callee.n_results as usize);
        assert_eq!(args.len(), n_params, "as many slots as the parameters have");
        if callee.has_refs {
            self.check_params(func, args);
        }
        let (code, enter, context) = (callee.code, callee.enter, callee.context);
        let limit = self.depth_limit;
        let Some(native) = &mut self.native else { unreachable!("the machine is of the JIT") };
        let left = native.next_left(limit, n_results);
        let vm = native.vm();
        let is_native = !enter.is_null();
        let run = native.next_run(is_native && left.is_some())?;
        run.slots.clear();
        match args {
            // A call of `memcpy` costs more than one or two.
            [] => {}
            [one] => run.slots.push(*one),
            [one, two] => run.slots.extend([*one, *two]),
            args => run.slots.extend_from_slice(args),
        }
        run.slots.resize(n_params.max(n_results), 0);
        (run.phase, run.func, run.is_native, run.n_results) = (Phase::Ready, func, is_native, n_results);
        (run.left, run.place, run.call) = (left, Place::Nowhere, None);
        if let Some(left) = left {
            let slots = run.slots.as_mut_ptr();
            // SAFETY: J2. No native code runs, and none is entered before this activation is: those below are in calls
            // of the host.
            unsafe { (*vm).entry = Entry { enter, code, context, slots, left } };
        }
        native.depth += 1;
        Ok(())
    }

    /// Runs a function of the host that was started directly: it is called, and then it has returned.
    fn resume_host(&mut self, slice: u64) -> Exit {
        self.counter.begin(slice);
        let funcs = &self.funcs;
        let Some(native) = &mut self.native else { unreachable!("the machine is of the JIT") };
        let Some(run) = native.top_mut() else { unreachable!("there is something to resume") };
        if self.counter.is_over() {
            return Exit::OutOfFuel;
        }
        if run.call.is_some() {
            run.phase = Phase::Returned;
            return Exit::Returned;
        }
        let Some(func) = funcs.get(run.func.0) else { unreachable!("it was there when it was started") };
        let Some(host) = NonNull::new(func.context.cast_mut().cast::<VmHost>()) else {
            unreachable!("`native_host` has made it")
        };
        let call = Pending { host, slots: run.slots.as_mut_ptr(), left: run.left.unwrap_or(0) };
        (run.call, run.phase) = (Some(call), Phase::Host(call.host().position));
        Exit::HostCall { host: call.host().host, caller: None }
    }

    /// Checks the references that a function of the host has left as results (V4).
    #[cold]
    fn check_native_results(&self, call: Pending) {
        let position = call.host().position;
        let mut slot = call.slots.cast_const();
        for result in self.hosts.get(position).map_or(&[][..], |host| host.ty.results()) {
            // SAFETY: J4. The slots have room for the results.
            let bits = unsafe { *slot };
            let is_known = !result.is_ref() || self.is_reference(bits);
            assert!(is_known, "a result is a reference of another machine");
            // SAFETY: as above.
            slot = unsafe { slot.add(result.slot_bytes() as usize / 8) };
        }
    }

    /// Takes note of how native code left.
    #[inline]
    fn left_native(
        &mut self,
        result: CoroutineResult<Leave, Infallible>,
        depth: usize,
        fiber: Box<Fiber>,
    ) -> Exit {
        let vm = self.native_vm();
        // SAFETY: J2. No native code runs now.
        let (fuel, frame, fault, pending, caller, yielder) =
            unsafe { ((*vm).fuel, (*vm).frame, (*vm).fault, (*vm).pending, (*vm).caller, (*vm).yielder) };
        self.counter.sync(fuel as i32);
        let mut place = if frame.is_null() { Place::Nowhere } else { Place::Thunk(frame) };
        let mut call = None;
        let (exit, phase) = match result {
            CoroutineResult::Return(never) => match never {},
            CoroutineResult::Yield(Leave::Returned) => (Exit::Returned, Phase::Returned),
            CoroutineResult::Yield(Leave::Slice) => (Exit::Slice, Phase::Ready),
            CoroutineResult::Yield(Leave::OutOfFuel) => (Exit::OutOfFuel, Phase::Ready),
            CoroutineResult::Yield(Leave::Poll) => (Exit::Poll, Phase::Ready),
            CoroutineResult::Yield(Leave::Wait) => {
                let waiting = self.waiting;
                let (timeout_ns, memory, addr) = (waiting.timeout_ns, waiting.memory, waiting.addr);
                (Exit::Wait { timeout_ns, memory, addr }, Phase::Ready)
            }
            CoroutineResult::Yield(Leave::HostCall) => {
                let Some(pending) = pending else { unreachable!("the service has said which") };
                let host = pending.host();
                call = Some(pending);
                // SAFETY: V3. It is the context of the instance that called last.
                let caller = unsafe { (*caller).instance };
                let caller = (caller != NO_INSTANCE).then_some(InstanceId::new(caller as u32));
                (Exit::HostCall { host: host.host, caller }, Phase::Host(host.position))
            }
            CoroutineResult::Yield(Leave::Ended) => (Exit::Ended, Phase::Trapped),
            CoroutineResult::Yield(Leave::Trap(code)) => (Exit::Trap(code), Phase::Trapped),
            CoroutineResult::Yield(Leave::Fault) => {
                place = Place::Fault(fault);
                (Exit::Trap(self.fault_code(fault)), Phase::Trapped)
            }
        };
        let Some(run) = self.native.as_mut().and_then(|native| native.runs.get_mut(depth - 1)) else {
            unreachable!("it was resumed")
        };
        (run.fiber, run.active) = (Some(fiber), core::ptr::null());
        (run.phase, run.place, run.call, run.yielder) = (phase, place, call, yielder);
        if let Exit::Trap(code) = exit
            && code != TrapCode::CallStackExhausted
        {
            let units = self.native.as_ref().map_or(0, |native| native.not_run());
            self.counter.refund(units);
        }
        exit
    }

    #[cold]
    fn fault_code(&self, fault: Fault) -> TrapCode {
        let codes = self.native.as_ref().map_or(&[][..], |native| &native.codes);
        let site = codes.iter().find_map(|code| code.compiled().trap_at(code.displacement(fault.pc)?));
        site.map_or(TrapCode::Unreachable, |site| site.code)
    }
}

/// Runs the topmost activation of a machine of the JIT. Calls of the host are answered by the driver, if there is one.
///
/// # Safety
/// V9, J5: nothing but the driver leads to the state while it runs.
pub(crate) unsafe fn resume(state: *mut State, slice: u64, driver: Option<(*mut (), Answer)>) -> Exit {
    // SAFETY: the caller's promise; these references end before native code runs.
    let (fuel, vm, depth, mut fiber) = match unsafe { (*state).prepare(slice) } {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    let mut active = Active {
        native: vm,
        state,
        stack: fiber.trap_handler(),
        driver,
        depth,
        answering: None,
        frame: core::ptr::null(),
        panic: None,
    };
    let active = &raw mut active;
    // SAFETY: J2, J5. The coroutine is nobody else's meanwhile.
    let result = unsafe {
        (*state).activate(active);
        let before = core::mem::replace(&mut (*vm).active, active);
        (*vm).fuel = i64::from(fuel);
        let result = trap::while_active(active, || fiber.resume(()));
        (*vm).active = before;
        result
    };
    // SAFETY: the caller's promise; native code has left.
    let (exit, panic) = unsafe { ((*state).left_native(result, depth, fiber), (*active).panic.take()) };
    match panic {
        Some(panic) => resume_unwind(panic),
        None => exit,
    }
}

impl State {
    /// Takes the topmost activation's coroutine, to be resumed with so much in the counter; or says what happens without.
    fn prepare(&mut self, slice: u64) -> Result<(i32, *mut VmNative, usize, Box<Fiber>), Exit> {
        let vm = self.native_vm();
        let Some(run) = self.native.as_mut().and_then(|native| native.top_mut()) else {
            panic!("nothing to resume")
        };
        assert!(run.answering().is_none(), "the activation waits for an answer");
        match core::mem::replace(&mut run.phase, Phase::Ready) {
            Phase::Ready => {}
            Phase::Host(_) => {
                if let Some(call) = run.call.filter(|call| call.host().returns_refs) {
                    self.check_native_results(call);
                }
            }
            Phase::Observed | Phase::Returned | Phase::Trapped => panic!("the activation has ended"),
        }
        let Some(native) = &mut self.native else { unreachable!("the machine is of the JIT") };
        let depth = native.depth;
        let run = &mut native.runs[depth - 1];
        if run.left.is_none() {
            run.phase = Phase::Trapped;
            return Err(Exit::Trap(TrapCode::CallStackExhausted));
        }
        let Some(fiber) = run.fiber.take_if(|_| run.is_native) else { return Err(self.resume_host(slice)) };
        // SAFETY: J2. No native code of the machine runs, but what waits for an answer.
        unsafe { (*vm).yielder = run.yielder };
        Ok((self.counter.begin(slice), vm, depth, fiber))
    }

    /// Says of the topmost activation what is active.
    fn activate(&mut self, active: *const Active) {
        if let Some(run) = self.native.as_mut().and_then(|native| native.top_mut()) {
            run.active = active;
        }
    }

    /// Lets the activation go on after an answer to its call of the host.
    ///
    /// # Panics
    /// If activations above it were left behind, or a result is a reference of another machine.
    #[inline]
    pub(super) fn end_answer(&self, call: Pending, depth: usize, returned: bool) {
        let is_same = self.native.as_ref().is_some_and(|native| native.depth == depth);
        assert!(is_same, "an answer left activations behind");
        // Without results the slots hold the guest's arguments.
        if returned && call.host().returns_refs {
            self.check_native_results(call);
        }
    }
}

impl Pending {
    /// Returns the function.
    #[inline]
    pub(super) const fn host(&self) -> &VmHost {
        // SAFETY: V3. Its context lives as long as the machine, in which calls are pending.
        unsafe { self.host.as_ref() }
    }

    /// Returns how many slots there are.
    #[inline]
    pub(super) fn n_slots(self) -> usize {
        self.host().n_params.max(self.host().n_results)
    }
}

/// Returns the caller's link and the return address that a frame pointer leads to.
pub(super) fn links(frame: *const u64) -> (*const u64, usize) {
    // SAFETY: J4. Frames of an activation that was left stand, and the walk ends at the way in.
    unsafe { (*frame as *const u64, *frame.add(1) as usize) }
}

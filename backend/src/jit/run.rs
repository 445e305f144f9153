//! Activations of native code, each on a stack of its own.

use core::convert::Infallible;
use std::collections::HashMap;
use std::io;
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
use super::trap;
use crate::interp::ModuleCode;
use crate::vm::state::State;
use crate::vm::{
    BOTTOM_SLOTS, Exit, FuncRef, HEADER_SLOTS, InstanceId, MAX_ACTIVATIONS, Machine, NESTED_BYTES,
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

/// A function of the host that is being called.
#[derive(Clone, Copy, Debug)]
struct Call {
    pending: Pending,
    n_params: usize,
    n_results: usize,
}

/// What native code runs on: it takes one activation after the other, and rests in between.
pub(super) type Fiber = Coroutine<(), Leave, Infallible>;

/// An activation, or the record of one that has ended, for the next one as deep as it was.
pub(super) struct Run {
    phase: Phase,
    func: FuncRef,
    /// Made when native code is first run at this depth.
    fiber: Option<Fiber>,
    /// Whether it is of native code, and not of a function of the host.
    is_native: bool,
    /// Arguments, then results.
    slots: Vec<u64>,
    n_results: usize,
    yielder: *const Yielder<(), Leave>,
    /// What is left of the depth below its first frame; `None` if nothing was.
    left: Option<u64>,
    pub(super) place: Place,
    call: Option<Call>,
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
        Some(fiber.into_stack())
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
            pending: Pending { position: 0, slots: core::ptr::null_mut(), left: 0 },
            entry: Entry::NONE,
            fault: Fault { pc: 0, frame: core::ptr::null() },
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

    #[inline]
    fn call(&self) -> Option<Call> {
        self.top().filter(|run| matches!(run.phase, Phase::Host(_)))?.call
    }

    #[inline]
    pub(crate) fn args(&self) -> &[u64] {
        let Some(call) = self.call() else { return &[] };
        // SAFETY: J4. The slots stand on the activation's stack or in its record, and nothing writes them meanwhile.
        unsafe { core::slice::from_raw_parts(call.pending.slots, call.n_params) }
    }

    #[inline]
    pub(crate) fn results_mut(&mut self) -> &mut [u64] {
        let Some(call) = self.call() else { return &mut [] };
        // SAFETY: J4. As above; the borrow is exclusive, and there is room for the results.
        unsafe { core::slice::from_raw_parts_mut(call.pending.slots, call.n_results) }
    }

    #[inline]
    pub(crate) fn results(&self) -> &[u64] {
        let run = self.top().filter(|run| run.phase == Phase::Returned);
        run.map_or(&[], |run| &run.slots[..run.n_results])
    }

    pub(crate) fn abandon(&mut self) {
        let vm = self.vm();
        let Some(run) = self.top_mut() else { return };
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
        let left = match (run.phase, run.call) {
            (Phase::Host(_), Some(call)) => call.pending.left,
            _ => run.left.unwrap_or(0).saturating_sub(self.cost_of_frames(run)),
        };
        u32::try_from(left).unwrap_or(limit)
    }

    /// Says what is left of the depth for an activation above the topmost one, which is in a call of the host.
    fn next_left(&self, limit: u32, slots: usize) -> Option<u64> {
        if self.depth == 0 {
            return Some(limit.into());
        }
        let Some(call) = self.call() else { panic!("the topmost activation is not in a call of the host") };
        let below = call.n_params.max(call.n_results);
        let bytes = 8 * (below + slots.max(BOTTOM_SLOTS) + HEADER_SLOTS) as u64;
        if self.depth >= MAX_ACTIVATIONS {
            return None;
        }
        call.pending.left.checked_sub(bytes.max(NESTED_BYTES))
    }
}

/// The signature of a way in.
type Enter = unsafe extern "sysv64" fn(*const VmContext, *const u8, *mut u64, u64);

fn fiber(stack: DefaultStack, vm: *mut VmNative) -> Fiber {
    Coroutine::with_stack(stack, move |yielder: &Yielder<(), Leave>, ()| body(yielder, vm))
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
    pub(crate) fn native_host(&self, func: &mut VmFunc) -> Option<Box<VmHost>> {
        self.native.as_ref()?;
        let shared = &self.host_context;
        let context = VmContext { ..**shared };
        let host = Box::new(VmHost { context, position: self.hosts.len() as u64 });
        func.context = &raw const host.context;
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
        run.slots.extend_from_slice(args);
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
        let hosts = &self.hosts;
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
        // SAFETY: V6. Its cell lives as long as the machine.
        let position = unsafe { (*func.cell).func } as usize;
        let pending =
            Pending { position: position as u64, slots: run.slots.as_mut_ptr(), left: run.left.unwrap_or(0) };
        let (n_params, n_results) = (func.n_params as usize, func.n_results as usize);
        run.call = Some(Call { pending, n_params, n_results });
        run.phase = Phase::Host(position);
        Exit::HostCall { host: hosts.get(position).map_or(0, |host| host.host), caller: None }
    }

    /// Checks the references that a function of the host has left as results (V4).
    fn check_native_results(&self, call: Call) {
        let host = self.hosts.get(call.pending.position as usize);
        let Some(host) = host.filter(|host| host.returns_refs) else { return };
        let mut slot = call.pending.slots.cast_const();
        for result in host.ty.results() {
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
    fn left_native(&mut self, result: CoroutineResult<Leave, Infallible>) -> Exit {
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
                let position = pending.position as usize;
                let host = &self.hosts[position];
                let (n_params, n_results) = (host.n_params, host.n_results);
                call = Some(Call { pending, n_params, n_results });
                // SAFETY: V3. It is the context of the instance that called last.
                let caller = unsafe { (*caller).instance };
                let caller = (caller != NO_INSTANCE).then_some(InstanceId::new(caller as u32));
                (Exit::HostCall { host: host.host, caller }, Phase::Host(position))
            }
            CoroutineResult::Yield(Leave::Trap(code)) => (Exit::Trap(code), Phase::Trapped),
            CoroutineResult::Yield(Leave::Fault) => {
                place = Place::Fault(fault);
                (Exit::Trap(self.fault_code(fault)), Phase::Trapped)
            }
        };
        let Some(run) = self.native.as_mut().and_then(|native| native.top_mut()) else {
            unreachable!("it was resumed")
        };
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

impl Machine {
    /// Runs the topmost activation of a machine of the JIT.
    pub(crate) fn resume_native(&mut self, slice: u64) -> Exit {
        let state = self.state_mut();
        let Some(native) = &mut state.native else { unreachable!("the machine is of the JIT") };
        let vm = native.vm();
        let Some(run) = native.top_mut() else { panic!("nothing to resume") };
        let phase = core::mem::replace(&mut run.phase, Phase::Ready);
        let call = run.call;
        match phase {
            Phase::Ready => {}
            Phase::Host(_) => call.iter().for_each(|call| state.check_native_results(*call)),
            Phase::Observed | Phase::Returned | Phase::Trapped => panic!("the activation has ended"),
        }
        let Some(run) = state.native.as_mut().and_then(|native| native.top_mut()) else {
            unreachable!("it was there above")
        };
        if run.left.is_none() {
            run.phase = Phase::Trapped;
            return Exit::Trap(TrapCode::CallStackExhausted);
        }
        let run = core::ptr::from_mut(run);
        let fuel = state.counter.begin(slice);
        let codes = state.native.as_ref().map_or(&[][..], |native| &native.codes);
        let (codes, n_codes) = (codes.as_ptr(), codes.len());
        let (memories, n_memories) = (state.memories.as_ptr(), state.memories.len());
        // SAFETY: J2. The record is the machine's own; neither runs nor codes nor memories are added while native
        // code runs. The state is reached through the contexts meanwhile, not through `self`.
        let result = unsafe {
            let Some(fiber) = (*run).fiber.as_mut().filter(|_| (*run).is_native) else {
                return self.state_mut().resume_host(slice);
            };
            (*vm).fuel = i64::from(fuel);
            (*vm).yielder = (*run).yielder;
            let state = core::ptr::from_mut(self.state_mut());
            let stack = fiber.trap_handler();
            let active = trap::Active { native: vm, state, stack, codes, n_codes, memories, n_memories };
            trap::while_active(&active, || fiber.resume(()))
        };
        self.state_mut().left_native(result)
    }
}

/// Returns the caller's link and the return address that a frame pointer leads to.
pub(super) fn links(frame: *const u64) -> (*const u64, usize) {
    // SAFETY: J4. Frames of an activation that was left stand, and the walk ends at the way in.
    unsafe { (*frame as *const u64, *frame.add(1) as usize) }
}

//! Runs: started, resumed, left behind.

use std::io;

use wasmos_abi::TrapCode;

use crate::error::Error;
use crate::interp::ops::call::{NO_FUNC, begin_ip};
use crate::interp::regs::exit;
use crate::interp::{HostStub, Registers, offsets, run};
use crate::vm::stack::ValueStack;
use crate::vm::state::State;
use crate::vm::{Bulk, FuncRef, HEADER_SLOTS, InstanceId, Machine, MemoryId, NO_INSTANCE, Place, VmContext};

/// Why a run left. Unless it returned or trapped, it can be resumed.
#[derive(Debug, PartialEq, Eq)]
pub enum Exit {
    /// The results are ready.
    Returned,
    /// A function of the host was called: its arguments are ready, its results are to be written.
    HostCall {
        /// The number by which the host knows it.
        host: u32,
        /// The instance that called; `None` if it was started directly.
        caller: Option<InstanceId>,
    },
    /// A call of the host was answered so that the run ends.
    Ended,
    /// The slice is used up, at a test point.
    Slice,
    /// The limit on fuel would be exceeded: at a test point, before a call of the host, before results are shown.
    OutOfFuel,
    /// Inside a long bulk operation, between two pieces.
    Poll,
    /// `memory.atomic.wait` found the expected value: the driver sleeps, says how it ended by
    /// [`Machine::finish_wait`], and resumes.
    Wait {
        /// In nanoseconds; negative for none.
        timeout_ns: i64,
        /// The memory.
        memory: MemoryId,
        /// Address in the memory.
        addr: u64,
    },
    /// In front of an instruction that the machine watches for.
    Step(Place),
    /// An instruction trapped. The frames are still there.
    Trap(TrapCode),
    /// A function was called that cannot run: its body, validated at this call, breaks a rule, or needs what is not
    /// built. Nothing of the function has run.
    Refused(Box<Error>),
}

/// What a nested activation costs of the call depth at least, so that a host which calls back is bounded.
pub(crate) const NESTED_BYTES: u64 = 4096;
/// How many activations lie upon one another at most: each stands on frames of the host's own stack, whatever the limit on
/// call depth. As many as the default limit admits.
pub(crate) const MAX_ACTIVATIONS: usize = 256;
/// Slots at the bottom of an activation that are there even without results: the function, and where its frame lies.
pub(crate) const BOTTOM_SLOTS: usize = 2;

/// Where an activation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Ready,
    /// In the host's function at that position of the machine's list.
    Host(usize),
    /// In front of an instruction that was observed.
    Observed,
    Returned,
    Trapped,
}

/// A call into guest code that has not been taken off.
#[derive(Debug)]
pub(crate) struct Activation {
    pub(crate) phase: Phase,
    pub(crate) func: FuncRef,
    /// Frame pointer of the bottom, where results end.
    base: *mut u64,
    /// What the machine's state has of the activation while it is the topmost one, and here while another one is above.
    /// Registers that a handler has just stored are not copied: reading them back in other widths stalls the processor.
    below: Option<(Registers, Option<Bulk>)>,
    /// The bottom did not fit the stack.
    exhausted: bool,
}

/// What lies in the header of a frame.
pub(crate) struct Header {
    /// Bytes that are left of the depth.
    pub(crate) left: u32,
    pub(crate) func: u32,
    pub(crate) back: *const u64,
    pub(crate) caller: *mut u64,
    pub(crate) instance: Option<InstanceId>,
}

/// Reads the header of a frame of a machine.
///
/// # Safety
/// V5: `fp` is a frame that stands.
pub(crate) unsafe fn header(fp: *const u64) -> Header {
    // SAFETY: the caller's promise.
    unsafe {
        let first = *fp.sub(4);
        let context = *fp.sub(1) as *const VmContext;
        let instance = (*context).instance;
        Header {
            left: first as u32,
            func: (first >> 32) as u32,
            back: *fp.sub(3) as *const u64,
            caller: *fp.sub(2) as *mut u64,
            instance: (instance != NO_INSTANCE).then_some(InstanceId::new(instance as u32)),
        }
    }
}

impl Machine {
    /// Begins a call, above what is pending; [`Machine::resume`] runs it.
    ///
    /// Each activation above another costs 4 KiB of the call depth.
    ///
    /// # Errors
    /// What the system says when it is asked for the value stack, at the first call.
    ///
    /// # Panics
    /// If the arguments are not as many slots as the parameters, or an argument is no reference of this machine where
    /// one is due; if the topmost activation is not in a call of the host.
    pub fn start(&mut self, func: FuncRef, args: &[u64]) -> io::Result<()> {
        let state = self.state_mut();
        if state.native.is_some() {
            return state.start_native(func, args);
        }
        state.reserve_stack()?;
        let Some(callee) = state.funcs.get(func.0) else { panic!("a function of another machine") };
        assert_eq!(args.len(), callee.n_params as usize, "as many slots as the parameters have");
        if callee.has_refs {
            state.check_params(func, args);
        }
        let (n_results, callee) = (callee.n_results as usize, core::ptr::from_ref(callee));
        let slots = n_results.max(BOTTOM_SLOTS);
        let (bottom, left) = state.next_bottom(slots);
        // SAFETY: V5. The slack holds the bottom of the first activation; a nested one has paid for its own.
        let base = unsafe { bottom.add(HEADER_SLOTS) };
        let mut registers = Registers::none();
        (registers.ip, registers.fp) = (begin_ip(), base);
        if let Some(left) = left {
            let frame = slots + HEADER_SLOTS;
            // SAFETY: as above. The slots of the callee's arguments are the callee's, or in the slack.
            unsafe {
                *base.sub(4) = u64::from(left) | u64::from(NO_FUNC) << 32;
                *base.sub(3) = 0;
                *base.sub(2) = 0;
                *base.sub(1) = &raw const *state.host_context as u64;
                *base = callee as u64;
                *base.add(1) = frame as u64;
                core::ptr::copy_nonoverlapping(args.as_ptr(), base.add(frame), args.len());
            }
        }
        let exhausted = left.is_none();
        let phase = Phase::Ready;
        if let Some(top) = state.activations.last_mut() {
            top.below = Some((state.registers, state.bulk.take()));
        }
        state.registers = registers;
        state.activations.push(Activation { phase, func, base, below: None, exhausted });
        Ok(())
    }

    /// Runs the topmost activation for about `slice` units of fuel, at least to the next test point.
    ///
    /// # Panics
    /// Without an activation, or if the topmost one has returned or trapped; if the host's function left a result that
    /// is no reference of this machine where one is due.
    pub fn resume(&mut self, slice: u64) -> Exit {
        let state = self.state_mut();
        if state.native.is_some() {
            // SAFETY: V9, J2. The machine is borrowed, and its state is reached by this pointer alone.
            return unsafe { crate::jit::resume(self.state_ptr(), slice, None) };
        }
        let Some(activation) = state.activations.last_mut() else { panic!("nothing to resume") };
        match activation.phase {
            Phase::Ready => {}
            Phase::Host(position) => {
                activation.phase = Phase::Ready;
                state.check_results(position);
            }
            Phase::Observed => {
                activation.phase = Phase::Ready;
                state.watcher.is_seen = true;
            }
            Phase::Returned | Phase::Trapped => panic!("the activation has ended"),
        }
        let Some(activation) = state.activations.last_mut() else { unreachable!("it was there above") };
        if activation.exhausted {
            activation.phase = Phase::Trapped;
            state.entering = None;
            return Exit::Trap(TrapCode::CallStackExhausted);
        }
        let mut registers = state.registers;
        registers.fuel = state.counter.begin(slice);
        // SAFETY: V3-V9. The registers are those with which the activation was started or left; its memory may have
        // grown since. The state is reached through the contexts while guest code runs, not through `self`.
        let why = unsafe {
            registers.reload();
            run(registers)
        };
        self.state_mut().left(why)
    }

    /// Says how a wait ended, before the run is resumed: 0 for woken, 1 for another value, 2 for the timeout.
    pub fn finish_wait(&mut self, result: u32) {
        self.state_mut().wait_result = Some(result);
    }

    /// Returns the slots of the arguments of the pending host call; none without one.
    #[must_use]
    pub fn args(&self) -> &[u64] {
        let state = self.state();
        if let Some(native) = &state.native {
            return native.args();
        }
        let Some((fp, stub)) = state.pending_host() else { return &[] };
        // SAFETY: V5. The frame of a host's function has its parameters, and nothing writes them while borrowed.
        unsafe { core::slice::from_raw_parts(fp, (*stub).n_params as usize) }
    }

    /// Returns the slots of the results of the pending host call; none without one. They lie where the arguments lie.
    #[must_use]
    pub fn results_mut(&mut self) -> &mut [u64] {
        if self.state().native.is_some() {
            return self.state_mut().native.as_mut().map_or(&mut [], |native| native.results_mut());
        }
        let Some((fp, stub)) = self.state().pending_host() else { return &mut [] };
        // SAFETY: V5. The slack holds results that are more than the arguments; the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(fp, (*stub).n_results as usize) }
    }

    /// Returns the slots of the results of the topmost activation, which has returned; none otherwise. They stay until
    /// [`Machine::abandon`] takes it off.
    #[must_use]
    pub fn results(&self) -> &[u64] {
        let state = self.state();
        if let Some(native) = &state.native {
            return native.results();
        }
        let Some(activation) = state.activations.last().filter(|top| top.phase == Phase::Returned) else {
            return &[];
        };
        let n_results = state.funcs.get(activation.func.0).map_or(0, |func| func.n_results as usize);
        // SAFETY: V5. The bottom has room for the results, and nothing writes them while borrowed.
        unsafe { core::slice::from_raw_parts(activation.base, n_results) }
    }

    /// Takes the topmost activation off, with all its frames.
    pub fn abandon(&mut self) {
        let state = self.state_mut();
        match &mut state.native {
            Some(native) => native.abandon(),
            None => drop(state.activations.pop()),
        }
        let below = state.activations.last_mut().and_then(|top| top.below.take());
        (state.registers, state.bulk) = below.unwrap_or((Registers::none(), None));
        state.wait_result = None;
        state.entering = None;
    }

    /// Returns how much of the limit on call depth is in use, in bytes.
    #[must_use]
    pub fn stack_used_bytes(&self) -> u32 {
        let state = self.state();
        if let Some(native) = &state.native {
            return state.depth_limit - native.left(state.depth_limit);
        }
        let top = state.frames().find(|(activation, _)| !activation.exhausted);
        // SAFETY: V5. The frame of an activation that was left stands.
        let left = top.map(|(_, registers)| unsafe { header(registers.fp) }.left);
        left.map_or(0, |left| state.depth_limit - left)
    }

    /// Returns how many activations there are.
    #[must_use]
    pub fn activations(&self) -> usize {
        self.state().native.as_ref().map_or(self.state().activations.len(), |native| native.depth())
    }
}

impl State {
    /// Returns where the bottom of the next activation begins, and what is left of the depth there; `None` if nothing.
    fn next_bottom(&self, slots: usize) -> (*mut u64, Option<u32>) {
        let Some(top) = self.activations.last() else {
            let bottom = self.stack.as_ref().map_or(core::ptr::null_mut(), ValueStack::bottom);
            return (bottom, Some(self.depth_limit));
        };
        assert!(matches!(top.phase, Phase::Host(_)), "the topmost activation is not in a call of the host");
        let Some((fp, stub)) = self.pending_host() else { unreachable!("it is in a call of the host") };
        // SAFETY: V5, V6. The frame of the host's function stands, and its stub lives.
        let (left, below) = unsafe { (header(fp).left, (*stub).n_params.max((*stub).n_results)) };
        let bytes = 8 * (u64::from(below) + (slots + HEADER_SLOTS) as u64);
        let admitted = (self.activations.len() < MAX_ACTIVATIONS).then_some(u64::from(left));
        let left =
            admitted.and_then(|left| left.checked_sub(bytes.max(NESTED_BYTES))).map(|left| left as u32);
        // SAFETY: V5. The slots of the host's function.
        (unsafe { fp.add(below as usize) }, left)
    }

    /// Returns frame and stub of the host's function that the topmost activation is in.
    pub(crate) fn pending_host(&self) -> Option<(*mut u64, *const HostStub)> {
        self.activations.last().filter(|top| matches!(top.phase, Phase::Host(_)))?;
        Some((self.registers.fp, stub_of(&self.registers)))
    }

    /// Yields the activations with their registers, the topmost first.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (&Activation, &Registers)> {
        self.activations.iter().rev().map(|activation| {
            let registers = activation.below.as_ref().map_or(&self.registers, |(registers, _)| registers);
            (activation, registers)
        })
    }

    /// Makes the value stack, which a machine without calls does not have.
    fn reserve_stack(&mut self) -> io::Result<()> {
        if self.stack.is_none() {
            self.stack = Some(ValueStack::new(self.depth_limit)?);
        }
        Ok(())
    }

    /// Takes note of how the guest left.
    fn left(&mut self, why: u32) -> Exit {
        self.counter.sync(self.registers.fuel);
        let exit = match why {
            exit::RETURNED => Exit::Returned,
            exit::HOST_CALL => return self.host_call(),
            exit::SLICE => Exit::Slice,
            exit::OUT_OF_FUEL => Exit::OutOfFuel,
            exit::POLL => Exit::Poll,
            exit::REFUSED => self.refused(),
            exit::WAIT => {
                let waiting = self.waiting;
                Exit::Wait { timeout_ns: waiting.timeout_ns, memory: waiting.memory, addr: waiting.addr }
            }
            exit::STEP => match self.place() {
                Some(place) => Exit::Step(place),
                None => unreachable!("code of no instance is not observed"),
            },
            _ => {
                if self.trap != TrapCode::CallStackExhausted {
                    let refund = offsets::not_run(self, &self.registers);
                    self.counter.refund(refund);
                }
                Exit::Trap(self.trap)
            }
        };
        self.set_phase(match exit {
            Exit::Returned => Phase::Returned,
            Exit::Trap(_) | Exit::Refused(_) => Phase::Trapped,
            Exit::Step(_) => Phase::Observed,
            _ => Phase::Ready,
        });
        exit
    }

    fn set_phase(&mut self, phase: Phase) {
        if let Some(activation) = self.activations.last_mut() {
            activation.phase = phase;
        }
    }

    fn refused(&mut self) -> Exit {
        match self.refusal.take() {
            Some(error) => Exit::Refused(error),
            None => unreachable!("whoever refuses a function says why"),
        }
    }

    fn host_call(&mut self) -> Exit {
        let position = host_position(&self.registers);
        self.set_phase(Phase::Host(position));
        // SAFETY: V5. The frame of the host's function stands, and its caller's, which may be the bottom.
        let caller = unsafe { header(header(self.registers.fp).caller) }.instance;
        let host = self.hosts.get(position).map_or(0, |host| host.host);
        Exit::HostCall { host, caller }
    }

    pub(crate) fn check_params(&self, func: FuncRef, args: &[u64]) {
        let ty = self.func_type(func);
        let mut slot = 0;
        for param in ty.params() {
            let is_known = !param.is_ref() || args.get(slot).is_some_and(|bits| self.is_reference(*bits));
            assert!(is_known, "an argument is a reference of another machine");
            slot += (param.slot_bytes() / 8) as usize;
        }
    }

    /// Checks the references that a function of the host has left as results (V4).
    fn check_results(&self, position: usize) {
        let Some(host) = self.hosts.get(position).filter(|host| host.returns_refs) else { return };
        let mut slot = self.registers.fp.cast_const();
        for result in host.ty.results() {
            // SAFETY: V5. The frame of the host's function has room for its results.
            let bits = unsafe { *slot };
            assert!(
                !result.is_ref() || self.is_reference(bits),
                "a result is a reference of another machine"
            );
            // SAFETY: as above.
            slot = unsafe { slot.add((result.slot_bytes() / 8) as usize) };
        }
    }
}

/// Returns the stub that an activation in a call of the host goes on with.
fn stub_of(registers: &Registers) -> *const HostStub {
    registers.ip.wrapping_byte_sub(core::mem::offset_of!(HostStub, back)).cast()
}

/// Returns the position of the host's function that was called.
fn host_position(registers: &Registers) -> usize {
    // SAFETY: V6. The run left from a stub, which lives as long as the machine.
    unsafe { (*stub_of(registers)).position as usize }
}

impl Activation {
    /// Returns whether its bottom did not fit.
    pub(crate) const fn never_began(&self) -> bool {
        self.exhausted
    }
}

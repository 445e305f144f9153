//! Faults of native code, turned into traps.
//!
//! The handler takes no locks and allocates nothing. What is no fault of a guest's goes to the handler that was there
//! before.

use core::any::Any;
use core::cell::Cell;
use core::convert::Infallible;

use corosensei::trap::CoroutineTrapHandler;

use super::layout::{Pending, VmNative};
use crate::vm::Answer;
use crate::vm::state::State;

/// What the handler knows of the machine that runs native code on this thread.
pub(crate) struct Active {
    pub(super) native: *mut VmNative,
    pub(super) state: *mut State,
    pub(super) stack: CoroutineTrapHandler<Infallible>,
    /// The driver and how it answers, if it does.
    pub(super) driver: Option<(*mut (), Answer)>,
    /// How many activations there are.
    pub(super) depth: usize,
    /// The call of the host that is being answered: what the state has may be changing.
    pub(super) answering: Option<Pending>,
    /// Frame pointer of the thunk by which that call left.
    pub(super) frame: *const u64,
    /// What an answer panicked with.
    pub(super) panic: Option<Box<dyn Any + Send>>,
}

thread_local! {
    static ACTIVE: Cell<*const Active> = const { Cell::new(core::ptr::null()) };
}

/// Puts back what was active before.
struct Before(*const Active);

impl Drop for Before {
    fn drop(&mut self) {
        ACTIVE.set(self.0);
    }
}

/// Runs `f`, in which native code of a machine runs.
#[inline]
pub(super) fn while_active<R>(active: *const Active, f: impl FnOnce() -> R) -> R {
    let _before = Before(ACTIVE.replace(active));
    f()
}

/// Lets nothing be active: native code waits for an answer. Another coroutine of the embedder's may have its turn meanwhile,
/// in which other native code runs and rests.
#[inline]
pub(super) fn rest() {
    ACTIVE.set(core::ptr::null());
}

/// Lets native code go on that waited.
#[inline]
pub(super) fn go_on(active: *const Active) {
    ACTIVE.set(active);
}

/// Returns what the machine has whose native code runs on this thread.
pub(super) fn running() -> (*mut State, *mut VmNative) {
    let active = ACTIVE.get();
    assert!(!active.is_null(), "native code runs");
    // SAFETY: J1. What is active outlives the time in which it is.
    unsafe { ((*active).state, (*active).native) }
}

pub(super) use system::{SUPPORTED, install};

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod system {
    use core::ffi::{c_int, c_void};
    use std::sync::OnceLock;

    use libc::{REG_R15, REG_RBP, REG_RDI, REG_RIP, REG_RSP};
    use wasmos_abi::TrapCode;

    use super::super::layout::{Fault, Leave, VmNative};
    use super::super::memory::BEHIND_NULL;
    use super::ACTIVE;

    /// Whether faults can be turned into traps here.
    pub(crate) const SUPPORTED: bool = true;

    const SIGNALS: [c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

    type Previous = [libc::sigaction; SIGNALS.len()];

    static PREVIOUS: OnceLock<Previous> = OnceLock::new();

    /// Installs the handler, once.
    pub(crate) fn install() {
        PREVIOUS.get_or_init(|| {
            SIGNALS.map(|signal| {
                // SAFETY: an action of all zeros is one; the handler has the signature that SA_SIGINFO asks for.
                unsafe {
                    let mut action: libc::sigaction = core::mem::zeroed();
                    let mut previous: libc::sigaction = core::mem::zeroed();
                    action.sa_sigaction =
                        handler as unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
                    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                    libc::sigaction(signal, &raw const action, &raw mut previous);
                    previous
                }
            })
        });
    }

    /// The handler of all signals that an instruction of native code may raise.
    ///
    /// # Safety
    /// The system calls it, with the context of the thread that it has stopped.
    unsafe extern "C" fn handler(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        // SAFETY: the system's promise.
        unsafe {
            let registers = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
            let touched = matches!(signal, libc::SIGSEGV | libc::SIGBUS).then(|| (*info).si_addr() as usize);
            // What somebody has sent is no fault, wherever it finds the thread.
            if is_sent(info) || !redirect(registers, touched) {
                hand_on(signal, info, context);
            }
        }
    }

    /// Whether a process has sent the signal.
    ///
    /// # Safety
    /// The system has given out `info`.
    unsafe fn is_sent(info: *const libc::siginfo_t) -> bool {
        // SAFETY: the caller's promise.
        unsafe { (*info).si_code <= 0 }
    }

    /// Lets the thread go on in [`faulted`], if it was stopped at an instruction of a guest's that may trap: where it
    /// has `touched` an address, one that belongs to a memory of the machine's, or to none. Elsewhere the code itself is
    /// wrong.
    ///
    /// # Safety
    /// The registers are those of the thread that the system has stopped.
    unsafe fn redirect(registers: &mut [libc::greg_t; 23], touched: Option<usize>) -> bool {
        let active = ACTIVE.get();
        // SAFETY: J1, J2, J5. What is active outlives the time in which it is; nothing but native code, which has been stopped,
        // reaches the state then.
        unsafe {
            let Some(active) = active.as_ref() else { return false };
            let state = &*active.state;
            let Some(machine) = &state.native else { return false };
            let at = |register: c_int| registers[register as usize] as usize;
            let (pc, stack) = (at(REG_RIP), at(REG_RSP));
            let site = machine.codes.iter().find_map(|code| code.compiled().trap_at(code.displacement(pc)?));
            let Some(site) = site.filter(|_| active.stack.stack_ptr_in_bounds(stack)) else { return false };
            // An access that was compared goes to 0, and not further behind it than its displacement and its size.
            let is_guarded = |address| {
                address < 2 * BEHIND_NULL as usize
                    || state.memories.iter().any(|memory| memory.reserves(address))
            };
            if touched.is_some_and(|at| site.code != TrapCode::MemoryOutOfBounds || !is_guarded(at)) {
                return false;
            }
            let native = active.native;
            (*native).fault = Fault { pc, frame: at(REG_RBP) as *const u64 };
            (*native).fuel = registers[REG_R15 as usize];
            // As if it had been called: below the red zone, the return address missing.
            let stack = ((stack - 128) & !15) - 8;
            registers[REG_RSP as usize] = stack as libc::greg_t;
            registers[REG_RDI as usize] = native as libc::greg_t;
            let target: unsafe extern "sysv64" fn(*mut VmNative) -> ! = faulted;
            registers[REG_RIP as usize] = target as usize as libc::greg_t;
            true
        }
    }

    /// Switches to the driver's stack, for ever.
    ///
    /// # Safety
    /// J2, J3: it runs on the stack of the activation whose yielder the record has.
    unsafe extern "sysv64" fn faulted(native: *mut VmNative) -> ! {
        // SAFETY: the caller's promise.
        unsafe { (*(*native).yielder).suspend(Leave::Fault) }
        // An activation that has trapped is not resumed.
        std::process::abort()
    }

    /// Does what would have been done without this handler.
    ///
    /// # Safety
    /// As of the handler.
    unsafe fn hand_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        let previous = PREVIOUS.get().and_then(|previous| {
            let position = SIGNALS.iter().position(|known| *known == signal)?;
            previous.get(position)
        });
        // SAFETY: the previous action is what the system said, and it is called as its flags say.
        unsafe {
            match previous {
                Some(action)
                    if action.sa_sigaction != libc::SIG_DFL && action.sa_sigaction != libc::SIG_IGN =>
                {
                    if action.sa_flags & libc::SA_SIGINFO != 0 {
                        let call: unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                            core::mem::transmute(action.sa_sigaction);
                        call(signal, info, context);
                    } else {
                        let call: unsafe extern "C" fn(c_int) = core::mem::transmute(action.sa_sigaction);
                        call(signal);
                    }
                }
                Some(action) if action.sa_sigaction == libc::SIG_IGN && is_sent(info) => {}
                _ => {
                    // The instruction is executed again, and the default action ends the process.
                    let mut action: libc::sigaction = core::mem::zeroed();
                    action.sa_sigaction = libc::SIG_DFL;
                    libc::sigaction(signal, &raw const action, core::ptr::null_mut());
                    if is_sent(info) {
                        // No instruction raised it, so that it would be gone.
                        libc::raise(signal);
                    }
                }
            }
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod system {
    /// Whether faults can be turned into traps here.
    pub(crate) const SUPPORTED: bool = false;

    /// Does nothing.
    pub(crate) fn install() {}
}

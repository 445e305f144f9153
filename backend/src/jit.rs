//! The JIT: the tier whose code is native, made by Cranelift.
//!
//! All bodies of a module are compiled when it is made ready (`compile`), each by itself and in parallel (`translate`
//! and what stands beside it), and laid out in one piece that is never writable and executable at once. A machine is of
//! one tier: its modules are all of this one, or all of the interpreter.
//!
//! **How code finds things.** A function takes the context of its instance and what is left of the call depth in front
//! of its parameters. The context leads to memories, tables, globals and imports by pointers that never change (V3), so
//! that Cranelift loads each once for a function. Fuel is in the pinned register (`r15`) across all guest code. One
//! convention serves all calls; a call that may leave the instance goes through a `VmFunc`, which has code and context, so
//! that instances, imports and functions of the host are called alike (`call`, `stubs`).
//!
//! **How code leaves.** Guest code runs on a stack of its own, a coroutine that takes one activation after the other
//! and rests in between (`run`). A test point that fails, a function of the host, growth, bulk operations and waits
//! call a thunk, which calls a service of the host's side (`service`); that does the work, and where the driver is to
//! see an [`crate::vm::Exit`] it switches to the driver's stack. No Rust value with a destructor lives on a guest's
//! stack, and nothing unwinds through it.
//!
//! **Traps.** An instruction that faults (`ud2`, a division, an access into a guard) raises a signal; the handler
//! (`trap`) acts only if the address of the instruction is in the trap table of code of the machine that runs on this
//! thread, and the stack pointer on the guest's stack. It notes where, and lets the thread go on in a function that
//! switches to the driver. Frames stand until the activation is given up, and backtraces follow the frame pointers.
//!
//! **Invariants** beyond V1 to V10 of [`crate::vm`], from which `SAFETY` comments argue:
//!
//! - **J1** Code of a module lives as long as an instance of it, and is never changed. Its addresses are code that keeps
//!   the conventions of `abi` and `stubs`.
//! - **J2** While native code of a machine runs, its `VmNative` is reached by pointers alone; services make references
//!   to the state that end before they switch stacks or return. A coroutine holds no Rust value with a destructor, so
//!   that it can be reset wherever it stands; it reads `VmNative::entry` when it takes an activation, and an activation
//!   is entered before the next one is started.
//! - **J3** The native stack is large enough: what promise P6 admits takes at most `NATIVE_PER_COUNTED` times as much,
//!   else the module is refused, and there is room for services beyond it.
//! - **J4** Where an activation was left, its frames stand, linked by frame pointers up to the way in, whose caller's
//!   link ends in code that is not a module's.
//! - **J5** A call of the host that is answered where it is made (`service::answered`) runs on the driver's stack, above the
//!   frame that resumed the machine; the guest's frames stand meanwhile. The pointer to the driver is the only way to it
//!   while the machine runs. The activation that called is marked, has neither its coroutine nor its slots to give, and
//!   cannot be given up; the machine cannot be dropped. Meanwhile nothing is active on the thread, so that the signal handler
//!   takes no fault for this guest's.
//!
//! What is not exact: where a module has several instances in a machine, backtraces tell all its frames as of the first.

mod abi;
pub mod artifact;
mod backtrace;
mod call;
mod code;
mod compile;
mod control;
mod fuel;
mod instr;
mod layout;
mod live;
mod memory;
mod numeric;
mod patch;
#[expect(unsafe_code, reason = "invariants V1-V10 at the head of vm.rs, J1-J5 above")]
mod run;
#[expect(unsafe_code, reason = "invariants V1-V10 at the head of vm.rs, J1-J5 above")]
mod service;
mod simd;
mod stubs;
mod translate;
#[expect(unsafe_code, reason = "invariants V1-V10 at the head of vm.rs, J1-J5 above")]
mod trap;

use core::ops::ControlFlow;

use serde::{Deserialize, Serialize};

pub(crate) use code::Compiled;
pub(crate) use compile::compile;
pub(crate) use layout::{VmHost, VmNative};
pub(crate) use run::{Native, resume};

pub use crate::error::Error;

/// How far compilation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Functions that are compiled, stubs among them.
    pub functions: usize,
    /// How many there are.
    pub of: usize,
    /// Their code, in bytes.
    pub code_bytes: u64,
}

/// Is asked before each function, on the thread that compiles it, whether to go on.
pub type Watch<'a> = &'a (dyn Fn(Progress) -> ControlFlow<()> + Sync);

/// How accesses to memory are kept within bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bounds {
    /// By address space behind each memory of 32-bit addresses, and by compares elsewhere.
    #[default]
    Guard,
    /// By compares.
    Explicit,
    /// By compares, with the address space behind them.
    Both,
}

impl Bounds {
    /// Returns whether memories have address space behind them.
    #[must_use]
    pub const fn is_guarded(self) -> bool {
        matches!(self, Self::Guard | Self::Both)
    }

    /// Returns whether each access compares.
    #[must_use]
    pub const fn compares(self) -> bool {
        matches!(self, Self::Explicit | Self::Both)
    }
}

/// What charges of fuel look like in native code. Both count the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Charges {
    /// One subtraction, and a branch where it is tested, written into the code that Cranelift has made.
    #[default]
    Patched,
    /// As Cranelift makes them; functions whose charges cannot be rewritten have these.
    Plain,
}

/// How a module is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How accesses to memory are kept within bounds.
    pub bounds: Bounds,
    /// Whether NaNs are canonical where they can be seen (promise P5).
    pub canonical_nans: bool,
    /// What charges look like.
    pub charges: Charges,
    /// Whether Cranelift checks what it is given: slow, for tests.
    pub verifies: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { bounds: Bounds::Guard, canonical_nans: true, charges: Charges::Patched, verifies: false }
    }
}

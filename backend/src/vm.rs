//! What lies in memory while guest code runs: the layout that all tiers share, and the [`Machine`] that owns it.
//!
//! A machine is driven. It runs until something happens and leaves with an [`Exit`]; who drives it handles the event
//! and resumes. Guest code never calls a closure of the host; native code may have its driver answer a call of the host in
//! between ([`Driver`]).
//!
//! # Invariants
//!
//! Every `SAFETY` comment of this room and of [`crate::interp`] argues from these.
//!
//! - **V1** A `mapping::Mapping` owns its address range: nothing else maps, unmaps or protects it. It goes away with
//!   its owner, or is kept, cleared, for the next one.
//! - **V2** Of a linear memory the first `len_bytes` bytes are committed. `base` never changes and `len_bytes` never
//!   shrinks. While guest code runs, no Rust reference to the bytes exists.
//! - **V3** What a `VmContext` points at (memories, tables, globals, functions, the machine's state) stays at its
//!   address until the machine is dropped, and so does the context. An instance keeps its module's code alive.
//! - **V4** A slot of a function reference is 0 or the address of a `VmFunc` of the same machine. Slots that come
//!   from outside are checked before guest code sees them.
//! - **V5** A frame has `HEADER_SLOTS` words below its frame pointer, written by entering a function only, and its
//!   slots above. All of them lie in the value stack: the limit on call depth (promise P6) is tested before a frame is
//!   made, a frame lies no further from its caller's than the caller's cost, trampolines between instances are paid
//!   by the rest of the mapping, and what is free of charge fits `stack::SLACK_BYTES`.
//! - **V6** An instruction pointer is the first word of an op of a published body or of a static stub. A body is never
//!   changed after it was published, and not freed while its module's code lives.
//! - **V7** A body is translated only from the proof that it is valid (`ValidBody`), and translation picks each op and its
//!   slots by the types that validation has proved: slots lie in the frame, immediates and targets in the body, indices in their spaces.
//! - **V8** The registers `mem` and `len` describe memory 0 of the frame's instance: `len` bytes are accessible.
//! - **V9** One thread at a time drives a machine; `&mut Machine` stands for it. While guest code runs, handlers
//!   reach the state through the pointer in the context, and no reference to it outlives a handler.
//! - **V10** Nothing unwinds through a handler: what they call does not panic on what a guest can decide.

mod activation;
mod arena;
mod backtrace;
mod bulk;
pub(crate) mod chunked;
mod driver;
mod fuel;
pub(crate) mod image;
mod machine;
pub(crate) mod mapping;
pub(crate) mod memory;
pub(crate) mod observe;
pub(crate) mod stack;
pub(crate) mod state;
mod table;

use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::num::NonZeroU32;

pub use activation::Exit;
pub(crate) use activation::header;
pub(crate) use activation::{BOTTOM_SLOTS, MAX_ACTIVATIONS, NESTED_BYTES, Phase};
pub(crate) use backtrace::Kept;
pub use backtrace::{Backtrace, Frame};
pub(crate) use bulk::{BYTES_PER_UNIT, Bulk, Stop};
pub(crate) use driver::Answer;
pub use driver::{Driver, HostCall, resume};
pub(crate) use fuel::Verdict;
pub use fuel::{Fuel, HostFuel};
pub use machine::{MAX_STACK_BYTES, Machine, MachineConfig, Origin, Spaces, Tier};
pub use memory::{LinearMemory, MemoryError, VmMemory};
pub use observe::{Place, Watch};
pub use table::{Table, TableLimit, VmTable};

use crate::interp::Cell;
use crate::vm::state::State;

/// Words below a frame pointer: what is left of the depth with the function's tag above it, where to return to, the
/// caller's frame, the context.
pub(crate) const HEADER_SLOTS: usize = 4;

macro_rules! ids {
    ($($name:ident $doc:literal;)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// Returns the position in the order in which they were added, from 0.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    MemoryId   "A memory of a machine.";
    TableId    "A table of a machine.";
    GlobalId   "A global of a machine.";
    FuncRef    "A function of a machine: defined in an instance, or the host's.";
}

/// An instance of a machine.
// Never zero, so that an optional one is a single word: an exit is read right after it was written, and two halves that
// are read as one stall the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(NonZeroU32);

impl InstanceId {
    pub(crate) const fn new(index: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index))
    }

    /// Returns the position in the order in which they were added, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Identity of a function type in all modules that run together. Equal types have equal ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct TypeId(pub u32);

/// A reference as a slot holds it: null, a function of a machine, or an index into what the host keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ref(pub(crate) u64);

impl Ref {
    /// The null reference.
    pub const NULL: Self = Self(0);

    /// Returns whether this is the null reference.
    #[must_use]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// Makes a reference to something of the host's, by an index that only the host understands.
    #[must_use]
    pub const fn from_extern(index: u32) -> Self {
        // Functions are aligned to more than one byte, so that an odd word is none of them.
        Self((index as u64) << 1 | 1)
    }

    /// Returns the host's index; `None` for null and for functions.
    #[must_use]
    pub const fn as_extern(self) -> Option<u32> {
        if self.0 & 1 == 1 && self.0 >> 33 == 0 { Some((self.0 >> 1) as u32) } else { None }
    }

    /// Returns the slot.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// A function that can be called through a reference or an import.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VmFunc {
    /// Its code, lazily translated; the host's functions have a stub.
    pub(crate) cell: *const Cell,
    /// The context that it runs in.
    pub(crate) context: *const VmContext,
    pub(crate) type_id: TypeId,
    /// Its own [`FuncRef`].
    pub(crate) index: u32,
    /// Slots of its parameters.
    pub(crate) n_params: u32,
    /// Slots of its results.
    pub(crate) n_results: u32,
    /// Whether parameters or results are references.
    pub(crate) has_refs: bool,
    /// Native code that guests call; null with the interpreter.
    pub(crate) code: *const u8,
    /// Native code by which the driver calls `code`.
    pub(crate) enter: *const u8,
}

/// The value of a global: one slot, or two for a vector.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VmGlobal(pub(crate) UnsafeCell<[u64; 2]>);

/// What handlers see of an instance. Pointers to its globals follow behind it, in the order of their indices.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VmContext {
    /// Memory 0, or an empty one.
    pub(crate) memory0: *const VmMemory,
    pub(crate) state: *mut State,
    pub(crate) memories: *const *const VmMemory,
    pub(crate) tables: *const *const VmTable,
    /// The imported functions.
    pub(crate) imports: *const *const VmFunc,
    /// Its own [`InstanceId`], or [`NO_INSTANCE`].
    pub(crate) instance: u64,
    /// What native code shares with the driver; null with the interpreter.
    pub(crate) native: *mut crate::jit::VmNative,
    /// Identities of the module's types: native code has none of them in it, since another process counts otherwise.
    pub(crate) type_ids: *const TypeId,
    /// Where memory 0 begins, for good: what its record says, one load nearer.
    pub(crate) base0: *const u8,
}

/// The instance of the context that belongs to none: that of the host's functions and of the bottom of a stack.
pub(crate) const NO_INSTANCE: u64 = u64::MAX;

impl VmContext {
    /// Returns how far from the context the pointer to a global lies, in bytes.
    pub(crate) const fn global_offset(index: usize) -> usize {
        size_of::<Self>() + index * size_of::<*const VmGlobal>()
    }
}

// A context is allocated as words, with the pointers to globals behind it.
const _: () = assert!(size_of::<VmContext>() == 72 && align_of::<VmContext>() <= 8);
const _: () = assert!(offset_of!(VmContext, memory0) == 0 && offset_of!(VmContext, state) == 8);
const _: () = assert!(offset_of!(VmMemory, base) == 0 && offset_of!(VmMemory, len_bytes) == 8);
const _: () = assert!(offset_of!(VmTable, elements) == 0 && offset_of!(VmTable, len) == 8);
const _: () = assert!(align_of::<VmFunc>() >= 2, "the lowest bit tells references apart");
const _: () =
    assert!(usize::BITS == 64 && cfg!(target_endian = "little"), "slots are 64 bits, little-endian");

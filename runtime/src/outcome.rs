//! How a run ended. A guest can cause each of these, and nothing else.

use std::fmt;

use wasmos_abi::{Capability, TrapCode};
use wasmos_frontend::types::FuncIdx;

use crate::value::Val;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The function returned.
    Returned(Vec<Val>),
    /// The guest asked to end, with a status.
    Exited(i32),
    /// An instruction trapped.
    Trapped(Box<Trap>),
    /// The fuel was used up.
    OutOfFuel,
    /// The time was up.
    Deadline,
    /// A quota was used up.
    Limit(Quota),
    /// A host call was denied: the capability was withdrawn while the guest ran.
    Denied(Capability),
    /// Somebody stopped the run.
    Stopped,
}

/// A quota that ends a run, or refuses a module that needs more at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// How many host calls there may be.
    HostCalls(u64),
    /// How many bytes the guest may log and write.
    OutputBytes(u64),
    /// How many bytes memories and tables may take, at 8 bytes an element.
    MemoryBytes(u64),
    /// How many elements a table may have.
    TableElements(u64),
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostCalls(limit) => write!(f, "{limit} host calls"),
            Self::OutputBytes(limit) => write!(f, "{limit} bytes of output"),
            Self::MemoryBytes(limit) => write!(f, "{limit} bytes of memory"),
            Self::TableElements(limit) => write!(f, "{limit} elements of a table"),
        }
    }
}

impl Outcome {
    /// Returns the kind as one word, as reports have it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Returned(_) => "returned",
            Self::Exited(_) => "exited",
            Self::Trapped(_) => "trapped",
            Self::OutOfFuel => "out_of_fuel",
            Self::Deadline => "deadline",
            Self::Limit(_) => "limit",
            Self::Denied(_) => "denied",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(_) => f.write_str("it returned"),
            Self::Exited(status) => write!(f, "it exited with status {status}"),
            Self::Trapped(trap) => trap.fmt(f),
            Self::OutOfFuel => f.write_str("it ran out of fuel"),
            Self::Deadline => f.write_str("its time was up"),
            Self::Limit(quota) => write!(f, "it reached a limit: {quota}"),
            Self::Denied(capability) => write!(f, "it was denied `{capability}`"),
            Self::Stopped => f.write_str("it was stopped"),
        }
    }
}

/// A trap: what, where, and how it got there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// What went wrong.
    pub code: TrapCode,
    /// Absolute byte offset of the instruction that trapped, in its module; of the segment, if one was out of bounds at
    /// instantiation.
    pub offset: u32,
    /// The frames, innermost first; none if a segment trapped.
    pub backtrace: Vec<Frame>,
    /// How many frames in the middle are left out, behind the first [`Trap::INNERMOST`].
    pub left_out: u32,
}

impl Trap {
    /// Position in the backtrace of the frames that are left out.
    pub const INNERMOST: usize = wasmos_backend::vm::Backtrace::INNERMOST;
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trap: {} (at offset {:#x}", self.code, self.offset)?;
        if let Some(frame) = self.backtrace.first() {
            write!(f, ", {frame}")?;
        }
        f.write_str(")")
    }
}

/// A frame of a backtrace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function.
    pub func: FuncIdx,
    /// Its name in the name section: untrusted text.
    pub name: Option<String>,
    /// Absolute byte offset of the instruction, in the function's module.
    pub offset: u32,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function {}", self.func)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " <{}>", name.escape_debug()))
    }
}

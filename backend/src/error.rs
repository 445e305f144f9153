//! Why code cannot be made ready to run.

use wasmos_frontend::Feature;
use wasmos_frontend::types::FuncIdx;

/// Why a module, or a function of it, cannot be made ready to run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The body of the function breaks a rule of validation, which was left until the function is called.
    #[error(transparent)]
    Invalid(#[from] wasmos_frontend::Error),
    /// Its bodies have instructions of a proposal that this version does not run.
    #[error("the interpreter does not run instructions of `{feature}`")]
    Unsupported {
        /// The proposal.
        feature: Feature,
    },
    /// There is no JIT on this platform, or the system refused it something.
    #[error("no native code: {reason}")]
    Platform {
        /// What is missing.
        reason: String,
    },
    /// A body is larger than the JIT compiles, or grows out of proportion while it is translated.
    #[error("function {func} is too complex for the JIT")]
    TooComplex {
        /// The function.
        func: FuncIdx,
    },
    /// A native frame is out of proportion to what the limit on call depth counts.
    #[error("the native frame of function {func} takes {bytes} bytes, where {cost} are counted")]
    Frame {
        /// The function.
        func: FuncIdx,
        /// Its native frame.
        bytes: u32,
        /// What a frame of it costs of the call depth, in bytes.
        cost: u32,
    },
    /// Native code would be larger than calls can reach.
    #[error("{bytes} bytes of native code are too many")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// Compiling took longer than it may.
    #[error("compiling takes too long: {functions} of {of} functions were done in time")]
    TooSlow {
        /// How many functions were compiled.
        functions: usize,
        /// How many there are.
        of: usize,
    },
    /// The compiler refused a function.
    #[error("the compiler refused function {func}: {reason}")]
    Refused {
        /// The function.
        func: FuncIdx,
        /// What it says.
        reason: String,
    },
}

impl Error {
    /// Returns whether the interpreter may still run the module.
    #[must_use]
    pub const fn is_of_jit(&self) -> bool {
        !matches!(self, Self::Unsupported { .. })
    }
}

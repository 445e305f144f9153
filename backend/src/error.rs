//! Why code cannot be made ready to run.

use wasmos_frontend::Feature;

/// Why a module, or a function of it, cannot be made ready to run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The body of the function breaks a rule of validation, which was left until the function is called.
    #[error(transparent)]
    Invalid(#[from] wasmos_frontend::Error),
    /// Its bodies have instructions of a proposal that this tier does not run.
    #[error("the interpreter does not run instructions of `{feature}`")]
    Unsupported {
        /// The proposal.
        feature: Feature,
    },
}

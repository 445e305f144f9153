//! Why a valid module cannot be made ready to run.

use wasmos_frontend::Feature;

/// Why a valid module cannot be made ready to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Its bodies have instructions of a proposal that this tier does not run.
    #[error("the interpreter does not run instructions of `{feature}`")]
    Unsupported {
        /// The proposal.
        feature: Feature,
    },
}

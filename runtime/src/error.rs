//! Somebody's mistake outside the guest. What a guest does wrong is an [`Outcome`].

use std::fmt;

use wasmos_abi::Capability;

use crate::outcome::{Outcome, Quota};

/// Somebody's mistake outside the guest, or the guest's ending where a value was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The module was refused, or a function of it when it was called first ([`crate::Validation::Lazy`]).
    #[error(transparent)]
    Module(#[from] wasmos_frontend::Error),
    /// The module needs what no tier runs, or a function of it that was called first.
    #[error(transparent)]
    Unsupported(wasmos_backend::Error),
    /// The guest did not return.
    #[error("the guest did not return: {0}")]
    Guest(Box<Outcome>),
    /// An import could not be given.
    #[error(transparent)]
    Link(Box<LinkError>),
    /// The module has no such export, or none of that kind.
    #[error("there is no {kind} exported as {name:?}")]
    NoExport {
        /// What was asked for.
        kind: &'static str,
        /// Under which name.
        name: String,
    },
    /// A function was called with values of another type, or asked for as one of another type.
    #[error("it is {found}, not {wanted}")]
    WrongType {
        /// What was asked for.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// No module could have such a memory or table.
    #[error("there is no such type: {0}")]
    BadType(wasmos_frontend::ErrorKind),
    /// A name is defined twice.
    #[error("{module:?} {name:?} is defined already")]
    DefinedTwice {
        /// The module's name.
        module: String,
        /// The name there.
        name: String,
    },
    /// More types than one engine holds.
    #[error("the engine has too many types")]
    TooManyTypes,
    /// Memories and tables would need more at once than the store may use.
    #[error("over a limit: {needed} are needed at once, the limit is {quota}")]
    Limit {
        /// The limit.
        quota: Quota,
        /// How much would be in use, in the limit's unit.
        needed: u64,
    },
    /// The system has no room for a memory, a table or the operand stack.
    #[error("out of resources: {0}")]
    Resources(String),
    /// A host function panicked; the store can be used on.
    #[error("the host function {module:?} {name:?} panicked: {message}")]
    HostPanicked {
        /// The module's name.
        module: String,
        /// The name there.
        name: String,
        /// What it said.
        message: String,
    },
    /// A host function failed by itself.
    #[error("a host function failed: {0}")]
    Host(Box<dyn std::error::Error + Send + Sync>),
    /// Runs of one store end in the opposite order of their beginnings.
    #[error("a later run of the same store has not ended")]
    RunOrder,
}

impl From<wasmos_backend::Error> for Error {
    fn from(error: wasmos_backend::Error) -> Self {
        match error {
            wasmos_backend::Error::Invalid(error) => Self::Module(error),
            unsupported => Self::Unsupported(unsupported),
        }
    }
}

impl From<LinkError> for Error {
    fn from(error: LinkError) -> Self {
        Self::Link(Box::new(error))
    }
}

impl From<Outcome> for Error {
    fn from(outcome: Outcome) -> Self {
        Self::Guest(Box::new(outcome))
    }
}

/// Why an import could not be given.
#[derive(Debug, PartialEq, Eq)]
pub struct LinkError {
    /// The module that the import asks: untrusted text.
    pub module: String,
    /// The name there: untrusted text.
    pub name: String,
    /// The type that is wanted, as text.
    pub wanted: String,
    /// What is wrong.
    pub kind: LinkErrorKind,
}

/// What is wrong with an import.
#[derive(Debug, PartialEq, Eq)]
pub enum LinkErrorKind {
    /// Nobody defines it.
    Unknown,
    /// What is defined is of another type.
    Incompatible {
        /// Its type, as text.
        found: String,
    },
    /// It needs a capability that is withheld.
    Denied(Capability),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (module, name, wanted) = (self.module.escape_debug(), self.name.escape_debug(), &self.wanted);
        match &self.kind {
            LinkErrorKind::Unknown => write!(f, "unknown import: {module}.{name} of type {wanted}"),
            LinkErrorKind::Incompatible { found } => {
                write!(f, "incompatible import type: {module}.{name} is wanted as {wanted}, it is {found}")
            }
            LinkErrorKind::Denied(capability) => {
                write!(f, "denied: {module}.{name} needs the capability `{capability}`, which is withheld")
            }
        }
    }
}

impl std::error::Error for LinkError {}

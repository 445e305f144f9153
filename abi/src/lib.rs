//! Facts that several rooms share, as tables: traps, capabilities, known imports. A leaf: it depends on nothing.

#![forbid(unsafe_code)]

pub mod capability;
pub mod imports;
pub mod platforms;
pub mod trap;

pub use capability::Capability;
pub use trap::TrapCode;

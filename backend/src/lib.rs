//! What runs guest code. It never judges it, and does no IO, memory mapping aside.

mod error;
#[expect(unsafe_code, reason = "invariants V1-V10 at the head of vm.rs")]
pub mod interp;
pub mod jit;
pub mod semantics;
#[expect(unsafe_code, reason = "invariants V1-V10 at the head of vm.rs")]
pub mod vm;

pub use error::Error;

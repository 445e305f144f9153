//! What a module is and what it could do, found without running it: facts first, judgement over them.
//!
//! Facts (`cfg`, `dominators`, `loops`, …) never judge. The crate does no IO, reads no clock, and its cost is linear in
//! the bytes; where a budget ends the look at something, the place is marked as not looked at.

#![forbid(unsafe_code)]

pub mod cfg;
pub mod dominators;
pub mod loops;
#[cfg(test)]
mod testing;

pub use cfg::Cfg;

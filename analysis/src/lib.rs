//! What a module is and what it could do, found without running it: facts first, judgement over them.
//!
//! Facts (`cfg`, `dominators`, `loops`, …) never judge. The crate does no IO, reads no clock, and its cost is linear in
//! the bytes; where a budget ends the look at something, the place is marked as not looked at.

#![forbid(unsafe_code)]

pub mod baseline;
pub mod callgraph;
pub mod cfg;
pub mod cost;
pub mod data;
pub mod dataflow;
pub mod dominators;
pub mod embedded;
pub mod facts;
pub mod finding;
mod fold;
pub mod functions;
pub mod imports;
pub mod lines;
pub mod loops;
pub mod mix;
pub mod policy;
pub mod profile;
pub mod provenance;
pub mod report;
pub mod risk;
pub mod rules;
pub mod run_facts;
pub mod shapes;
pub mod tables;
#[cfg(test)]
mod testing;
pub mod trips;

pub use cfg::Cfg;
pub use facts::Facts;
pub use finding::{Finding, Grade};
pub use policy::Policy;
pub use report::{Report, analyze};
pub use risk::Verdict;

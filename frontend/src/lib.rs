//! Bytes to [`Module`] to [`ValidModule`]: a hand-written decoder and validator of WebAssembly 3.0.
//!
//! The crate does no IO, reads no clock, keeps no vector of decoded instructions, and does not recurse on anything
//! that the bytes decide. The type of each step proves that the one before was taken.

#![forbid(unsafe_code)]

pub mod blocks;
pub mod code;
pub mod custom;
pub mod error;
pub mod features;
pub mod instr;
pub mod limits;
pub mod module;
pub mod opcode;
pub mod reader;
pub mod registry;
mod section;
pub mod types;
pub mod validate;

pub use error::{Error, ErrorClass, ErrorKind, Result};
pub use features::{Feature, Features};
pub use module::Module;
pub use section::{decode, decode_with};
pub use validate::{LazyModule, ValidModule, validate, validate_lazily};

//! Instances, host functions, limits: runs guest code that nobody trusts, and says how it ended.
//!
//! Whoever knows wasmtime's embedding finds an [`Engine`], a [`Module`], a [`Store`], a [`Linker`], an [`Instance`] and a
//! [`TypedFunc`] here, with the same meaning. What differs: a guest's failure is an [`Outcome`], not an error; every
//! store counts fuel, exactly; and a run can be taken in slices ([`Run`]).
//!
//! ```
//! use wasmos_runtime::{Engine, Linker, Module, Store};
//!
//! let engine = Engine::default();
//! let module = Module::new(&engine, wat::parse_str(
//!     r#"(module (import "host" "double" (func $double (param i32) (result i32)))
//!          (func (export "run") (param i32) (result i32) (call $double (local.get 0))))"#,
//! )?)?;
//! let mut linker = Linker::new(&engine);
//! linker.func_wrap("host", "double", |x: i32| x * 2)?;
//! let mut store = Store::new(&engine, ());
//! let instance = linker.instantiate(&mut store, &module)?;
//! let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
//! assert_eq!(run.call(&mut store, 21)?, 42);
//! assert_eq!(store.fuel_used(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod cache;
pub mod engine;
pub mod error;
pub mod events;
pub mod func;
pub mod host;
pub mod instance;
mod instantiate;
pub mod limits;
pub mod linker;
pub mod module;
pub mod native;
pub mod objects;
pub mod observe;
pub mod outcome;
pub mod prepare;
mod run;
pub mod store;
pub mod value;
pub mod wasi;

pub use cache::Cache;
pub use engine::{Backend, Config, Engine, Validation};
pub use error::{Error, LinkError, LinkErrorKind};
pub use func::{Func, TypedFunc};
pub use host::{Caller, HostFailure};
pub use instance::{Extern, Instance};
pub use limits::Limits;
pub use linker::{Linker, UnknownImports};
pub use module::Module;
pub use objects::{Global, Memory, Table};
pub use observe::{Observed, Watch};
pub use outcome::{Outcome, Trap};
pub use prepare::{Notice, Preparation, Prepared, Source};
pub use run::{Run, Step};
pub use store::{AsStore, StopHandle, Store};
pub use value::{ExternRef, Val};
pub use wasmos_abi::{Capability, TrapCode};
pub use wasmos_backend::Error as CompileError;
pub use wasmos_backend::jit::artifact::{Artifact, Authentic, MacKey, Refusal, is_artifact};
pub use wasmos_backend::jit::{Bounds, Charges, Options as JitOptions};
pub use wasmos_backend::vm::MAX_STACK_BYTES;
pub use wasmos_frontend::types::{FuncType, GlobalType, MemoryType, TableType, ValType};

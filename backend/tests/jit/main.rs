//! The tests of the machine, again on the JIT.

mod answers;
#[path = "../machine/calls.rs"]
mod calls;
#[path = "../machine/dispatch.rs"]
mod dispatch;
#[path = "../machine/fuel.rs"]
mod fuel;
#[path = "../machine/harness.rs"]
mod harness;
#[path = "../machine/huge.rs"]
mod huge;
#[path = "../machine/limits.rs"]
mod limits;
#[path = "../machine/memory.rs"]
mod memory;
#[path = "../machine/rows.rs"]
mod rows;
#[path = "../machine/scalar.rs"]
mod scalar;
mod tier;

//! Tests of the machine and the interpreter, through the machine's front door.

mod calls;
mod dispatch;
mod fuel;
mod harness;
mod huge;
mod lazy;
mod limits;
mod memory;
mod observe;
mod rows;
mod scalar;
mod tier;

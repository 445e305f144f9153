//! What runs guest code. It never judges it, and does no IO, memory mapping aside.

pub mod semantics;

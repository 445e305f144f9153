//! The value stack: frames of guest code, never the host's stack.

use std::io;

use crate::vm::mapping::{COMMIT_BYTES, Mapping};

/// Room for what promise P6 does not charge: a free leaf, the bottom of the first activation, a pending host call and
/// the arguments that a tail call moves, each at most 2,000 slots.
pub(crate) const SLACK_BYTES: usize = 2 * COMMIT_BYTES;

/// A value stack. Pages are provided by the system when they are touched.
#[derive(Debug)]
pub(crate) struct ValueStack {
    mapping: Mapping,
}

impl ValueStack {
    /// Makes a stack for a limit on call depth. The mapping ends in a page that is never committed.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new(depth_bytes: u32) -> io::Result<Self> {
        // A frame, and the trampoline behind it, which is smaller than twice the frame (V5).
        let usable = (3 * depth_bytes as usize + SLACK_BYTES).next_multiple_of(COMMIT_BYTES);
        Ok(Self { mapping: Mapping::new(usable + COMMIT_BYTES, usable)? })
    }

    /// Returns the address of the lowest slot.
    pub(crate) fn bottom(&self) -> *mut u64 {
        self.mapping.base().cast()
    }
}

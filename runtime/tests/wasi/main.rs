//! WASI as a guest meets it: attack cases D, and a model of paths that every file system must agree with.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

mod attack_descriptors;
mod attack_paths;
mod attack_system;
mod guest;
mod model;
mod overlay;
mod random;

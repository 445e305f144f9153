//! Limits of the implementation, each a number that the web engines share or that is stated here.
//!
//! Source: the WebAssembly JavaScript interface, "Implementation-defined limits"
//! (<https://webassembly.github.io/spec/js-api/#limits>). Sizes of memories and tables are not here: they
//! bite at instantiation. Each limit has a test at the limit and one past it (`tests/limits.rs`).

/// Length of a module, in bytes.
pub const MODULE_BYTES: u64 = 1 << 30;
/// Length of one function body, in bytes.
pub const BODY_BYTES: u32 = 7_654_321;
/// Types in the type section.
pub const TYPES: u32 = 1_000_000;
/// Functions, imported ones included.
pub const FUNCTIONS: u32 = 1_000_000;
/// Imports.
pub const IMPORTS: u32 = 1_000_000;
/// Exports.
pub const EXPORTS: u32 = 1_000_000;
/// Globals, imported ones included.
pub const GLOBALS: u32 = 1_000_000;
/// Tags, imported ones included.
pub const TAGS: u32 = 1_000_000;
/// Tables, imported ones included.
pub const TABLES: u32 = 100_000;
/// Memories, imported ones included.
pub const MEMORIES: u32 = 100;
/// Data segments.
pub const DATA_SEGMENTS: u32 = 100_000;
/// Element segments.
pub const ELEMENT_SEGMENTS: u32 = 100_000;
/// Entries of one element segment.
pub const ELEMENT_ENTRIES: u32 = 10_000_000;
/// Length of a name, in bytes.
pub const NAME_BYTES: u32 = 100_000;
/// Parameters of a function type.
pub const PARAMS: u32 = 1_000;
/// Results of a function type.
pub const RESULTS: u32 = 1_000;
/// Locals of a function, parameters included.
pub const LOCALS: u32 = 50_000;
/// Targets of a `br_table`, the default left out.
pub const BR_TABLE_TARGETS: u32 = 65_520;
/// Catch clauses of a `try_table`.
pub const CATCHES: u32 = 10_000;
/// Fields of a structure type.
pub const STRUCT_FIELDS: u32 = 10_000;
/// Operands of an `array.new_fixed`.
pub const ARRAY_NEW_FIXED: u32 = 10_000;
/// Length of a chain of supertypes.
pub const SUBTYPING_DEPTH: u32 = 63;
/// Pages of a memory with 32-bit addresses and pages of 64 KiB (core 3.0, "Memory Types").
pub const MEMORY32_PAGES: u64 = 1 << 16;
/// Pages of a memory with 64-bit addresses and pages of 64 KiB (core 3.0, "Memory Types").
pub const MEMORY64_PAGES: u64 = 1 << 48;
/// Operands on the stack of a body at once, as far as instructions push more than one: a call of two bytes may push
/// [`RESULTS`] of them.
pub const OPERANDS: u32 = 1_000_000;
/// Comparisons of types in a body, for each byte of it, that are more than one comparison of bits: subtyping between
/// long lists of types must not make validation quadratic.
pub const COMPARISONS_PER_BYTE: u64 = 4;
/// The same, for all bodies of a module together, beyond what their lengths allow.
pub const COMPARISONS: u64 = 1_000_000;
/// Sections, custom ones included.
pub const SECTIONS: u32 = 1_000_000;
/// Entries of the name section, all parts together; what is beyond is ignored.
pub const NAME_ENTRIES: u32 = 10_000_000;

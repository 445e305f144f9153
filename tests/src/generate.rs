//! Modules by `wasm-smith`: valid ones, and ones whose bodies are random bytes.

use arbitrary::{Arbitrary, Result, Unstructured};
use wasm_smith::{Config, Module};

/// Makes a module of the features that the frontend knows, out of bytes that decide everything.
///
/// # Errors
/// If the bytes do not suffice.
pub fn module(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let config = config(u)?;
    Ok(Module::new(config, u)?.to_bytes())
}

/// Makes a module that the engine runs: valid, of the features that it has, small enough that memories can be compared.
/// Nothing in it waits: there is no other thread that would end the wait.
///
/// # Errors
/// If the bytes do not suffice.
pub fn runnable(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut config = config(u)?;
    config.allow_invalid_funcs = false;
    config.gc_enabled = false;
    config.exceptions_enabled = false;
    config.threads_enabled = false;
    config.export_everything = true;
    config.max_imports = config.max_imports.min(3);
    config.max_memory32_bytes = RUNNABLE_BYTES;
    config.max_memory64_bytes = RUNNABLE_BYTES.into();
    config.max_table_elements = 1_000;
    // Without memories and tables there is little to compare; at least one function is called.
    config.min_memories = config.max_memories.min(1) as u32;
    config.min_tables = config.max_tables.min(1) as u32;
    config.min_funcs = 1;
    config.max_funcs = config.max_funcs.max(1);
    Ok(Module::new(config, u)?.to_bytes())
}

/// Bytes of a memory that is compared.
const RUNNABLE_BYTES: u64 = 1 << 20;

/// A configuration at random: any combination of the features that we have, and small numbers of everything, so that
/// the bytes go into variety.
fn config(u: &mut Unstructured<'_>) -> Result<Config> {
    let mut config = Config::arbitrary(u)?;
    config.max_types = config.max_types.min(20);
    config.max_imports = config.max_imports.min(10);
    config.max_funcs = config.max_funcs.min(12);
    config.max_tags = config.max_tags.min(5);
    config.max_globals = config.max_globals.min(10);
    config.max_exports = config.max_exports.min(10);
    config.max_element_segments = config.max_element_segments.min(8);
    config.max_elements = config.max_elements.min(10);
    config.max_data_segments = config.max_data_segments.min(8);
    config.max_instructions = config.max_instructions.min(150);
    config.max_memories = config.max_memories.min(4);
    config.max_tables = config.max_tables.min(4);
    // What the arbitrary configuration leaves out, and what the frontend does not have.
    config.custom_page_sizes_enabled = u.arbitrary()?;
    config.wide_arithmetic_enabled = u.arbitrary()?;
    config.compact_imports_enabled = false;
    config.generate_custom_sections = u.ratio(1, 8)?;
    config.allow_invalid_funcs = u.ratio(1, 4)?;
    Ok(config)
}

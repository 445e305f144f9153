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

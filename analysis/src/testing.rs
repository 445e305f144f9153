//! Modules for the tests of this crate.

use wasmos_frontend::{ValidModule, decode, validate};

/// Assembles and validates a module.
pub(crate) fn module(text: &str) -> ValidModule {
    let bytes = wat::parse_str(text).expect("text of a module");
    decode(bytes).and_then(validate).expect("a valid module")
}

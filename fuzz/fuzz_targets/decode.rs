//! Any bytes: an answer, never a panic, and no allocation that the bytes cannot justify (`-malloc_limit_mb`).

#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmos_frontend::{Module, decode};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(module) = decode(bytes) {
        walk(&module);
    }
});

/// Reads everything that decoding leaves as bytes, of a module that nobody has validated.
fn walk(module: &Module) {
    let names = module.names();
    let named = names.funcs.iter().map(|entry| entry.name).chain(names.locals.iter().map(|entry| entry.name));
    named.for_each(|name| assert!(name.0.len_bytes() == 0 || !module.text(name).is_empty()));
    let _ = module.warnings();
    for body in &module.bodies {
        if let Ok((_, mut instrs)) = module.code(*body) {
            while let Ok(Some((offset, instr))) = instrs.try_next() {
                assert!(body.0.start <= offset && offset < body.0.end);
                assert!(!instr.to_string().is_empty());
            }
        }
    }
    module.elements.iter().for_each(|segment| {
        let _ = module.element_entries(segment).count();
    });
}

//! Any sequence of slices of fuel gives what one run gives. The first byte says how many lengths follow; the rest
//! becomes a module by `wasm-smith`, or is one.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use wasmos_runtime::Engine;
use wasmos_tests::{generate, slices};

fuzz_target!(|bytes: &[u8]| {
    let Some((switch, rest)) = bytes.split_first() else { return };
    let Some((lengths, rest)) = rest.split_at_checked(1 + usize::from(*switch & 15)) else { return };
    let lengths = slices::lengths(lengths);
    if switch & 16 != 0 {
        slices::compare(&Engine::default(), rest, &lengths);
    } else if let Ok(module) = generate::runnable(&mut Unstructured::new(rest)) {
        slices::compare(&Engine::default(), &module, &lengths);
    }
});

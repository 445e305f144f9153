//! Both tiers live the same lives (promise P7). The first byte chooses bounds and charges of the JIT and how the
//! rest becomes a module: as it is, or by `wasm-smith`; the second, with what the guest is called.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use wasmos_runtime::{Bounds, Charges, JitOptions};
use wasmos_tests::{generate, tiers};

fuzz_target!(|bytes: &[u8]| {
    let Some(([switch, seed], rest)) = bytes.split_first_chunk() else { return };
    let bounds = [Bounds::Guard, Bounds::Explicit, Bounds::Both][usize::from(*switch % 3)];
    let charges = if switch & 128 == 0 { Charges::Patched } else { Charges::Plain };
    let options = JitOptions { bounds, charges, verifies: true, ..JitOptions::default() };
    let module = match switch & 64 {
        0 => generate::runnable(&mut Unstructured::new(rest)).ok(),
        _ => Some(rest.to_vec()),
    };
    let Some(module) = module else { return };
    if let Err(difference) = tiers::compare(&module, options, (*seed).into()) {
        panic!("{difference}\n{module:02x?}");
    }
});

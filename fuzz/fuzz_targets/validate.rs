//! The same verdict as `wasmparser` on each module. The first byte says how the rest becomes one: as it is, by
//! `wasm-smith`, or by `wasm-smith` and a mutation.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use wasmos_frontend::{Features, ValidModule, blocks, decode, validate};
use wasmos_tests::{generate, mutate, oracle};

fuzz_target!(|bytes: &[u8]| {
    let Some((switch, rest)) = bytes.split_first() else { return };
    let Some(module) = module(*switch, rest) else { return };
    if let Err(disagreement) = oracle::compare(&module, Features::all()) {
        panic!("{disagreement}\n{module:02x?}");
    }
    if let Ok(valid) = decode(module).and_then(validate) {
        check_charges(&valid);
    }
});

fn module(switch: u8, rest: &[u8]) -> Option<Vec<u8>> {
    match switch % 4 {
        0 | 1 => Some(rest.to_vec()),
        2 => generate::module(&mut Unstructured::new(rest)).ok(),
        _ => {
            let mut u = Unstructured::new(rest);
            let seed = u.arbitrary().ok()?;
            let bytes = generate::module(&mut u).ok()?;
            let module = decode(&*bytes).ok();
            Some(mutate::mutate(&mut fastrand::Rng::with_seed(seed), &bytes, module.as_ref(), rest))
        }
    }
}

/// What `blocks` promises of its charges.
fn check_charges(module: &ValidModule) {
    for body in module.valid_bodies() {
        let charges = blocks::plan(body);
        assert!(charges.iter().all(|charge| (1..=blocks::UNTESTED).contains(&charge.cost)), "{charges:?}");
        assert!(charges.is_sorted_by(|a, b| a.offset < b.offset), "{charges:?}");
        // Each call plans the body again.
        for charge in charges.iter().take(4) {
            assert!(blocks::not_run(body, charge.offset) <= charge.cost, "{charge:?}");
        }
    }
}

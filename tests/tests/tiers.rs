//! Promise P7 on ten thousand modules at random. The fuzz target `tiers` goes on where this ends.

use arbitrary::Unstructured;
use rayon::prelude::*;
use wasmos_runtime::{Bounds, Charges, JitOptions};
use wasmos_tests::tiers;

/// Modules that are compared.
const CASES: u64 = 10_000;

fn config(random: &mut fastrand::Rng) -> wasm_smith::Config {
    wasm_smith::Config {
        compact_imports_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        max_funcs: 12,
        max_instructions: 300,
        max_memories: 3,
        max_memory32_bytes: 4 << 20,
        max_memory64_bytes: 4 << 20,
        memory64_enabled: random.bool(),
        min_exports: 4,
        min_funcs: 2,
        custom_page_sizes_enabled: random.u8(..) < 32,
        reference_types_enabled: true,
        relaxed_simd_enabled: true,
        simd_enabled: random.bool(),
        tail_call_enabled: true,
        threads_enabled: random.u8(..) < 64,
        wide_arithmetic_enabled: true,
        allow_start_export: true,
        ..wasm_smith::Config::default()
    }
}

/// The module of a seed.
fn module(seed: u64) -> Option<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; 4096];
    random.fill(&mut bytes);
    let config = config(&mut random);
    let mut module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes)).ok()?;
    // Loops that never end would all end by fuel; half of the modules are made to end.
    if random.bool() {
        module.ensure_termination(1_000).ok()?;
    }
    Some(module.to_bytes())
}

/// Compares the tiers on the module of a seed; answers whether there was one that both take.
fn compare(seed: u64) -> bool {
    let Some(bytes) = module(seed) else { return false };
    let bounds = [Bounds::Guard, Bounds::Explicit, Bounds::Both][(seed % 3) as usize];
    let charges = [Charges::Patched, Charges::Patched, Charges::Plain][(seed / 3 % 3) as usize];
    let verifies = seed.is_multiple_of(16);
    let options = JitOptions { bounds, charges, verifies, ..JitOptions::default() };
    tiers::compare(&bytes, options, seed).unwrap_or_else(|difference| {
        let path = std::env::temp_dir().join(format!("tiers-{seed}.wasm"));
        let _ = std::fs::write(&path, &bytes);
        panic!("seed {seed} ({}), {difference}", path.display());
    })
}

#[test]
fn both_tiers_live_the_same_lives() {
    let compared = (0..CASES).into_par_iter().filter(|seed| compare(*seed)).count();
    assert!(compared as u64 > CASES / 2, "only {compared} modules were compared");
}

//! Any sequence of slices of fuel gives the result, the fuel, the memory and the host calls of one run. The fuzz target
//! `slices` goes on where this ends.

use arbitrary::Unstructured;
use fastrand::Rng;
use wasmos_runtime::{Backend, Engine, Error, Module};
use wasmos_tests::slices::{Ending, Seen, compare, lengths};
use wasmos_tests::tiers::engines;
use wasmos_tests::{generate, pool};

const MODULES: usize = 3_000;

/// What the runs of a test came to, so that it says when it no longer tests anything.
#[derive(Default)]
struct Coverage {
    modules: usize,
    returned: usize,
    trapped: usize,
    out_of_fuel: usize,
    host_calls: usize,
}

impl Coverage {
    fn add(&mut self, seen: &Seen) {
        self.modules += 1;
        self.host_calls += seen.calls.len();
        for ending in &seen.endings {
            match ending {
                Ending::Returned(_) => self.returned += 1,
                Ending::Trapped(_) => self.trapped += 1,
                Ending::Other(kind) if kind == "out_of_fuel" => self.out_of_fuel += 1,
                Ending::Other(_) => {}
            }
        }
    }
}

/// Compares a module with itself in slices on each tier, and the tiers with each other.
fn on_each_tier(bytes: &[u8], slices: &[u64]) -> Option<Seen> {
    // An engine keeps every type it has seen.
    let seen = compare(&Engine::default(), bytes, slices);
    for engine in engines().filter(|engine| engine.backend() != Backend::Interpreter) {
        match Module::new(&engine, bytes) {
            Err(Error::Unsupported(error)) if error.is_of_jit() => {}
            _ => assert_eq!(compare(&engine, bytes, slices), seen, "{bytes:02x?}"),
        }
    }
    seen
}

#[test]
fn modules_at_random_end_the_same_in_slices_at_random() {
    let mut rng = Rng::with_seed(0x51_1ce5);
    let mut coverage = Coverage::default();
    for _ in 0..MODULES {
        let mut bytes = vec![0; rng.usize(256..4096)];
        rng.fill(&mut bytes);
        let Ok(module) = generate::runnable(&mut Unstructured::new(&bytes)) else { continue };
        let slices = lengths(&bytes[..rng.usize(1..32)]);
        if let Some(seen) = on_each_tier(&module, &slices) {
            coverage.add(&seen);
        }
    }
    let Coverage { modules, returned, trapped, out_of_fuel, host_calls } = coverage;
    assert!(
        modules > MODULES / 4 && returned > 500 && trapped > 500 && out_of_fuel > 50 && host_calls > 50,
        "too little to compare: {modules} modules, {returned} returned, {trapped} trapped, {out_of_fuel} out of fuel, \
         {host_calls} host calls"
    );
}

#[test]
fn the_modules_of_the_suite_end_the_same_in_slices_of_one() {
    let mut coverage = Coverage::default();
    for seed in pool::seeds().into_iter().filter(|seed| seed.is_valid) {
        if let Some(seen) = on_each_tier(&seed.bytes, &[1]) {
            coverage.add(&seen);
        }
    }
    assert!(coverage.modules > 500, "only {} modules", coverage.modules);
}

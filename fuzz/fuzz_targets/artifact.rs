//! Artifacts, as they are and with their MAC put right: an answer, never a panic. What is believed is made code, and never
//! run: whoever has the key can write any code.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmos_runtime::{Artifact, Backend, Config, Engine, JitOptions, MacKey, Module, Preparation};

/// The key of `fuzz_seeds`.
const KEY: [u8; 32] = [5; 32];
/// Where the MAC stands, and what it is of.
const MAC: core::ops::Range<usize> = 8..40;

fuzz_target!(|bytes: &[u8]| {
    look_at(bytes);
    let mut signed = bytes.to_vec();
    if let Some(rest) = bytes.get(MAC.end..) {
        signed[MAC].copy_from_slice(blake3::keyed_hash(&KEY, rest).as_bytes());
        look_at(&signed);
    }
});

fn look_at(bytes: &[u8]) {
    let read = || Artifact::read(&mut &*bytes, bytes.len()).expect("there is memory");
    if let Ok(module) = read().module() {
        drop(wasmos_frontend::decode(module));
    }
    let Ok(code) = read().authenticate(&MacKey::new(KEY)) else { return };
    let Some(module) = code.module() else { return };
    let Ok(valid) = wasmos_frontend::decode(module).and_then(wasmos_frontend::validate) else { return };
    let options = code.settings().options();
    let engine = Engine::new(Config {
        backend: Backend::Jit(JitOptions { verifies: true, ..options }),
        ..Config::default()
    });
    let preparation = Preparation { artifact: Some(code), ..Preparation::default() };
    if let Ok(prepared) = Module::prepare_with(&engine, valid, preparation) {
        assert!(prepared.module.artifact(&MacKey::new(KEY), true).is_ok_and(|bytes| bytes.is_some()));
    }
}

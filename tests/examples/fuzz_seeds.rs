//! Fills `fuzz/corpus` with what fuzzing begins with: the modules of the tests and, if it is there, the small ones of
//! the corpus. `validate` and `analyze` get a byte in front, which says that the rest is a module; `slices` gets two, the
//! second of which is the length of the slices, and so does `tiers`; `artifact` gets what some are compiled to.

use std::io;
use std::path::Path;

use wasmos_runtime::{Backend, Config, Engine, JitOptions, MacKey, Module};
use wasmos_tests::pool::{Seed, corpus, seeds};

/// Modules that are compiled: how many, and how long they may be.
const ARTIFACTS: usize = 200;
const SMALL_BYTES: usize = 4096;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let seeds: Vec<Seed> = seeds().into_iter().chain(corpus().into_iter().flatten()).collect();
    write(&root.join("decode"), &[], &seeds)?;
    write(&root.join("validate"), &[0], &seeds)?;
    write(&root.join("analyze"), &[0], &seeds)?;
    write(&root.join("slices"), &[16, 40], &seeds)?;
    write(&root.join("tiers"), &[64, 0], &seeds)?;
    write(&root.join("artifact"), &[], &artifacts(&seeds))
}

/// Compiles some small modules, with the key that the fuzz target has.
fn artifacts(seeds: &[Seed]) -> Vec<Seed> {
    let engine = Engine::new(Config { backend: Backend::Jit(JitOptions::default()), ..Config::default() });
    let compile = |seed: &Seed| {
        let module = Module::new(&engine, seed.bytes.clone()).ok()?;
        let bytes = module.artifact(&MacKey::new([5; 32]), true).ok()??;
        Some(Seed { bytes, module: None, is_valid: false })
    };
    let small = seeds.iter().filter(|seed| seed.is_valid && seed.bytes.len() < SMALL_BYTES);
    small.filter_map(compile).take(ARTIFACTS).collect()
}

fn write(folder: &Path, prefix: &[u8], seeds: &[Seed]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (index, seed) in seeds.iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{index:05}")), [prefix, &seed.bytes].concat())?;
    }
    Ok(())
}

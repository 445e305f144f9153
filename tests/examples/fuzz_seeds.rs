//! Fills `fuzz/corpus` with what fuzzing begins with: the modules of the tests and, if it is there, the small ones of
//! the corpus. `validate` gets a byte in front, which says that the rest is a module; `slices` gets two, the second of which is the length of the slices,
//! and so does `tiers`.

use std::io;
use std::path::Path;

use wasmos_tests::pool::{Seed, corpus, seeds};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let seeds: Vec<Seed> = seeds().into_iter().chain(corpus().into_iter().flatten()).collect();
    write(&root.join("decode"), &[], &seeds)?;
    write(&root.join("validate"), &[0], &seeds)?;
    write(&root.join("slices"), &[16, 40], &seeds)?;
    write(&root.join("tiers"), &[64, 0], &seeds)
}

fn write(folder: &Path, prefix: &[u8], seeds: &[Seed]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (index, seed) in seeds.iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{index:05}")), [prefix, &seed.bytes].concat())?;
    }
    Ok(())
}

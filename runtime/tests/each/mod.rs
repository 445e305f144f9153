//! The engines of all tiers: what holds on one holds on each.

use wasmos_runtime::{Backend, Bounds, Config, Engine, JitOptions};

/// Yields an engine of each tier, of the JIT with each kind of bounds.
pub(crate) fn engines() -> impl Iterator<Item = Engine> {
    let jit = |bounds| Backend::Jit(JitOptions { bounds, verifies: true, ..JitOptions::default() });
    let native = cfg!(all(target_arch = "x86_64", target_os = "linux"));
    let backends = [Backend::Interpreter, jit(Bounds::Guard), jit(Bounds::Explicit)];
    let backends = backends.into_iter().filter(move |backend| native || *backend == Backend::Interpreter);
    backends.map(|backend| Engine::new(Config { backend, ..Config::default() }))
}

//! Promise P7: for the same module, inputs and host both tiers come to the same results, the same traps at the same
//! places, the same fuel, the same calls of the host, and leave the same memories, globals and tables behind.

use std::fmt::Write as _;

use wasmos_runtime::{
    AsStore, Backend, Bounds, Config, Engine, Error, Extern, Instance, JitOptions, Limits, Module, Outcome,
    Store, Val, ValType,
};

use crate::slices;

/// Whether this platform has both tiers.
const HAS_JIT: bool = cfg!(all(target_arch = "x86_64", target_os = "linux"));

/// Host calls that are compared.
const EVENTS: usize = 1_000;

/// Returns the JIT as tests want it, its code checked by Cranelift.
fn jit(bounds: Bounds) -> Backend {
    Backend::Jit(JitOptions { bounds, verifies: true, ..JitOptions::default() })
}

/// Makes an engine of a tier.
#[must_use]
pub fn engine(backend: Backend) -> Engine {
    Engine::new(Config { backend, ..Config::default() })
}

/// Yields the tiers that this platform has: the interpreter first, and the JIT with guards and with compares.
pub fn tiers() -> impl Iterator<Item = Backend> {
    let tiers = [Backend::Interpreter, jit(Bounds::Guard), jit(Bounds::Explicit)];
    tiers.into_iter().take(if HAS_JIT { 3 } else { 1 })
}

/// Yields an engine of each tier that this platform has.
pub fn engines() -> impl Iterator<Item = Engine> {
    tiers().map(engine)
}

/// What a run may use: enough to get anywhere, little enough for ten thousand modules.
fn limits(fuel: u64) -> Limits {
    Limits { fuel: Some(fuel), memory_bytes: Some(64 << 20), timeout: None, ..Limits::standard() }
}

/// Tells everything that can be seen of a module's life as text. The numbers that exports are called with follow from
/// the seed.
fn life(bytes: &[u8], backend: Backend, seed: u64) -> Result<String, Error> {
    let mut random = fastrand::Rng::with_seed(seed ^ 1);
    let engine = engine(backend);
    let module = Module::new(&engine, bytes)?;
    let mut store = Store::with_limits(&engine, (), limits(random.u64(1..30_000)))?;
    store.gate_mut().remember(EVENTS);
    let Some(linker) = slices::linker(&engine, &mut store, &module) else {
        return Ok("it cannot be linked".into());
    };
    let mut seen = String::new();
    let instance = match linker.instantiate(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => return Ok(format!("{error:?} {}", store.fuel_used())),
    };
    let exports = instance.exports(&mut store);
    for (name, export) in &exports {
        let Extern::Func(func) = export else { continue };
        let ty = func.ty(&store);
        let params: Option<Vec<_>> = ty.params().iter().map(|ty| value(*ty, &mut random)).collect();
        let Some(params) = params else { continue };
        store.set_fuel_limit(store.fuel_used() + random.u64(0..20_000));
        let outcome = func.call(&mut store, &params)?;
        let _ = writeln!(seen, "{name}: {} {} {}", show(&outcome), store.fuel_used(), store.instructions());
    }
    write_state(&mut seen, &instance, &mut store);
    for (fuel, params, results) in store.gate().events().iter().filter_map(slices::host_call) {
        let _ = writeln!(seen, "host call at {fuel}: {params:?} {results:?}");
    }
    let _ = writeln!(seen, "peak {}", store.memory_peak_bytes());
    Ok(seen)
}

/// References have no equal across stores: of them only null is told.
fn show(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Returned(values) => values.iter().fold("returned".to_owned(), |mut text, value| {
            let _ = write!(text, " {}", show_value(*value));
            text
        }),
        Outcome::Trapped(trap) => format!("{trap:?}"),
        outcome => format!("{outcome:?}"),
    }
}

fn show_value(value: Val) -> String {
    match value {
        Val::FuncRef(func) => format!("func {}", func.is_some()),
        Val::ExternRef(reference) => format!("extern {}", reference.is_some()),
        Val::F32(bits) => format!("f32 {bits:x}"),
        Val::F64(bits) => format!("f64 {bits:x}"),
        value => format!("{value:?}"),
    }
}

fn write_state(seen: &mut String, instance: &Instance, store: &mut Store<()>) {
    for (name, export) in instance.exports(store) {
        match export {
            Extern::Memory(memory) => {
                let bytes = memory.data(store);
                let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                    (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
                });
                let _ = writeln!(seen, "{name}: {} bytes {hash:x}", bytes.len());
            }
            Extern::Global(global) => {
                let _ = writeln!(seen, "{name}: {}", show_value(global.get(store.store())));
            }
            Extern::Table(table) => {
                let elements = (0..table.len(store)).filter_map(|index| table.get(store, index));
                let elements: String = elements.map(|element| show_value(element) + " ").collect();
                let _ = writeln!(seen, "{name}: {elements}");
            }
            Extern::Func(_) => {}
        }
    }
}

fn value(ty: ValType, random: &mut fastrand::Rng) -> Option<Val> {
    let small = random.bool();
    Some(match ty {
        ValType::I32 => Val::I32(if small { random.i32(-4..100) } else { random.i32(..) }),
        ValType::I64 => Val::I64(if small { random.i64(-4..100) } else { random.i64(..) }),
        ValType::F32 => Val::F32(random.u32(..)),
        ValType::F64 => Val::F64(random.u64(..)),
        ValType::V128 => Val::V128(random.u128(..)),
        _ => return None,
    })
}

/// Compares the tiers on a module; answers whether both take it.
///
/// # Errors
/// What differs, or what only the host could be blamed for.
pub fn compare(bytes: &[u8], options: JitOptions, seed: u64) -> Result<bool, String> {
    let native = match life(bytes, Backend::Jit(options), seed) {
        Ok(native) => native,
        Err(Error::Unsupported(error)) if error.is_of_jit() => return Ok(false),
        Err(error) => format!("{error}"),
    };
    let interpreted = life(bytes, Backend::Interpreter, seed).unwrap_or_else(|error| format!("{error}"));
    if native == interpreted {
        return Ok(true);
    }
    Err(format!("with {:?}:\n{native}\n--- interpreter\n{interpreted}", options.bounds))
}

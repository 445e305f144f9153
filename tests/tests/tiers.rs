//! Promise P7: for the same module, inputs and host both tiers come to the same results, the same traps at the same
//! places, the same fuel, and leave the same memories, globals and tables behind.

use std::fmt::Write as _;

use arbitrary::Unstructured;
use rayon::prelude::*;
use wasmos_backend::jit::{Bounds, Charges, Options};
use wasmos_runtime::linker::UnknownImports;
use wasmos_runtime::{
    AsStore, Backend, Config, Engine, Error, Extern, Instance, Limits, Linker, Module, Outcome, Store, Val,
    ValType,
};

/// Modules that are compared.
const CASES: u64 = 10_000;

/// What a run may use: enough to get anywhere, little enough for ten thousand modules.
fn limits(fuel: u64) -> Limits {
    Limits { fuel: Some(fuel), memory_bytes: Some(64 << 20), timeout: None, ..Limits::standard() }
}

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

/// Everything that can be seen of a module's life, as text.
fn life(bytes: &[u8], backend: Backend, seed: u64) -> Result<String, Error> {
    let mut random = fastrand::Rng::with_seed(seed ^ 1);
    let engine = Engine::new(Config { backend, ..Config::default() });
    let module = Module::new(&engine, bytes)?;
    let mut store = Store::with_limits(&engine, (), limits(random.u64(1..30_000)))?;
    let mut linker = Linker::new(&engine);
    linker.unknown_imports = UnknownImports::Zero;
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
        let _ = writeln!(seen, "{name}: {} {}", show(&outcome), store.fuel_used());
    }
    write_state(&mut seen, &instance, &mut store);
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
                let _ = writeln!(seen, "{name}: {} elements", table.len(store));
            }
            _ => {}
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

/// Compares the tiers on the module of a seed; answers whether there was one that both take.
fn compare(seed: u64) -> bool {
    let Some(bytes) = module(seed) else { return false };
    let bounds = [Bounds::Guard, Bounds::Explicit, Bounds::Both][(seed % 3) as usize];
    let charges = [Charges::Patched, Charges::Patched, Charges::Plain][(seed / 3 % 3) as usize];
    let verifies = seed.is_multiple_of(16);
    let options = Options { bounds, charges, verifies, ..Options::default() };
    let native = match life(&bytes, Backend::Jit(options), seed) {
        Ok(native) => native,
        Err(Error::Unsupported(error)) => {
            assert!(error.is_of_jit(), "seed {seed}: {error}");
            return false;
        }
        Err(error) => panic!("seed {seed}: {error}"),
    };
    let interpreted = life(&bytes, Backend::Interpreter, seed).unwrap_or_else(|error| panic!("{error}"));
    if native != interpreted {
        let path = std::env::temp_dir().join(format!("tiers-{seed}.wasm"));
        let _ = std::fs::write(&path, &bytes);
        panic!("seed {seed} ({bounds:?}, {}):\n{native}\n--- interpreter\n{interpreted}", path.display());
    }
    true
}

#[test]
fn both_tiers_live_the_same_lives() {
    let compared = (0..CASES).into_par_iter().filter(|seed| compare(*seed)).count();
    assert!(compared as u64 > CASES / 2, "only {compared} modules were compared");
}

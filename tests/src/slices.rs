//! One module run at once and in slices of fuel: whatever can be seen of the two must be the same (promises P2, P3, P7).

use wasmos_frontend::module::ImportType;
use wasmos_frontend::types::ValType;
use wasmos_runtime::events::EventKind;
use wasmos_runtime::linker::UnknownImports;
use wasmos_runtime::outcome::Trap;
use wasmos_runtime::{
    Engine, Extern, Global, Instance, Limits, Linker, Memory, Module, Outcome, Step, Store, Table, Val,
};

/// What ends a module that does not end by itself.
pub const FUEL: u64 = 20_000;
const MEMORY_BYTES: u64 = 4 << 20;
const EVENTS: usize = 1_000;

/// What can be seen of a module's runs.
#[derive(Debug, PartialEq)]
pub struct Seen {
    /// Of instantiation, if a start function or a segment ended it; then of each exported function, in their order.
    pub endings: Vec<Ending>,
    /// Fuel and instructions after each of them.
    pub fuel: Vec<[u64; 2]>,
    /// The exported memories, byte by byte.
    pub memories: Vec<Vec<u8>>,
    /// The exported globals and the elements of the exported tables.
    pub values: Vec<Value>,
    /// Host calls: fuel at the time, parameters and results.
    pub calls: Vec<(u64, Vec<Value>, Option<Vec<Value>>)>,
}

/// How a call ended, without handles of its store.
#[derive(Debug, PartialEq)]
pub enum Ending {
    /// It returned these.
    Returned(Vec<Value>),
    /// It trapped.
    Trapped(Box<Trap>),
    /// It ended otherwise: the kind of the outcome, or the error's text.
    Other(String),
}

/// A value, of a reference only whether it is null.
#[derive(Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(Val),
    /// A reference.
    Reference {
        /// Whether it is null.
        is_null: bool,
    },
}

impl From<Val> for Value {
    fn from(val: Val) -> Self {
        match val {
            Val::FuncRef(func) => Self::Reference { is_null: func.is_none() },
            Val::ExternRef(reference) => Self::Reference { is_null: reference.is_none() },
            Val::NullRef => Self::Reference { is_null: true },
            number => Self::Number(number),
        }
    }
}

fn values(vals: Vec<Val>) -> Vec<Value> {
    vals.into_iter().map(Value::from).collect()
}

impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Returned(vals) => Self::Returned(values(vals)),
            Outcome::Trapped(trap) => Self::Trapped(trap),
            other => Self::Other(other.kind().to_owned()),
        }
    }
}

/// Runs every exported function of a module, each with zeros for parameters and then with ones, in slices of the given
/// lengths, which are taken again from the beginning when they are used up; without lengths, each call at once. A
/// function that the module imports answers zeros.
///
/// Returns `None` if the module cannot be linked or does not fit the limits.
#[must_use]
pub fn run(engine: &Engine, module: &Module, slices: &[u64]) -> Option<Seen> {
    let limits = Limits {
        fuel: Some(FUEL),
        memory_bytes: Some(MEMORY_BYTES),
        stack_bytes: 64 * 1024,
        ..Limits::unlimited()
    };
    let mut store = Store::with_limits(engine, (), limits).ok()?;
    store.gate_mut().remember(EVENTS);
    let linker = linker(engine, &mut store, module)?;
    let mut seen = Seen { endings: vec![], fuel: vec![], memories: vec![], values: vec![], calls: vec![] };
    let instance = match linker.instantiate(&mut store, module) {
        Ok(instance) => Some(instance),
        Err(wasmos_runtime::Error::Guest(outcome)) => {
            seen.endings.push((*outcome).into());
            None
        }
        Err(_) => return None,
    };
    if let Some(instance) = instance {
        let mut lengths = slices.iter().copied().cycle();
        for (_, export) in instance.exports(&mut store) {
            if let Extern::Func(func) = export {
                for number in [0, 1] {
                    let params: Option<Vec<_>> =
                        func.ty(&store).params().iter().map(|ty| argument(*ty, number)).collect();
                    let Some(params) = params else { continue };
                    seen.endings.push(call(&mut store, func, &params, &mut lengths));
                    seen.fuel.push([store.fuel_used(), store.instructions()]);
                }
            }
        }
        observe(&mut store, instance, &mut seen);
    }
    seen.calls = store.gate().events().iter().filter_map(host_call).collect();
    Some(seen)
}

fn call(
    store: &mut Store<()>,
    func: wasmos_runtime::Func,
    params: &[Val],
    lengths: &mut impl Iterator<Item = u64>,
) -> Ending {
    let mut run = match func.start(store, params) {
        Ok(run) => run,
        Err(error) => return Ending::Other(error.to_string()),
    };
    loop {
        let Some(length) = lengths.next() else {
            return run.finish(store).map_or_else(|error| Ending::Other(error.to_string()), Ending::from);
        };
        match run.resume(store, length) {
            Ok(Step::Suspended | Step::Paused) => {}
            Ok(Step::Done(outcome)) => return outcome.into(),
            Err(error) => return Ending::Other(error.to_string()),
        }
    }
}

/// Returns a parameter; `None` for a reference that cannot be null.
fn argument(ty: ValType, number: u8) -> Option<Val> {
    Some(match Val::default_for(ty) {
        Val::I32(_) => Val::I32(number.into()),
        Val::I64(_) => Val::I64(number.into()),
        Val::F32(_) => Val::F32(f32::from(number).to_bits()),
        Val::F64(_) => Val::F64(f64::from(number).to_bits()),
        Val::V128(_) => Val::V128(u128::from(number) * (u128::MAX / 0xff)),
        null => return ty.is_defaultable().then_some(null),
    })
}

/// Makes what the module imports, unknown functions aside.
pub(crate) fn linker(engine: &Engine, store: &mut Store<()>, module: &Module) -> Option<Linker<()>> {
    let mut linker = Linker::new(engine);
    linker.unknown_imports = UnknownImports::Zero;
    for (from, name, import) in module.imports() {
        let item = match import.ty {
            ImportType::Func(_) => continue,
            ImportType::Tag(_) => return None,
            ImportType::Memory(ty) => Extern::Memory(Memory::new(store, ty).ok()?),
            ImportType::Table(ty) => Extern::Table(Table::new(store, ty, Val::default_for(ty.element)).ok()?),
            ImportType::Global(ty) => Extern::Global(Global::new(store, ty, argument(ty.value, 7)?).ok()?),
        };
        linker.define(from, name, item).ok()?;
    }
    Some(linker)
}

fn observe(store: &mut Store<()>, instance: Instance, seen: &mut Seen) {
    for (_, export) in instance.exports(store) {
        match export {
            Extern::Memory(memory) => seen.memories.push(memory.data(store).to_vec()),
            Extern::Global(global) => seen.values.push(global.get(store).into()),
            Extern::Table(table) => {
                let elements = (0..table.len(store)).filter_map(|index| table.get(store, index));
                seen.values.extend(elements.map(Value::from));
            }
            Extern::Func(_) => {}
        }
    }
}

pub(crate) fn host_call(
    event: &wasmos_runtime::events::Event,
) -> Option<(u64, Vec<Value>, Option<Vec<Value>>)> {
    match &event.kind {
        EventKind::HostCall { params, results, .. } => {
            Some((event.fuel, values(params.clone()), results.clone().map(values)))
        }
        _ => None,
    }
}

/// Runs a module at once and in slices; returns what was seen of the first, `None` if it cannot be run.
///
/// # Panics
/// If anything that can be seen differs.
pub fn compare(engine: &Engine, bytes: &[u8], slices: &[u64]) -> Option<Seen> {
    let module = Module::new(engine, bytes).ok()?;
    let at_once = run(engine, &module, &[]);
    let sliced = run(engine, &module, slices);
    assert_eq!(at_once, sliced, "slices of {slices:?}\n{bytes:02x?}");
    at_once
}

/// Turns bytes into lengths of slices: short ones, and some of about the length of a run.
#[must_use]
pub fn lengths(bytes: &[u8]) -> Vec<u64> {
    bytes.iter().map(|byte| if *byte < 0xe0 { u64::from(*byte) / 4 } else { u64::from(*byte) * 16 }).collect()
}

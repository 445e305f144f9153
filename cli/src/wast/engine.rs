//! What a script has made: one store, its instances by name, and the definitions that later modules import.

use std::collections::HashMap;
use std::time::Duration;

use wasmos_frontend::module::{ExternKind, ImportType};
use wasmos_frontend::types::{AddressType, GlobalType, Limits as Sizes, MemoryType, TableType};
use wasmos_frontend::{Feature, ValidModule};
use wasmos_runtime::{
    CompileError, Config, Engine, Error, Extern, Global, Instance, Limits, LinkError, Linker, Memory, Module,
    Outcome, Store, Table, Val, ValType,
};
use wast::token::Id;

use crate::tiers::Observation;
use crate::wast::script::Verdict;

/// How long a script may run: long enough for any, but a script that hangs ends.
const TIMEOUT: Duration = Duration::from_secs(600);

/// All memories and tables of a script; one of 64 bits reserves as much address space as it may grow to.
const MEMORY_BYTES: u64 = 16 << 30;

/// Something of a script, or what it takes that is not there.
type Made<T> = Result<T, Verdict>;

/// The state of a script.
pub(super) struct Session {
    engine: Engine,
    pub(super) store: Store<()>,
    linker: Linker<()>,
    definitions: Scope<Module>,
    instances: Scope<Instance>,
    /// All of them, to be looked at when the script has ended.
    made: Vec<Instance>,
    /// What was registered, also instances that could not be made.
    registered: HashMap<String, Made<Instance>>,
}

/// Things by name, and the last of them.
struct Scope<T> {
    last: Made<T>,
    named: HashMap<String, Made<T>>,
}

impl<T: Clone> Scope<T> {
    fn new(noun: &str) -> Self {
        Self { last: Err(Verdict::Failed(format!("there is no {noun} yet"))), named: HashMap::new() }
    }

    fn add(&mut self, name: Option<Id<'_>>, made: Made<T>) {
        if let Some(name) = name {
            self.named.insert(name.name().to_owned(), made.clone());
        }
        self.last = made;
    }

    fn get(&self, name: Option<Id<'_>>) -> Made<T> {
        let Some(name) = name else { return self.last.clone() };
        let unknown = || Err(Verdict::Failed(format!("nothing is called ${}", name.name())));
        self.named.get(name.name()).cloned().unwrap_or_else(unknown)
    }
}

impl Session {
    /// Makes the state of a script: the module `spectest` is there.
    pub(super) fn new(config: Config) -> Result<Self, Error> {
        let engine = Engine::new(config);
        let limits =
            Limits { timeout: Some(TIMEOUT), memory_bytes: Some(MEMORY_BYTES), ..Limits::unlimited() };
        let mut store = Store::with_limits(&engine, (), limits)?;
        let mut linker = Linker::new(&engine);
        define_spectest(&mut linker, &mut store)?;
        let (definitions, instances) = (Scope::new("definition"), Scope::new("instance"));
        let (made, registered) = (Vec::new(), HashMap::new());
        Ok(Self { engine, store, linker, definitions, instances, made, registered })
    }

    /// Adds what can be seen of the store at any time.
    pub(super) fn observe(&self, seen: &mut Observation) {
        seen.add("instructions", self.store.instructions());
        seen.add("fuel", self.store.fuel_used());
        seen.add("memory peak", self.store.memory_peak_bytes());
    }

    /// Returns what the instances export.
    pub(super) fn state(&mut self) -> Observation {
        let mut seen = Observation::default();
        for (number, instance) in self.made.iter().enumerate() {
            let mut exports = Observation::default();
            exports.add_exports(*instance, &mut self.store);
            seen.add_all(&format!("instance {number}, "), exports);
        }
        seen
    }

    /// Makes the instances that come ready to be observed.
    pub(super) const fn make_observable(&mut self) {
        self.store.make_observable();
    }

    /// Makes a module ready to run.
    pub(super) fn prepare(&self, valid: ValidModule) -> Made<Module> {
        Module::from_valid(&self.engine, valid).map_err(|error| match error {
            Error::Unsupported(CompileError::Unsupported { feature }) => Verdict::needs(feature),
            error => Verdict::Failed(error.to_string()),
        })
    }

    /// Adds a definition for `module instance`.
    pub(super) fn define(&mut self, name: Option<Id<'_>>, module: Made<Module>) -> Verdict {
        let verdict = verdict(&module);
        self.definitions.add(name, module);
        verdict
    }

    /// Instantiates a definition.
    pub(super) fn instance_of(&mut self, name: Option<Id<'_>>, module: Option<Id<'_>>) -> Verdict {
        let module = self.definitions.get(module);
        self.instance(name, module)
    }

    /// Instantiates a module, which later directives call.
    pub(super) fn instance(&mut self, name: Option<Id<'_>>, module: Made<Module>) -> Verdict {
        let made = module.and_then(|module| self.instantiate(&module)).and_then(|result| {
            result.map_err(|error| Verdict::Failed(format!("it cannot be instantiated: {error}")))
        });
        let verdict = verdict(&made);
        self.instances.add(name, made);
        verdict
    }

    /// Instantiates a module; the error is what a directive may ask for.
    pub(super) fn instantiate(&mut self, module: &Module) -> Made<Result<Instance, Error>> {
        match self.linker.instantiate(&mut self.store, module) {
            Err(Error::Link(error)) => match self.missing(module, &error) {
                Some(verdict) => Err(verdict),
                None => Ok(Err(Error::Link(error))),
            },
            result => {
                self.made.extend(result.as_ref().ok());
                Ok(result)
            }
        }
    }

    /// Says what is missing if an import is refused for something that no directive is about.
    fn missing(&self, module: &Module, error: &LinkError) -> Option<Verdict> {
        let is_it = |from: &str, name: &str| from == error.module && name == error.name;
        let mut imports = module.imports().filter(|(from, name, _)| is_it(from, name));
        let is_tag = imports.any(|(_, _, import)| matches!(import.ty, ImportType::Tag(_)));
        match self.registered.get(&error.module) {
            Some(Err(verdict)) => Some(verdict.clone()),
            // What is exported may be a tag too, which nothing links yet.
            Some(Ok(instance)) if is_tag || exports_tag(&instance.module(&self.store), &error.name) => {
                Some(Verdict::needs(Feature::Exceptions))
            }
            _ => None,
        }
    }

    /// Lets later modules import from an instance.
    pub(super) fn register(&mut self, name: &str, instance: Option<Id<'_>>) -> Verdict {
        let instance = self.instances.get(instance);
        self.registered.insert(name.to_owned(), instance.clone());
        let instance = match instance {
            Ok(instance) => instance,
            Err(verdict) => return verdict,
        };
        match self.linker.instance(&mut self.store, name, instance) {
            Ok(_) => Verdict::Passed,
            Err(error) => Verdict::Failed(error.to_string()),
        }
    }

    /// Calls an exported function and returns its results; the error is what a directive may ask for.
    pub(super) fn call(
        &mut self,
        instance: Option<Id<'_>>,
        name: &str,
        params: &[Val],
    ) -> Made<Result<Vec<Val>, Error>> {
        let func = self.instances.get(instance)?.get_func(&mut self.store, name);
        let func = func.ok_or_else(|| Verdict::Failed(format!("no function is exported as {name:?}")))?;
        Ok(match func.call(&mut self.store, params) {
            Ok(Outcome::Returned(values)) => Ok(values),
            Ok(outcome) => Err(outcome.into()),
            Err(error) => Err(error),
        })
    }

    /// Returns the value of an exported global.
    pub(super) fn global(&mut self, instance: Option<Id<'_>>, name: &str) -> Made<Val> {
        let global = self.instances.get(instance)?.get_global(&mut self.store, name);
        let global = global.ok_or_else(|| Verdict::Failed(format!("no global is exported as {name:?}")))?;
        Ok(global.get(&self.store))
    }
}

fn exports_tag(module: &Module, name: &str) -> bool {
    module.exports().any(|(exported, kind)| exported == name && kind == ExternKind::Tag)
}

fn verdict<T>(made: &Made<T>) -> Verdict {
    match made {
        Ok(_) => Verdict::Passed,
        Err(verdict) => verdict.clone(),
    }
}

/// Defines the module that scripts may import from.
///
/// Source: the specification's `interpreter/README.md`, "Spectest host module". What it prints is not shown.
fn define_spectest(linker: &mut Linker<()>, store: &mut Store<()>) -> Result<(), Error> {
    const MODULE: &str = "spectest";
    linker.func_wrap(MODULE, "print", || {})?;
    linker.func_wrap(MODULE, "print_i32", |_: i32| {})?;
    linker.func_wrap(MODULE, "print_i64", |_: i64| {})?;
    linker.func_wrap(MODULE, "print_f32", |_: f32| {})?;
    linker.func_wrap(MODULE, "print_f64", |_: f64| {})?;
    linker.func_wrap(MODULE, "print_i32_f32", |_: i32, _: f32| {})?;
    linker.func_wrap(MODULE, "print_f64_f64", |_: f64, _: f64| {})?;
    for (name, value) in [
        ("global_i32", Val::I32(666)),
        ("global_i64", Val::I64(666)),
        ("global_f32", Val::F32(666.6_f32.to_bits())),
        ("global_f64", Val::F64(666.6_f64.to_bits())),
    ] {
        let global = Global::new(store, GlobalType { value: value.ty(), mutable: false }, value)?;
        linker.define(MODULE, name, Extern::Global(global))?;
    }
    for (name, address) in [("table", AddressType::I32), ("table64", AddressType::I64)] {
        let ty = TableType { element: ValType::FUNCREF, address, limits: Sizes { min: 10, max: Some(20) } };
        let table = Table::new(store, ty, Val::FuncRef(None))?;
        linker.define(MODULE, name, Extern::Table(table))?;
    }
    for (name, shared) in [("memory", false), ("shared_memory", true)] {
        let limits = Sizes { min: 1, max: Some(2) };
        let ty = MemoryType { limits, address: AddressType::I32, shared, page_size_log2: 16 };
        let memory = Memory::new(store, ty)?;
        linker.define(MODULE, name, Extern::Memory(memory))?;
    }
    Ok(())
}

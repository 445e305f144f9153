//! Code that outlives a process: an artifact with the module in it.

use wasmos_runtime::{
    Artifact, Backend, Config, Engine, JitOptions, Linker, MacKey, Module, Notice, Outcome, Preparation,
    Refusal, Source, Store, TrapCode, Val,
};

const MODULE: &str = r#"(module (memory 1)
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "loop") (loop (br 0))))"#;

fn engine() -> Engine {
    Engine::new(Config { backend: Backend::Jit(JitOptions::default()), ..Config::default() })
}

fn key() -> MacKey {
    MacKey::new([3; 32])
}

fn artifact() -> Vec<u8> {
    let module = Module::new(&engine(), wat::parse_str(MODULE).expect("it is text")).expect("it is valid");
    module.artifact(&key(), true).expect("the platform is known").expect("the code is native")
}

fn read(bytes: &[u8]) -> Artifact {
    Artifact::read(&mut &*bytes, bytes.len()).expect("there is memory")
}

fn call(module: &Module, name: &str, params: &[Val]) -> (Outcome, u64) {
    let mut store = Store::new(module.engine(), ());
    store.set_fuel_limit(100);
    let instance = Linker::new(module.engine()).instantiate(&mut store, module).expect("it has no imports");
    let func = instance.get_func(&mut store, name).expect("it is exported");
    (func.call(&mut store, params).expect("the host makes no mistake"), store.fuel_used())
}

fn load(bytes: &[u8]) -> (Module, Source, Vec<Notice>) {
    let code = read(bytes).authenticate(&key()).expect("it is ours");
    let module = wasmos_frontend::decode(code.module().expect("it is there")).expect("it is a module");
    let valid = wasmos_frontend::validate(module).expect("it is valid");
    let preparation = Preparation { artifact: Some(code), ..Preparation::default() };
    let prepared = Module::prepare_with(&engine(), valid, preparation).expect("it is for this");
    (prepared.module, prepared.source, prepared.notices)
}

/// Results, traps with their offsets, fuel: as of what has just been compiled.
#[test]
fn an_artifact_does_what_its_module_does() {
    let bytes = artifact();
    let (loaded, source, notices) = load(&bytes);
    assert!(source == Source::Artifact && notices.is_empty(), "{source:?} {notices:?}");
    let compiled = Module::new(&engine(), wat::parse_str(MODULE).expect("it is text")).expect("it is valid");
    for (name, params) in [("load", &[Val::I32(8)][..]), ("load", &[Val::I32(-1)]), ("loop", &[])] {
        assert_eq!(call(&loaded, name, params), call(&compiled, name, params));
    }
    let (Outcome::Trapped(trap), 2) = call(&loaded, "load", &[Val::I32(65_533)]) else { panic!("it traps") };
    assert_eq!((trap.code, trap.backtrace.len()), (TrapCode::MemoryOutOfBounds, 1));
    assert_eq!(loaded.decoded().bytes()[trap.offset as usize], 0x28);
    assert_eq!(call(&loaded, "loop", &[]), (Outcome::OutOfFuel, 100));
    // It can be written again.
    assert_eq!(loaded.artifact(&key(), true).expect("the platform is known"), Some(bytes));
}

#[test]
fn the_interpreter_has_no_artifact() {
    let module = Module::new(&Engine::default(), wat::parse_str(MODULE).expect("it is text"));
    let artifact = module.expect("it is valid").artifact(&key(), true);
    assert_eq!(artifact.expect("nothing is asked of the platform"), None);
}

/// A127: what is of another module is not used, and told.
#[test]
fn an_artifact_of_another_module_is_compiled_again() {
    let code = read(&artifact()).authenticate(&key()).expect("it is ours");
    let text = "(module (func (export \"load\") (param i32) (result i32) (i32.const 5)) (func unreachable))";
    let module = wasmos_frontend::decode(wat::parse_str(text).expect("it is text")).expect("it is a module");
    let valid = wasmos_frontend::validate(module).expect("it is valid");
    let preparation = Preparation { artifact: Some(code), ..Preparation::default() };
    let prepared = Module::prepare_with(&engine(), valid, preparation).expect("it can be compiled");
    assert_eq!(prepared.source, Source::Compiled);
    assert!(matches!(prepared.notices[..], [Notice::Artifact(Refusal::Module)]), "{:?}", prepared.notices);
    let (outcome, _) = call(&prepared.module, "load", &[Val::I32(0)]);
    assert_eq!(outcome, Outcome::Returned(vec![Val::I32(5)]));
}

use std::ops::ControlFlow;
use std::sync::Arc;

use wasmos_frontend::{LazyModule, decode, validate};

use super::*;
use crate::interp::ModuleCode;
use crate::vm::TypeId;

const MODULE: &str = r#"(module (memory 1) (table 2 funcref) (elem (i32.const 0) $f $g)
    (type $t (func (param i32) (result i32)))
    (func $f (type $t) (i32.load offset=8 (local.get 0)))
    (func $g (type $t) (call $f (i32.add (local.get 0) (i32.const 1))))
    (func (export "run") (param i32) (result i32)
        (call_indirect (type $t) (i32.div_u (i32.const 7) (local.get 0)) (i32.const 1))))"#;

fn module(text: &str) -> LazyModule {
    let bytes = wat::parse_str(text).expect("the module is text");
    validate(decode(bytes).expect("it can be decoded")).expect("it is valid").into()
}

fn ids(module: &LazyModule) -> Box<[TypeId]> {
    (0..module.types.len() as u32).map(TypeId).collect()
}

fn compile(module: &LazyModule, options: Options) -> ModuleCode {
    let go_on = |_| ControlFlow::Continue(());
    let code = ModuleCode::compile(module.clone(), ids(module), Arc::new(|_, _| false), options, &go_on);
    code.expect("it can be compiled")
}

fn key() -> MacKey {
    MacKey::new([7; 32])
}

fn artifact(module: &LazyModule, options: Options) -> Vec<u8> {
    let code = compile(module, options);
    code.artifact(&key(), true).expect("the platform is known").expect("the code is native")
}

fn read(bytes: &[u8]) -> Artifact {
    Artifact::read(&mut &*bytes, bytes.len()).expect("there is memory")
}

/// Returns why the file is not run, if it is not.
fn refusal(bytes: &[u8], module: &LazyModule, options: Options) -> Option<Refusal> {
    let code = match read(bytes).authenticate(&key()) {
        Ok(code) => code,
        Err((refusal, _)) => return Some(refusal),
    };
    code.into_code((module, &hash_module(module.bytes())), options).err()
}

/// Makes the MAC right again, as only this installation can.
fn sign(bytes: &mut [u8]) {
    let mac = key().mac(&bytes[FIXED_AT..]);
    bytes[MAC_AT..FIXED_AT].copy_from_slice(mac.as_bytes());
}

#[test]
fn what_was_written_is_what_was_compiled() {
    let module = module(MODULE);
    let bytes = artifact(&module, Options::default());
    let file = read(&bytes);
    assert_eq!(file.module(), Ok(module.bytes()));
    let code = file.authenticate(&key()).expect("it is ours");
    assert_eq!(code.settings().to_string(), "--bounds guard --nan canonical");
    assert_eq!(code.module(), Some(module.bytes()));
    let loaded = code.into_code((&module, &hash_module(module.bytes())), Options::default());
    let loaded = loaded.expect("it is for this module");
    let compiled = compile(&module, Options::default());
    let compiled = compiled.native().expect("the code is native");
    assert_eq!((loaded.payload(), &loaded.plan), (compiled.payload(), &compiled.plan));
    let n_traps = (0..loaded.plan.text_bytes).filter(|pc| loaded.trap_at(*pc).is_some()).count();
    assert_eq!(n_traps, loaded.plan.n_traps as usize);
    for pc in 0..loaded.plan.text_bytes {
        assert_eq!(loaded.func_at(pc), compiled.func_at(pc));
        assert_eq!(loaded.call_before(pc), compiled.call_before(pc));
        let at = |code: &Compiled| code.trap_at(pc).map(|site| (site.offset, site.code));
        assert_eq!(at(&loaded), at(compiled));
    }
}

#[test]
fn the_bytes_do_not_depend_on_threads() {
    let funcs: String = (0..200)
        .map(|n| format!("(func (param i32) (result i32) (i32.mul (local.get 0) (i32.const {n})))"))
        .collect();
    let module = module(&format!("(module {funcs})"));
    let by = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("there are threads");
        pool.install(|| artifact(&module, Options::default()))
    };
    let one = by(1);
    assert!((2..6).all(|threads| by(threads) == one));
}

/// A127.
#[test]
fn a_change_anywhere_is_seen() {
    let module = module(MODULE);
    let bytes = artifact(&module, Options::default());
    assert_eq!(refusal(&bytes, &module, Options::default()), None);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let refusal = refusal(&changed, &module, Options::default());
        let expected: &[Refusal] = match at {
            0..MAC_AT => &[Refusal::Foreign],
            // Lengths.
            44..64 => &[Refusal::Length, Refusal::Mac],
            _ => &[Refusal::Mac],
        };
        assert!(refusal.as_ref().is_some_and(|refusal| expected.contains(refusal)), "{at}: {refusal:?}");
    }
}

#[test]
fn a_module_is_taken_only_if_it_is_whole() {
    let module = module(MODULE);
    let bytes = artifact(&module, Options::default());
    let at = bytes.windows(4).position(|bytes| bytes == b"\0asm").expect("it is there");
    let mut changed = bytes.clone();
    changed[at + 9] ^= 1;
    assert_eq!(read(&changed).module(), Err(Refusal::ModuleHash));
    let mut changed = bytes.clone();
    *changed.last_mut().expect("it is not empty") ^= 1;
    assert_eq!(read(&changed).module(), Ok(module.bytes()));
    let alone = compile(&module, Options::default()).artifact(&key(), false);
    let alone = alone.expect("the platform is known").expect("the code is native");
    assert_eq!(read(&alone).module(), Err(Refusal::NoModule));
    assert_eq!(refusal(&alone, &module, Options::default()), None);
}

/// A127.
#[test]
fn no_other_length_is_taken() {
    let module = module(MODULE);
    let bytes = artifact(&module, Options::default());
    for len in 0..bytes.len() {
        let expected = if len < MAGIC.len() { Refusal::Foreign } else { Refusal::Length };
        assert_eq!(refusal(&bytes[..len], &module, Options::default()), Some(expected));
    }
    let longer = [&bytes[..], b"x"].concat();
    assert_eq!(refusal(&longer, &module, Options::default()), Some(Refusal::Length));
    // Nor with a MAC that is right.
    let mut longer = longer;
    sign(&mut longer);
    assert_eq!(refusal(&longer, &module, Options::default()), Some(Refusal::Length));
}

/// A127.
#[test]
fn what_is_for_something_else_is_not_run() {
    let right = module(MODULE);
    let other = module("(module (func (export \"run\") (param i32) (result i32) (local.get 0)))");
    let native = Options { canonical_nans: false, ..Options::default() };
    let explicit = Options { bounds: Bounds::Explicit, ..Options::default() };
    let bytes = artifact(&right, Options::default());
    assert_eq!(
        refusal(&artifact(&other, Options::default()), &right, Options::default()),
        Some(Refusal::Module)
    );
    for options in [native, explicit] {
        let expected = Refusal::Settings(Settings::of(Options::default()));
        assert_eq!(refusal(&bytes, &right, options), Some(expected));
        assert_eq!(refusal(&artifact(&right, options), &right, options), None);
    }
    let foreign = Artifact::read(&mut &bytes[..], bytes.len()).expect("there is memory");
    let refused = foreign.authenticate(&MacKey::new([8; 32])).map(|_| ()).map_err(|(refusal, _)| refusal);
    assert_eq!(refused, Err(Refusal::Mac));
}

/// A127: code of another build or processor, which this installation has written.
#[test]
fn what_another_build_or_processor_made_is_not_run() {
    let module = module(MODULE);
    let code = compile(&module, Options::default());
    let native = code.native().expect("the code is native");
    let target = Target::of(Options::default()).expect("the platform is known");
    let made_by = |target: Target| {
        let mut bytes = artifact(&module, Options::default());
        let fixed = Fixed::read(&bytes).expect("it is whole");
        let head = encode(&Head { target, plan: native.plan.clone() });
        // In place: the lengths stay as they are.
        assert_eq!(head.len(), fixed.head.len());
        bytes[fixed.head].copy_from_slice(&head);
        sign(&mut bytes);
        refusal(&bytes, &module, Options::default())
    };
    assert_eq!(made_by(target.clone()), None);
    let mut build = target.clone();
    build.build.replace_range(0..1, "9");
    assert_eq!(made_by(build), Some(Refusal::Build));
    let mut features = target.clone();
    features.features.replace_range(0..1, "x");
    let Refusal::Platform { platform, .. } = made_by(features).expect("it is refused") else {
        panic!("it is the platform that differs")
    };
    assert_eq!(platform, target.platform);
    let mut version = artifact(&module, Options::default());
    version[FIXED_AT] += 1;
    sign(&mut version);
    assert_eq!(refusal(&version, &module, Options::default()), Some(Refusal::Build));
}

/// A head that makes no sense is told, whoever has written it.
#[test]
fn a_head_that_makes_no_sense_is_told() {
    let module = module(MODULE);
    let bytes = artifact(&module, Options::default());
    let fixed = Fixed::read(&bytes).expect("it is whole");
    for at in fixed.head {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            sign(&mut changed);
            // An answer, whichever: the stubs' places are believed.
            refusal(&changed, &module, Options::default());
        }
    }
}

/// The names are those of files in a cache.
#[test]
fn what_is_compiled_otherwise_has_another_name() {
    let name = |module: u8, bounds, canonical_nans| {
        let options = Options { bounds, canonical_nans, ..Options::default() };
        super::name(&[module; 32], options).expect("the platform is known")
    };
    let names = [
        name(1, Bounds::Guard, true),
        name(2, Bounds::Guard, true),
        name(1, Bounds::Explicit, true),
        name(1, Bounds::Both, true),
        name(1, Bounds::Guard, false),
    ];
    assert!(names.iter().enumerate().all(|(n, name)| !names[..n].contains(name)));
    assert_eq!(names[0].len(), 64);
    let verified = Options { verifies: true, ..Options::default() };
    assert_eq!(super::name(&[1; 32], verified).as_ref(), Ok(&names[0]));
}

#[cfg(target_os = "linux")]
#[test]
fn code_that_was_loaded_cannot_be_written() {
    let module = module(MODULE);
    let bytes = artifact(&module, Options::default());
    let code = read(&bytes).authenticate(&key()).expect("it is ours");
    let code = code.into_code((&module, &hash_module(module.bytes())), Options::default());
    let address = code.as_ref().map(|code| code.range()).expect("it is for this module");
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the system tells");
    let flags = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let at = |text| usize::from_str_radix(text, 16).ok();
        (at(start)? <= address.start && address.end <= at(end)?).then(|| rest[..4].to_owned())
    });
    assert_eq!(flags.as_deref(), Some("r-xp"));
}

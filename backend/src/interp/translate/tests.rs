//! Whole modules: each body translates, twice the same, in bounded memory.

use std::path::PathBuf;
use std::sync::Arc;

use wasmos_frontend::types::FuncIdx;

use super::{ENTRY, translate};
use crate::error::Error;
use crate::interp::ModuleCode;
use crate::vm::TypeId;

/// Most words of ops that a byte of a body may become.
const WORDS_PER_BYTE: usize = 12;

fn code(bytes: Vec<u8>) -> Result<ModuleCode, Error> {
    let module = wasmos_frontend::decode(bytes).unwrap();
    let valid = wasmos_frontend::validate(module).unwrap();
    let ids = (0..valid.types.len() as u32).map(TypeId).collect();
    ModuleCode::new(valid, ids, Arc::new(|_, _| false))
}

fn check(code: &ModuleCode) {
    for position in 0..code.module().bodies.len() {
        let func = code.module().defined_func(position);
        let body = code.runnable(func).unwrap();
        let translated = translate(code, body);
        let len_bytes = code.module().bodies[position].0.len_bytes() as usize;
        assert!(
            translated.ops.len() <= ENTRY + 64 + WORDS_PER_BYTE * len_bytes,
            "{func} of {len_bytes} bytes"
        );
        assert_eq!(translate(code, body).ops, translated.ops, "{func}");
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn the_modules_of_the_corpus_translate() {
    let Some(folder) = std::env::var_os("WASMOS_CORPUS").map(PathBuf::from).filter(|folder| folder.is_dir())
    else {
        eprintln!("skipped: WASMOS_CORPUS names no folder with the corpus");
        return;
    };
    let mut folders = vec![folder];
    let mut n_modules = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "wasm") {
                let bytes = std::fs::read(&path).unwrap();
                if let Ok(code) = code(bytes) {
                    check(&code);
                    n_modules += 1;
                }
            }
        }
    }
    assert!(n_modules > 0);
}

#[test]
fn a_cell_is_translated_once_whoever_is_first() {
    let wat = "(module (func (result i32) (i32.const 1)) (func (result i32) (call 0)))";
    let code = code(wat::parse_str(wat).unwrap()).unwrap();
    let cell = code.cell(FuncIdx(1)).unwrap();
    let bodies: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| code.translated(cell).unwrap().addr())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[test]
fn code_is_shared_between_threads_and_a_machine_moves() {
    const fn shared<T: Send + Sync>() {}
    const fn moves<T: Send>() {}
    shared::<ModuleCode>();
    moves::<crate::vm::Machine>();
}

//! A056: what the processor guesses reaches no more than what the guest may. A053: what takes too long is refused before.

use cranelift_codegen::ir::Function;
use cranelift_frontend::FunctionBuilderContext;
use wasmos_frontend::types::FuncIdx;
use wasmos_frontend::{decode, validate};

use super::super::translate::{Env, translate};
use super::target;
use crate::jit::live::{MOST, SLACK};
use crate::jit::{Bounds, Charges, Error, Options};

/// Returns Cranelift's form of a module's first function.
fn clif(text: &str, bounds: Bounds) -> String {
    translated(text, bounds).unwrap().display().to_string()
}

fn translated(text: &str, bounds: Bounds) -> Result<Function, Error> {
    let module = decode(wat::parse_str(text).unwrap()).and_then(validate).unwrap();
    let options = Options { bounds, ..Options::default() };
    let config = target(options, "none").unwrap().frontend_config();
    let env = Env { module: &module, options, config };
    let mut function = Function::new();
    translate(&env, (FuncIdx(0), Charges::Patched), &mut function, &mut FunctionBuilderContext::new())?;
    Ok(function)
}

#[test]
fn a056_what_is_compared_is_guarded_on_guessed_paths_too() {
    let module = |memory: &str, body: &str| {
        format!(
            "(module (type $t (func)) {memory} (table 4 funcref)
                (func (param i32 i64) {body}))"
        )
    };
    let narrow = "(memory 1 1 shared)";
    let wide = "(memory i64 1)";
    for (bounds, memory, body) in [
        (Bounds::Explicit, narrow, "(drop (i32.load (local.get 0)))"),
        (Bounds::Explicit, narrow, "(i64.store8 offset=70000 (local.get 0) (local.get 1))"),
        (Bounds::Explicit, narrow, "(drop (v128.load16_splat (local.get 0)))"),
        (Bounds::Both, narrow, "(drop (f64.load (local.get 0)))"),
        (Bounds::Guard, narrow, "(drop (i32.load offset=0x10000000 (local.get 0)))"),
        (Bounds::Guard, narrow, "(drop (i64.atomic.rmw.add (local.get 0) (local.get 1)))"),
        (Bounds::Guard, wide, "(drop (i32.load (local.get 1)))"),
        (Bounds::Guard, wide, "(drop (table.get (local.get 0)))"),
        (Bounds::Guard, wide, "(table.set (local.get 0) (ref.null func))"),
        (Bounds::Guard, wide, "(call_indirect (type $t) (local.get 0))"),
    ] {
        let text = clif(&module(memory, body), bounds);
        assert!(text.contains("select_spectre_guard"), "{body}: {text}");
    }
    // What a guard keeps within bounds is not compared, so that there is nothing to guess.
    let text = clif(&module(narrow, "(drop (i32.load (local.get 0)))"), Bounds::Guard);
    assert!(!text.contains("select_spectre_guard"), "{text}");
}

#[test]
fn a056_cranelift_is_told_to_guard_what_it_makes_itself() {
    let flags = target(Options::default(), "speed").unwrap();
    let flags = flags.flags();
    assert!(flags.enable_heap_access_spectre_mitigation() && flags.enable_table_access_spectre_mitigation());
}

#[test]
fn a053_as_many_values_are_live_as_can_be_compiled_in_time_and_no_more() {
    let load = "(i32.load (local.get 0))";
    let body = |text: &str| format!("(module (memory 1) (func (param i32) {text}))");
    let operands = |n: usize| body(&format!("{}{}", load.repeat(n), "drop ".repeat(n)));
    let locals = |n: usize| {
        let sets: String = (1..=n).map(|local| format!("(local.set {local} {load})")).collect();
        body(&format!("(local {}) {sets}", "i32 ".repeat(n)))
    };
    for (fits, exceeds) in
        [(operands(MOST + SLACK), operands(MOST + SLACK + 1)), (locals(MOST), locals(MOST + 1))]
    {
        assert!(translated(&fits, Bounds::Guard).is_ok());
        let refused = translated(&exceeds, Bounds::Guard);
        assert!(matches!(refused, Err(Error::TooComplex { func: FuncIdx(0) })), "{refused:?}");
    }
    // Constants, and the same value again, are no values more.
    for text in ["i32.const 7 ", "local.get 0 "] {
        let text = body(&format!("{}{}", text.repeat(3 * MOST), "drop ".repeat(3 * MOST)));
        assert!(translated(&text, Bounds::Guard).is_ok());
    }
}

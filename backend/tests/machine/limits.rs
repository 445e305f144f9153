//! Bodies at the limits of what is valid: they run, in memory and time that the bytes account for.

use std::fmt::Write as _;

use crate::harness::{End, Guest, code, code_of};
use wasmos_abi::TrapCode;
use wasmos_backend::vm::MachineConfig;
use wasmos_frontend::types::FuncIdx;

/// A machine whose stack holds large frames.
fn deep(wat: &str) -> Guest {
    Guest::with(&code(wat), MachineConfig { stack_bytes: 64 << 20, ..MachineConfig::default() })
}

#[test]
fn a_thousand_parameters_and_results() {
    let (params, gets) = (
        "i64 ".repeat(1_000),
        (0..1_000).fold(String::new(), |mut text, index| {
            let _ = write!(text, "(local.get {}) ", 999 - index);
            text
        }),
    );
    let wat = format!(
        r#"(module (type $t (func (param {params}) (result {params})))
          (func $f (type $t) {gets})
          (func (export "run") (type $t) (call $f (call $f {gets})))
          (func (export "tail") (type $t) (return_call $f {gets})))"#
    );
    let mut guest = deep(&wat);
    let args: Vec<u64> = (0..1_000).collect();
    let reversed: Vec<u64> = args.iter().rev().copied().collect();
    assert_eq!(guest.call("run", &args), End::Returned(reversed));
    assert_eq!(guest.call("tail", &args), End::Returned(args));
}

#[test]
fn fifty_thousand_locals_recurse_until_the_stack_is_exhausted() {
    let (params, locals) = ("i64 ".repeat(1_000), "i64 ".repeat(49_000));
    let gets = (0..1_000).fold(String::new(), |mut text, index| {
        let _ = write!(text, "(local.get {index}) ");
        text
    });
    let wat = format!(
        r#"(module (func $f (export "f") (param {params}) (result i64) (local {locals})
          (local.set 49999 (local.get 0))
          (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
          (if (result i64) (i64.eqz (local.get 49999)) (then (local.get 999))
            (else (i64.add (call $f {gets}) (local.get 49999))))))"#
    );
    let mut guest = deep(&wat);
    let mut args = vec![0; 1_000];
    (args[0], args[999]) = (10, 1_000);
    assert_eq!(guest.get("f", &args), 1_000 + 55);
    args[0] = 1_000_000;
    assert_eq!(guest.trap("f", &args), TrapCode::CallStackExhausted);
}

/// A program whose frame has 100,000 slots, and the same with a small one: they do the same.
#[test]
fn frames_beyond_sixteen_bits_do_what_small_ones_do() {
    let program = |locals: &str, far: usize| {
        format!(
            r#"(module (memory 1) (table funcref (elem $two)) (global $g (mut f64) (f64.const 0))
              (func $two (param i32 v128) (result i32 f64) (i32.add (local.get 0) (i32.const 1)) (f64.const 0.5))
              (func (export "run") (param i32) (result i64 f64 i32) (local {locals}) (local i64 f64 i32 v128)
                (loop $next
                  (local.set {x} (i64.add (i64.mul (local.get {x}) (i64.const 31)) (i64.extend_i32_u (local.get 0))))
                  (local.set {v} (i8x16.replace_lane 3 (i64x2.splat (local.get {x})) (local.get 0)))
                  (v128.store (i32.const 16) (local.get {v}))
                  (call_indirect (param i32 v128) (result i32 f64) (local.get {i}) (local.get {v}) (i32.const 0))
                  (local.set {f}) (local.set {i})
                  (global.set $g (f64.add (global.get $g) (f64.mul (local.get {f}) (f64.convert_i32_s (local.get {i})))))
                  (local.set {x} (select (local.get {x}) (i64.load (i32.const 16)) (i32.and (local.get {i}) (i32.const 1))))
                  (block $b (result i64)
                    (br_table $b $b (local.get {x}) (i32.and (local.get 0) (i32.const 1))))
                  (local.set {x})
                  (block (result i32)
                    (br_if 0 (local.get {i}) (i32.lt_u (local.get {i}) (i32.const 5))) (i32.const 3) (i32.add))
                  (local.set {i})
                  (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (local.get {x}) (global.get $g) (i32.add (local.get {i}) (i32.load8_u (i32.const 19)))))"#,
            x = far,
            f = far + 1,
            i = far + 2,
            v = far + 3,
        )
    };
    let (mut small, mut large) =
        (Guest::new(&program("", 1)), deep(&program(&"v128 ".repeat(49_000), 49_001)));
    let end = small.call("run", &[50]);
    assert!(matches!(end, End::Returned(_)));
    assert_eq!(large.call("run", &[50]), end);
    assert_eq!(large.used(), small.used());
    assert!(large.module.validate().unwrap().frame_cost(FuncIdx(1)).bytes() > 8 * 65_536);
}

#[test]
fn operands_beyond_sixteen_bits() {
    let n = 100_000_u64;
    let wat = format!(
        r#"(module (func (export "run") (param i64) (result i64) {} {}))"#,
        "(local.get 0) ".repeat(n as usize),
        "(i64.add) ".repeat(n as usize - 1)
    );
    assert_eq!(deep(&wat).get("run", &[3]), 3 * n);
}

#[test]
fn a_table_of_65_520_labels() {
    let n = 65_520_u32;
    let mut body = vec![0];
    body.extend([0x02, 0x40].repeat(10));
    body.extend([0x20, 0, 0x0e]);
    leb(&mut body, n);
    (0..=n).for_each(|index| leb(&mut body, index % 10));
    // Behind the end of label d: a constant is returned.
    for label in 0..10 {
        body.extend([0x0b, 0x41, label + 50, 0x0f]);
    }
    body.extend([0x41, 0, 0x0b]);
    let mut guest = Guest::with(&code_of(&module_of(&body)), MachineConfig::default());
    for index in [0, 1, 9, 10, 65_519, 65_520, 1 << 31] {
        assert_eq!(guest.get("f", &[index]), index.min(n.into()) % 10 + 50, "{index}");
    }
}

#[test]
fn values_of_labels_are_not_copied_once_per_branch() {
    // Each br_if carries 1,000 values that are not where the label wants them: one more lies below.
    let values = "i32 ".repeat(1_000);
    let wat = format!(
        r#"(module (func (export "f") (param i32) (result i32)
          (block $l (result {values}) (i32.const 9) {} {} (br $l)) {}))"#,
        "(local.get 0) ".repeat(1_000),
        "(br_if $l (local.get 0)) ".repeat(900),
        "(drop) ".repeat(999),
    );
    let mut guest = Guest::new(&wat);
    assert_eq!(guest.get("f", &[7]), 7);
    assert_eq!(guest.get("f", &[0]), 0);
}

/// A module with one function `f: [i32] -> [i32]`.
pub(crate) fn module_of(body: &[u8]) -> Vec<u8> {
    let mut module =
        b"\0asm\x01\0\0\0\x01\x06\x01\x60\x01\x7f\x01\x7f\x03\x02\x01\0\x07\x05\x01\x01f\0\0\x0a".to_vec();
    let mut content = vec![1];
    leb(&mut content, body.len() as u32);
    content.extend(body);
    leb(&mut module, content.len() as u32);
    module.extend(content);
    module
}

pub(crate) fn leb(bytes: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

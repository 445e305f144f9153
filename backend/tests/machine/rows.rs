//! Every row of the table translates and runs, but for exceptions and garbage collection.

use crate::harness::Guest;
use wasmos_backend::{Error, interp::ModuleCode};
use wasmos_frontend::Feature;
use wasmos_frontend::opcode::{Effect, Op, Operand, TABLE};

/// What surrounds a body.
const AROUND: &str = r#"(memory 1 2) (table $t 4 8 funcref) (elem (i32.const 0) $i $i) (elem $e func $i) (data $d "abc")
  (global $g (mut i32) (i32.const 1)) (type $ii (func (param i32) (result i32)))
  (func $i (type $ii) (local.get 0))"#;

/// Bodies of functions `[i32] -> [i32]` for the rows whose effect depends on more than the row.
const SPECIAL: &[(Op, &str)] = &[
    (Op::Unreachable, "(if (local.get 0) (then (unreachable))) (i32.const 1)"),
    (Op::Block, "(block (result i32) (i32.const 1))"),
    (Op::Loop, "(loop (result i32) (i32.const 1))"),
    (Op::If, "(if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 1)))"),
    (Op::Else, "(if (result i32) (local.get 0) (then (i32.const 2)) (else (i32.const 1)))"),
    (Op::End, "(i32.const 1)"),
    (Op::Br, "(block (result i32) (br 0 (i32.const 1)))"),
    (Op::BrIf, "(block (br_if 0 (local.get 0))) (i32.const 1)"),
    (Op::BrTable, "(block (br_table 0 0 (local.get 0))) (i32.const 1)"),
    (Op::Return, "(return (i32.const 1))"),
    (Op::Call, "(call $i (i32.const 1))"),
    (Op::CallIndirect, "(call_indirect (type $ii) (i32.const 1) (local.get 0))"),
    (Op::ReturnCall, "(return_call $i (i32.const 1))"),
    (Op::ReturnCallIndirect, "(return_call_indirect (type $ii) (i32.const 1) (local.get 0))"),
    (Op::CallRef, "(call_ref $ii (i32.const 1) (ref.func $i))"),
    (Op::ReturnCallRef, "(return_call_ref $ii (i32.const 1) (ref.func $i))"),
    (Op::Drop, "(drop (local.get 0)) (i32.const 1)"),
    (Op::Select, "(select (i32.const 2) (i32.const 1) (local.get 0))"),
    (Op::SelectT, "(ref.is_null (select (result funcref) (ref.func $i) (ref.null func) (local.get 0)))"),
    (Op::LocalGet, "(i32.eqz (local.get 0))"),
    (Op::LocalSet, "(local.set 0 (i32.const 1)) (local.get 0)"),
    (Op::LocalTee, "(local.tee 0 (i32.const 1))"),
    (Op::GlobalGet, "(global.get $g)"),
    (Op::GlobalSet, "(global.set $g (i32.const 1)) (global.get $g)"),
    (Op::TableGet, "(i32.eqz (ref.is_null (table.get $t (local.get 0))))"),
    (Op::TableSet, "(table.set $t (local.get 0) (ref.null func)) (ref.is_null (table.get $t (i32.const 0)))"),
    (Op::MemorySize, "(memory.size)"),
    (Op::MemoryGrow, "(memory.grow (i32.const 1))"),
    (Op::RefNull, "(ref.is_null (ref.null extern))"),
    (Op::RefIsNull, "(ref.is_null (ref.null func))"),
    (Op::RefFunc, "(i32.eqz (ref.is_null (ref.func $i)))"),
    (Op::RefAsNonNull, "(i32.eqz (ref.is_null (ref.as_non_null (table.get $t (local.get 0)))))"),
    (Op::BrOnNull, "(block (drop (br_on_null 0 (ref.null func))) (return (i32.const 2))) (i32.const 1)"),
    (
        Op::BrOnNonNull,
        "(drop (block (result (ref $ii)) (br_on_non_null 0 (ref.func $i)) (return (i32.const 2)))) (i32.const 1)",
    ),
    (
        Op::MemoryInit,
        "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 3)) (i32.eq (i32.const 97) (i32.load8_u (i32.const 0)))",
    ),
    (Op::DataDrop, "(data.drop $d) (i32.const 1)"),
    (Op::MemoryCopy, "(memory.copy (i32.const 0) (i32.const 1) (i32.const 3)) (i32.const 1)"),
    (Op::MemoryFill, "(memory.fill (i32.const 0) (i32.const 1) (i32.const 3)) (i32.load8_u (i32.const 2))"),
    (
        Op::TableInit,
        "(table.init $t $e (i32.const 3) (i32.const 0) (i32.const 1)) (i32.eqz (ref.is_null (table.get $t (i32.const 3))))",
    ),
    (Op::ElemDrop, "(elem.drop $e) (i32.const 1)"),
    (
        Op::TableCopy,
        "(table.copy (i32.const 2) (i32.const 0) (i32.const 1)) (i32.eqz (ref.is_null (table.get $t (i32.const 2))))",
    ),
    (Op::TableGrow, "(i32.sub (table.grow $t (ref.null func) (i32.const 2)) (i32.const 3))"),
    (Op::TableSize, "(i32.sub (table.size $t) (i32.const 3))"),
    (
        Op::TableFill,
        "(table.fill $t (i32.const 0) (ref.null func) (i32.const 2)) (ref.is_null (table.get $t (i32.const 1)))",
    ),
    (Op::MemoryAtomicWait32, "(memory.atomic.wait32 (i32.const 0) (i32.const 5) (i64.const 0))"),
];

/// What `ModuleCode::new` refuses.
const REFUSED: [Feature; 3] = [Feature::Gc, Feature::Exceptions, Feature::LegacyExceptions];

fn constant(ty: Operand) -> &'static str {
    match ty {
        Operand::I32 => "(i32.const 1)",
        Operand::I64 => "(i64.const 1)",
        Operand::F32 => "(f32.const 1)",
        Operand::F64 => "(f64.const 1)",
        Operand::V128 => "(v128.const i64x2 1 2)",
        Operand::Addr => "(i32.const 8)",
    }
}

/// Immediates as the text format writes them.
fn immediate(name: &str) -> &'static str {
    match name {
        "i8x16.shuffle" => "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
        "v128.const" => "i64x2 1 2",
        _ if name.ends_with("_lane") || name.contains("_lane_") => "1",
        _ if name.ends_with(".const") => "1",
        _ => "",
    }
}

fn module(body: &str) -> String {
    format!("(module {AROUND} (func (export \"f\") (param i32) (result i32) {body}))")
}

#[test]
fn every_row_runs() {
    for row in TABLE.iter().filter(|row| !REFUSED.contains(&row.feature)) {
        let special = SPECIAL.iter().find(|(op, _)| *op == row.op);
        let text = match (row.effect, special) {
            (_, Some((_, body))) => module(body),
            (Effect::Fixed { params, results }, None) => {
                let operands: String = params.iter().map(|ty| constant(*ty)).collect();
                let text = format!("{operands} ({} {})", row.name, immediate(row.name));
                module(&format!("{text} {} (i32.const 1)", "(drop)".repeat(results.len())))
            }
            (Effect::Special, None) => panic!("{} has no body here", row.name),
        };
        // Waiting wants a shared memory.
        let text = if row.name.contains("wait") {
            text.replace("(memory 1 2)", "(memory 1 2 shared)")
        } else {
            text
        };
        let mut guest = Guest::new(&text);
        assert_eq!(guest.get("f", &[0]), 1, "{}", row.name);
    }
}

#[test]
fn what_is_not_built_is_refused_by_name() {
    let refused = |wat: &str| {
        let module = wasmos_frontend::decode(wat::parse_str(wat).unwrap()).unwrap();
        let valid = wasmos_frontend::validate(module).unwrap();
        let ids = valid.types.iter().map(|_| wasmos_backend::vm::TypeId(0)).collect();
        ModuleCode::new(valid, ids, std::sync::Arc::new(|_, _| false)).unwrap_err()
    };
    let gc = refused("(module (type $s (struct)) (func (drop (struct.new $s))))");
    assert_eq!(gc, Error::Unsupported { feature: Feature::Gc });
    assert_eq!(gc.to_string(), "the interpreter does not run instructions of `gc`");
    let exceptions = refused("(module (tag $e) (func (throw $e)))");
    assert_eq!(exceptions, Error::Unsupported { feature: Feature::Exceptions });
}

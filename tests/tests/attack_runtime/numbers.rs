//! A042, A049: arithmetic that traps, and NaNs.

use std::fmt::Write as _;

use wasmos_frontend::opcode::{Class, Effect, Operand, TABLE};
use wasmos_runtime::{Limits, TrapCode, Val};

use crate::{Guest, engines};

#[test]
fn a042_division_traps_by_name() {
    let mut text = "(module".to_owned();
    for ty in ["i32", "i64"] {
        for op in ["div_s", "div_u", "rem_s", "rem_u"] {
            write!(
                text,
                r#"(func (export "{ty} {op}") (param {ty} {ty}) (result {ty})
                    ({ty}.{op} (local.get 0) (local.get 1)))"#
            )
            .unwrap();
        }
    }
    text += ")";
    for engine in engines() {
        let mut guest = Guest::new(&engine, Limits::unlimited(), &text);
        for (ty, least, val) in [
            ("i32", i64::from(i32::MIN), (|x| Val::I32(x as i32)) as fn(i64) -> Val),
            ("i64", i64::MIN, Val::I64),
        ] {
            for op in ["div_s", "div_u", "rem_s", "rem_u"] {
                for x in [0, 1, -1, least] {
                    let code = guest.trap(&format!("{ty} {op}"), &[val(x), val(0)]);
                    assert_eq!(code, TrapCode::IntegerDivideByZero, "{ty}.{op} {x}");
                }
            }
            let edge = [val(least), val(-1)];
            assert_eq!(guest.trap(&format!("{ty} div_s"), &edge), TrapCode::IntegerOverflow);
            assert_eq!(guest.value(&format!("{ty} rem_s"), &edge), val(0));
            assert_eq!(guest.value(&format!("{ty} div_u"), &edge), val(0));
            assert_eq!(guest.value(&format!("{ty} rem_u"), &edge), val(least));
        }
    }
}

#[test]
fn a042_conversions_of_what_is_no_integer_trap_by_name() {
    let rows: Vec<_> =
        TABLE.iter().filter(|row| row.class == Class::Convert && row.name.contains(".trunc_f")).collect();
    assert_eq!(rows.len(), 8);
    for engine in engines() {
        for row in &rows {
            let Effect::Fixed { params: [from], results: [to] } = row.effect else { panic!("{}", row.name) };
            let (from_text, to_text) = (format!("{from:?}").to_lowercase(), format!("{to:?}").to_lowercase());
            let text = format!(
                r#"(module (func (export "run") (param {from_text}) (result {to_text}) ({} (local.get 0))))"#,
                row.name
            );
            let mut guest = Guest::new(&engine, Limits::unlimited(), &text);
            let val = |x: f64| match from {
                Operand::F32 => Val::F32((x as f32).to_bits()),
                _ => Val::F64(x.to_bits()),
            };
            for nan in [f64::NAN, -f64::NAN] {
                assert_eq!(guest.trap("run", &[val(nan)]), TrapCode::InvalidConversion, "{}", row.name);
            }
            for x in [f64::INFINITY, f64::NEG_INFINITY, 2e19, -2e19] {
                assert_eq!(guest.trap("run", &[val(x)]), TrapCode::IntegerOverflow, "{} {x}", row.name);
            }
            let zero = Val::default_for(to.val().unwrap());
            assert_eq!(guest.value("run", &[val(-0.75)]), zero, "{}", row.name);
        }
    }
}

const NAN_32: u32 = 0x7fc0_0000;
const NAN_64: u64 = 0x7ff8_0000_0000_0000;

/// Operations that compute floats, by the rows: any NaN among their results is the canonical one (promise P5).
#[test]
fn a049_operations_that_compute_give_the_canonical_nan() {
    const MOVES_BITS: [&str; 6] = ["abs", "neg", "copysign", "pmin", "pmax", "reinterpret"];
    const SHAPES: [&str; 4] = ["f32.", "f64.", "f32x4.", "f64x2."];
    let computes = |name: &str| {
        SHAPES.iter().any(|shape| name.starts_with(shape))
            && !MOVES_BITS.iter().any(|op| name.split_once('.').is_some_and(|(_, rest)| rest.starts_with(op)))
    };
    let mut n_rows = 0;
    for row in TABLE.iter().filter(|row| computes(row.name)) {
        let Effect::Fixed { params, results: [result] } = row.effect else { continue };
        let has_nan_operand = |param: &Operand| matches!(param, Operand::F32 | Operand::F64 | Operand::V128);
        let computed = matches!(result, Operand::F32 | Operand::F64 | Operand::V128)
            && matches!(row.class, Class::Float | Class::Convert | Class::Vector)
            && params.iter().all(has_nan_operand)
            && !["eq", "ne", "lt", "gt", "le", "ge", "splat", "replace_lane", "extract_lane"]
                .contains(&row.name.split_once('.').map_or("", |(_, op)| op));
        if !computed {
            continue;
        }
        n_rows += 1;
        let single = row.name.starts_with("f32");
        let from_single = params.contains(&Operand::F32)
            || matches!(params, [Operand::V128, ..]) && (single != row.name.contains("mote"));
        let operand = match params[0] {
            Operand::F32 => "(f32.const -nan:0x200001) ".to_owned(),
            Operand::F64 => "(f64.const -nan:0x4000000000001) ".to_owned(),
            _ if from_single => {
                "(v128.const f32x4 -nan:0x200001 -nan:0x200001 -nan:0x200001 -nan:0x200001) ".into()
            }
            _ => "(v128.const f64x2 -nan:0x4000000000001 -nan:0x4000000000001) ".into(),
        };
        // A conversion of integers takes no NaN.
        if row.name.contains("convert") {
            continue;
        }
        let operands = operand.repeat(params.len());
        let ty = format!("{result:?}").to_lowercase();
        let text = format!(
            r#"(module (memory (export "memory") 1)
            (func (export "run") (result {ty}) ({} {operands}))
            (func (export "store") ({ty}.store (i32.const 0) ({} {operands}))))"#,
            row.name, row.name
        );
        for engine in engines() {
            let mut guest = Guest::new(&engine, Limits::unlimited(), &text);
            let found = guest.value("run", &[]);
            let wanted = match result {
                Operand::F32 => Val::F32(NAN_32),
                Operand::F64 => Val::F64(NAN_64),
                _ if row.name.ends_with("_zero") => Val::V128(u128::from(NAN_32) << 32 | u128::from(NAN_32)),
                _ if single => {
                    Val::V128((0..4).fold(0, |bits, lane| bits | u128::from(NAN_32) << (32 * lane)))
                }
                _ => Val::V128(u128::from(NAN_64) << 64 | u128::from(NAN_64)),
            };
            assert_eq!(found, wanted, "{}", row.name);
            guest.call("store", &[]);
            let memory = guest.memory();
            let stored = u128::from_le_bytes(memory.data(&guest.store)[..16].try_into().unwrap());
            let wanted = match wanted {
                Val::F32(bits) => bits.into(),
                Val::F64(bits) => bits.into(),
                Val::V128(bits) => bits,
                other => panic!("{other:?}"),
            };
            assert_eq!(stored, wanted, "{}", row.name);
        }
    }
    assert!(n_rows >= 40, "only {n_rows} rows");
}

/// Operations that move bits keep the payload.
#[test]
fn a049_operations_that_move_bits_keep_the_payload() {
    let text = r#"(module (memory 1) (global $g (mut f32) (f32.const 0))
        (func (export "neg") (param f32) (result f32) (f32.neg (local.get 0)))
        (func (export "abs") (param f32) (result f32) (f32.abs (local.get 0)))
        (func (export "local") (param f32) (result f32) (local.get 0))
        (func (export "global") (param f32) (result f32) (global.set $g (local.get 0)) (global.get $g))
        (func (export "memory") (param f32) (result f32)
            (f32.store (i32.const 4) (local.get 0)) (f32.load (i32.const 4)))
        (func (export "bits") (param f32) (result f32) (f32.reinterpret_i32 (i32.reinterpret_f32 (local.get 0)))))"#;
    let signalling = 0x7fa0_0001_u32;
    for engine in engines() {
        let mut guest = Guest::new(&engine, Limits::unlimited(), text);
        for name in ["abs", "local", "global", "memory", "bits"] {
            assert_eq!(guest.value(name, &[Val::F32(signalling)]), Val::F32(signalling), "{name}");
        }
        assert_eq!(guest.value("neg", &[Val::F32(signalling)]), Val::F32(signalling | 1 << 31));
    }
}

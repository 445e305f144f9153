//! Every numeric operation of `backend::semantics` beside an engine that shares no code with it, wasmi.
//!
//! Each numeric row of the table must have a function here, of the row's types; each function is run on special
//! operands, on all pairs of them where it takes two, and on random ones. Results are compared by bits. Where
//! an operation computes a NaN, wasmi's may have any payload and ours must be the canonical one (promise P5).

mod engine;
mod functions;
mod operands;
mod oracle;

use std::fmt::Write as _;

use fastrand::Rng;
use wasmos_backend::semantics::{CANONICAL_NAN_F32, CANONICAL_NAN_F64};
use wasmos_frontend::opcode::{Class, Effect, OpInfo, Operand, TABLE};

use crate::functions::{Function, Immediate, Outcome, Value, functions};
use crate::operands::Specials;
use crate::oracle::{Case, Oracle};

/// The rows that compute on values alone.
fn numeric_rows() -> impl Iterator<Item = (&'static OpInfo, &'static [Operand], &'static [Operand])> {
    TABLE.iter().filter_map(|row| {
        let numeric = matches!(
            row.class,
            Class::Compare | Class::Integer | Class::Bitwise | Class::Float | Class::Convert | Class::Vector
        );
        match row.effect {
            Effect::Fixed { params, results } if numeric => Some((row, params, results)),
            _ => None,
        }
    })
}

fn function_name(row: &OpInfo) -> String {
    row.name.replace('.', "_")
}

#[test]
fn each_numeric_row_has_a_function_of_its_types() {
    let mut functions = functions();
    for (row, params, results) in numeric_rows() {
        let Some(function) = functions.remove(&*function_name(row)) else {
            panic!("{} has no function in backend::semantics, or it is not listed here", row.name);
        };
        assert_eq!((&*function.params, &*function.results), (params, results), "{}", row.name);
    }
    assert!(functions.is_empty(), "without a row: {:?}", functions.keys());
}

/// Returns what is different, where a function and wasmi disagree.
fn difference(case: &Case<'_>, operands: &[Value], theirs: Outcome) -> Option<String> {
    let ours = (case.function.call)(operands, &case.immediate);
    let wanted = theirs.map(|values| values.into_iter().map(|value| canonical(case.row, value)).collect());
    let (name, immediate) = (case.row.name, &case.immediate);
    (ours != wanted).then(|| format!("{name} {immediate:?} {operands:?}: {ours:x?}, wanted {wanted:x?}"))
}

/// Returns the shape or type that an instruction's name begins with, and the operation.
fn parts(row: &OpInfo) -> (&'static str, &'static str) {
    row.name.split_once('.').expect("a numeric instruction has a type")
}

/// Operations that leave no NaN but one of their operands, or masks that only look like NaNs.
const MOVES_BITS: &[&str] = &[
    "eq",
    "ne",
    "lt",
    "gt",
    "le",
    "ge",
    "neg",
    "abs",
    "copysign",
    "pmin",
    "pmax",
    "splat",
    "extract_lane",
    "replace_lane",
    "reinterpret_i32",
    "reinterpret_i64",
];

/// Replaces the NaNs of a result by the canonical one, if it is that of an operation that computes NaNs.
fn canonical(row: &OpInfo, value: Value) -> Value {
    let (shape, operation) = parts(row);
    if MOVES_BITS.contains(&operation) {
        return value;
    }
    let single = |bits| if f32::from_bits(bits).is_nan() { CANONICAL_NAN_F32 } else { bits };
    let double = |bits| if f64::from_bits(bits).is_nan() { CANONICAL_NAN_F64 } else { bits };
    match value {
        Value::F32(bits) => Value::F32(single(bits)),
        Value::F64(bits) => Value::F64(double(bits)),
        Value::V128(mut bytes) if shape == "f32x4" => {
            for lane in bytes.as_chunks_mut().0 {
                *lane = single(u32::from_le_bytes(*lane)).to_le_bytes();
            }
            Value::V128(bytes)
        }
        Value::V128(mut bytes) if shape == "f64x2" => {
            for lane in bytes.as_chunks_mut().0 {
                *lane = double(u64::from_le_bytes(*lane)).to_le_bytes();
            }
            Value::V128(bytes)
        }
        other => other,
    }
}

/// Returns the immediates that an operation is tried with.
fn immediates(row: &OpInfo, function: &Function, rng: &mut Rng) -> Vec<Vec<u8>> {
    match function.immediate {
        Immediate::None => vec![vec![]],
        Immediate::Lane => {
            let (_, lanes) = parts(row).0.split_once('x').expect("a shape");
            let lanes = lanes.parse().expect("a number of lanes");
            (0..lanes).map(|lane| vec![lane]).collect()
        }
        Immediate::Lanes16 => (0..64).map(|_| (0..16).map(|_| rng.u8(..32)).collect()).collect(),
    }
}

#[test]
fn every_operation_agrees_with_wasmi() {
    let mut rng = Rng::with_seed(0x5eed);
    let functions = functions();
    let mut cases = Vec::new();
    for (row, ..) in numeric_rows() {
        let function = &functions[&*function_name(row)];
        let immediates = immediates(row, function, &mut rng);
        cases.extend(immediates.into_iter().map(|immediate| Case { row, function, immediate }));
    }
    let mut oracle = Oracle::new(&cases);
    let specials = Specials::new();
    let mut differences = String::new();
    for (index, case) in cases.iter().enumerate() {
        let func = oracle.export(index);
        // An operation with an immediate is many cases.
        let n_random = if case.immediate.is_empty() { 4000 } else { 150 };
        let difference = specials
            .operands(&case.function.params, n_random, &mut rng)
            .iter()
            .find_map(|operands| difference(case, operands, oracle.call(func, operands)));
        if let Some(difference) = difference {
            writeln!(differences, "{difference}").unwrap();
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
}

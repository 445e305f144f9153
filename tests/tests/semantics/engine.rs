//! A050: the same operations as the engine runs them, in the shapes that translators treat apart: constant operands on
//! each side, constants alone, equal operands.

use std::fmt::Write as _;

use fastrand::Rng;
use wasmos_frontend::opcode::Operand;
use wasmos_runtime::{Instance, Limits, Linker, Module, Outcome as Ending, Store, Val};
use wasmos_tests::tiers::engines;

use crate::functions::{Immediate, Outcome, Value, functions};
use crate::operands::Specials;
use crate::oracle::{Case, Oracle};
use crate::{canonical, function_name, immediates, numeric_rows};

/// Tuples of operands that each shape is tried with, and how many of them become constants.
const TUPLES: usize = 16;
const CONSTANTS: usize = 4;

/// Where an operand comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Param(usize),
    Constant(Value),
}

/// A function of the module under test: an operation and where its operands come from.
struct Shape {
    case: usize,
    sources: Vec<Source>,
}

impl Shape {
    /// Returns the operands of the operation, when the function is called with `params`.
    fn operands(&self, params: &[Value]) -> Vec<Value> {
        let operand = |source: &Source| match *source {
            Source::Param(index) => params[index],
            Source::Constant(value) => value,
        };
        self.sources.iter().map(operand).collect()
    }

    fn wat(&self, index: usize, case: &Case<'_>) -> String {
        let ty = |operand: &Operand| format!("{operand:?} ").to_lowercase();
        let (params, results): (String, String) =
            (case.function.params.iter().map(ty).collect(), case.function.results.iter().map(ty).collect());
        let operands: String = self
            .sources
            .iter()
            .map(|source| match source {
                Source::Param(index) => format!("(local.get {index}) "),
                Source::Constant(value) => constant(*value),
            })
            .collect();
        let immediate: String = case.immediate.iter().map(|byte| format!("{byte} ")).collect();
        format!(
            "(func (export \"{index}\") (param {params}) (result {results}) ({} {immediate} {operands}))\n",
            case.row.name
        )
    }
}

fn constant(value: Value) -> String {
    match value {
        Value::I32(x) => format!("(i32.const {x}) "),
        Value::I64(x) => format!("(i64.const {x}) "),
        Value::F32(bits) => {
            let sign = if bits >> 31 == 0 { "" } else { "-" };
            let x = f32::from_bits(bits).abs();
            let text = if x.is_nan() { format!("nan:{:#x}", bits & 0x7f_ffff) } else { float(f64::from(x)) };
            format!("(f32.const {sign}{text}) ")
        }
        Value::F64(bits) => {
            let sign = if bits >> 63 == 0 { "" } else { "-" };
            let x = f64::from_bits(bits).abs();
            let text = if x.is_nan() { format!("nan:{:#x}", bits & ((1 << 52) - 1)) } else { float(x) };
            format!("(f64.const {sign}{text}) ")
        }
        Value::V128(bytes) => {
            let lanes: String = bytes.iter().map(|byte| format!("{byte} ")).collect();
            format!("(v128.const i8x16 {lanes}) ")
        }
    }
}

/// Every `f32` is an `f64` too, whose shortest text is read back as the same number.
fn float(x: f64) -> String {
    if x.is_infinite() { "inf".into() } else { format!("{x:e}") }
}

const fn val(value: Value) -> Val {
    match value {
        Value::I32(x) => Val::I32(x),
        Value::I64(x) => Val::I64(x),
        Value::F32(bits) => Val::F32(bits),
        Value::F64(bits) => Val::F64(bits),
        Value::V128(bytes) => Val::V128(u128::from_le_bytes(bytes)),
    }
}

fn value(val: Val) -> Value {
    match val {
        Val::I32(x) => Value::I32(x),
        Val::I64(x) => Value::I64(x),
        Val::F32(bits) => Value::F32(bits),
        Val::F64(bits) => Value::F64(bits),
        Val::V128(bits) => Value::V128(bits.to_le_bytes()),
        other => panic!("{other:?} is no number"),
    }
}

/// Returns the shapes of an operation, whose constants are taken from the tuples.
fn shapes(case: usize, params: &[Operand], tuples: &[Vec<Value>]) -> Vec<Shape> {
    let plain: Vec<_> = (0..params.len()).map(Source::Param).collect();
    let mut shapes = vec![Shape { case, sources: plain.clone() }];
    for tuple in tuples.iter().take(CONSTANTS) {
        for position in 0..params.len() {
            let mut sources = plain.clone();
            sources[position] = Source::Constant(tuple[position]);
            shapes.push(Shape { case, sources });
        }
        shapes.push(Shape { case, sources: tuple.iter().copied().map(Source::Constant).collect() });
    }
    if params.len() > 1 && params.iter().all(|param| *param == params[0]) {
        shapes.push(Shape { case, sources: vec![Source::Param(0); params.len()] });
    }
    shapes
}

fn run(store: &mut Store<()>, instance: Instance, name: &str, params: &[Value]) -> Outcome {
    let func = instance.get_func(store, name).expect("an export");
    let params: Vec<_> = params.iter().copied().map(val).collect();
    match func.call(store, &params).expect("values of its types") {
        Ending::Returned(vals) => Ok(vals.into_iter().map(value).collect()),
        Ending::Trapped(trap) => Err(trap.code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a050_every_operation_on_constant_and_equal_operands_agrees_with_wasmi() {
    let mut rng = Rng::with_seed(0xa050);
    let (functions, specials) = (functions(), Specials::new());
    let mut cases = Vec::new();
    for (row, ..) in numeric_rows() {
        let function = &functions[&*function_name(row)];
        let mut tried = immediates(row, function, &mut rng);
        if function.immediate == Immediate::Lanes16 {
            tried.truncate(8);
        }
        cases.extend(tried.into_iter().map(|immediate| Case { row, function, immediate }));
    }

    let (mut tuples, mut all) = (Vec::new(), Vec::new());
    for (index, case) in cases.iter().enumerate() {
        let mut operands = specials.operands(&case.function.params, 0, &mut rng);
        rng.shuffle(&mut operands);
        operands.truncate(TUPLES / 2);
        let random = specials.operands(&case.function.params, TUPLES / 2, &mut rng);
        operands.extend(random.into_iter().rev().take(TUPLES / 2));
        rng.shuffle(&mut operands);
        all.extend(shapes(index, &case.function.params, &operands));
        tuples.push(operands);
    }
    let mut text = "(module\n".to_owned();
    for (index, shape) in all.iter().enumerate() {
        text += &shape.wat(index, &cases[shape.case]);
    }
    let bytes = wat::parse_str(text + ")").expect("text");

    let mut oracle = Oracle::new(&cases);
    for engine in engines() {
        let module = Module::new(&engine, &*bytes).expect("a valid module");
        let mut store = Store::with_limits(&engine, (), Limits::unlimited()).expect("address space");
        let instance = Linker::new(&engine).instantiate(&mut store, &module).expect("no imports");
        let mut differences = String::new();
        for (index, shape) in all.iter().enumerate() {
            let case = &cases[shape.case];
            let name = index.to_string();
            for params in &tuples[shape.case] {
                let operands = shape.operands(params);
                let theirs = oracle.call(oracle.export(shape.case), &operands);
                let wanted: Outcome =
                    theirs.map(|values| values.into_iter().map(|value| canonical(case.row, value)).collect());
                let found = run(&mut store, instance, &name, params);
                if found != wanted {
                    writeln!(
                        differences,
                        "{} {:x?}: {found:x?}, wanted {wanted:x?}",
                        case.row.name, shape.sources
                    )
                    .unwrap();
                    break;
                }
            }
        }
        assert!(differences.is_empty(), "\n{differences}");
    }
}

/// `select` is no numeric operation, and translators have as many shapes of it.
#[test]
fn a050_selects_of_constants_and_of_equal_operands() {
    let mut rng = Rng::with_seed(0x5e1);
    let specials = Specials::new();
    let types = [Operand::I32, Operand::I64, Operand::F32, Operand::F64, Operand::V128];
    let mut text = "(module\n".to_owned();
    let mut wanted = Vec::new();
    for operand in types {
        let ty = format!("{operand:?}").to_lowercase();
        for pair in specials.operands(&[operand, operand], 40, &mut rng).into_iter().rev().take(40) {
            let (a, b) = (pair[0], pair[1]);
            let name = wanted.len();
            let (const_a, const_b) = (constant(a), constant(b));
            for (shape, operands) in [
                "(local.get 0) (local.get 1) (local.get 2)".to_owned(),
                "(local.get 0) (local.get 0) (local.get 2)".to_owned(),
                format!("{const_a} (local.get 1) (local.get 2)"),
                format!("(local.get 0) {const_b} (local.get 2)"),
                format!("{const_a} {const_b} (local.get 2)"),
                format!("{const_a} {const_a} (local.get 2)"),
                "(local.get 0) (local.get 1) (i32.const 1)".to_owned(),
                format!("{const_a} {const_b} (i32.const 0)"),
                "(local.get 0) (local.get 1) (i32.eqz (local.get 2))".to_owned(),
            ]
            .iter()
            .enumerate()
            {
                writeln!(
                    text,
                    "(func (export \"{name} {shape}\") (param {ty} {ty} i32) (result {ty}) (select {operands}))"
                )
                .unwrap();
            }
            wanted.push((a, b));
        }
    }
    let bytes = wat::parse_str(text + ")").expect("text");
    for engine in engines() {
        let module = Module::new(&engine, &*bytes).expect("a valid module");
        let mut store = Store::with_limits(&engine, (), Limits::unlimited()).expect("address space");
        let instance = Linker::new(&engine).instantiate(&mut store, &module).expect("no imports");
        for (name, (a, b)) in wanted.iter().copied().enumerate() {
            for condition in [0, 1, -1, i32::MIN] {
                let chosen = if condition == 0 { b } else { a };
                let turned = if condition == 0 { a } else { b };
                let answers = [chosen, a, chosen, chosen, chosen, a, a, b, turned];
                for (shape, answer) in answers.into_iter().enumerate() {
                    let found =
                        run(&mut store, instance, &format!("{name} {shape}"), &[a, b, Value::I32(condition)]);
                    assert_eq!(found, Ok(vec![answer]), "shape {shape} of {a:?} and {b:?} by {condition}");
                }
            }
        }
    }
}

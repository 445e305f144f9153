//! A second witness of the opcode table: `wasmparser` must read, name and type each row's code as the row says, and the
//! assembler must turn the row's text into the row's code.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::{CodeSection, Function, FunctionSection, MemorySection, MemoryType, TypeSection, ValType};
use wasmos_frontend::module::Span;
use wasmos_frontend::opcode::{Class, Effect, Instr, Op, OpInfo, Operand, TABLE};
use wasmos_frontend::reader::Reader;
use wasmos_frontend::{Feature, Features, decode, validate};
use wasmparser::{BinaryReader, OperatorsReader, Validator};

use wasmos_tests::oracle::wasm_features;

/// Bytes behind an opcode that make any immediate complete.
const ZEROS: [u8; 24] = [0; 24];

/// What `wasmparser` says of an operator: the proposal, and the numbers of operands taken and left if they are fixed.
struct Operator {
    proposal: &'static str,
    arity: Option<(usize, usize)>,
}

macro_rules! operators {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($annotation:tt)*))*) => {
        BTreeMap::from([$((
            stringify!($op).to_lowercase(),
            Operator { proposal: stringify!($proposal), arity: arity(stringify!($($annotation)*)) },
        )),*])
    };
}

/// Returns their operators by name, in small letters.
fn operators() -> BTreeMap<String, Operator> {
    wasmparser::for_each_operator!(operators)
}

/// Reads an annotation: `arity 2 -> 1`, `arity memarg 1 -> 1` or `arity custom`.
fn arity(annotation: &str) -> Option<(usize, usize)> {
    let counts = annotation.trim_start_matches("arity").trim_start().trim_start_matches("memarg");
    let (params, results) = counts.split_once("->")?;
    Some((params.trim().parse().ok()?, results.trim().parse().ok()?))
}

/// Where the two name an operator differently, beyond capitals: ours, then theirs.
const SPELLINGS: [(Op, &str); 5] = [
    (Op::SelectT, "TypedSelect"),
    (Op::RefTest, "RefTestNonNull"),
    (Op::RefTestNull, "RefTestNullable"),
    (Op::RefCast, "RefCastNonNull"),
    (Op::RefCastNull, "RefCastNullable"),
];

/// What they give a name of its own: a `select` of other than one type, which is never valid.
const NOT_OURS: [&str; 1] = ["typedselectmulti"];

/// Returns their name of an opcode in small letters: they write `F32x4PMax`, we `F32x4Pmax`.
fn their_name(op: Op) -> String {
    let row = SPELLINGS.iter().find(|row| row.0 == op);
    row.map_or_else(|| format!("{op:?}"), |row| row.1.to_owned()).to_lowercase()
}

fn their_proposal(feature: Feature) -> &'static str {
    match feature {
        Feature::Mvp => "mvp",
        Feature::SaturatingFloatToInt => "saturating_float_to_int",
        Feature::SignExtension => "sign_extension",
        Feature::BulkMemory => "bulk_memory",
        Feature::ReferenceTypes => "reference_types",
        Feature::Simd => "simd",
        Feature::RelaxedSimd => "relaxed_simd",
        Feature::TailCall => "tail_call",
        Feature::FunctionReferences => "function_references",
        Feature::Gc => "gc",
        Feature::Exceptions => "exceptions",
        Feature::LegacyExceptions => "legacy_exceptions",
        Feature::Threads => "threads",
        Feature::WideArithmetic => "wide_arithmetic",
        Feature::MutableGlobal
        | Feature::MultiValue
        | Feature::ExtendedConst
        | Feature::MultiMemory
        | Feature::Memory64
        | Feature::CustomPageSizes => panic!("{feature} brought no instruction"),
    }
}

/// Returns the bytes of a row's code.
fn code(row: &OpInfo) -> Vec<u8> {
    let Ok(byte) = u8::try_from(row.code) else {
        let mut bytes = vec![u8::try_from(row.code >> 16).unwrap()];
        let sub = row.code & 0xffff;
        bytes.extend(if sub < 0x80 {
            vec![sub as u8]
        } else {
            vec![(sub & 0x7f) as u8 | 0x80, (sub >> 7) as u8]
        });
        return bytes;
    };
    vec![byte]
}

/// Returns the bytes of an immediate of the row: zeros wherever they mean something.
fn immediate(row: &OpInfo) -> Vec<u8> {
    let mut bytes = ZEROS.to_vec();
    match row.op {
        // One type, i32.
        Op::SelectT => bytes[..2].copy_from_slice(&[1, 0x7f]),
        // The alignment that is right for every access.
        _ if row.access_bytes > 0 => bytes[0] = row.access_bytes.trailing_zeros() as u8,
        _ => {}
    }
    bytes
}

/// Decodes the instruction at the start of `bytes` and returns it with its length.
fn read(bytes: &[u8]) -> (Instr<'_>, usize) {
    let end = u32::try_from(bytes.len()).unwrap();
    let mut r = Reader::new(bytes, Span { start: 0, end }, Features::all(), "a test");
    let instr = Instr::read(&mut r).unwrap();
    (instr, r.offset())
}

/// Returns what must stand before an instruction that only goes with another.
fn opener(op: Op) -> &'static [u8] {
    match op {
        Op::Else => &[0x04, 0x40],
        Op::Catch | Op::CatchAll | Op::Delegate => &[0x06, 0x40],
        _ => &[],
    }
}

#[test]
fn each_code_is_read_as_the_operator_of_that_name() {
    for row in TABLE {
        let bytes = [opener(row.op), &code(row), &immediate(row)].concat();
        let features = wasm_features(Features::all());
        let mut reader = OperatorsReader::new(BinaryReader::new_features(&bytes, 0, features));
        if !opener(row.op).is_empty() {
            reader.read().unwrap();
        }
        let operator = reader.read().unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let printed = format!("{operator:?}");
        let name = printed.split([' ', '{']).next().unwrap();
        assert_eq!(name.to_lowercase(), their_name(row.op), "{}", row.name);
        let (_, len) = read(&bytes[opener(row.op).len()..]);
        let read = usize::try_from(reader.original_position()).unwrap();
        assert_eq!(opener(row.op).len() + len, read, "{}: length of the immediate", row.name);
    }
}

#[test]
fn each_row_has_the_proposal_and_the_arity_of_the_operator() {
    let operators = operators();
    for row in TABLE {
        let operator = &operators[&their_name(row.op)];
        assert_eq!(their_proposal(row.feature), operator.proposal, "{}", row.name);
        if let Effect::Fixed { params, results } = row.effect {
            assert_eq!(Some((params.len(), results.len())), operator.arity, "{}", row.name);
        }
    }
}

#[test]
fn no_operator_of_our_features_is_missing() {
    let ours: BTreeSet<String> = TABLE.iter().map(|row| their_name(row.op)).collect();
    let proposals: BTreeSet<_> = TABLE.iter().map(|row| their_proposal(row.feature)).collect();
    let operators = operators();
    let theirs = operators.iter().filter(|(_, operator)| proposals.contains(operator.proposal));
    let missing: Vec<_> = theirs.map(|(name, _)| name).filter(|name| !ours.contains(*name)).collect();
    assert_eq!(missing, NOT_OURS);
}

const fn val_type(operand: Operand) -> ValType {
    match operand {
        Operand::I32 | Operand::Addr => ValType::I32,
        Operand::I64 => ValType::I64,
        Operand::F32 => ValType::F32,
        Operand::F64 => ValType::F64,
        Operand::V128 => ValType::V128,
    }
}

/// Returns a module of one function that takes `params`, applies the row's instruction and returns `results`.
fn applying(row: &OpInfo, params: &[ValType], results: &[ValType]) -> Vec<u8> {
    let (mut types, mut functions, mut memories) =
        (TypeSection::new(), FunctionSection::new(), MemorySection::new());
    types.ty().function(params.to_vec(), results.to_vec());
    functions.function(0);
    let memory =
        MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    memories.memory(memory);
    let mut body = Function::new([]);
    for index in 0..u32::try_from(params.len()).unwrap() {
        body.instructions().local_get(index);
    }
    let bytes = [code(row), immediate(row)].concat();
    let (_, len) = read(&bytes);
    body.raw(bytes[..len].iter().copied());
    body.instructions().end();
    let mut bodies = CodeSection::new();
    bodies.function(&body);
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&functions).section(&memories).section(&bodies);
    module.finish()
}

/// Both must accept the types of the row, and both must refuse any other in the place of one of them.
#[test]
fn fixed_effects_have_the_types_of_the_row() {
    const TYPES: [ValType; 5] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128];
    let features = wasm_features(Features::all());
    let check = |row: &OpInfo, params: &[ValType], results: &[ValType], expected: bool| {
        let bytes = applying(row, params, results);
        let ours = decode(bytes.clone()).and_then(validate).is_ok();
        let theirs = Validator::new_with_features(features).validate_all(&bytes).is_ok();
        assert_eq!((ours, theirs), (expected, expected), "{}: {params:?} -> {results:?}", row.name);
    };
    for row in TABLE {
        let Effect::Fixed { params, results } = row.effect else { continue };
        let types: Vec<_> = params.iter().chain(results).map(|operand| val_type(*operand)).collect();
        let (params, results) = types.split_at(params.len());
        check(row, params, results, true);
        for (at, right) in types.iter().enumerate() {
            for wrong in TYPES.into_iter().filter(|ty| ty != right) {
                let mut types = types.clone();
                types[at] = wrong;
                let (params, results) = types.split_at(params.len());
                check(row, params, results, false);
            }
        }
    }
}

/// Writes a module whose function holds the printed instruction, with what must stand around it.
fn text_of(op: Op, printed: &str) -> String {
    let body = match op {
        Op::Block | Op::Loop | Op::If | Op::Try | Op::TryTable => format!("{printed} end"),
        Op::Else => format!("if {printed} end"),
        Op::Catch | Op::CatchAll => format!("try {printed} end"),
        Op::Delegate => format!("try {printed}"),
        Op::End => format!("block {printed}"),
        _ => printed.to_owned(),
    };
    format!("(module (type (func)) (func (type 0) {body}))")
}

#[test]
fn the_text_of_each_row_is_assembled_to_its_code() {
    for row in TABLE {
        let bytes = [code(row), immediate(row)].concat();
        let (instr, _) = read(&bytes);
        let text = text_of(row.op, &instr.to_string());
        let assembled = wat::parse_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let module = decode(assembled).unwrap();
        let (_, instrs) = module.code(module.bodies[0]).unwrap();
        let found: Vec<_> = instrs.map(|(_, instr)| instr).filter(|found| found.op() == row.op).collect();
        assert_eq!(found.first(), Some(&instr), "{text}");
    }
}

/// Whatever stands behind an opcode: an answer, never a panic.
#[test]
fn a_body_of_each_opcode_and_zeros_is_judged() {
    let mut refused = 0;
    for row in TABLE {
        for n_zeros in 0..=ZEROS.len() {
            let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
            types.ty().function([], []);
            functions.function(0);
            let mut body = Function::new([]);
            body.raw(code(row)).raw(ZEROS[..n_zeros].iter().copied());
            let mut bodies = CodeSection::new();
            bodies.function(&body);
            let mut module = wasm_encoder::Module::new();
            module.section(&types).section(&functions).section(&bodies);
            refused += u32::from(decode(module.finish()).and_then(validate).is_err());
        }
    }
    assert!(refused > 10_000, "{refused}");
}

/// The class is what other rooms rely on to know an access.
#[test]
fn accesses_are_those_whose_operator_takes_a_memory_argument() {
    for row in TABLE {
        let bytes = [code(row), immediate(row)].concat();
        let is_access =
            matches!(row.class, Class::Load | Class::Store | Class::Rmw | Class::Wait | Class::Notify);
        assert_eq!(read(&bytes).0.memarg().is_some(), is_access, "{}", row.name);
    }
}

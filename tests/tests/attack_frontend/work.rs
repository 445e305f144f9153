//! Shapes that would make validation quadratic: few bytes that ask for much work, many times over.

use wasmos_frontend::module::SectionId;
use wasmos_frontend::{ErrorKind, limits};
use wasmos_tests::guard::in_time;
use wasmos_tests::shapes::{
    BLOCK, DROP, EMPTY, END, I32, UNREACHABLE, body, func_type, function, function_of, judge, leb, module,
    repeated, section, vector,
};

use crate::kind;

const MANY: usize = 500_000;
const BR_IF: [u8; 4] = [0x41, 0, 0x0d, 0];

/// A thousand values of one type on the stack of a block that has them as results, and instructions behind them.
fn block_of_1000(ty: u8, value: &[u8], instrs: &[u8]) -> Vec<u8> {
    let types = [func_type(&[], &[]), func_type(&[], &[ty; 1_000])];
    let instrs = [&[BLOCK, 1], &value.repeat(1_000)[..], instrs, &[END], &[DROP; 1_000]].concat();
    function_of(&types, &instrs)
}

#[test]
fn branches_of_a_thousand_values() {
    let bytes = block_of_1000(I32, &[0x41, 0], &BR_IF.repeat(MANY));
    assert!(in_time(|| judge(bytes)).is_ok());
}

/// Once a branch has been taken not, the values have the types of the label, so that the next one compares bits again.
#[test]
fn branches_of_a_thousand_values_that_need_subtyping_once() {
    let bytes = block_of_1000(0x6e, &[0xd0, 0x71], &BR_IF.repeat(MANY));
    assert!(in_time(|| judge(bytes)).is_ok());
}

/// A thousand `nullref` are returned by a call each time before they are compared with a thousand `anyref`.
#[test]
fn branches_that_need_subtyping_each_time_are_refused() {
    let types = [func_type(&[], &[]), func_type(&[], &[0x6e; 1_000]), func_type(&[], &[0x71; 1_000])];
    let inner = [&[BLOCK, 1, 0x10, 1][..], &BR_IF, &[0x0c, 1, END]].concat();
    let branched = [&inner[..], &[0x0c, 0]].concat();
    let instrs = [&[BLOCK, 1], &branched.repeat(20_000)[..], &[END], &[DROP; 1_000]].concat();
    let bytes = module(&[
        section(SectionId::Type, vector(types)),
        section(SectionId::Function, vector([[0], [2]])),
        section(SectionId::Code, vector([body(&[0], &instrs), body(&[0], &[UNREACHABLE])])),
    ]);
    let ErrorKind::TooMany { what, .. } = in_time(|| kind(bytes)) else { panic!("another kind") };
    assert_eq!(what, "comparisons of types, budget exceeded");
}

/// A module whose first function has these instructions, and whose second takes and leaves a thousand values.
fn calling(results: usize, instrs: &[u8]) -> Vec<u8> {
    let types = [func_type(&[], &[]), func_type(&vec![I32; 1_000 - results], &vec![I32; results])];
    module(&[
        section(SectionId::Type, vector(types)),
        section(SectionId::Function, vector([[0], [1]])),
        section(SectionId::Code, vector([body(&[0], instrs), body(&[0], &[UNREACHABLE])])),
    ])
}

#[test]
fn calls_that_push_a_thousand_results_without_end() {
    let calls = [0x10, 1].repeat(limits::OPERANDS as usize / 1_000 + 1);
    let count = u64::from(limits::OPERANDS) + 1_000;
    let too_many = ErrorKind::TooMany { what: "operands", count, limit: limits::OPERANDS.into() };
    assert_eq!(in_time(move || kind(calling(1_000, &calls))), too_many);
}

/// What was pushed is thrown away by a branch, again and again.
#[test]
fn calls_whose_thousand_results_are_thrown_away() {
    let instrs = [BLOCK, EMPTY, 0x10, 1, 0x0c, 0, END].repeat(MANY);
    assert!(in_time(move || judge(calling(1_000, &instrs))).is_ok());
}

/// In unreachable code a call takes its thousand parameters from an empty stack.
#[test]
fn calls_that_take_a_thousand_parameters_from_nothing() {
    let instrs = [vec![UNREACHABLE], [0x10, 1].repeat(MANY)].concat();
    assert!(in_time(move || judge(calling(0, &instrs))).is_ok());
}

/// Tables of one target, each naming a label behind a million and a half others.
#[test]
fn branch_tables_that_name_a_far_label() {
    const DEPTH: usize = 1_500_000;
    let table = [vec![0x0e, 0], leb(DEPTH as u64 - 1)].concat();
    let instrs =
        [[BLOCK, EMPTY].repeat(DEPTH), vec![UNREACHABLE], table.repeat(600_000), vec![END; DEPTH]].concat();
    assert!(instrs.len() < limits::BODY_BYTES as usize);
    let bytes = module(&[
        section(SectionId::Type, vector([func_type(&[], &[])])),
        section(SectionId::Function, repeated(10, &[0])),
        section(SectionId::Code, repeated(10, &body(&[0], &instrs))),
    ]);
    assert!(in_time(|| judge(bytes)).is_ok());
}

/// Type 0 is a function without parameters and results, type 1 a structure of 10,000 fields, type 2 an array.
fn with_aggregates(instrs: &[u8]) -> Vec<u8> {
    let structure = [vec![0x5f], repeated(limits::STRUCT_FIELDS as usize, &[I32, 1])].concat();
    function_of(&[func_type(&[], &[]), structure, vec![0x5e, I32, 1]], instrs)
}

#[test]
fn aggregates_of_ten_thousand_values() {
    // array.new_fixed and struct.new in unreachable code, struct.new_default anywhere.
    let fixed = [&[0xfb, 8, 2][..], &leb(limits::ARRAY_NEW_FIXED.into()), &[DROP]].concat();
    let made = [&[UNREACHABLE], &fixed.repeat(MANY)[..], &[0xfb, 0, 1, DROP].repeat(MANY)].concat();
    assert!(in_time(move || judge(with_aggregates(&made))).is_ok());
    let defaults = [0xfb, 1, 1, DROP].repeat(MANY);
    assert!(in_time(move || judge(with_aggregates(&defaults))).is_ok());
    // One operand on the stack, and 9,999 that unreachable code gives.
    let one = [&[UNREACHABLE], &[0x41, 0, 0xfb, 0, 1, DROP].repeat(MANY)[..]].concat();
    assert!(in_time(move || judge(with_aggregates(&one))).is_ok());
}

/// 50,000 locals of alternating types, in runs of one; the last of them is read.
#[test]
fn reading_the_last_of_many_runs_of_locals() {
    let locals = repeated(25_000, &[1, I32, 1, 0x7e]);
    let locals = [leb(50_000), locals[leb(25_000).len()..].to_vec()].concat();
    let instrs = [&[0x20][..], &leb(49_999), &[DROP]].concat().repeat(MANY);
    let bytes = module(&[
        section(SectionId::Type, vector([func_type(&[], &[])])),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Code, vector([body(&locals, &instrs)])),
    ]);
    assert!(in_time(|| judge(bytes)).is_ok());
}

/// Locals without a default, set in a block and forgotten at its end, many times.
#[test]
fn setting_and_forgetting_locals() {
    // 49,999 locals of type (ref func), and a parameter of it.
    let locals = vector([[leb(49_999), vec![0x64, 0x70]].concat()]);
    let set = [&[BLOCK, EMPTY, 0x20, 0, 0x21][..], &leb(49_999), &[END]].concat();
    let bytes = module(&[
        section(SectionId::Type, vector([[0x60, 1, 0x64, 0x70, 0]])),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Code, vector([body(&locals, &set.repeat(MANY))])),
    ]);
    assert!(in_time(|| judge(bytes)).is_ok());
}

/// `try_table` with as many clauses as there may be, whose label has a thousand results.
#[test]
fn catch_clauses_to_a_label_of_a_thousand_values() {
    let types = [func_type(&[], &[]), func_type(&[], &[I32; 1_000]), func_type(&[I32; 1_000], &[])];
    let clauses = repeated(limits::CATCHES as usize, &[0, 0, 0]);
    let try_table = [&[0x1f, EMPTY][..], &clauses, &[END]].concat();
    let instrs = [&[BLOCK, 1], &try_table.repeat(30)[..], &[UNREACHABLE, END], &[DROP; 1_000]].concat();
    let bytes = module(&[
        section(SectionId::Type, vector(types)),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Tag, vector([[0, 2]])),
        section(SectionId::Code, vector([body(&[0], &instrs)])),
    ]);
    assert!(in_time(|| judge(bytes)).is_ok());
}

/// Broken bodies behind one another: only the first one's name is looked up, in a name section of a megabyte.
#[test]
fn many_broken_bodies_and_many_names() {
    let names = vector((0..100_000_u64).map(|index| [leb(index), leb(4), b"name".to_vec()].concat()));
    let bytes = module(&[
        section(SectionId::Type, vector([func_type(&[], &[])])),
        section(SectionId::Function, repeated(100_000, &[0])),
        section(SectionId::Code, repeated(100_000, &body(&[0], &[DROP]))),
        wasmos_tests::shapes::custom(b"name", &[vec![1], wasmos_tests::shapes::sized(names)].concat()),
    ]);
    let error = in_time(|| judge(bytes).map(drop).unwrap_err());
    assert_eq!(error.function.map(|func| func.0), Some(0));
    assert_eq!(error.function_name.as_deref(), Some("name"));
}

/// A million blocks in a body, and a million bodies of a block: both are linear.
#[test]
fn blocks_in_a_row() {
    let bytes = function(&[BLOCK, EMPTY, END].repeat(2_000_000));
    assert!(in_time(|| judge(bytes)).is_ok());
}

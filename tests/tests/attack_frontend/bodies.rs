//! A008 to A011, A016 and A019: locals, nesting, branch tables, constant expressions, memory arguments.

use wasmos_frontend::error::IndexSpace;
use wasmos_frontend::module::SectionId;
use wasmos_frontend::{ErrorKind, Feature, limits};
use wasmos_tests::guard::{in_time, on_small_stack};
use wasmos_tests::shapes::{
    BLOCK, DROP, EMPTY, END, I32, UNREACHABLE, body, func_type, function, function_of, judge, leb, module,
    repeated, section, vector,
};

use crate::{kind, kind_without};

/// A module of one function with runs of locals.
fn with_locals(runs: &[(u64, u8)]) -> Vec<u8> {
    let runs = vector(runs.iter().map(|(count, ty)| [&leb(*count)[..], &[*ty]].concat()));
    module(&[
        section(SectionId::Type, vector([func_type(&[I32; 10], &[])])),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Code, vector([body(&runs, &[])])),
    ])
}

#[test]
fn a008_too_many_locals() {
    let too_many = |count| ErrorKind::TooMany { what: "locals", count, limit: limits::LOCALS.into() };
    // The function has ten parameters, which count.
    assert!(judge(with_locals(&[(49_990, I32)])).is_ok());
    assert_eq!(kind(with_locals(&[(49_991, I32)])), too_many(50_001));
    assert_eq!(kind(with_locals(&[(1_000_000, I32)])), too_many(1_000_010));
    assert_eq!(kind(with_locals(&[(25_000, I32), (24_991, 0x7e)])), too_many(50_001));
    // Together they would be 8 in 32 bits.
    let max = u64::from(u32::MAX);
    assert_eq!(kind(with_locals(&[(0, I32), (max, I32), (9, I32)])), too_many(max + 10));
    let unending = repeated(100_000, &[0, I32]);
    let none = module(&[
        section(SectionId::Type, vector([func_type(&[], &[])])),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Code, vector([body(&unending, &[])])),
    ]);
    assert!(judge(none).is_ok());
}

const DEEP: usize = 100_000;

/// Modules that nest each kind of block 100,000 deep, reachable or not.
fn nested() -> Vec<(&'static str, Vec<u8>)> {
    let shapes: [(&str, &[u8], &[u8]); 8] = [
        ("block", &[BLOCK, EMPTY], &[END]),
        ("loop", &[0x03, EMPTY], &[END]),
        ("if", &[0x41, 0, 0x04, EMPTY], &[END]),
        ("if else", &[0x41, 0, 0x04, EMPTY], &[0x05, END]),
        ("else", &[0x41, 0, 0x04, EMPTY, 0x05], &[END]),
        ("try_table", &[0x1f, EMPTY, 1, 2, 0], &[END]),
        ("try catch_all", &[0x06, EMPTY], &[0x19, END]),
        ("try delegate", &[0x06, EMPTY], &[0x18, 0]),
    ];
    let nest = |(name, open, close): (&'static str, &[u8], &[u8])| {
        let reachable = [open.repeat(DEEP), close.repeat(DEEP)].concat();
        let unreachable = [&[UNREACHABLE], &reachable[..]].concat();
        [(name, function(&reachable)), (name, function(&unreachable))]
    };
    shapes.into_iter().flat_map(nest).collect()
}

#[test]
fn a009_nesting_takes_no_host_stack() {
    for (name, bytes) in nested() {
        let verdict = on_small_stack(|| judge(bytes).map(drop));
        assert_eq!(verdict, Ok(()), "{name}");
    }
}

/// The blocks of a constant expression are counted, not followed.
#[test]
fn a009_nesting_in_a_constant_expression() {
    let expr = [[BLOCK, EMPTY].repeat(DEEP), vec![END; DEEP + 1]].concat();
    let global = section(SectionId::Global, vector([[&[I32, 0][..], &expr].concat()]));
    let kind = on_small_stack(|| kind(module(&[global])));
    assert_eq!(kind, ErrorKind::NotConstant { op: "block" });
}

/// Blocks that are never closed, and what closes nothing.
#[test]
fn a009_nesting_that_does_not_end() {
    // The last `end` is that of the innermost block.
    let open = on_small_stack(|| kind(function(&[BLOCK, EMPTY].repeat(DEEP))));
    assert_eq!(open, ErrorKind::EndExpected { open: 100_000 });
    let left = kind(function(&[END; 3]));
    assert_eq!(left, ErrorKind::BytesAfterEnd { left: 3 });
}

/// A `br_table` of so many targets, each of label 0.
fn br_table(targets: usize) -> Vec<u8> {
    function(&[&[0x41, 0, 0x0e][..], &repeated(targets, &[0]), &[0]].concat())
}

#[test]
fn a010_branch_tables() {
    let limit = limits::BR_TABLE_TARGETS;
    assert!(in_time(move || judge(br_table(limit as usize))).is_ok());
    let too_many = |count| ErrorKind::TooMany { what: "br_table targets", count, limit: limit.into() };
    assert_eq!(kind(br_table(limit as usize + 1)), too_many(u64::from(limit) + 1));
    assert_eq!(kind(br_table(1_000_000)), too_many(1_000_000));
}

#[test]
fn a011_parameters_and_results() {
    let of_type = |params: usize, results: usize| {
        module(&[section(SectionId::Type, vector([func_type(&vec![I32; params], &vec![I32; results])]))])
    };
    assert!(judge(of_type(1_000, 1_000)).is_ok());
    assert_eq!(
        kind(of_type(1_001, 0)),
        ErrorKind::TooMany { what: "parameters", count: 1_001, limit: 1_000 }
    );
    assert_eq!(kind(of_type(0, 1_001)), ErrorKind::TooMany { what: "results", count: 1_001, limit: 1_000 });
}

/// 65,520 targets, each of another label of 1,000 results: one comparison each while the types are the same.
#[test]
fn a011_branch_table_of_labels_of_1000_results() {
    let bytes = branching_to_many_labels(&[I32; 1_000], &[0x41, 0].repeat(1_000));
    assert!(in_time(|| judge(bytes)).is_ok());
}

/// If each value has to be matched by subtyping, the work is refused once it is out of proportion.
#[test]
fn a011_branch_table_of_labels_that_need_subtyping() {
    // `anyref` where `nullref` is on the stack.
    let bytes = branching_to_many_labels(&[0x6e; 1_000], &[0xd0, 0x71].repeat(1_000));
    let ErrorKind::TooMany { what, .. } = in_time(|| kind(bytes)) else { panic!("another kind") };
    assert_eq!(what, "comparisons of types, budget exceeded");
}

/// As many blocks as a `br_table` may have targets, each with these results, and a branch from the innermost to all.
fn branching_to_many_labels(results: &[u8], values: &[u8]) -> Vec<u8> {
    let targets = limits::BR_TABLE_TARGETS as usize;
    let labels = vector((0..targets as u64).map(leb));
    let instrs = [
        [BLOCK, 0].repeat(targets),
        values.to_vec(),
        vec![0x41, 0, 0x0e],
        labels,
        vec![0],
        vec![END; targets],
    ];
    function_of(&[func_type(&[], results)], &instrs.concat())
}

/// A module of immutable globals, all of type i32.
fn globals(exprs: &[&[u8]]) -> Vec<u8> {
    let globals = exprs.iter().map(|expr| [&[I32, 0][..], expr, &[END]].concat());
    module(&[section(SectionId::Global, vector(globals))])
}

#[test]
fn a016_constant_expressions() {
    assert_eq!(kind(globals(&[&[0x41, 0, 0x67]])), ErrorKind::NotConstant { op: "i32.clz" });
    assert_eq!(kind(globals(&[&[0x41, 0, 0x41, 0, 0x6d]])), ErrorKind::NotConstant { op: "i32.div_s" });
    // A global may read those before it, not itself nor a later one.
    assert!(judge(globals(&[&[0x41, 0], &[0x23, 0]])).is_ok());
    let unknown = |index, len| ErrorKind::UnknownIndex { space: IndexSpace::Global, index, len };
    assert_eq!(kind(globals(&[&[0x23, 0]])), unknown(0, 0));
    assert_eq!(kind(globals(&[&[0x23, 1], &[0x41, 0]])), unknown(1, 0));
    assert_eq!(kind_without(Feature::Gc, globals(&[&[0x41, 0], &[0x23, 0]])), unknown(0, 0));
}

#[test]
fn a016_a_million_operations_in_a_constant_expression() {
    let expr = [&[0x41, 0][..], &[0x41, 1, 0x6a].repeat(1_000_000)].concat();
    assert!(in_time(move || judge(globals(&[&expr]))).is_ok());
    let unbalanced = [0x41, 1].repeat(1_000_000);
    let kind = in_time(move || kind(globals(&[&unbalanced])));
    assert_eq!(kind, ErrorKind::ValuesRemain { extra: 999_999 });
}

/// A function that loads with this memory argument.
fn loading(opcode: u8, memarg: &[u8]) -> Vec<u8> {
    module(&[
        section(SectionId::Type, vector([func_type(&[], &[])])),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Memory, vector([[0, 1]])),
        section(SectionId::Code, vector([body(&[0], &[&[0x41, 0, opcode], memarg, &[DROP]].concat())])),
    ])
}

#[test]
fn a019_alignments_and_offsets() {
    assert!(judge(loading(0x28, &[2, 0])).is_ok());
    assert_eq!(kind(loading(0x28, &[3, 0])), ErrorKind::AlignmentTooLarge { align: 3, natural: 4 });
    assert_eq!(kind(loading(0x28, &[31, 0])), ErrorKind::AlignmentTooLarge { align: 31, natural: 4 });
    assert_eq!(kind(loading(0x2c, &[1, 0])), ErrorKind::AlignmentTooLarge { align: 1, natural: 1 });
    let flags = ErrorKind::MalformedByte { what: "memop flags", byte: 0x80 };
    assert_eq!(kind(loading(0x28, &[0x80, 1, 0])), flags);

    let offset = |offset: u64| [vec![2], leb(offset)].concat();
    assert!(judge(loading(0x28, &offset(u32::MAX.into()))).is_ok());
    assert_eq!(kind(loading(0x28, &offset(1 << 32))), ErrorKind::OffsetOutOfRange { offset: 1 << 32 });
    assert_eq!(kind_without(Feature::Memory64, loading(0x28, &offset(1 << 32))), ErrorKind::IntegerTooLarge);
}

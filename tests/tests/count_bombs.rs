//! Attack A007: a vector that announces four billion items, or as many as its limit allows, and holds none. Nothing is
//! reserved that the bytes left cannot hold.
//!
//! The allocator counts for the whole process: this file has one test, so that nothing else allocates meanwhile.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use wasmos_frontend::limits;
use wasmos_frontend::module::SectionId;
use wasmos_tests::shapes::{
    I32, UNREACHABLE, body, custom, func_type, function, function_of, judge, leb, module, section, sized,
    vector,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The case's figure.
const MAX_ALLOCATED_BYTES: usize = 1 << 20;

/// Counts that are limited get another bomb: as many as may be.
const COUNTS: [u32; 5] =
    [u32::MAX, limits::ELEMENT_ENTRIES, limits::FUNCTIONS, limits::DATA_SEGMENTS, limits::ARRAY_NEW_FIXED];

/// Every place that has a count or a length, with `count` there and next to nothing behind it.
fn bombs(count: u32) -> Vec<(&'static str, Vec<u8>)> {
    let bomb = leb(count.into());
    let of = |id, before: &[u8]| module(&[section(id, [before, &bomb, &[0]].concat())]);
    let sections = SectionId::ORDER.map(|id| (id.name(), of(id, &[])));
    let in_type = |bytes: &[u8]| of(SectionId::Type, &[&[1], bytes].concat());
    let types = [
        ("recursive group", in_type(&[0x4e])),
        ("parameters", in_type(&[0x60])),
        ("results", in_type(&[0x60, 0])),
        ("fields", in_type(&[0x5f])),
        ("supertypes", in_type(&[0x50])),
    ];
    let parts = [
        ("import's module", of(SectionId::Import, &[1])),
        ("import's name", of(SectionId::Import, &[1, 0])),
        ("export's name", of(SectionId::Export, &[1])),
        ("custom section's name", of(SectionId::Custom, &[])),
        ("functions of a segment", of(SectionId::Element, &[1, 1, 0])),
        ("expressions of a segment", of(SectionId::Element, &[1, 5, 0x70])),
        ("bytes of a segment", of(SectionId::Data, &[1, 1])),
        ("section", [&wasmos_tests::shapes::PREAMBLE[..], &[1], &bomb].concat()),
    ];
    sections.into_iter().chain(types).chain(parts).chain(in_bodies(&bomb)).collect()
}

fn in_bodies(bomb: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let with_code = |code: Vec<u8>| {
        module(&[
            section(SectionId::Type, vector([func_type(&[], &[])])),
            section(SectionId::Function, vector([[0]])),
            section(SectionId::Code, code),
        ])
    };
    let array = [func_type(&[], &[]), vec![0x5e, I32, 0]];
    vec![
        ("body", with_code([&[1], bomb].concat())),
        ("runs of locals", with_code(vector([sized([bomb, &[0]].concat())]))),
        ("locals of a run", with_code(vector([body(&[&[1], bomb, &[I32]].concat(), &[])]))),
        ("targets", function(&[&[UNREACHABLE, 0x0e], bomb].concat())),
        ("types of a select", function(&[&[UNREACHABLE, 0x1c], bomb].concat())),
        ("catch clauses", function(&[&[0x1f, 0x40], bomb].concat())),
        // On an empty stack, so that the operands are missing.
        ("elements of an array", function_of(&array, &[&[0xfb, 8, 1], bomb].concat())),
    ]
}

/// The known custom sections: a broken one is a warning.
fn in_customs(count: u32) -> Vec<(&'static str, Vec<u8>)> {
    let bomb = leb(count.into());
    let names =
        |id: u8, before: &[u8]| custom(b"name", &[vec![id], sized([before, &bomb, &[0]].concat())].concat());
    let of =
        |name: &'static str, before: &[u8]| (name, custom(name.as_bytes(), &[before, &bomb, &[0]].concat()));
    vec![
        ("functions' names", names(1, &[])),
        ("locals' names", names(2, &[])),
        ("locals' names of a function", names(2, &[1, 0])),
        ("a function's name", names(1, &[1, 0])),
        of("producers", &[]),
        of("target_features", &[]),
        ("dylink.0", custom(b"dylink.0", &[vec![2], sized([&bomb[..], &[0]].concat())].concat())),
        of("metadata.code.branch_hint", &[]),
        of("sourceMappingURL", &[]),
    ]
}

/// Returns what `work` returns and how many bytes it allocated in all, freed ones included.
fn allocated<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let region = Region::new(ALLOCATOR);
    let result = work();
    let change = region.change();
    (result, change.bytes_allocated + usize::try_from(change.bytes_reallocated).unwrap_or(0))
}

#[test]
fn a007_counts_of_what_is_not_there() {
    let mut n_bombs = 0;
    for count in COUNTS {
        for (name, bytes) in bombs(count) {
            let (verdict, bytes) = allocated(|| judge(bytes));
            // Locals are not there to be counted; so many of them are no bomb.
            let is_valid = name == "locals of a run" && count <= limits::LOCALS;
            assert_eq!(verdict.is_ok(), is_valid, "{name} {count}");
            assert!(bytes < MAX_ALLOCATED_BYTES, "{name} {count}: {bytes} bytes");
            n_bombs += 1;
        }
        for (name, section) in in_customs(count) {
            let bytes = module(&[section]);
            let (warnings, bytes) = allocated(|| judge(bytes).unwrap().warnings().len());
            assert_eq!(warnings, 1, "{name} {count}");
            assert!(bytes < MAX_ALLOCATED_BYTES, "{name} {count}: {bytes} bytes");
            n_bombs += 1;
        }
    }
    assert_eq!(n_bombs, COUNTS.len() * (13 + 5 + 8 + 7 + 9));
    // The witness works: what is allocated is seen.
    assert!(allocated(|| vec![0_u8; 2 * MAX_ALLOCATED_BYTES]).1 >= 2 * MAX_ALLOCATED_BYTES);
}

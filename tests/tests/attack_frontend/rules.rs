//! A012 to A015, A017 and A018: how many there may be of everything, and what the module's own rules refuse.

use wasmos_frontend::error::IndexSpace;
use wasmos_frontend::module::SectionId;
use wasmos_frontend::{ErrorKind, Feature, limits};
use wasmos_tests::guard::in_time;
use wasmos_tests::shapes::{
    END, I32, body, func_type, function, judge, leb, module, repeated, section, signed_leb, sized, vector,
};

use crate::{kind, kind_without};

#[test]
fn a012_a_million_types() {
    let types = in_time(|| judge(module(&[section(SectionId::Type, repeated(1_000_000, &[0x60, 0, 0]))])));
    assert_eq!(types.unwrap().types.len(), 1_000_000);
    // Every one of them is different from the others.
    let mut distinct = Vec::new();
    for index in 0..200_000_u32 {
        let digit = |at: u32| [0x7f, 0x7e, 0x7d, 0x7c][(index >> (2 * at) & 3) as usize];
        distinct.push(func_type(&[0, 1, 2, 3, 4, 5, 6, 7, 8].map(digit), &[]));
    }
    let valid = in_time(move || judge(module(&[section(SectionId::Type, vector(distinct))]))).unwrap();
    assert_eq!(valid.canonical_type(wasmos_frontend::types::TypeIdx(199_999)).0, 199_999);
}

#[test]
fn a012_one_group_of_a_million_types_that_refer_to_each_other() {
    // (struct (field (ref null next))), the last one to the first.
    let last = 999_999;
    let types = (0..=last).map(|index| {
        let next = if index == last { 0 } else { index + 1 };
        [&[0x5f, 1, 0x63][..], &signed_leb(next), &[0]].concat()
    });
    let group = [vec![0x4e], vector(types)].concat();
    let bytes = module(&[section(SectionId::Type, vector([group]))]);
    assert!(in_time(|| judge(bytes)).is_ok());
}

/// A chain of types, each extending the one before.
fn chain(len: u64) -> Vec<u8> {
    let types = (0..len).map(|index| match index {
        0 => vec![0x50, 0, 0x5f, 0],
        _ => [&[0x50, 1][..], &leb(index - 1), &[0x5f, 0]].concat(),
    });
    module(&[section(SectionId::Type, vector(types))])
}

#[test]
fn a012_deep_subtyping() {
    let depth = u64::from(limits::SUBTYPING_DEPTH);
    assert!(judge(chain(depth + 1)).is_ok());
    let too_many = ErrorKind::TooMany { what: "supertypes in a chain", count: depth + 1, limit: depth };
    assert_eq!(kind(chain(depth + 2)), too_many);
    assert_eq!(in_time(|| kind(chain(1_000_000))), too_many);
}

#[test]
fn a012_types_of_proposals_that_are_not_built() {
    let types = |bytes: &[u8]| module(&[section(SectionId::Type, vector([bytes]))]);
    let what = |bytes: &[u8]| match kind(types(bytes)) {
        ErrorKind::Unsupported { what } => what,
        kind => panic!("{kind}"),
    };
    assert_eq!(what(&[0x5d, 0]), "stack switching (a continuation type)");
    assert_eq!(what(&[0x4d, 0]), "a custom descriptor");
    assert_eq!(what(&[0x4c, 0]), "a custom descriptor");
    assert_eq!(what(&[0x65, 0x60, 0, 0]), "a shared composite type (shared-everything threads)");
    assert_eq!(what(&[0x60, 1, 0x68, 0]), "stack switching (a continuation type)");
    assert_eq!(what(&[0x60, 1, 0x63, 0x65, 0x6e, 0]), "a shared heap type (shared-everything threads)");
    assert_eq!(what(&[0x60, 1, 0x63, 0x62, 0, 0]), "an exact heap type (custom descriptors)");
    assert_eq!(kind(types(&[0x61, 0])), ErrorKind::MalformedByte { what: "type form", byte: 0x61 });
}

#[test]
fn a013_a_million_functions() {
    let valid = in_time(|| {
        judge(module(&[
            section(SectionId::Type, vector([func_type(&[], &[])])),
            section(SectionId::Function, repeated(1_000_000, &[0])),
            section(SectionId::Code, repeated(1_000_000, &body(&[0], &[]))),
        ]))
    });
    assert_eq!(valid.unwrap().bodies.len(), 1_000_000);
}

/// A module that exports its function under each of the names.
fn exporting(names: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let exports = names.map(|name| [sized(name), vec![0, 0]].concat());
    module(&[
        section(SectionId::Type, vector([func_type(&[], &[])])),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Export, vector(exports)),
        section(SectionId::Code, vector([body(&[0], &[])])),
    ])
}

/// Names are looked up in a set whose hash is keyed at random, so that names cannot be made to collide in it. These
/// would in a hash that sums bytes up, or takes only the first or last ones.
#[test]
fn a013_a_million_exports_and_a_duplicate() {
    let names = |count: u32| (0..count).map(|index| format!("same{index:07}same").into_bytes());
    assert_eq!(in_time(move || judge(exporting(names(1_000_000)))).unwrap().exports.len(), 1_000_000);
    let duplicate = in_time(move || kind(exporting(names(999_999).chain(names(1)))));
    assert_eq!(duplicate, ErrorKind::DuplicateExport { index: 999_999 });
}

/// The names are the module's own business; escaping them is the business of whoever shows them, ours in errors.
#[test]
fn a014_hostile_names() {
    let hostile = ["\0", "\n", "\x1b]0;title\x07", "\u{202e}evil", "<script>", "\u{2028}", "a\u{301}"];
    let valid = judge(exporting(hostile.iter().map(|name| name.as_bytes().to_vec()))).unwrap();
    let found: Vec<_> = valid.exports.iter().map(|export| valid.text(export.name)).collect();
    assert_eq!(found, hostile);

    let names = [vec![1], sized(vector([[&[0][..], &sized("\x1b[31m\u{202e}\n")].concat()]))].concat();
    let broken = [function(&[0x1a]), wasmos_tests::shapes::custom(b"name", &names)].concat();
    let shown = judge(broken).map(drop).unwrap_err().to_string();
    assert!(shown.contains("function 0") && !shown.contains(['\x1b', '\n', '\u{202e}']), "{shown:?}");
}

#[test]
fn a014_names_that_are_too_long() {
    let limit = limits::NAME_BYTES as usize;
    assert!(judge(exporting([vec![b'a'; limit]].into_iter())).is_ok());
    let too_large = ErrorKind::TooLarge { what: "name", len: 100_001, limit: 100_000 };
    assert_eq!(kind(exporting([vec![b'a'; limit + 1]].into_iter())), too_large);
    let import = [sized(vec![b'a'; limit + 1]), vec![0, 0, 0]].concat();
    assert_eq!(kind(module(&[section(SectionId::Import, vector([import]))])), too_large);
}

fn memories(types: &[&[u8]]) -> Vec<u8> {
    module(&[section(SectionId::Memory, vector(types))])
}

#[test]
fn a015_memories() {
    let limits_of = |flags: u8, bounds: &[u64]| {
        [vec![flags], bounds.iter().flat_map(|bound| leb(*bound)).collect()].concat()
    };
    assert_eq!(kind(memories(&[&limits_of(1, &[2, 1])])), ErrorKind::LimitsOrder { min: 2, max: 1 });
    assert!(judge(memories(&[&limits_of(1, &[65_536, 65_536])])).is_ok());
    let too_large = |pages| ErrorKind::MemoryTooLarge { pages, page_size_log2: 16 };
    assert_eq!(kind(memories(&[&limits_of(0, &[65_537])])), too_large(65_537));
    assert_eq!(kind(memories(&[&limits_of(1, &[0, 65_537])])), too_large(65_537));
    assert_eq!(kind(memories(&[&limits_of(0, &[1 << 32])])), too_large(1 << 32));

    assert!(judge(memories(&[&[0, 1], &[0, 1]])).is_ok());
    let disabled = ErrorKind::FeatureDisabled;
    let two = memories(&[&[0, 1], &[0, 1]]);
    assert_eq!(kind_without(Feature::MultiMemory, two), disabled(Feature::MultiMemory));
    assert!(judge(memories(&[&limits_of(4, &[1 << 48])])).is_ok());
    assert_eq!(kind(memories(&[&limits_of(4, &[(1 << 48) + 1])])), too_large((1 << 48) + 1));
    assert_eq!(kind_without(Feature::Memory64, memories(&[&[4, 1]])), disabled(Feature::Memory64));

    assert!(judge(memories(&[&[3, 1, 1]])).is_ok());
    assert_eq!(kind(memories(&[&[2, 1]])), ErrorKind::SharedWithoutMaximum);
    assert_eq!(kind_without(Feature::Threads, memories(&[&[3, 1, 1]])), disabled(Feature::Threads));
    assert_eq!(kind(memories(&[&[0x10, 1]])), ErrorKind::MalformedByte { what: "limits flags", byte: 0x10 });
}

/// How many elements a table may have is decided when it is made, not here; nothing is allocated for it.
#[test]
fn a015_tables() {
    let table =
        |min: u64| module(&[section(SectionId::Table, vector([[&[0x70, 0][..], &leb(min)].concat()]))]);
    for min in [10_000_001, u64::from(u32::MAX)] {
        assert!(judge(table(min)).is_ok(), "{min}");
    }
    assert_eq!(kind(table(1 << 32)), ErrorKind::TableTooLarge { elements: 1 << 32 });
    let shared = module(&[section(SectionId::Table, vector([[0x70, 2, 1]]))]);
    assert_eq!(kind(shared), ErrorKind::MalformedByte { what: "limits flags", byte: 2 });
}

/// A module with a memory and data segments of this form.
fn data(count: Option<u64>, segments: &[&[u8]]) -> Vec<u8> {
    let count = count.map_or_else(Vec::new, |count| section(SectionId::DataCount, leb(count)));
    module(&[section(SectionId::Memory, vector([[0, 1]])), count, section(SectionId::Data, vector(segments))])
}

#[test]
fn a017_data_segments() {
    // Whether an offset is in bounds is decided when the segment is copied.
    assert!(judge(data(None, &[&[0, 0x41, 0x7f, END, 1, b'a']])).is_ok());
    let mismatch = |declared, segments| ErrorKind::DataCountMismatch { declared, segments };
    assert_eq!(kind(data(Some(2), &[&[1, 0]])), mismatch(2, 1));
    assert_eq!(kind(data(Some(0), &[&[1, 0]])), mismatch(0, 1));
    assert_eq!(kind(module(&[section(SectionId::DataCount, leb(1))])), mismatch(1, 0));
    let too_many = ErrorKind::TooMany { what: "data segments", count: 100_001, limit: 100_000 };
    assert_eq!(kind(data(Some(100_001), &[])), too_many);
    assert_eq!(kind(data(None, &vec![&[1, 0][..]; 100_001])), too_many);
    let no_memory = module(&[section(SectionId::Data, vector([[0, 0x41, 0, END, 0]]))]);
    assert_eq!(kind(no_memory), ErrorKind::UnknownIndex { space: IndexSpace::Memory, index: 0, len: 0 });
    // memory.init of a segment whose number was not announced.
    assert_eq!(kind(function(&[0xfc, 9, 0])), ErrorKind::DataCountRequired);
}

/// A module whose function takes and leaves these types, and starts.
fn starting(start: u64, params: &[u8], results: &[u8]) -> Vec<u8> {
    module(&[
        section(SectionId::Type, vector([func_type(params, results)])),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Start, leb(start)),
        section(SectionId::Code, vector([body(&[0], &[0x00])])),
    ])
}

#[test]
fn a018_start_functions() {
    assert!(judge(starting(0, &[], &[])).is_ok());
    let unknown = ErrorKind::UnknownIndex { space: IndexSpace::Function, index: 1, len: 1 };
    assert_eq!(kind(starting(1, &[], &[])), unknown);
    assert_eq!(kind(starting(0, &[I32], &[])), ErrorKind::StartType);
    assert_eq!(kind(starting(0, &[], &[I32])), ErrorKind::StartType);
}

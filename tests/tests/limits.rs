//! Each limit of the frontend: a module at the limit is valid, one past it is refused for that limit.
//!
//! A test is named after its constant.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use wasmos_frontend::module::SectionId;
use wasmos_frontend::{ErrorKind, decode, limits};
use wasmos_tests::shapes::{
    BLOCK, DROP, EMPTY, END, I32, PREAMBLE, UNREACHABLE, body, custom, func_type, function, function_of,
    judge, leb, module, repeated, section, sized, vector,
};

/// Checks that `make` of the limit is valid, and that of one more is refused as too many of `what`.
#[track_caller]
fn check_count(what: &'static str, limit: u32, make: impl Fn(usize) -> Vec<u8>) {
    let at = judge(make(limit as usize));
    assert!(at.is_ok(), "{limit} {what}: {}", at.map(drop).unwrap_err());
    let (count, limit) = (u64::from(limit) + 1, u64::from(limit));
    assert_eq!(refusal(make(limit as usize + 1)), ErrorKind::TooMany { what, count, limit });
}

#[track_caller]
fn refusal(bytes: Vec<u8>) -> ErrorKind {
    judge(bytes).map(drop).unwrap_err().kind.clone()
}

fn types_section(types: &[Vec<u8>]) -> Vec<u8> {
    section(SectionId::Type, vector(types))
}

/// Type 0, without parameters and results.
fn unit_type() -> Vec<u8> {
    types_section(&[func_type(&[], &[])])
}

/// An import section of one item, which has this kind and type.
fn import(kind_and_type: &[u8]) -> Vec<u8> {
    section(SectionId::Import, vector([[&[0, 0], kind_and_type].concat()]))
}

/// The memory is mapped, but never touched: neither here nor by the decoder.
#[test]
fn module_bytes() {
    let limit = limits::MODULE_BYTES;
    let len = usize::try_from(limit).unwrap();
    let mut bytes = vec![0; len];
    // A custom section without a name fills it.
    let header = [&PREAMBLE[..], &[0], &[0xf2, 0xff, 0xff, 0xff, 0x03]].concat();
    bytes[..header.len()].copy_from_slice(&header);
    assert_eq!(decode(bytes).unwrap().customs[0].content.end, 1 << 30);
    let kind = decode(vec![0; len + 1]).map(drop).unwrap_err().kind.clone();
    assert_eq!(kind, ErrorKind::TooLarge { what: "module", len: limit + 1, limit });
}

#[test]
fn body_bytes() {
    let of_len = |len: u32| function(&vec![0x01; len as usize - 2]);
    assert!(judge(of_len(limits::BODY_BYTES)).is_ok());
    let (len, limit) = (u64::from(limits::BODY_BYTES) + 1, u64::from(limits::BODY_BYTES));
    let too_large = ErrorKind::TooLarge { what: "function body", len, limit };
    assert_eq!(refusal(of_len(limits::BODY_BYTES + 1)), too_large);
}

#[test]
fn types() {
    check_count("types", limits::TYPES, |count| {
        module(&[section(SectionId::Type, repeated(count, &[0x60, 0, 0]))])
    });
    // Members of groups count, not groups.
    check_count("types", limits::TYPES, |count| {
        let group = [vec![0x4e], repeated(count - 1, &[0x60, 0, 0])].concat();
        module(&[types_section(&[group, func_type(&[], &[])])])
    });
}

#[test]
fn functions() {
    check_count("functions", limits::FUNCTIONS, |count| {
        let code = section(SectionId::Code, repeated(count, &body(&[0], &[])));
        module(&[unit_type(), section(SectionId::Function, repeated(count, &[0])), code])
    });
    check_count("functions", limits::FUNCTIONS, |count| {
        let code = section(SectionId::Code, repeated(count - 1, &body(&[0], &[])));
        let functions = section(SectionId::Function, repeated(count - 1, &[0]));
        module(&[unit_type(), import(&[0, 0]), functions, code])
    });
}

#[test]
fn imports() {
    check_count("imports", limits::IMPORTS, |count| {
        module(&[unit_type(), section(SectionId::Import, repeated(count, &[0, 0, 0, 0]))])
    });
}

#[test]
fn exports() {
    check_count("exports", limits::EXPORTS, |count| {
        let exports = (0..count).map(|index| {
            let name = index.to_string();
            [sized(name), vec![2, 0]].concat()
        });
        let memory = section(SectionId::Memory, vector([[0, 0]]));
        module(&[memory, section(SectionId::Export, vector(exports))])
    });
}

#[test]
fn globals() {
    let defined = |count| section(SectionId::Global, repeated(count, &[I32, 0, 0x41, 0, END]));
    check_count("globals", limits::GLOBALS, |count| module(&[defined(count)]));
    check_count("globals", limits::GLOBALS, |count| module(&[import(&[3, I32, 0]), defined(count - 1)]));
}

#[test]
fn tags() {
    let defined = |count| section(SectionId::Tag, repeated(count, &[0, 0]));
    check_count("tags", limits::TAGS, |count| module(&[unit_type(), defined(count)]));
    check_count("tags", limits::TAGS, |count| module(&[unit_type(), import(&[4, 0, 0]), defined(count - 1)]));
}

#[test]
fn tables() {
    let defined = |count| section(SectionId::Table, repeated(count, &[0x70, 0, 0]));
    check_count("tables", limits::TABLES, |count| module(&[defined(count)]));
    check_count("tables", limits::TABLES, |count| module(&[import(&[1, 0x70, 0, 0]), defined(count - 1)]));
    check_count("tables", limits::TABLES, |count| {
        module(&[section(SectionId::Import, repeated(count, &[0, 0, 1, 0x70, 0, 0]))])
    });
}

#[test]
fn memories() {
    let defined = |count| section(SectionId::Memory, repeated(count, &[0, 0]));
    check_count("memories", limits::MEMORIES, |count| module(&[defined(count)]));
    check_count("memories", limits::MEMORIES, |count| module(&[import(&[2, 0, 0]), defined(count - 1)]));
    check_count("memories", limits::MEMORIES, |count| {
        module(&[section(SectionId::Import, repeated(count, &[0, 0, 2, 0, 0]))])
    });
}

#[test]
fn data_segments() {
    check_count("data segments", limits::DATA_SEGMENTS, |count| {
        module(&[section(SectionId::Data, repeated(count, &[1, 0]))])
    });
    check_count("data segments", limits::DATA_SEGMENTS, |count| {
        let announced = section(SectionId::DataCount, leb(count as u64));
        module(&[announced, section(SectionId::Data, repeated(count, &[1, 0]))])
    });
}

#[test]
fn element_segments() {
    check_count("element segments", limits::ELEMENT_SEGMENTS, |count| {
        module(&[section(SectionId::Element, repeated(count, &[1, 0, 0]))])
    });
}

#[test]
fn element_entries() {
    check_count("element entries", limits::ELEMENT_ENTRIES, |count| {
        let segment = [vec![1, 0], repeated(count, &[0])].concat();
        let functions = section(SectionId::Function, vector([[0]]));
        let code = section(SectionId::Code, vector([body(&[0], &[])]));
        module(&[unit_type(), functions, section(SectionId::Element, vector([segment])), code])
    });
}

#[test]
fn name_bytes() {
    let of_len = |len| module(&[custom(&vec![b'a'; len], &[])]);
    assert!(judge(of_len(limits::NAME_BYTES as usize)).is_ok());
    let (len, limit) = (u64::from(limits::NAME_BYTES) + 1, u64::from(limits::NAME_BYTES));
    let too_large = ErrorKind::TooLarge { what: "name", len, limit };
    assert_eq!(refusal(of_len(limits::NAME_BYTES as usize + 1)), too_large);
}

#[test]
fn params() {
    check_count("parameters", limits::PARAMS, |count| {
        module(&[types_section(&[func_type(&vec![I32; count], &[])])])
    });
}

#[test]
fn results() {
    check_count("results", limits::RESULTS, |count| {
        module(&[types_section(&[func_type(&[], &vec![I32; count])])])
    });
}

#[test]
fn locals() {
    check_count("locals", limits::LOCALS, |count| {
        // One of them is a parameter.
        let runs = vector([[leb(count as u64 - 1), vec![I32]].concat()]);
        let functions = section(SectionId::Function, vector([[0]]));
        let code = section(SectionId::Code, vector([body(&runs, &[])]));
        module(&[types_section(&[func_type(&[I32], &[])]), functions, code])
    });
}

#[test]
fn br_table_targets() {
    check_count("br_table targets", limits::BR_TABLE_TARGETS, |count| {
        function(&[&[0x41, 0, 0x0e][..], &repeated(count, &[0]), &[0]].concat())
    });
}

#[test]
fn catches() {
    check_count("catch clauses", limits::CATCHES, |count| {
        function(&[&[0x1f, EMPTY][..], &repeated(count, &[2, 0]), &[END]].concat())
    });
}

#[test]
fn struct_fields() {
    check_count("fields", limits::STRUCT_FIELDS, |count| {
        module(&[types_section(&[[vec![0x5f], repeated(count, &[I32, 0])].concat()])])
    });
}

#[test]
fn array_new_fixed() {
    check_count("array.new_fixed operands", limits::ARRAY_NEW_FIXED, |count| {
        let made = [&[0x41, 0].repeat(count)[..], &[0xfb, 8, 1], &leb(count as u64), &[DROP]].concat();
        function_of(&[func_type(&[], &[]), vec![0x5e, I32, 0]], &made)
    });
}

#[test]
fn subtyping_depth() {
    check_count("supertypes in a chain", limits::SUBTYPING_DEPTH, |depth| {
        let root = vec![0x50, 0, 0x5f, 0];
        let extending = (0..depth as u64).map(|index| [&[0x50, 1][..], &leb(index), &[0x5f, 0]].concat());
        module(&[section(SectionId::Type, vector([root].into_iter().chain(extending)))])
    });
}

/// Checks that a memory may have `limit` pages at first or at most, and not one more.
#[track_caller]
fn check_pages(flags: u8, limit: u64) {
    let memory = |bounds: &[u64]| {
        let has_max = u8::from(bounds.len() > 1);
        let bounds = bounds.iter().flat_map(|bound| leb(*bound)).collect();
        module(&[section(SectionId::Memory, vector([[vec![flags | has_max], bounds].concat()]))])
    };
    assert!(judge(memory(&[limit])).is_ok());
    assert!(judge(memory(&[0, limit])).is_ok());
    let pages = limit + 1;
    let too_large = ErrorKind::MemoryTooLarge { pages, page_size_log2: 16 };
    assert_eq!(refusal(memory(&[pages])), too_large);
    assert_eq!(refusal(memory(&[0, pages])), too_large);
}

#[test]
fn memory32_pages() {
    check_pages(0, limits::MEMORY32_PAGES);
}

#[test]
fn memory64_pages() {
    check_pages(4, limits::MEMORY64_PAGES);
}

/// Functions whose types are 0: of the one that is looked at; 1 and 2: of two that are called.
fn calling(callees: [Vec<u8>; 2], instrs: &[u8]) -> Vec<u8> {
    let [first, second] = callees;
    let trap = body(&[0], &[UNREACHABLE]);
    module(&[
        types_section(&[func_type(&[], &[]), first, second]),
        section(SectionId::Function, vector([[0], [1], [2]])),
        section(SectionId::Code, vector([body(&[1, 1, 0x6e], instrs), trap.clone(), trap])),
    ])
}

/// What a call pushes is limited; operands that come one by one are limited by the length of the body.
#[test]
fn operands() {
    let pushing = |calls: usize, singles: usize, last: &[u8]| {
        let callees = [func_type(&[], &[I32; 1_000]), func_type(&[], &[I32; 2])];
        let instrs =
            [&[0x10, 1].repeat(calls)[..], &[0x41, 0].repeat(singles), last, &[UNREACHABLE]].concat();
        calling(callees, &instrs)
    };
    let calls = limits::OPERANDS as usize / 1_000;
    assert!(judge(pushing(calls, 0, &[])).is_ok());
    assert!(judge(pushing(calls, 1, &[])).is_ok());
    assert!(judge(pushing(calls - 1, 998, &[0x10, 2])).is_ok());
    let (count, limit) = (u64::from(limits::OPERANDS) + 1, limits::OPERANDS.into());
    let too_many = ErrorKind::TooMany { what: "operands", count, limit };
    assert_eq!(refusal(pushing(calls - 1, 999, &[0x10, 2])), too_many);
}

/// Calls that return a thousand `nullref` and take a thousand `anyref`, a body padded to a length, and singles.
fn comparing(calls: usize, singles: usize, len_bytes: usize) -> Vec<u8> {
    let callees = [func_type(&[], &[0x71; 1_000]), func_type(&[0x6e; 1_000], &[])];
    let instrs = [[0x10, 1, 0x10, 2].repeat(calls), [0xd0, 0x71, 0x21, 0].repeat(singles)].concat();
    // Three bytes of locals and the last `end`.
    let padding = len_bytes - 4 - instrs.len();
    calling(callees, &[instrs, vec![0x01; padding]].concat())
}

/// Such a call costs two for each of its values: one for the list, one for the pair.
const COMPARISONS_OF_A_CALL: u64 = 2_000;

#[test]
fn comparisons_and_comparisons_per_byte() {
    let budget = |len_bytes: u64| limits::COMPARISONS + limits::COMPARISONS_PER_BYTE * len_bytes;
    for (calls, len_bytes) in [(505, 2_500), (510, 5_000)] {
        let charged = COMPARISONS_OF_A_CALL * calls as u64;
        assert_eq!(charged, budget(len_bytes as u64), "the case is at the limit");
        assert!(judge(comparing(calls, 0, len_bytes)).is_ok());
        let what = "comparisons of types, budget exceeded";
        let too_many =
            ErrorKind::TooMany { what, count: limits::COMPARISONS + 1, limit: limits::COMPARISONS };
        assert_eq!(refusal(comparing(calls, 1, len_bytes)), too_many);
    }
    // What is beyond the lengths is the module's, not each body's; which body is one too many does not
    // depend on the threads.
    let callees = [func_type(&[], &[0x71; 1_000]), func_type(&[0x6e; 1_000], &[])];
    let instrs = [0x10, 3, 0x10, 4].repeat(200);
    let three = |threads: usize| {
        let types = [vec![func_type(&[], &[])], callees.to_vec()].concat();
        let padded = [instrs.clone(), vec![0x01; 40_000]].concat();
        let many = vec![body(&[0], &padded); 9];
        let stubs = [body(&[0], &[UNREACHABLE]), body(&[0], &[UNREACHABLE])];
        let bytes = module(&[
            section(SectionId::Type, vector(types)),
            section(SectionId::Function, vector([[0], [0], [0], [1], [2], [0], [0], [0], [0], [0], [0]])),
            section(SectionId::Code, vector([&many[..3], &stubs[..], &many[3..]].concat())),
        ]);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| judge(bytes).map(drop).map_err(|error| error.to_string()))
    };
    assert!(three(1).is_err_and(|error| error.contains("budget exceeded")));
    assert_eq!([2, 8].map(three), [1, 1].map(three));
    // A block of the same type on both sides compares bits, however often.
    let equal = [BLOCK, EMPTY, 0x41, 0, 0x0d, 0, END].repeat(100_000);
    assert!(judge(function(&equal)).is_ok());
}

#[test]
fn sections() {
    let custom = [0, 1, 0];
    let module = |n: u32| [b"\0asm\x01\0\0\0".to_vec(), custom.repeat(n as usize)].concat();
    assert!(judge(module(limits::SECTIONS)).is_ok());
    let (count, limit) = (u64::from(limits::SECTIONS) + 1, limits::SECTIONS.into());
    assert_eq!(refusal(module(limits::SECTIONS + 1)), ErrorKind::TooMany { what: "sections", count, limit });
}

/// Beyond the limit a name section is broken, which is a warning.
#[test]
fn name_entries() {
    let names = |count: u32, entries: usize| {
        let mut leb = Vec::new();
        let mut left = count;
        while left >= 0x80 {
            leb.push(left as u8 | 0x80);
            left >>= 7;
        }
        leb.push(left as u8);
        let part = [leb, [0, 0].repeat(entries)].concat();
        let mut module = wasm_encoder::Module::new();
        let mut section = vec![1];
        wasm_encoder::Encode::encode(&part.len(), &mut section);
        section.extend(part);
        module.section(&wasm_encoder::CustomSection { name: "name".into(), data: section.into() });
        wasmos_frontend::decode(module.finish()).expect("a module")
    };
    let at = names(limits::NAME_ENTRIES, limits::NAME_ENTRIES as usize);
    assert_eq!((at.warnings().len(), at.names().funcs.len()), (0, 1));
    let past = names(limits::NAME_ENTRIES + 1, 8);
    assert_eq!((past.warnings().len(), past.names().funcs.len()), (1, 0));
}

#[test]
fn each_limit_has_a_test_of_its_name() {
    let declared = include_str!("../../frontend/src/limits.rs").lines().filter_map(|line| {
        let name = line.strip_prefix("pub const ")?.split(':').next()?;
        Some(name.to_lowercase())
    });
    let declared: Vec<_> = declared.collect();
    assert!(declared.len() > 25, "{declared:?}");
    let tests = include_str!("limits.rs");
    let has_test = |name: &str| {
        let wanted = format!("fn {name}()");
        tests.contains(&wanted) || name.starts_with("comparisons") && tests.contains("fn comparisons_and_")
    };
    let missing: Vec<_> = declared.iter().filter(|name| !has_test(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

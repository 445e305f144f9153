//! A001 to A006, A023 and A024: what is no module, breaks off, or lies about its lengths.

use wasmos_frontend::ErrorKind;
use wasmos_frontend::error::Foreign;
use wasmos_frontend::limits;
use wasmos_frontend::module::SectionId;
use wasmos_frontend::{Features, decode};
use wasmos_tests::guard::in_time;
use wasmos_tests::oracle::compare;
use wasmos_tests::pool::seeds;
use wasmos_tests::shapes::{PREAMBLE, custom, func_type, function, judge, module, section, sized, vector};

use crate::{kind, refusal};

#[test]
fn a001_nothing_a_part_of_the_preamble_or_another_one() {
    assert_eq!(refusal(Vec::new()), (ErrorKind::NotAModule(Foreign::Empty), 0));
    for len in 1..PREAMBLE.len() {
        let end = if len < 4 { len } else { PREAMBLE.len().min(len) };
        let (kind, offset) = refusal(PREAMBLE[..len].to_vec());
        assert_eq!((kind, offset as usize), (ErrorKind::UnexpectedEnd, end));
    }
    assert_eq!(refusal(b"\0asn\x01\0\0\0".to_vec()), (ErrorKind::NotAModule(Foreign::Unknown), 0));
    assert_eq!(refusal(b"\0asm\x02\0\0\0".to_vec()), (ErrorKind::UnknownVersion { version: 2 }, 4));
    assert!(judge(PREAMBLE.to_vec()).is_ok());
}

/// Every prefix of every small module, and the prefixes of larger ones around the ends of sections and bodies: the
/// oracle's verdict on each. A valid one is rare: it ends with a section that nothing needs any more.
#[test]
fn a002_truncation() {
    let mut prefixes = 0;
    for seed in seeds().iter().filter(|seed| seed.is_valid) {
        let len = seed.bytes.len();
        let ends: Vec<usize> = match &seed.module {
            Some(module) if len > 200 => {
                let sections = module.sections.iter().map(|section| section.content.end);
                let bodies = module.bodies.iter().take(20).map(|body| body.0.end);
                sections
                    .chain(bodies)
                    .flat_map(|end| [end - 1, end, end + 1])
                    .map(|end| end as usize)
                    .collect()
            }
            _ => (0..len).collect(),
        };
        for end in ends.into_iter().filter(|end| *end < len) {
            let verdict = compare(&seed.bytes[..end], Features::all());
            verdict.unwrap_or_else(|error| panic!("{end} of {len} bytes: {error}\n{:02x?}", seed.bytes));
            prefixes += 1;
        }
    }
    assert!(prefixes > 100_000, "{prefixes}");
}

#[test]
fn a004_integers_padded_too_long_and_too_large() {
    // A custom section whose size is what is tested; its name is empty.
    let sized_by = |size: &[u8]| [&PREAMBLE[..], &[0], size, &[0]].concat();
    for legal in [&[0x01][..], &[0x81, 0x00], &[0x81, 0x80, 0x80, 0x80, 0x00]] {
        assert!(judge(sized_by(legal)).is_ok(), "{legal:02x?}");
    }
    assert_eq!(refusal(sized_by(&[0x81, 0x80, 0x80, 0x80, 0x80, 0x00])), (ErrorKind::IntegerTooLong, 9));
    assert_eq!(refusal(sized_by(&[0x81, 0x80, 0x80, 0x80, 0x10])), (ErrorKind::IntegerTooLarge, 9));

    let constant = |opcode: u8, value: &[u8]| function(&[&[opcode], value, &[0x1a]].concat());
    for legal in [&[0x7f][..], &[0xff, 0x7f], &[0xff, 0xff, 0xff, 0xff, 0x7f]] {
        assert!(judge(constant(0x41, legal)).is_ok(), "{legal:02x?}");
    }
    // Bits beyond the 32nd that do not repeat the sign.
    assert_eq!(kind(constant(0x41, &[0xff, 0xff, 0xff, 0xff, 0x4f])), ErrorKind::IntegerTooLarge);
    assert_eq!(kind(constant(0x41, &[0x80, 0x80, 0x80, 0x80, 0x70])), ErrorKind::IntegerTooLarge);
    assert_eq!(kind(constant(0x41, &[0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])), ErrorKind::IntegerTooLong);
    let long = [&[0x80; 9][..], &[0x7f]].concat();
    assert!(judge(constant(0x42, &long)).is_ok());
    let wrong_sign = [&[0x80; 9][..], &[0x3f]].concat();
    assert_eq!(kind(constant(0x42, &wrong_sign)), ErrorKind::IntegerTooLarge);
    let longer = [&[0x80; 10][..], &[0x00]].concat();
    assert_eq!(kind(constant(0x42, &longer)), ErrorKind::IntegerTooLong);
}

/// The smallest section of each kind: no items, or the index or number zero, which decoding does not look up.
fn smallest(id: SectionId) -> Vec<u8> {
    section(id, [0])
}

#[test]
fn a005_sections_in_the_wrong_order_and_twice() {
    for (place, first) in SectionId::ORDER.into_iter().enumerate() {
        for (other_place, second) in SectionId::ORDER.into_iter().enumerate() {
            let found =
                decode(module(&[smallest(first), smallest(second)])).map(drop).map_err(|e| e.kind.clone());
            if place < other_place {
                assert_eq!(found, Ok(()), "{first} {second}");
            } else {
                let expected = ErrorKind::SectionOrder { section: second, after: first };
                let message = expected.to_string();
                assert!(message.contains(second.name()) && message.contains(first.name()), "{message}");
                assert_eq!(found, Err(expected));
            }
        }
    }
}

#[test]
fn a005_sections_that_are_unknown_too_short_or_too_long() {
    assert_eq!(refusal(module(&[vec![14, 0]])), (ErrorKind::UnknownSection { id: 14 }, 8));
    assert_eq!(kind(module(&[vec![0x80, 0]])), ErrorKind::UnknownSection { id: 0x80 });
    let types = vector([func_type(&[], &[])]);
    let with_size = |size: u8, rest: &[u8]| module(&[[&[1, size], &types[..], rest].concat()]);
    assert!(judge(with_size(4, &[])).is_ok());
    // One byte short: the last vector's length is behind the end.
    assert_eq!(refusal(with_size(3, &[])), (ErrorKind::UnexpectedEnd, 13));
    // One byte more: it belongs to no type.
    assert_eq!(refusal(with_size(5, &[0])), (ErrorKind::SectionSizeMismatch { left: 1 }, 14));
    assert_eq!(refusal(with_size(5, &[])), (ErrorKind::LengthOutOfBounds { len: 5, left: 4 }, 10));
    // A byte behind the last section begins another one.
    assert_eq!(refusal(with_size(4, &[1])), (ErrorKind::UnexpectedEnd, 15));
}

#[test]
fn a006_custom_sections() {
    let many = in_time(|| {
        let sections: Vec<_> = (0..10_000).map(|index: u32| custom(&index.to_le_bytes(), &[0; 8])).collect();
        // Bytes of a number are not always a name.
        let named =
            (0..10_000).map(|index| custom(format!("{index}").as_bytes(), &[0; 8])).collect::<Vec<_>>();
        assert!(decode(module(&sections)).is_err());
        judge(module(&named)).unwrap().customs.len()
    });
    assert_eq!(many, 10_000);
    assert!(judge(module(&[custom(b"", b"")])).is_ok());
    let too_long = section(SectionId::Custom, [&[9][..], b"abc"].concat());
    assert_eq!(refusal(module(&[too_long])), (ErrorKind::LengthOutOfBounds { len: 9, left: 3 }, 11));
    assert_eq!(refusal(module(&[custom(b"a\xff", b"")])), (ErrorKind::MalformedUtf8, 12));
    // Surrogates and overlong forms are no UTF-8.
    assert_eq!(refusal(module(&[custom(b"\xed\xa0\x80", b"")])), (ErrorKind::MalformedUtf8, 11));
    assert_eq!(refusal(module(&[custom(b"\xc0\x80", b"")])), (ErrorKind::MalformedUtf8, 11));
}

/// Whatever is in it, the section makes the module no worse than the warning says.
#[test]
fn a006_a_broken_name_section() {
    let function_names = |content: Vec<u8>| custom(b"name", &[vec![1], sized(content)].concat());
    let broken = [
        custom(b"name", &[1, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        custom(b"name", &[1]),
        function_names(vec![0xff, 0xff, 0x03]),
        function_names(vector([[0, 9, b'a']])),
        function_names(vector([[0, 1, 0xff]])),
    ];
    for section in broken {
        let module = judge(module(std::slice::from_ref(&section))).unwrap();
        assert_eq!(module.warnings().len(), 1, "{section:02x?}");
        assert_eq!(module.names().funcs, []);
    }
    let twice = judge(module(&[custom(b"name", b""), custom(b"name", b"")])).unwrap();
    assert_eq!(
        twice.warnings().iter().map(|warning| warning.what).collect::<Vec<_>>(),
        ["the name section is repeated"]
    );
}

#[test]
fn a023_files_of_other_kinds() {
    let files: [(&[u8], Foreign); 14] = [
        (b"", Foreign::Empty),
        (b"\0asm\x0d\0\x01\0", Foreign::Component),
        (b"\x1f\x8b\x08\0\0\0\0\0", Foreign::Gzip),
        (b"\x28\xb5\x2f\xfd\0\0", Foreign::Zstd),
        (b"PK\x03\x04\x14\0", Foreign::Zip),
        (b"\x7fELF\x02\x01\x01\0", Foreign::Elf),
        (b"MZ\x90\0", Foreign::Pe),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", Foreign::MachO),
        (b"%PDF-1.7\n", Foreign::Pdf),
        (b"BC\xc0\xde\x35", Foreign::LlvmBitcode),
        (b"  (module)", Foreign::WasmText),
        (b"#!/bin/sh\n", Foreign::Text),
        (b"\x02asm\x01\0\0\0", Foreign::Unknown),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff", Foreign::Unknown),
    ];
    for (bytes, expected) in files {
        let error = judge(bytes.to_vec()).map(drop).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotAModule(expected), "{bytes:02x?}");
        assert!(error.to_string().contains(expected.describe()));
    }
    assert_eq!(kind(b"\0asm\x0b\0\0\0".to_vec()), ErrorKind::UnknownVersion { version: 11 });
}

/// None of the bytes that the header announces are there: it is refused for what it says.
#[test]
fn a024_a_body_that_is_too_large_is_refused_from_its_header() {
    let len = limits::BODY_BYTES + 1;
    let header = wasmos_tests::shapes::leb(len.into());
    let bytes = module(&[
        section(SectionId::Type, vector([func_type(&[], &[])])),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Code, [vec![1], header].concat()),
    ]);
    let limit = limits::BODY_BYTES.into();
    assert_eq!(kind(bytes), ErrorKind::TooLarge { what: "function body", len: len.into(), limit });
}

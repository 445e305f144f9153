//! A025 and A026: what debuggers read. The frontend keeps the place of DWARF and never looks into it; names are read
//! only when they are asked for, and are cut nowhere: there is no demangler yet that long ones could blow up.

use wasmos_frontend::custom::Custom;
use wasmos_frontend::limits;
use wasmos_tests::guard::in_time;
use wasmos_tests::shapes::{custom, judge, leb, module, repeated, sized, vector};

#[test]
fn a025_a_hundred_megabytes_of_debug_information() {
    const LEN: usize = 100_000_000;
    let module = in_time(|| judge(module(&[custom(b".debug_info", &vec![0xa5; LEN])]))).unwrap();
    let section = module.customs[0];
    assert_eq!(section.content.len_bytes() as usize, LEN);
    assert!(matches!(module.custom(&section), Custom::Debug));
    assert_eq!(module.warnings(), []);
}

#[test]
fn a025_broken_debug_information_is_not_looked_into() {
    let sections: Vec<_> = [".debug_line", ".debug_abbrev", ".debug_str", ".debug_"]
        .iter()
        .map(|name| custom(name.as_bytes(), &[0xff; 64]))
        .collect();
    let module = judge(module(&sections)).unwrap();
    assert!(module.customs.iter().all(|section| matches!(module.custom(section), Custom::Debug)));
    assert_eq!(module.warnings(), []);
}

/// A name section that names functions.
fn function_names(names: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let entries = names.enumerate().map(|(index, name)| [leb(index as u64), sized(name)].concat());
    module(&[custom(b"name", &[vec![1], sized(vector(entries))].concat())])
}

#[test]
fn a026_a_thousand_names_of_a_hundred_kilobytes() {
    let mangled = |len: usize| [b"_ZN".to_vec(), b"1a".repeat(len / 2)].concat();
    let limit = limits::NAME_BYTES as usize;
    let lens = in_time(move || {
        let module = judge(function_names((0..1_000).map(|_| mangled(limit - 3)))).unwrap();
        let names = &module.names().funcs;
        (
            names.len(),
            names.iter().map(|entry| module.text(entry.name).len()).sum::<usize>(),
            module.warnings().len(),
        )
    });
    assert_eq!(lens, (1_000, 1_000 * limit - 1_000, 0));
    let too_long = judge(function_names([vec![b'a'; limit + 1]].into_iter())).unwrap();
    assert_eq!((too_long.names().funcs.len(), too_long.warnings().len()), (0, 1));
}

/// The count of a map is not believed, and neither is that of the maps within one.
#[test]
fn a026_maps_of_names_that_announce_more_than_they_hold() {
    let huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    for (id, content) in [(1, huge.to_vec()), (2, huge.to_vec()), (2, [&[1, 0][..], &huge].concat())] {
        let bytes = module(&[custom(b"name", &[vec![id], sized(content)].concat())]);
        assert_eq!(judge(bytes).unwrap().warnings().len(), 1);
    }
    // A million functions without a named local each.
    let empty_maps = repeated(1_000_000, &[0, 0]);
    let bytes = module(&[custom(b"name", &[vec![2], sized(empty_maps)].concat())]);
    assert_eq!(in_time(|| judge(bytes)).unwrap().names().locals, []);
}

//! A003, A020 to A022: where an oracle, or the official suite, says what must happen.

use arbitrary::Unstructured;
use fastrand::Rng;
use rayon::prelude::*;
use wasmos_frontend::Features;
use wasmos_frontend::opcode::{Effect, Operand, TABLE};
use wasmos_tests::generate;
use wasmos_tests::oracle::{Agreement, compare};
use wasmos_tests::pool::{Seed, seeds};
use wasmos_tests::shapes::{DROP, UNREACHABLE, func_type, function_of, judge};
use wasmos_tests::suite::{Case, Expectation, cases, folders};

/// All of them: the flips of several bits at once are in `differential.rs`.
#[test]
fn a003_every_single_bit_of_200_small_modules() {
    let seeds = seeds();
    let small: Vec<&Seed> = seeds.iter().filter(|seed| seed.is_valid).take(200).collect();
    assert_eq!(small.len(), 200);
    let agreements: Vec<Agreement> = small
        .par_iter()
        .flat_map_iter(|seed| (0..seed.bytes.len() * 8).map(|bit| flipped(&seed.bytes, bit)))
        .collect();
    let accepted = agreements.iter().filter(|agreement| **agreement == Agreement::Accepted).count();
    assert!(agreements.len() > 30_000 && accepted > 3_000, "{accepted} of {}", agreements.len());
}

fn flipped(bytes: &[u8], bit: usize) -> Agreement {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    compare(&bytes, Features::all()).unwrap_or_else(|error| panic!("bit {bit}: {error}\n{bytes:02x?}"))
}

fn is_refused(case: &Case, features: Features) -> bool {
    let Ok(bytes) = &case.bytes else { return true };
    wasmos_frontend::decode_with(bytes.clone(), features).and_then(wasmos_frontend::validate).is_err()
}

#[test]
fn a020_the_suite_on_unreachable_code() {
    let folders = folders();
    let wanted = folders.iter().filter(|folder| matches!(folder.name, "wasm-v1" | "wasm-v2" | "wasm-v3"));
    let mut n_cases = 0;
    for folder in wanted {
        for case in cases(folder).iter().filter(|case| case.place.contains("/unreached-")) {
            let expected = case.expectation != Expectation::Valid;
            assert_eq!(is_refused(case, folder.features), expected, "{}: {}", case.place, case.message);
            n_cases += 1;
        }
    }
    assert!(n_cases > 300, "{n_cases}");
}

/// Where nothing is on the stack, everything is; what is left has the type of the row.
#[test]
fn a020_each_fixed_effect_on_the_empty_stack_of_unreachable_code() {
    for row in TABLE.iter().filter(|row| row.access_bytes == 0) {
        let Effect::Fixed { results, .. } = row.effect else { continue };
        let results: Vec<u8> = results.iter().map(|operand| code_of(*operand)).collect();
        let mut code = wasmos_tests::shapes::leb(u64::from(row.code & 0xffff));
        if let Ok(byte) = u8::try_from(row.code) {
            code = vec![byte];
        } else {
            code.insert(0, (row.code >> 16) as u8);
        }
        // Immediates of these rows are at most 16 bytes, and zeros; they are cut where the instruction ends.
        let bytes = [&code[..], &[0; 16]].concat();
        let end = u32::try_from(bytes.len()).unwrap();
        let span = wasmos_frontend::module::Span { start: 0, end };
        let mut r = wasmos_frontend::reader::Reader::new(&bytes, span, Features::all(), "a test");
        wasmos_frontend::opcode::Instr::read(&mut r).unwrap();
        let body = [&[UNREACHABLE], &bytes[..r.offset()]].concat();
        let bytes = function_of(&[func_type(&[], &results)], &body);
        assert_eq!(compare(&bytes, Features::all()).unwrap(), Agreement::Accepted, "{}", row.name);
        // One operand too many is one too many in unreachable code too.
        let extra = [&body[..], &[0x41, 0]].concat();
        assert!(judge(function_of(&[func_type(&[], &results)], &extra)).is_err(), "{}", row.name);
        let dropped = [&extra[..], &[DROP]].concat();
        assert!(judge(function_of(&[func_type(&[], &results)], &dropped)).is_ok(), "{}", row.name);
    }
}

const fn code_of(operand: Operand) -> u8 {
    match operand {
        Operand::I32 | Operand::Addr => 0x7f,
        Operand::I64 => 0x7e,
        Operand::F32 => 0x7d,
        Operand::F64 => 0x7c,
        Operand::V128 => 0x7b,
    }
}

/// The family of each refusal is compared in `spec_suite.rs`.
#[test]
fn a021_what_the_suite_refuses() {
    let folders = folders();
    let refused: Vec<(String, bool)> = folders
        .par_iter()
        .flat_map_iter(|folder| {
            let features = folder.features;
            let bad = cases(folder).into_iter().filter(|case| case.expectation != Expectation::Valid);
            bad.map(move |case| (case.place.clone(), is_refused(&case, features)))
        })
        .collect();
    let accepted: Vec<_> =
        refused.iter().filter(|(_, is_refused)| !is_refused).map(|(place, _)| place).collect();
    // The one that 3.0 overrides: see `expected-failures.txt`.
    assert_eq!(accepted, ["reference-types/unreached-invalid.wast:539"]);
    assert!(refused.len() > 14_000, "{}", refused.len());
}

#[test]
fn a022_generated_modules_and_bodies_of_random_bytes() {
    let agreements: Vec<Agreement> = (0..500_u64)
        .into_par_iter()
        .map(|seed| {
            let mut bytes = vec![0; 2048];
            Rng::with_seed(seed ^ 0xa022).fill(&mut bytes);
            let bytes = generate::module(&mut Unstructured::new(&bytes)).unwrap_or_default();
            compare(&bytes, Features::all()).unwrap_or_else(|error| panic!("seed {seed}: {error}"))
        })
        .collect();
    assert!(agreements.contains(&Agreement::Accepted) && agreements.contains(&Agreement::Refused));
}

//! A043, A044, A045, A051: every instruction of the table that accesses memory, at the end of memory and beyond.
//!
//! Each memory may grow to twice its size, so that the page behind its end is reserved and not accessible: an access that
//! goes beyond unseen ends the test by a signal.

use std::fmt::Write as _;

use fastrand::Rng;
use wasmos_frontend::opcode::{Class, Effect, OpInfo, Operand, TABLE};
use wasmos_runtime::{Engine, Limits, Outcome, TrapCode, Val};

use crate::{Guest, engines};

/// What memory holds before an access; no byte of a stored value is the same.
const CANARY: u8 = 0x5a;
const PAGE: u64 = 0x1_0000;
static CANARIES: [u8; PAGE as usize] = [CANARY; PAGE as usize];

/// The rows that access memory, and the operands that they take behind the address.
fn rows() -> Vec<(&'static OpInfo, &'static [Operand])> {
    let rows: Vec<_> = TABLE
        .iter()
        .filter(|row| row.access_bytes > 0)
        .map(|row| match row.effect {
            Effect::Fixed { params: [Operand::Addr, rest @ ..], .. } => (row, rest),
            other => panic!("{} accesses memory with the effect {other:?}", row.name),
        })
        .collect();
    assert!(rows.len() > 100, "only {} instructions", rows.len());
    rows
}

/// Addresses of a memory: their type in the text format and as values.
#[derive(Clone, Copy, Debug)]
enum Address {
    I32,
    I64,
}

impl Address {
    fn text(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
        }
    }

    fn val(self, addr: u64) -> Val {
        match self {
            Self::I32 => Val::I32(addr as u32 as i32),
            Self::I64 => Val::I64(addr as i64),
        }
    }
}

const fn constant(operand: Operand) -> &'static str {
    match operand {
        Operand::I32 => "(i32.const -1) ",
        Operand::I64 => "(i64.const -1) ",
        Operand::F32 => "(f32.const -1.5) ",
        Operand::F64 => "(f64.const -1.5) ",
        Operand::V128 => "(v128.const i64x2 -1 -1) ",
        Operand::Addr => panic!("an instruction has one address"),
    }
}

/// Writes an access: an address, constants, an offset, lane 0; what it leaves is dropped.
fn access(row: &OpInfo, operands: &[Operand], address: &str, offset: u64) -> String {
    let constants: String = operands.iter().map(|operand| constant(*operand)).collect();
    let lane = if row.name.ends_with("_lane") { " 0" } else { "" };
    let drop = match row.effect {
        Effect::Fixed { results: [], .. } => "",
        _ => "drop",
    };
    format!("{address} {constants} {} offset={offset}{lane} {drop}", row.name)
}

/// A module with a function for each row and offset, named by both, whose parameter is the address.
fn accesses(address: Address, pages: u64, offsets: &[u64]) -> String {
    let ty = address.text();
    let mut text = format!(
        "(module (memory (export \"memory\") {} {pages} {} shared)",
        if matches!(address, Address::I64) { "i64" } else { "" },
        (pages * 2).clamp(1, PAGE)
    );
    for (index, (row, operands)) in rows().into_iter().enumerate() {
        for offset in offsets {
            let body = access(row, operands, "(local.get 0)", *offset);
            writeln!(text, "(func (export \"{index} {offset}\") (param {ty}) {body})").unwrap();
        }
    }
    text + ")"
}

/// What an access at an effective address must come to.
fn wanted(row: &OpInfo, effective: u128, len: u64) -> Option<TrapCode> {
    let width = u128::from(row.access_bytes);
    if row.is_atomic() && !effective.is_multiple_of(width) {
        Some(TrapCode::UnalignedAtomic)
    } else {
        (effective + width > u128::from(len)).then_some(TrapCode::MemoryOutOfBounds)
    }
}

/// Makes an access and checks its ending, and that nothing else was written.
#[track_caller]
fn check(guest: &mut Guest, row: &OpInfo, name: &str, operand: Val, effective: u128) {
    let memory = guest.memory();
    let len = memory.data(&guest.store).len() as u64;
    let what = || format!("{} at {effective:#x}", row.name);
    let wanted = wanted(row, effective, len);
    let found = match guest.call(name, &[operand]) {
        Outcome::Returned(_) => None,
        Outcome::Trapped(trap) => Some(trap.code),
        other => panic!("{}: {other:?}", what()),
    };
    // An atomic access that is wrong twice may trap by either.
    let is_either = found == Some(TrapCode::MemoryOutOfBounds)
        && row.is_atomic()
        && effective + u128::from(row.access_bytes) > u128::from(len);
    assert!(found == wanted || is_either, "{}: {found:?}, wanted {wanted:?}", what());

    // A big memory is looked at where it can have been written by mistake: at both ends.
    let bytes = memory.data_mut(&mut guest.store);
    let touched = match found {
        None => effective as usize..effective as usize + usize::from(row.access_bytes),
        Some(_) => 0..0,
    };
    let written = bytes[touched.clone()].to_vec();
    bytes[touched].fill(CANARY);
    let (first, last) = (bytes.len().min(PAGE as usize), bytes.len().saturating_sub(PAGE as usize));
    let is_whole = [&bytes[..first], &bytes[last..]].iter().all(|end| *end == &CANARIES[..end.len()]);
    assert!(is_whole, "{} has written elsewhere", what());
    if row.class == Class::Store {
        assert!(written.iter().all(|byte| *byte != CANARY), "{} has written a part", what());
    }
}

fn guest(engine: &Engine, text: &str) -> Guest {
    let mut guest = Guest::new(engine, Limits::unlimited(), text);
    let memory = guest.memory();
    let bytes = memory.data_mut(&mut guest.store);
    let (len, page) = (bytes.len(), PAGE as usize);
    bytes[..len.min(page)].fill(CANARY);
    bytes[len.saturating_sub(page)..].fill(CANARY);
    guest
}

#[test]
fn a043_every_access_at_each_of_the_last_bytes() {
    for engine in engines() {
        for address in [Address::I32, Address::I64] {
            let offsets = [0, 1, 40, PAGE - 8];
            let mut guest = guest(&engine, &accesses(address, 1, &offsets));
            for (index, (row, _)) in rows().into_iter().enumerate() {
                for offset in offsets {
                    for effective in (PAGE - 32).max(offset)..PAGE + 20 {
                        let operand = address.val(effective - offset);
                        check(&mut guest, row, &format!("{index} {offset}"), operand, effective.into());
                    }
                }
            }
        }
    }
}

/// The addresses and offsets that a sum of 32 bits would wrap with.
const EDGES_32: [u64; 7] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_0000, 0xffff_fff0, u32::MAX as u64];

#[test]
fn a044_address_and_offset_do_not_wrap() {
    for engine in engines() {
        // The largest memory makes every effective address below 4 GiB valid, and none above.
        for pages in [1, 65_536] {
            let mut guest = guest(&engine, &accesses(Address::I32, pages, &EDGES_32));
            for (index, (row, _)) in rows().into_iter().enumerate() {
                for offset in EDGES_32 {
                    for base in EDGES_32 {
                        let name = format!("{index} {offset}");
                        check(
                            &mut guest,
                            row,
                            &name,
                            Address::I32.val(base),
                            u128::from(base) + u128::from(offset),
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a044_address_and_offset_of_64_bits_do_not_wrap() {
    let edges = [0, 1, u32::MAX.into(), 1 << 32, 1 << 47, i64::MAX as u64, 1 << 63, u64::MAX - 15, u64::MAX];
    for engine in engines() {
        let mut guest = guest(&engine, &accesses(Address::I64, 1, &edges));
        for (index, (row, _)) in rows().into_iter().enumerate() {
            for offset in edges {
                for base in edges {
                    let name = format!("{index} {offset}");
                    check(
                        &mut guest,
                        row,
                        &name,
                        Address::I64.val(base),
                        u128::from(base) + u128::from(offset),
                    );
                }
            }
        }
    }
}

#[test]
fn a045_every_access_to_a_memory_without_pages_traps() {
    for engine in engines() {
        for address in [Address::I32, Address::I64] {
            let mut guest = guest(&engine, &accesses(address, 0, &EDGES_32));
            for (index, (row, _)) in rows().into_iter().enumerate() {
                for offset in EDGES_32 {
                    for base in EDGES_32 {
                        let name = format!("{index} {offset}");
                        assert!(wanted(row, u128::from(base + offset), 0).is_some());
                        check(&mut guest, row, &name, address.val(base), u128::from(base + offset));
                    }
                }
            }
        }
    }
}

#[test]
fn a045_bulk_operations_on_nothing_may_take_nothing() {
    let text = r#"(module (memory 0) (data $d "")
        (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
        (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
        (func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2))))"#;
    for engine in engines() {
        let mut guest = Guest::new(&engine, Limits::unlimited(), text);
        for name in ["fill", "copy", "init"] {
            assert_eq!(guest.call(name, &[Val::I32(0); 3]), Outcome::Returned(vec![]), "{name}");
            for params in [[1, 0, 0], [0, 0, 1], [-1, 0, 0]] {
                let code = guest.trap(name, &params.map(Val::I32));
                assert_eq!(code, TrapCode::MemoryOutOfBounds, "{name} {params:?}");
            }
        }
    }
}

#[test]
fn a045_without_a_memory_no_access_is_valid() {
    for engine in engines() {
        for (row, operands) in rows() {
            let body = access(row, operands, "(i32.const 0)", 0);
            let bytes = wat::parse_str(format!("(module (func {body}))")).unwrap();
            let error = wasmos_runtime::Module::new(&engine, bytes).unwrap_err().to_string();
            assert!(error.contains("memory"), "{}: {error}", row.name);
        }
    }
}

/// An address that is computed from one parameter: its text, and the same in Rust.
struct Shape {
    text: String,
    value: Box<dyn Fn(u32) -> u32>,
}

fn shape(rng: &mut Rng) -> Shape {
    let (k, c) = (rng.u32(..40), if rng.bool() { rng.u32(..) } else { rng.u32(..256) });
    let x = "(local.get 0)";
    let (text, value): (String, Box<dyn Fn(u32) -> u32>) = match rng.u8(..8) {
        0 => (
            format!("(i32.add (i32.shl {x} (i32.const {k})) (i32.const {c}))"),
            Box::new(move |x: u32| x.wrapping_shl(k).wrapping_add(c)),
        ),
        1 => (
            format!("(i32.add (i32.const {c}) (i32.mul {x} (i32.const {})))", 1_u32.wrapping_shl(k)),
            Box::new(move |x: u32| x.wrapping_mul(1_u32.wrapping_shl(k)).wrapping_add(c)),
        ),
        2 => (
            format!("(i32.sub (i32.shl {x} (i32.const {k})) (i32.const {c}))"),
            Box::new(move |x: u32| x.wrapping_shl(k).wrapping_sub(c)),
        ),
        3 => (
            format!("(i32.add (i32.shl (i32.extend8_s {x}) (i32.const {k})) (i32.const {c}))"),
            Box::new(move |x: u32| (x as i8 as u32).wrapping_shl(k).wrapping_add(c)),
        ),
        4 => (
            format!("(i32.add (i32.shl (i32.extend16_s {x}) (i32.const {k})) (i32.const {c}))"),
            Box::new(move |x: u32| (x as i16 as u32).wrapping_shl(k).wrapping_add(c)),
        ),
        5 => (
            format!(
                "(i32.wrap_i64 (i64.add (i64.shl (i64.extend_i32_s {x}) (i64.const {k})) (i64.const {c})))"
            ),
            Box::new(move |x: u32| {
                (i64::from(x.cast_signed()).wrapping_shl(k).wrapping_add(c.into())) as u32
            }),
        ),
        6 => (
            format!(
                "(i32.wrap_i64 (i64.add (i64.shl (i64.extend_i32_u {x}) (i64.const {k})) (i64.const -{c})))"
            ),
            Box::new(move |x: u32| (i64::from(x).wrapping_shl(k).wrapping_sub(c.into())) as u32),
        ),
        _ => (
            format!("(i32.add (i32.and (i32.shr_s {x} (i32.const {k})) (i32.const 0xffff)) (i32.const {c}))"),
            Box::new(move |x: u32| ((x.cast_signed().wrapping_shr(k) as u32) & 0xffff).wrapping_add(c)),
        ),
    };
    Shape { text, value }
}

#[test]
fn a051_computed_addresses_are_those_of_the_arithmetic() {
    const SHAPES: usize = 12;
    let mut rng = Rng::with_seed(0xadd5);
    for engine in engines() {
        for pages in [1_u64, 65_536] {
            let mut text =
                format!("(module (memory (export \"memory\") {pages} {} shared)", (pages * 2).min(PAGE));
            let mut made = Vec::new();
            for (row, operands) in rows() {
                for _ in 0..SHAPES {
                    let shape = shape(&mut rng);
                    let offset = if rng.bool() { 0 } else { u64::from(rng.u32(..) >> rng.u32(..32)) };
                    let body = access(row, operands, &shape.text, offset);
                    writeln!(text, "(func (export \"{}\") (param i32) {body})", made.len()).unwrap();
                    made.push((row, shape, offset));
                }
            }
            let mut guest = guest(&engine, &(text + ")"));
            for (index, (row, shape, offset)) in made.iter().enumerate() {
                let name = index.to_string();
                for x in [0, 1, rng.u32(..256), rng.u32(..65_536), rng.u32(..), 0x7fff_ffff, u32::MAX] {
                    let effective = u128::from((shape.value)(x)) + u128::from(*offset);
                    check(&mut guest, row, &name, Val::I32(x as i32), effective);
                }
            }
        }
    }
}

/// The address that is computed from a number.
type Extension = fn(u32) -> u64;

/// In a memory with 64-bit addresses the bits that an extension adds count.
#[test]
fn a051_extensions_to_64_bits_count() {
    let shapes: [(&str, Extension); 4] = [
        ("(i64.extend_i32_u (local.get 0))", u64::from),
        ("(i64.extend_i32_s (local.get 0))", |x| i64::from(x.cast_signed()) as u64),
        ("(i64.add (i64.shl (i64.extend_i32_s (local.get 0)) (i64.const 3)) (i64.const 8))", |x| {
            (i64::from(x.cast_signed()) << 3).wrapping_add(8) as u64
        }),
        ("(i64.extend32_s (i64.mul (i64.extend_i32_u (local.get 0)) (i64.const 0x100000001)))", |x| {
            i64::from(x.cast_signed()) as u64
        }),
    ];
    for engine in engines() {
        let mut text = "(module (memory (export \"memory\") i64 1 2 shared)".to_owned();
        for (index, (row, operands)) in rows().into_iter().enumerate() {
            for (shape, (address, _)) in shapes.iter().enumerate() {
                let body = access(row, operands, address, 16);
                writeln!(text, "(func (export \"{index} {shape}\") (param i32) {body})").unwrap();
            }
        }
        let mut guest = guest(&engine, &(text + ")"));
        for (index, (row, _)) in rows().into_iter().enumerate() {
            for (shape, (_, value)) in shapes.iter().enumerate() {
                for x in [0, 8, 0x1fff, 0xfff0, 0x1_0000, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
                    let effective = u128::from(value(x)) + 16;
                    check(&mut guest, row, &format!("{index} {shape}"), Val::I32(x as i32), effective);
                }
            }
        }
    }
}

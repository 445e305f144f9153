//! Charges in place: what Cranelift has made of a function's charges, rewritten once its bytes are known.
//!
//! A charge is compiled as `mov r, r15; add r, -cost; mov r15, r`; where it tests, with a trap behind the addition
//! (`jb` to a `ud2`), which makes no blocks. Nothing else reads `r`, so that it becomes `add r15, -cost; jl` to a stub
//! behind the function, which calls a thunk that keeps all registers and goes on behind the charge. One that does not
//! test becomes `lea r15, [r15 - cost]`. The counter of 64 bits never overflows, so that "less" is its sign: a test also
//! sees a counter that became negative before it.
//!
//! A charge's instructions have a source location of their own, by which they are found: what bytes look like says
//! nothing, since constants are a guest's. Where a test has another shape, or is missing, the function is refused, and
//! compiled in the plain form.

use cranelift_codegen::{Final, MachSrcLoc};

/// Where a stub has what its test had charged, from the return address of its call: behind the jump.
pub(super) const COST_AT: usize = 5;

/// What the location of a charge's instructions has, beside the offset.
pub(super) const MARK: u32 = 1 << 31;
/// Cranelift's code of the trap that a test is compiled as.
pub(super) const CHARGE_TRAP: u8 = 240;

/// Where the instructions of a charge begin, or go on: Cranelift keeps no location of some.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) start: u32,
    /// Absolute byte offset of the module's instruction.
    pub(super) offset: u32,
}

/// Returns the offset of the module's instruction that a source location names.
pub(super) const fn offset(location: u32) -> u32 {
    location & !MARK
}

/// Returns where charges stand.
pub(super) fn sites(locations: &[MachSrcLoc<Final>]) -> impl Iterator<Item = Site> {
    locations
        .iter()
        .filter(|location| !location.loc.is_default() && location.loc.bits() & MARK != 0)
        .map(|location| Site { start: location.start, offset: offset(location.loc.bits()) })
}

/// A test point that was rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// Where the displacement of the stub's call stands, which ends at the return address.
    pub(super) call: u32,
    /// Absolute byte offset of the module's instruction.
    pub(super) offset: u32,
}

/// Rewrites a function's charges and appends the stubs. `traps` are the displacements of the traps that tests were
/// compiled as, in ascending order. Returns the tests, or nothing where one of them is not as expected: the bytes are
/// then not to be used.
pub(super) fn rewrite(
    bytes: &mut Vec<u8>,
    sites: impl Iterator<Item = Site>,
    traps: &[u32],
) -> Option<Vec<Test>> {
    let mut seen = vec![false; traps.len()];
    let mut tests = Vec::new();
    for site in sites {
        let Some(found) = bytes.get(site.start as usize..).and_then(Shape::read) else {
            continue;
        };
        let behind = site.start as usize + found.len;
        let Some(target) = found.target else {
            let code = &mut bytes[site.start as usize..behind];
            write_add(code, [0x4d, 0x8d], [0x7f, 0xbf], found.amount);
            continue;
        };
        let target = u32::try_from(i64::from(site.start) + target).ok()?;
        let index = traps.binary_search(&target).ok()?;
        // One test, one trap: else some of them would be left as they are.
        if core::mem::replace(&mut seen[index], true) {
            return None;
        }
        let stub = bytes.len();
        let code = &mut bytes[site.start as usize..behind];
        let at = write_add(code, [0x49, 0x83], [0xc7, 0xc7], found.amount);
        code[at..at + 2].copy_from_slice(&[0x0f, 0x8c]);
        let jump = site.start as usize + at + 6;
        code[at + 2..at + 6].copy_from_slice(&displacement(jump, stub)?);
        tests.push(Test { call: u32::try_from(stub + 1).ok()?, offset: site.offset });
        bytes.extend([0xe8, 0, 0, 0, 0, 0xe9]);
        let back = displacement(stub + 10, behind)?;
        bytes.extend(back);
        bytes.extend(found.amount.unsigned_abs().to_le_bytes());
    }
    seen.into_iter().all(|seen| seen).then_some(tests)
}

fn displacement(from: usize, to: usize) -> Option<[u8; 4]> {
    let displacement = i32::try_from(to as i64 - from as i64).ok()?;
    Some(displacement.to_le_bytes())
}

/// Writes an instruction on `r15` with an immediate of one byte or four, fills the rest with instructions that do
/// nothing, and returns its length.
fn write_add(code: &mut [u8], opcode: [u8; 2], [short, long]: [u8; 2], amount: i32) -> usize {
    let is_add = opcode[1] == 0x83;
    let len = match i8::try_from(amount) {
        Ok(amount) => {
            code[..4].copy_from_slice(&[opcode[0], opcode[1], short, amount.cast_unsigned()]);
            4
        }
        Err(_) => {
            let second = if is_add { 0x81 } else { opcode[1] };
            code[..3].copy_from_slice(&[opcode[0], second, long]);
            code[3..7].copy_from_slice(&amount.to_le_bytes());
            7
        }
    };
    let jump = if is_add { 6 } else { 0 };
    fill(&mut code[len + jump..]);
    len
}

/// Fills with as few instructions as possible. Prefixes in front of the addition would need none, and cost more.
fn fill(mut code: &mut [u8]) {
    const NOPS: [&[u8]; 9] = [
        &[0x90],
        &[0x66, 0x90],
        &[0x0f, 0x1f, 0x00],
        &[0x0f, 0x1f, 0x40, 0x00],
        &[0x0f, 0x1f, 0x44, 0x00, 0x00],
        &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
        &[0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
        &[0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
        &[0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
    ];
    while !code.is_empty() {
        let nop = NOPS[code.len().min(NOPS.len()) - 1];
        let (first, rest) = code.split_at_mut(nop.len());
        first.copy_from_slice(nop);
        code = rest;
    }
}

/// What stands at a site.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    len: usize,
    amount: i32,
    /// Where a test jumps to, from the site's start.
    target: Option<i64>,
}

impl Shape {
    /// Reads `mov r, r15; add r, amount; mov r15, r`, with or without a `jb` in front of the last.
    fn read(code: &[u8]) -> Option<Self> {
        let [first @ (0x4c | 0x4d), 0x89, modrm, ..] = *code else { return None };
        let high = first & 1;
        let low = modrm & 7;
        if modrm != 0xf8 | low {
            return None;
        }
        let wide = 0x48 | high;
        let (amount, mut len) = match code[3..] {
            // `add r, imm8`, `add r, imm32`, and that of `rax`.
            [rex, 0x83, modrm, amount, ..] if rex == wide && modrm == 0xc0 | low => {
                (amount.cast_signed().into(), 7)
            }
            [rex, 0x81, modrm, a, b, c, d, ..] if rex == wide && modrm == 0xc0 | low => {
                (i32::from_le_bytes([a, b, c, d]), 10)
            }
            [0x48, 0x05, a, b, c, d, ..] if high == 0 && low == 0 => (i32::from_le_bytes([a, b, c, d]), 9),
            _ => return None,
        };
        let mut target = None;
        if let [0x0f, 0x82, a, b, c, d, ..] = code[len..] {
            len += 6;
            target = Some(len as i64 + i64::from(i32::from_le_bytes([a, b, c, d])));
        }
        // `mov r15, r`
        let back = [0x49 | high << 2, 0x89, 0xc7 | low << 3];
        if amount >= 0 || code.get(len..len + 3)? != back {
            return None;
        }
        Some(Self { len: len + 3, amount, target })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `mov rcx, r15; add rcx, -5; jb 0x20; mov r15, rcx`
    const TEST: [u8; 16] =
        [0x4c, 0x89, 0xf9, 0x48, 0x83, 0xc1, 0xfb, 0x0f, 0x82, 0x13, 0, 0, 0, 0x49, 0x89, 0xcf];

    fn site(start: u32) -> impl Iterator<Item = Site> {
        core::iter::once(Site { start, offset: 77 })
    }

    #[test]
    fn a_test_jumps_to_its_stub_and_comes_back() {
        let mut bytes = TEST.to_vec();
        bytes.resize(0x22, 0x90);
        let tests = rewrite(&mut bytes, site(0), &[0x20]);
        assert_eq!(tests, Some(vec![Test { call: 0x23, offset: 77 }]));
        assert_eq!(bytes[..10], [0x49, 0x83, 0xc7, 0xfb, 0x0f, 0x8c, 0x18, 0, 0, 0]);
        assert_eq!(bytes[0x22..], [0xe8, 0, 0, 0, 0, 0xe9, 0xe4, 0xff, 0xff, 0xff, 5, 0, 0, 0]);
    }

    #[test]
    fn a_test_of_another_shape_is_refused() {
        for at in 0..TEST.len() {
            let mut bytes = TEST.to_vec();
            bytes[at] ^= 0x40;
            bytes.resize(0x22, 0x90);
            let changes_amount = at == 6;
            let tests = rewrite(&mut bytes, site(0), &[0x20]);
            assert_eq!(tests.is_some(), changes_amount && (0xfb_u8 ^ 0x40).cast_signed() < 0, "byte {at}");
        }
    }

    #[test]
    fn a_trap_without_its_test_is_refused() {
        let mut bytes = TEST.to_vec();
        bytes.resize(0x24, 0x90);
        assert_eq!(rewrite(&mut bytes.clone(), site(0), &[0x20, 0x22]), None);
        assert_eq!(rewrite(&mut bytes.clone(), site(3), &[0x20]), None);
        // Two tests, one trap.
        bytes[16..32].copy_from_slice(&TEST);
        bytes[16 + 9] = 3;
        assert_eq!(rewrite(&mut bytes, site(0).chain(site(16)), &[0x20]), None);
    }

    #[test]
    fn a_charge_without_a_test_keeps_its_length() {
        // `mov r9, r15; add r9, -1000; mov r15, r9`
        let code = [0x4d, 0x89, 0xf9, 0x49, 0x81, 0xc1, 0x18, 0xfc, 0xff, 0xff, 0x4d, 0x89, 0xcf];
        let mut bytes = code.to_vec();
        assert_eq!(rewrite(&mut bytes, site(0), &[]), Some(Vec::new()));
        assert_eq!(bytes[..7], [0x4d, 0x8d, 0xbf, 0x18, 0xfc, 0xff, 0xff]);
        assert_eq!(bytes.len(), code.len());
    }
}

//! Mutations of the bytes of a module: anywhere, within a section, or within one body; in the last two cases the sizes
//! around the change are made right again, so that it is not merely a wrong length that is refused.

use fastrand::Rng;
use wasmos_frontend::Module;
use wasmos_frontend::module::{SectionId, Span};

/// Returns a mutation of the module `bytes`; bytes of `other` may be spliced in. `module` is `bytes` decoded, if they
/// are a module.
#[must_use]
pub fn mutate(rng: &mut Rng, bytes: &[u8], module: Option<&Module>, other: &[u8]) -> Vec<u8> {
    match (rng.u8(..8), module) {
        (2..4, Some(module)) => mutate_section(rng, module, other),
        (4.., Some(module)) => mutate_body(rng, module, other),
        _ => {
            let mut bytes = bytes.to_vec();
            edit(rng, &mut bytes, other);
            bytes
        }
    }
}

/// Flips one bit.
#[must_use]
pub fn flip_bit(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = rng.choice(&mut bytes) {
        *byte ^= 1 << rng.u8(..8);
    }
    bytes
}

/// Edits the content of one section and puts the module together again.
fn mutate_section(rng: &mut Rng, module: &Module, other: &[u8]) -> Vec<u8> {
    let Some(at) = choose_index(rng, module.sections.len()) else { return module.bytes().to_vec() };
    let mut content = module.sections[at].content.of(module.bytes()).to_vec();
    edit(rng, &mut content, other);
    reassemble(module, at, &content)
}

/// Edits one body and puts the module together again.
fn mutate_body(rng: &mut Rng, module: &Module, other: &[u8]) -> Vec<u8> {
    let code = module.sections.iter().position(|section| section.id == SectionId::Code);
    let (Some(code), Some(at)) = (code, choose_index(rng, module.bodies.len())) else {
        return mutate_section(rng, module, other);
    };
    let mut content = Vec::new();
    write_u32(&mut content, len32(&module.bodies), 1);
    for (index, body) in module.bodies.iter().enumerate() {
        let mut body = body.0.of(module.bytes()).to_vec();
        if index == at {
            edit(rng, &mut body, other);
        }
        write_u32(&mut content, len32(&body), 1);
        content.extend(body);
    }
    reassemble(module, code, &content)
}

/// Returns the module with another content of the section at an index.
fn reassemble(module: &Module, at: usize, content: &[u8]) -> Vec<u8> {
    let mut bytes = module.bytes()[..8].to_vec();
    for (index, section) in module.sections.iter().enumerate() {
        let old: Span = section.content;
        let content = if index == at { content } else { old.of(module.bytes()) };
        bytes.push(section.id as u8);
        write_u32(&mut bytes, len32(content), 1);
        bytes.extend(content);
    }
    bytes
}

/// Applies a small change, or some.
fn edit(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let changes = if rng.bool() { 1 } else { rng.u8(2..=4) };
    for _ in 0..changes {
        let Some(at) = choose_index(rng, bytes.len()) else {
            bytes.push(rng.u8(..));
            continue;
        };
        match rng.u8(..11) {
            0 => bytes[at] ^= 1 << rng.u8(..8),
            1 => bytes[at] = rng.u8(..),
            2 => bytes[at] = interesting_byte(rng),
            3 => bytes.insert(at, interesting_byte(rng)),
            4 => drop(bytes.remove(at)),
            5 => drop(bytes.drain(at..at + rng.usize(..=(bytes.len() - at).min(8)))),
            6 => {
                let again = bytes[at..at + rng.usize(..=(bytes.len() - at).min(16))].to_vec();
                drop(bytes.splice(at..at, again));
            }
            7 => splice(rng, bytes, at, other),
            8 => pad_integer(rng, bytes, at),
            _ => change_integer(rng, bytes, at),
        }
    }
}

/// A byte that means something at many places: opcodes, prefixes, types, small numbers.
fn interesting_byte(rng: &mut Rng) -> u8 {
    const TYPES: &[u8] =
        &[0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f, 0x6e, 0x6d, 0x6a, 0x69, 0x64, 0x63, 0x40];
    const OPCODES: &[u8] = &[
        0x00, 0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x14, 0x1a, 0x1b, 0x1c,
    ];
    const EXCEPTIONS: &[u8] = &[0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f];
    const PREFIXES: &[u8] = &[0xfb, 0xfc, 0xfd, 0xfe, 0xd0, 0xd1, 0xd2, 0xd4, 0xd5, 0xd6];
    let list = [TYPES, OPCODES, EXCEPTIONS, PREFIXES][rng.usize(..4)];
    if rng.u8(..4) == 0 { rng.u8(..6) } else { list[rng.usize(..list.len())] }
}

/// Replaces some bytes by some of `other`.
fn splice(rng: &mut Rng, bytes: &mut Vec<u8>, at: usize, other: &[u8]) {
    let Some(from) = choose_index(rng, other.len()) else { return };
    let taken = &other[from..from + rng.usize(..=(other.len() - from).min(24))];
    let end = at + rng.usize(..=(bytes.len() - at).min(24));
    drop(bytes.splice(at..end, taken.iter().copied()));
}

/// Reads an integer in LEB128 at a place and writes another there, or the same one in more bytes.
fn change_integer(rng: &mut Rng, bytes: &mut Vec<u8>, at: usize) {
    let len = bytes[at..].iter().take(9).take_while(|byte| **byte >= 0x80).count() + 1;
    let end = (at + len).min(bytes.len());
    let value = bytes[at..end].iter().rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
    let value = u32::try_from(value & 0xffff_ffff).unwrap_or(u32::MAX);
    let new = match rng.u8(..6) {
        0 => value,
        1 => value.wrapping_add(1),
        2 => value.wrapping_sub(1),
        3 => rng.u32(..8),
        4 => rng.choice([0x7f, 0x80, 1_000, 65_536, 1_000_000, i32::MAX as u32, u32::MAX]).unwrap_or(0),
        _ => rng.u32(..),
    };
    let mut integer = Vec::new();
    write_u32(&mut integer, new, if rng.u8(..3) == 0 { rng.usize(1..=6) } else { 1 });
    drop(bytes.splice(at..end, integer));
}

/// Writes a short integer in more bytes that mean the same: as an unsigned one, or a signed one by its sign.
fn pad_integer(rng: &mut Rng, bytes: &mut Vec<u8>, at: usize) {
    if bytes[at] >= 0x80 {
        return;
    }
    let fill = if bytes[at] & 0x40 != 0 && rng.bool() { 0x7f } else { 0x00 };
    bytes[at] |= 0x80;
    let more = rng.usize(..5);
    let padding = core::iter::repeat_n(fill | 0x80, more).chain([fill]);
    drop(bytes.splice(at + 1..at + 1, padding));
}

/// Appends an integer in LEB128, padded to `min_bytes`.
fn write_u32(out: &mut Vec<u8>, mut value: u32, min_bytes: usize) {
    for written in 1.. {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 && written >= min_bytes {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

fn len32<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

fn choose_index(rng: &mut Rng, len: usize) -> Option<usize> {
    (len > 0).then(|| rng.usize(..len))
}

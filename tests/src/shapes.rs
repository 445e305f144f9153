//! Modules put together byte by byte, so that a test says exactly what is wrong with one, or how much there is of it.

use wasmos_frontend::module::SectionId;
use wasmos_frontend::{Result, ValidModule, decode, validate};

/// The magic number and the version.
pub const PREAMBLE: [u8; 8] = *b"\0asm\x01\0\0\0";

/// `i32` in the binary format.
pub const I32: u8 = 0x7f;
/// `i64` in the binary format.
pub const I64: u8 = 0x7e;
/// The type of a block that takes and leaves nothing.
pub const EMPTY: u8 = 0x40;
/// `unreachable`.
pub const UNREACHABLE: u8 = 0x00;
/// `block`.
pub const BLOCK: u8 = 0x02;
/// `end`.
pub const END: u8 = 0x0b;
/// `drop`.
pub const DROP: u8 = 0x1a;

/// Writes an integer in LEB128, in the fewest bytes.
#[must_use]
pub fn leb(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Writes a signed integer in LEB128, as block and heap types have them for indices.
#[must_use]
pub fn signed_leb(mut value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0) {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

/// Writes a vector: how many items there are, and the items.
#[must_use]
pub fn vector(items: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut count = 0;
    for item in items {
        bytes.extend_from_slice(item.as_ref());
        count += 1;
    }
    [leb(count), bytes].concat()
}

/// Writes a vector of `count` equal items.
#[must_use]
pub fn repeated(count: usize, item: &[u8]) -> Vec<u8> {
    [leb(count as u64), item.repeat(count)].concat()
}

/// Writes bytes with their length in front: a name, a body, the content of a section.
#[must_use]
pub fn sized(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [&leb(bytes.len() as u64), bytes].concat()
}

/// Writes a section.
#[must_use]
pub fn section(id: SectionId, content: impl AsRef<[u8]>) -> Vec<u8> {
    [vec![id as u8], sized(content)].concat()
}

/// Writes a custom section.
#[must_use]
pub fn custom(name: &[u8], content: &[u8]) -> Vec<u8> {
    section(SectionId::Custom, [&sized(name), content].concat())
}

/// Writes a module of sections.
#[must_use]
pub fn module(sections: &[Vec<u8>]) -> Vec<u8> {
    [PREAMBLE.to_vec(), sections.concat()].concat()
}

/// Writes a function type.
#[must_use]
pub fn func_type(params: &[u8], results: &[u8]) -> Vec<u8> {
    [vec![0x60], sized(params), sized(results)].concat()
}

/// Writes a body with its size: declarations of locals (a vector of runs) and instructions, to which the last `end` is
/// added.
#[must_use]
pub fn body(locals: &[u8], instrs: &[u8]) -> Vec<u8> {
    sized([locals, instrs, &[END]].concat())
}

/// Writes a module of one function without parameters and results.
#[must_use]
pub fn function(instrs: &[u8]) -> Vec<u8> {
    function_of(&[func_type(&[], &[])], instrs)
}

/// Writes a module of types and one function, of the first type.
#[must_use]
pub fn function_of(types: &[Vec<u8>], instrs: &[u8]) -> Vec<u8> {
    module(&[
        section(SectionId::Type, vector(types)),
        section(SectionId::Function, vector([[0]])),
        section(SectionId::Code, vector([body(&[0], instrs)])),
    ])
}

/// Decodes and validates with all features.
///
/// # Errors
/// Those of the two.
pub fn judge(bytes: Vec<u8>) -> Result<ValidModule> {
    decode(bytes).and_then(validate)
}

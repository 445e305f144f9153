//! Linked code: the text, and the tables by which traps and backtraces are told.
//!
//! What has just been linked and what an artifact holds is the same payload: the text up to whole pages, then tables of
//! 32-bit words, then the traps' codes. Nothing in it depends on where it lies or on the process: calls are relative,
//! and all else is reached through the context, but for one word, which is written before the text becomes executable:
//! the address of the service that test points without a context call (`patch`). The tables are read where they lie.

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use wasmos_abi::TrapCode;
use wasmos_frontend::Module;
use wasmos_frontend::types::FuncIdx;

use super::abi::Shape;
use super::layout::VENEER;
use super::stubs::{self, Thunk};
use super::{Error, Options, service};
use crate::vm::image::{CodeImage, Image, PAGE_BYTES};

/// Functions begin at multiples of this.
const ALIGN: usize = 16;
/// What fills the room between functions: it stops who runs into it.
const FILLER: u8 = 0xcc;
const WORD: usize = size_of::<u32>();

/// An instruction that may trap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrapSite {
    /// Its displacement in the code.
    pub(crate) pc: u32,
    /// Absolute byte offset of the module's instruction.
    pub(crate) offset: u32,
    pub(crate) code: TrapCode,
}

/// A compiled function, before it has a place.
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    /// Where the displacement of a call stands, and whom it calls: namespace and index.
    pub(super) calls_out: Vec<(u32, u32, u32)>,
    pub(super) traps: Vec<TrapSite>,
    /// Return addresses, with the offsets of the calls.
    pub(super) calls: Vec<(u32, u32)>,
}

impl Piece {
    /// What jumps to a service through the word behind it, which is written where the code is to run.
    pub(super) fn veneer() -> Self {
        let bytes = VENEER.into_iter().chain([0; size_of::<usize>()]).collect();
        Self { bytes, calls_out: Vec::new(), traps: Vec::new(), calls: Vec::new() }
    }
}

/// How the payload is divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// Length of the text, whole pages.
    pub(super) text_bytes: u32,
    pub(super) n_imported: u32,
    pub(super) n_funcs: u32,
    pub(super) n_traps: u32,
    pub(super) n_calls: u32,
    /// Displacement of the veneer, whose word is the only one that differs from process to process.
    pub(super) veneer: u32,
    /// By shape: the way in, and the way to the host.
    pub(super) stubs: Vec<(Shape, [u32; 2])>,
}

/// Where the tables lie, in bytes of the image.
#[derive(Debug)]
struct Tables {
    /// Where each defined function begins, and where the last one ends.
    starts: Range<usize>,
    trap_pcs: Range<usize>,
    trap_offsets: Range<usize>,
    /// Return addresses, and the offsets of the calls.
    call_pcs: Range<usize>,
    call_offsets: Range<usize>,
    trap_codes: Range<usize>,
}

impl Plan {
    /// Returns text and tables of a payload that begins at `at`, and where it ends; `None` if that cannot be.
    fn divide(&self, at: usize) -> Option<(Range<usize>, Tables, usize)> {
        let mut end = at;
        let mut next = |n: usize, size: usize| {
            let start = end;
            end = start.checked_add(n.checked_mul(size)?)?;
            Some(start..end)
        };
        let text = next(self.text_bytes as usize, 1)?;
        let n_traps = self.n_traps as usize;
        let tables = Tables {
            starts: next((self.n_funcs as usize).checked_add(1)?, WORD)?,
            trap_pcs: next(n_traps, WORD)?,
            trap_offsets: next(n_traps, WORD)?,
            call_pcs: next(self.n_calls as usize, WORD)?,
            call_offsets: next(self.n_calls as usize, WORD)?,
            trap_codes: next(n_traps, 1)?,
        };
        let is_whole = text.start.is_multiple_of(PAGE_BYTES) && text.end.is_multiple_of(PAGE_BYTES);
        is_whole.then_some((text, tables, end))
    }

    /// Returns where in a payload the veneer's word stands; `None` if that is not in the text.
    fn word(&self) -> Option<Range<usize>> {
        let start = (self.veneer as usize).checked_add(VENEER.len())?;
        let end = start.checked_add(size_of::<usize>())?;
        (end <= self.text_bytes as usize).then_some(start..end)
    }
}

/// Native code of a module.
#[derive(Debug)]
pub(crate) struct Compiled {
    image: CodeImage,
    payload: Range<usize>,
    tables: Tables,
    pub(crate) options: Options,
    pub(super) plan: Plan,
    /// By shape: the way in, and the way to the host.
    pub(crate) stubs: HashMap<Shape, [u32; 2]>,
}

/// Returns bytes as words; what does not make a whole one at the end is left out.
fn words(bytes: &[u8]) -> &[[u8; WORD]] {
    bytes.as_chunks().0
}

impl Compiled {
    /// Makes code of an image whose payload begins at `at` and ends it.
    ///
    /// # Errors
    /// `None` if the plan is not one of such an image; what the system says.
    pub(super) fn new(
        mut image: Image,
        at: usize,
        plan: Plan,
        options: Options,
    ) -> Option<Result<Self, Error>> {
        let (text, tables, end) = plan.divide(at).filter(|(_, _, end)| *end == image.bytes().len())?;
        let word = plan.word()?;
        image.bytes_mut()[text.clone()][word].copy_from_slice(&service::charge_here_address().to_le_bytes());
        let stubs = plan.stubs.iter().cloned().collect();
        let image = image.into_code(text).map_err(|error| Error::Platform { reason: error.to_string() });
        Some(image.map(|image| Self { image, payload: at..end, tables, options, plan, stubs }))
    }

    /// Returns text and tables as an artifact holds them.
    pub(super) fn payload(&self) -> Vec<u8> {
        let mut bytes = self.image.bytes()[self.payload.clone()].to_vec();
        if let Some(word) = self.plan.word() {
            bytes[word].fill(0);
        }
        bytes
    }

    fn table(&self, table: &Range<usize>) -> &[[u8; WORD]] {
        words(&self.image.bytes()[table.clone()])
    }

    pub(crate) fn address(&self, displacement: u32) -> *const u8 {
        self.image.address(displacement)
    }

    /// Returns the addresses between which the code lies.
    pub(crate) fn range(&self) -> Range<usize> {
        self.image.range()
    }

    /// Returns the addresses of a function's code, and of the way in for its shape.
    pub(crate) fn entry(&self, module: &Module, func: FuncIdx) -> (*const u8, *const u8) {
        let index = func.0.saturating_sub(self.plan.n_imported) as usize;
        let stub = module.func_type(func).and_then(|ty| self.stubs.get(&Shape::of(ty)));
        let (Some(start), Some([enter, _])) = (self.table(&self.tables.starts).get(index), stub) else {
            unreachable!("each function has code, and its shape a way in")
        };
        (self.address(u32::from_le_bytes(*start)), self.address(*enter))
    }

    /// Returns the function whose code lies at a displacement.
    pub(crate) fn func_at(&self, pc: u32) -> Option<FuncIdx> {
        let starts = self.table(&self.tables.starts);
        let index = starts.partition_point(|start| u32::from_le_bytes(*start) <= pc).checked_sub(1)?;
        (index + 1 < starts.len()).then(|| FuncIdx(self.plan.n_imported + index as u32))
    }

    pub(crate) fn trap_at(&self, pc: u32) -> Option<TrapSite> {
        let pcs = self.table(&self.tables.trap_pcs);
        let index = pcs.binary_search_by_key(&pc, |pc| u32::from_le_bytes(*pc)).ok()?;
        let offset = self.table(&self.tables.trap_offsets).get(index)?;
        let code = *self.image.bytes().get(self.tables.trap_codes.clone())?.get(index)?;
        Some(TrapSite { pc, offset: u32::from_le_bytes(*offset), code: TrapCode::from_number(code)? })
    }

    /// Returns the offset of the call that returns to a displacement.
    pub(crate) fn call_before(&self, pc: u32) -> Option<u32> {
        let pcs = self.table(&self.tables.call_pcs);
        let index = pcs.binary_search_by_key(&pc, |pc| u32::from_le_bytes(*pc)).ok()?;
        self.table(&self.tables.call_offsets).get(index).map(|offset| u32::from_le_bytes(*offset))
    }
}

/// Puts the pieces one behind the other and lets calls know where their callees are: functions in their order, thunks,
/// and two stubs for each shape.
pub(super) fn link(
    pieces: &[Piece],
    n_funcs: usize,
    shapes: &[Shape],
    (options, n_imported): (Options, u32),
) -> Result<Compiled, Error> {
    let (starts, text_bytes) = places(pieces)?;
    let n_traps = pieces.iter().map(|piece| piece.traps.len()).sum();
    let n_calls = pieces.iter().map(|piece| piece.calls.len()).sum();
    let (mut traps, mut calls): (Vec<TrapSite>, Vec<_>) =
        (Vec::with_capacity(n_traps), Vec::with_capacity(n_calls));
    for (piece, start) in pieces.iter().zip(&starts) {
        traps.extend(piece.traps.iter().map(|site| TrapSite { pc: site.pc + start, ..*site }));
        calls.extend(piece.calls.iter().map(|(pc, offset)| (pc + start, *offset)));
    }
    traps.sort_unstable_by_key(|site| site.pc);
    traps.dedup_by_key(|site| site.pc);
    calls.sort_unstable();
    let first_stub = n_funcs + Thunk::ALL.len();
    let stubs = shapes.iter().enumerate().map(|(index, shape)| {
        let at = first_stub + 2 * index;
        (shape.clone(), [starts[at], starts[at + 1]])
    });
    let plan = Plan {
        text_bytes,
        n_imported,
        n_funcs: n_funcs as u32,
        n_traps: traps.len() as u32,
        n_calls: calls.len() as u32,
        veneer: starts[n_funcs + Thunk::Veneer as usize],
        stubs: stubs.collect(),
    };
    let Some((text, tables, end)) = plan.divide(0) else { unreachable!("it is made of what is there") };
    let mut image = Image::zeroed(end).map_err(|error| Error::Platform { reason: error.to_string() })?;
    let bytes = image.bytes_mut();
    write_text(&mut bytes[text], pieces, &starts, (n_funcs, n_imported));
    write_words(&mut bytes[tables.starts], starts[..=n_funcs].iter().copied());
    write_words(&mut bytes[tables.trap_pcs], traps.iter().map(|site| site.pc));
    write_words(&mut bytes[tables.trap_offsets], traps.iter().map(|site| site.offset));
    write_words(&mut bytes[tables.call_pcs], calls.iter().map(|call| call.0));
    write_words(&mut bytes[tables.call_offsets], calls.iter().map(|call| call.1));
    for (byte, site) in bytes[tables.trap_codes].iter_mut().zip(&traps) {
        *byte = site.code as u8;
    }
    match Compiled::new(image, 0, plan, options) {
        Some(compiled) => compiled,
        None => unreachable!("the plan is the image's"),
    }
}

/// Returns where each piece begins, and how long the text is, whole pages.
fn places(pieces: &[Piece]) -> Result<(Vec<u32>, u32), Error> {
    let mut starts = Vec::with_capacity(pieces.len());
    let mut end = 0_usize;
    for piece in pieces {
        starts.push(end as u32);
        end = (end + piece.bytes.len()).next_multiple_of(ALIGN);
    }
    let end = end.next_multiple_of(PAGE_BYTES);
    // Displacements of calls have 31 bits.
    match i32::try_from(end) {
        Ok(end) => Ok((starts, end.cast_unsigned())),
        Err(_) => Err(Error::TooLarge { bytes: end as u64 }),
    }
}

fn write_text(text: &mut [u8], pieces: &[Piece], starts: &[u32], (n_funcs, n_imported): (usize, u32)) {
    text.fill(FILLER);
    for (piece, start) in pieces.iter().zip(starts) {
        let start = *start as usize;
        text[start..start + piece.bytes.len()].copy_from_slice(&piece.bytes);
        for (at, namespace, index) in &piece.calls_out {
            let callee = match *namespace {
                stubs::FUNCTIONS => (*index - n_imported) as usize,
                _ => n_funcs + *index as usize,
            };
            let at = start + *at as usize;
            let displacement = i64::from(starts[callee]) - (at as i64 + 4);
            text[at..at + 4].copy_from_slice(&(displacement as i32).to_le_bytes());
        }
    }
}

fn write_words(to: &mut [u8], from: impl Iterator<Item = u32>) {
    for (word, value) in to.as_chunks_mut::<WORD>().0.iter_mut().zip(from) {
        *word = value.to_le_bytes();
    }
}

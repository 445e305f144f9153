//! What a body is made of: counts by kind of instruction, constants of known algorithms, repeated code, and a hash that
//! does not depend on how the module was linked. Only code that control flow can reach counts.

use sha2::{Digest as _, Sha256};
use wasmos_frontend::ValidModule;
use wasmos_frontend::module::ImportType;
use wasmos_frontend::opcode::{Class, Instr, Op, OpInfo, TABLE};
use wasmos_frontend::types::{BlockType, FuncIdx, TypeIdx};

/// Counts of instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mix {
    /// All.
    pub total: u64,
    /// Integer arithmetic, logic, shifts (opcodes 0x67 to 0x8a).
    pub alu: u64,
    /// `xor`.
    pub xor: u64,
    /// Shifts and rotations.
    pub shift: u64,
    /// Loads.
    pub loads: u64,
    /// Stores.
    pub stores: u64,
    /// `alu` of functions that look like the inside of a hash function.
    pub hash_like_alu: u64,
}

impl Mix {
    /// Adds the counts of another body.
    pub fn add(&mut self, other: &Self) {
        self.total += other.total;
        self.alu += other.alu;
        self.xor += other.xor;
        self.shift += other.shift;
        self.loads += other.loads;
        self.stores += other.stores;
        self.hash_like_alu += other.hash_like_alu;
    }

    /// Returns `xor`, shifts and rotations.
    #[must_use]
    pub const fn bit(&self) -> u64 {
        self.xor + self.shift
    }

    /// The thresholds were measured on miners and on published modules that are none.
    fn is_hash_like(&self) -> bool {
        self.alu >= 100 && self.xor >= 16 && self.shift >= 16 && self.bit() * 10 >= self.alu * 4
    }

    fn of(counts: &Counts) -> Self {
        let [[total, alu], [xor, shift], [loads, stores]] =
            counts.map(|pair| [pair & u64::from(u32::MAX), pair >> 32]);
        let mut mix = Self { total, alu, xor, shift, loads, stores, hash_like_alu: 0 };
        if mix.is_hash_like() {
            mix.hash_like_alu = mix.alu;
        }
        mix
    }
}

/// All and arithmetic, `xor` and shifts, loads and stores: two counts of 32 bits in each number, so that three additions
/// count an instruction. A body has fewer bytes than would make one of them run over.
type Counts = [u64; 3];

/// What each opcode of one byte counts as.
static COUNTS: [Counts; 256] = counts();

const fn counts() -> [Counts; 256] {
    let mut counts = [[0; 3]; 256];
    let mut index = 0;
    while index < TABLE.len() {
        let info = &TABLE[index];
        if info.code < 0x100 {
            counts[info.code as usize] = counts_of(info);
        }
        index += 1;
    }
    counts
}

const fn counts_of(info: &OpInfo) -> Counts {
    let is_alu = info.code >= 0x67 && info.code <= 0x8a;
    let is_xor = matches!(info.op, Op::I32Xor | Op::I64Xor);
    let is_shift = matches!(
        info.op,
        Op::I32Shl
            | Op::I64Shl
            | Op::I32ShrS
            | Op::I64ShrS
            | Op::I32ShrU
            | Op::I64ShrU
            | Op::I32Rotl
            | Op::I64Rotl
            | Op::I32Rotr
            | Op::I64Rotr
    );
    let (is_load, is_store) = (matches!(info.class, Class::Load), matches!(info.class, Class::Store));
    [
        1 | (is_alu as u64) << 32,
        is_xor as u64 | (is_shift as u64) << 32,
        is_load as u64 | (is_store as u64) << 32,
    ]
}

/// Algorithms whose constants are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// The S-box or the first round table of AES.
    Aes,
    /// Round constants of Keccak, of which SHA-3 is one.
    Keccak,
    /// Constants of BLAKE-256, the digits of pi.
    Blake256,
    /// Round constants of SHA-256.
    Sha256,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 4] = [Self::Aes, Self::Keccak, Self::Blake256, Self::Sha256];

    /// Returns the name that people use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes => "AES",
            Self::Keccak => "Keccak",
            Self::Blake256 => "BLAKE-256",
            Self::Sha256 => "SHA-256",
        }
    }
}

/// FIPS 180-4, section 4.2.2.
pub(crate) const SHA256_K: [u32; 8] =
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5];
/// The BLAKE submission to NIST, section 2.1.1; the first word of these is that of Blowfish too.
pub(crate) const BLAKE256_C: [u32; 8] =
    [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344, 0xa409_3822, 0x299f_31d0, 0x082e_fa98, 0xec4e_6c89];
/// FIPS 202, section 3.2.5, from the second on.
pub(crate) const KECCAK_RC: [u64; 8] = [
    0x8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x808b,
    0x8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x8000_0000_0000_008b,
];

/// Which constants of note a body has: a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Constants {
    /// Eight bits for each of SHA-256, BLAKE-256 and Keccak.
    seen: u32,
    /// Where the mask of a `CryptoNight` scratch pad stands first.
    pub scratchpad_mask: Option<u32>,
    /// Whether the number of rounds of `CryptoNight` stands there.
    pub rounds: bool,
}

impl Constants {
    /// Adds the constants of another body.
    pub fn add(&mut self, other: &Self) {
        self.seen |= other.seen;
        self.scratchpad_mask = self.scratchpad_mask.or(other.scratchpad_mask);
        self.rounds |= other.rounds;
    }

    /// Returns whether at least four constants of a family are there.
    #[must_use]
    pub const fn has(&self, family: Family) -> bool {
        let bits = match family {
            Family::Aes => return false,
            Family::Sha256 => self.seen & 0xff,
            Family::Blake256 => self.seen >> 8 & 0xff,
            Family::Keccak => self.seen >> 16 & 0xff,
        };
        bits.count_ones() >= 4
    }

    /// As a bare constant the mask stands in many large programs; here it must be one.
    #[inline]
    pub(crate) fn note_mask(&mut self, constant: Option<u64>, at: u32) {
        if matches!(constant, Some(0x1f_fff0 | 0xf_fff0)) {
            self.scratchpad_mask = self.scratchpad_mask.or(Some(at));
        }
    }

    /// Notes a constant: `i32.const` or `i64.const`.
    #[inline]
    pub(crate) fn note(&mut self, op: Op, value: u64) {
        match op {
            Op::I32Const => self.note_i32(value as u32),
            _ => self.note_i64(value),
        }
    }

    fn note_i32(&mut self, value: u32) {
        match value {
            // Most constants are small, and none of those is one of note.
            0..=0xffff => {}
            0x4_0000 | 0x8_0000 => self.rounds = true,
            _ => {
                self.seen |= bit(&SHA256_K, value) | bit(&BLAKE256_C, value) << 8;
            }
        }
    }

    fn note_i64(&mut self, value: u64) {
        if value >= KECCAK_RC[0] {
            self.seen |= bit(&KECCAK_RC, value) << 16;
        }
    }
}

fn bit<T: PartialEq>(list: &[T; 8], value: T) -> u32 {
    list.iter().position(|it| *it == value).map_or(0, |at| 1 << at)
}

/// A hash of a body: equal for equal code, whatever its index, its names, and the order in which the module was linked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FuncHash(pub [u8; 16]);

impl std::fmt::Display for FuncHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Code that repeats itself instruction by instruction, with shifts or `xor` in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unrolled {
    /// Absolute offset behind the first repetitions.
    pub at: u32,
    /// Instructions after which it repeats.
    pub period: u32,
    /// How often.
    pub times: u32,
}

/// What one walk over a body finds.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Counts.
    pub mix: Mix,
    /// Constants of note.
    pub constants: Constants,
    /// Normalised hash.
    pub hash: FuncHash,
    /// The longest repetition.
    pub unrolled: Option<Unrolled>,
}

/// Gathers what a body holds from the instructions that it is shown. Its buffers serve one body after the other.
#[derive(Debug, Default)]
pub struct Gatherer {
    bytes: Vec<u8>,
    repeats: Repeats,
    counts: Counts,
}

impl Gatherer {
    /// Begins with a function, of which control flow can reach so many instructions.
    pub fn begin(&mut self, module: &ValidModule, func: FuncIdx, n_instrs: u32) {
        self.bytes.clear();
        // An opcode and a small index.
        self.bytes.reserve(n_instrs as usize * 2);
        self.repeats.begin(n_instrs);
        self.counts = Counts::default();
        signature(module, module.funcs.get(func.index()).map(|func| func.ty), &mut self.bytes);
    }

    /// Takes the next instruction that control flow can reach.
    #[inline]
    pub fn next(&mut self, module: &ValidModule, at: u32, instr: &Instr<'_>) {
        let info = instr.op().info();
        let [a, b, c] = COUNTS.get(info.code as usize).copied().unwrap_or_else(|| counts_of(info));
        let [sum_a, sum_b, sum_c] = &mut self.counts;
        (*sum_a, *sum_b, *sum_c) = (*sum_a + a, *sum_b + b, *sum_c + c);
        self.repeats.next(info.code, matches!(info.class, Class::Bitwise), at);
        normalise(module, instr, info, &mut self.bytes);
    }

    /// Ends the function, whose constants of note the data flow knows.
    #[must_use]
    pub fn finish(&mut self, constants: Constants) -> Contents {
        let mut hash = FuncHash::default();
        hash.0.copy_from_slice(&Sha256::digest(&self.bytes)[..16]);
        Contents { mix: Mix::of(&self.counts), constants, hash, unrolled: self.repeats.best }
    }
}

fn signature(module: &ValidModule, ty: Option<TypeIdx>, bytes: &mut Vec<u8>) {
    let Some(ty) = ty.and_then(|ty| module.types.get(ty.index())?.func()) else { return };
    for types in [ty.params(), ty.results()] {
        bytes.extend((types.len() as u32).to_le_bytes());
        // Of a reference its kind alone: an index of a type would depend on the module.
        bytes.extend(types.iter().map(|ty| ty.bits() as u8));
    }
}

/// Appends an instruction without what depends on linking: a callee is its type, or its name if it is imported; indices of
/// globals, tables and types are left out.
#[inline(always)]
fn normalise(module: &ValidModule, instr: &Instr<'_>, info: &OpInfo, bytes: &mut Vec<u8>) {
    let Ok(code) = u8::try_from(info.code) else { return normalise_prefixed(instr, info, bytes) };
    match *instr {
        Instr::LocalGet(local) | Instr::LocalSet(local) | Instr::LocalTee(local) => {
            short(code, local.0, bytes);
        }
        Instr::I32Const(value) => {
            let [a, b, c, d] = value.to_le_bytes();
            bytes.extend_from_slice(&[code, a, b, c, d]);
        }
        _ if info.access_bytes > 0 => {
            let offset = instr.memarg().map_or(0, |memarg| memarg.offset);
            let [a, b, c, d, e, f, g, h] = offset.to_le_bytes();
            bytes.extend_from_slice(&[code, a, b, c, d, e, f, g, h]);
        }
        _ if has_no_immediate(info.class) || matches!(instr, Instr::End | Instr::GlobalGet(_)) => {
            bytes.push(code)
        }
        _ => normalise_rare(module, instr, code, bytes),
    }
}

/// Returns whether no instruction of one byte and of a class has an immediate.
const fn has_no_immediate(class: Class) -> bool {
    matches!(
        class,
        Class::Compare | Class::Integer | Class::Bitwise | Class::Float | Class::Convert | Class::Parametric
    )
}

#[inline(never)]
fn normalise_rare(module: &ValidModule, instr: &Instr<'_>, code: u8, bytes: &mut Vec<u8>) {
    match *instr {
        Instr::Br(label) | Instr::BrIf(label) => return short(code, label.0, bytes),
        _ => bytes.push(code),
    }
    match *instr {
        Instr::I64Const(value) => bytes.extend(value.to_le_bytes()),
        Instr::F32Const(value) => bytes.extend(value.0.to_le_bytes()),
        Instr::F64Const(value) => bytes.extend(value.0.to_le_bytes()),
        Instr::Call(func) | Instr::ReturnCall(func) => callee(module, func, bytes),
        Instr::CallIndirect(call) | Instr::ReturnCallIndirect(call) => {
            signature(module, Some(call.ty), bytes)
        }
        Instr::Block(ty) | Instr::Loop(ty) | Instr::If(ty) => match ty {
            BlockType::Empty => bytes.push(0),
            BlockType::Value(ty) => bytes.push(ty.bits() as u8),
            BlockType::Type(ty) => signature(module, Some(ty), bytes),
        },
        _ => {}
    }
}

/// The prefix, and the rest in full: no code has both forms.
#[inline(never)]
fn normalise_prefixed(instr: &Instr<'_>, info: &OpInfo, bytes: &mut Vec<u8>) {
    bytes.extend([(info.code >> 16) as u8, (info.code >> 8) as u8, info.code as u8]);
    match *instr {
        Instr::V128Const(value) => bytes.extend(value.0),
        _ if info.access_bytes > 0 => {
            if let Some(memarg) = instr.memarg() {
                bytes.extend(memarg.offset.to_le_bytes());
            }
        }
        _ => {}
    }
}

/// Appends an opcode and an index: one byte if it is small.
#[inline]
fn short(code: u8, index: u32, bytes: &mut Vec<u8>) {
    match u8::try_from(index) {
        Ok(index) if index < u8::MAX => bytes.extend_from_slice(&[code, index]),
        _ => {
            bytes.extend([code, u8::MAX]);
            bytes.extend(index.to_le_bytes());
        }
    }
}

fn callee(module: &ValidModule, func: FuncIdx, bytes: &mut Vec<u8>) {
    signature(module, module.funcs.get(func.index()).map(|func| func.ty), bytes);
    if func.0 < module.n_imported_funcs {
        bytes.push(1);
        if let Some(name) = import_name(module, func) {
            bytes.extend(name.bytes());
        }
    }
}

/// Returns the name of an imported function. The list is short where it is asked often: a linear search would be quadratic
/// in a hostile module, so that only the first imports are looked at.
fn import_name(module: &ValidModule, func: FuncIdx) -> Option<&str> {
    let funcs = module.imports.iter().take(512).filter(|import| matches!(import.ty, ImportType::Func(_)));
    funcs.map(|import| module.text(import.name)).nth(func.index())
}

/// Finds repetitions by the place where the last eight instructions stood before.
#[derive(Debug)]
struct Repeats {
    /// By hash: half of the hash of eight opcodes, and the position behind them.
    places: Box<[(u32, u32); 1 << PLACES_LOG2]>,
    /// Whether the body is long enough.
    is_on: bool,
    /// Where the body begins. Positions go on from one body to the next, so that what is left of those before is known.
    begin: u32,
    window: u64,
    position: u32,
    lag: u32,
    run: u32,
    run_bits: u32,
    best: Option<Unrolled>,
}

const PLACES_LOG2: u32 = 12;
/// Instructions of the shortest repetition: eight rounds of eight.
const SHORTEST: u32 = 64;

impl Default for Repeats {
    fn default() -> Self {
        Self {
            places: Box::new([(0, 0); 1 << PLACES_LOG2]),
            is_on: false,
            begin: 0,
            window: 0,
            position: 0,
            lag: 0,
            run: 0,
            run_bits: 0,
            best: None,
        }
    }
}

impl Repeats {
    fn begin(&mut self, n_instrs: u32) {
        self.is_on = n_instrs >= SHORTEST;
        if self.position > u32::MAX / 2 {
            *self = Self { is_on: self.is_on, ..Self::default() };
        }
        (self.begin, self.window, self.lag, self.run, self.run_bits) = (self.position, 0, 0, 0, 0);
        self.best = None;
    }

    #[inline]
    fn next(&mut self, code: u32, is_bitwise: bool, at: u32) {
        if !self.is_on {
            return;
        }
        self.window = self.window << 8 | u64::from(code & 0xff);
        self.position = self.position.wrapping_add(1);
        let hash = self.window.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (slot, half) = ((hash >> (64 - PLACES_LOG2)) as usize, (hash >> 16) as u32);
        let (known, position) = std::mem::replace(&mut self.places[slot], (half, self.position));
        let lag = self.position.wrapping_sub(position);
        if known != half || position <= self.begin || lag != self.lag {
            (self.lag, self.run, self.run_bits) = (lag, 0, 0);
            return;
        }
        self.run += 1;
        self.run_bits += u32::from(is_bitwise);
        // At least eight rounds of at least eight instructions, counted without a division.
        if self.lag < 8 || u64::from(self.run) < 7 * u64::from(self.lag) {
            return;
        }
        let times = self.run / self.lag + 1;
        // A tenth of the code must be logic or shifts, or it is the filling of a table.
        if self.run_bits * 10 >= self.run && self.best.is_none_or(|best| times > best.times) {
            self.best = Some(Unrolled { at, period: self.lag, times });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cfg::Cfg;
    use crate::dataflow::Dataflow;
    use crate::testing::module;

    fn contents(text: &str, at: usize) -> Contents {
        let module = module(text);
        let (func, body) = (module.defined_func(at), module.bodies[at]);
        let mut gatherer = Gatherer::default();
        let cfg = Cfg::build(&module, body);
        gatherer.begin(&module, func, cfg.n_instrs());
        let mut flow = Dataflow::default();
        flow.read(&module, func, body, &cfg, |at, instr| {
            gatherer.next(&module, at, instr);
        });
        gatherer.finish(flow.constants)
    }

    #[test]
    fn the_hash_does_not_depend_on_indices_and_dead_code() {
        let a = "(module (import \"m\" \"f\" (func)) (global i32 i32.const 0)
                   (func (result i32) call 0 call 1 drop global.get 0))";
        let b = "(module (import \"m\" \"g\" (func (param i64))) (import \"m\" \"f\" (func)) (global i64 i64.const 0)
                   (global i32 i32.const 0) (func) (func (result i32) call 1 call 3 drop global.get 1 return nop))";
        let plain = contents(a, 0);
        assert_ne!(plain.hash, contents(b, 0).hash);
        let c = b.replace("return nop", "");
        assert_eq!(plain.hash, contents(&c, 1).hash);
        let dead = a.replace("global.get 0))", "global.get 0 return nop nop))");
        let ended = a.replace("global.get 0))", "global.get 0 return))");
        assert_eq!(contents(&dead, 0).hash.0, contents(&ended, 0).hash.0);
        assert_ne!(plain.hash, contents(&a.replace("\"f\"", "\"h\""), 0).hash);
    }

    #[test]
    fn rounds_written_one_behind_the_other_are_found() {
        let round = "local.get 0 i32.const 5 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 9 i32.add local.set 1 ";
        let text = |n| format!("(func (param i32 i32) {})", round.repeat(n));
        assert_eq!(contents(&text(7), 0).unrolled, None);
        let found = contents(&text(20), 0).unrolled.unwrap();
        assert_eq!(found.period, 10);
        assert!((18..=20).contains(&found.times), "{found:?}");
    }

    #[test]
    fn constants_of_an_algorithm_are_counted_once_each() {
        let text = |values: &[u32]| {
            let code: String = values.iter().map(|value| format!("i32.const {value} drop ")).collect();
            contents(&format!("(func {code})"), 0).constants
        };
        assert!(text(&SHA256_K[..4]).has(Family::Sha256));
        assert!(!text(&[SHA256_K[0]; 8]).has(Family::Sha256));
        assert!(text(&[0x1f_fff0]).scratchpad_mask.is_none());
        let masked =
            |mask| contents(&format!("(func (param i32) local.get 0 i32.const {mask} i32.and drop)"), 0);
        assert!(masked(0x1f_fff0).constants.scratchpad_mask.is_some());
        assert!(masked(0x1f_fff1).constants.scratchpad_mask.is_none());
        // What is computed from constants is one.
        let computed =
            "(func (param i32) i32.const 0x1f_0000 i32.const 0xfff0 i32.or local.get 0 i32.and drop)";
        assert!(contents(computed, 0).constants.scratchpad_mask.is_some());
    }
    #[test]
    fn no_repetition_is_shorter_than_a_body_that_is_looked_at() {
        let rounds = |n: usize| {
            let round =
                "local.get 0 i32.const 7 i32.add local.get 0 i32.xor i32.const 3 i32.rotl local.set 0 ";
            contents(&format!("(func (param i32) {})", round.repeat(n)), 0).unrolled
        };
        let fewest = (1..32).find(|n| rounds(*n).is_some()).expect("enough rounds are found");
        assert_eq!(rounds(fewest).map(|unrolled| unrolled.times), Some(8));
        assert!(fewest * 8 > SHORTEST as usize, "{fewest} rounds");
    }
}

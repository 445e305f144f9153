//! The operand stack, the control stack and the locals of one body; fixed effects are applied from the rows.
//!
//! Source: core 3.0, the appendix "Validation Algorithm". Both stacks live on the heap: nesting of any depth takes no
//! host stack. What is not a fixed effect is in `special.rs`.

use crate::code::read_locals;
use crate::error::{Error, ErrorKind, Found, IndexSpace, Result};
use crate::features::{Feature, Features};
use crate::instr::MemArg;
use crate::limits;
use crate::module::{Body, Module};
use crate::opcode::{Effect, Instr, OpInfo, Operand};
use crate::reader::Reader;
use crate::types::{AddressType, BlockType, FuncIdx, FuncType, LabelIdx, LocalIdx, MemIdx, TypeIdx, ValType};
use crate::validate::proof::Proof;
use crate::validate::types::Matcher;
use crate::validate::{COMPARISONS, Comparisons, Context, FrameCost};

/// What opened a control frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    Function,
    Block,
    Loop,
    If,
    Else,
    Try,
    Catch,
    CatchAll,
}

/// A control frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    pub(super) block_type: BlockType,
    /// Height of the operand stack below the frame's parameters.
    height: u32,
    /// How many locals had been set when the frame was opened.
    n_set_locals: u32,
    /// Whether the rest of the block cannot be reached.
    unreachable: bool,
}

const _: () = assert!(size_of::<Frame>() <= 20, "every byte of a body may open a frame");

/// The types on one side of a block or a label.
#[derive(Clone, Copy)]
pub(super) enum Types<'m> {
    One(ValType),
    Many(&'m [ValType]),
}

impl Types<'_> {
    #[inline]
    pub(super) fn as_slice(&self) -> &[ValType] {
        match self {
            Self::One(ty) => core::slice::from_ref(ty),
            Self::Many(types) => types,
        }
    }
}

/// How many locals are looked up by index; the rest is found by the run that declared it, so that 50,000 locals cost
/// what their declaration costs.
const DIRECT_LOCALS: usize = 256;

/// The locals of a body.
#[derive(Default)]
struct Locals {
    direct: Vec<ValType>,
    /// The runs of declarations: index one past the run's last local, and its type.
    runs: Vec<(u32, ValType)>,
    len: u32,
    /// Whether some local has no default and must be set before it is read.
    any_unset: bool,
    /// A bit by local that has no default and has been set; empty unless `any_unset`.
    set: Vec<u64>,
    /// Those locals in the order in which they were set.
    set_order: Vec<u32>,
}

impl Locals {
    fn clear(&mut self) {
        self.direct.clear();
        self.runs.clear();
        self.set.clear();
        self.set_order.clear();
        self.len = 0;
        self.any_unset = false;
    }

    fn declare(&mut self, count: u32, ty: ValType) {
        if count == 0 {
            return;
        }
        self.any_unset |= !ty.is_defaultable();
        self.len += count;
        match self.runs.last_mut() {
            Some((end, last)) if *last == ty => *end = self.len,
            _ => self.runs.push((self.len, ty)),
        }
        let room = DIRECT_LOCALS.saturating_sub(self.direct.len()).min(count as usize);
        self.direct.extend(core::iter::repeat_n(ty, room));
    }

    fn get(&self, index: u32) -> Option<ValType> {
        let run = self.runs.partition_point(|(end, _)| *end <= index);
        self.runs.get(run).map(|(_, ty)| *ty)
    }

    fn is_set(&self, index: u32) -> bool {
        self.set.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 != 0)
    }

    fn mark_set(&mut self, index: u32) {
        if !self.is_set(index) {
            self.set.resize((self.len as usize).div_ceil(64), 0);
            self.set[index as usize / 64] |= 1 << (index % 64);
            self.set_order.push(index);
        }
    }

    fn n_set(&self) -> u32 {
        u32::try_from(self.set_order.len()).unwrap_or(u32::MAX)
    }

    /// Forgets what was set since the order had `n` entries.
    fn unset_since(&mut self, n: u32) {
        for index in self.set_order.drain((n as usize).min(self.set_order.len())..) {
            self.set[index as usize / 64] &= !(1 << (index % 64));
        }
    }
}

/// Validates bodies and constant expressions, one after the other, in the same stacks.
pub(super) struct FuncValidator<'m> {
    pub(super) module: &'m Module,
    pub(super) cx: &'m Context,
    pub(super) shared: &'m Comparisons,
    pub(super) matcher: Matcher<'m>,
    operands: Vec<ValType>,
    /// The height of the innermost frame, kept beside the operands because every pop looks at it.
    height: usize,
    max_height: usize,
    frames: Vec<Frame>,
    locals: Locals,
    /// What the outermost frame leaves: the function's results, or the constant expression's value.
    results: Types<'m>,
    has_call: bool,
    has_vectors: bool,
    pub(super) offset: usize,
    context: &'static str,
    comparisons: u64,
    /// What the length of the body allows; more is taken from what the module's bodies share.
    own_comparisons: u64,
    /// What is to be taken from there if the body keeps every rule.
    pub(super) beyond: u64,
    /// Whether this is a constant expression, in which `ref.func` declares the function that it names.
    pub(super) is_constant: bool,
    /// The features that the instructions arrived with.
    pub(super) used: Features,
    /// Where `br_table` notes which labels it has looked at.
    pub(super) seen_labels: Vec<u32>,
}

impl<'m> FuncValidator<'m> {
    /// `shared` is what is taken from when a body compares more than its length allows.
    pub(super) fn new(module: &'m Module, cx: &'m Context, shared: &'m Comparisons) -> Self {
        Self {
            module,
            cx,
            shared,
            matcher: Matcher { types: &module.types, canonical: &cx.types },
            operands: Vec::new(),
            height: 0,
            max_height: 0,
            frames: Vec::new(),
            locals: Locals::default(),
            results: Types::Many(&[]),
            has_call: false,
            has_vectors: false,
            offset: 0,
            context: "a function body",
            comparisons: 0,
            own_comparisons: 0,
            beyond: 0,
            is_constant: false,
            used: Features::mvp(),
            seen_labels: Vec::new(),
        }
    }

    /// Checks the body of a function.
    pub(super) fn body(&mut self, func: FuncIdx, body: Body) -> Result<Proof> {
        let mut r = self.module.body_reader(body);
        let Some(ty) = self.module.func_type(func) else {
            let len = u32::try_from(self.module.funcs.len()).unwrap_or(u32::MAX);
            return Err(r.error(ErrorKind::UnknownIndex { space: IndexSpace::Function, index: func.0, len }));
        };
        self.begin("a function body", Types::Many(ty.results()), body.0.len_bytes());
        let n_params = u32::try_from(ty.params().len()).unwrap_or(u32::MAX);
        ty.params().iter().for_each(|ty| self.locals.declare(1, *ty));
        for index in 0..n_params {
            if self.locals.any_unset {
                self.locals.mark_set(index);
            }
        }
        if let Some(frame) = self.frames.first_mut() {
            frame.n_set_locals = self.locals.n_set();
        }
        self.local_declarations(&mut r, n_params)?;
        self.instructions(&mut r)?;
        Ok(Proof { frame_cost: self.frame_cost(), used: self.used })
    }

    fn local_declarations(&mut self, r: &mut Reader<'m>, n_params: u32) -> Result<()> {
        let start = r.offset();
        let mut locals = core::mem::take(&mut self.locals);
        let n_types = self.module.types.len();
        let result = read_locals(r, n_params, |count, ty| {
            if let Some(index) = ty.concrete().filter(|index| index.index() >= n_types) {
                let len = u32::try_from(n_types).unwrap_or(u32::MAX);
                let kind = ErrorKind::UnknownIndex { space: IndexSpace::Type, index: index.0, len };
                return Err(Error::new(kind, start, "a function body"));
            }
            locals.declare(count, ty);
            Ok(())
        });
        self.locals = locals;
        result
    }

    /// Prepares for a constant expression of type `ty`.
    pub(super) fn begin_const_expr(&mut self, ty: ValType, len_bytes: u32) {
        self.begin("a constant expression", Types::One(ty), len_bytes);
        self.is_constant = true;
    }

    fn begin(&mut self, context: &'static str, results: Types<'m>, len_bytes: u32) {
        self.context = context;
        self.is_constant = false;
        self.results = results;
        (self.comparisons, self.beyond, self.used) = (0, 0, Features::mvp());
        self.own_comparisons = limits::COMPARISONS_PER_BYTE * u64::from(len_bytes);
        self.operands.clear();
        self.frames.clear();
        self.locals.clear();
        (self.height, self.max_height, self.has_call, self.has_vectors) = (0, 0, false, false);
        self.frames.push(Frame {
            kind: FrameKind::Function,
            block_type: BlockType::Empty,
            height: 0,
            n_set_locals: 0,
            unreachable: false,
        });
    }

    /// Applies one instruction at `offset`, as constant expressions need it.
    pub(super) fn instr_at(&mut self, instr: &Instr<'m>, offset: usize) -> Result<()> {
        self.offset = offset;
        self.instr(instr)
    }

    /// Returns whether the last `end` has been applied.
    pub(super) fn is_finished(&self) -> bool {
        self.frames.is_empty()
    }

    /// Applies an instruction: its fixed effect from the row, or what `special.rs` and `gc.rs` say.
    pub(super) fn instr(&mut self, instr: &Instr<'m>) -> Result<()> {
        let info = instr.op().info();
        if !self.module.features.contains(info.feature) {
            self.refuse_feature(info)?;
        }
        self.used.insert(info.feature);
        match info.effect {
            Effect::Fixed { params, results } => {
                let address = if info.access_bytes == 0 { ValType::I32 } else { self.access(instr, info)? };
                for param in params.iter().rev() {
                    self.pop(operand(*param, address))?;
                }
                for result in results {
                    self.push(operand(*result, address));
                }
                if matches!(info.feature, Feature::Simd | Feature::RelaxedSimd) {
                    self.has_vectors = true;
                    return self.lanes(instr);
                }
                Ok(())
            }
            Effect::Special => self.special(instr),
        }
    }

    /// `throw` belongs to both forms of exceptions; any other row to one feature.
    #[cold]
    fn refuse_feature(&self, info: &OpInfo) -> Result<()> {
        if info.op == crate::opcode::Op::Throw && self.module.features.contains(Feature::LegacyExceptions) {
            return Ok(());
        }
        Err(self.error(ErrorKind::FeatureDisabled(info.feature)))
    }

    /// Checks the immediate of a memory access and returns the type of the memory's addresses.
    #[inline]
    fn access(&self, instr: &Instr<'m>, info: &OpInfo) -> Result<ValType> {
        let Some(memarg) = instr.memarg() else { return Ok(ValType::I32) };
        let natural_align = info.access_bytes.trailing_zeros();
        if u32::from(memarg.align) > natural_align || info.is_atomic() {
            self.alignment(memarg, info)?;
        }
        let address = self.memory(memarg.memory)?;
        if address == AddressType::I32 && memarg.offset > u64::from(u32::MAX) {
            return Err(self.error(ErrorKind::OffsetOutOfRange { offset: memarg.offset }));
        }
        Ok(address.val())
    }

    /// The same for loads and stores of the first release.
    #[inline(always)]
    pub(super) fn plain_access(&self, memarg: MemArg, natural_align: u8) -> Result<ValType> {
        let address = self.memory(memarg.memory)?;
        if memarg.align > natural_align {
            let (align, natural) = (u32::from(memarg.align), 1 << natural_align);
            return Err(self.error(ErrorKind::AlignmentTooLarge { align, natural }));
        }
        if address == AddressType::I32 && memarg.offset > u64::from(u32::MAX) {
            return Err(self.error(ErrorKind::OffsetOutOfRange { offset: memarg.offset }));
        }
        Ok(address.val())
    }

    #[cold]
    fn alignment(&self, memarg: MemArg, info: &OpInfo) -> Result<()> {
        let (align, natural) = (u32::from(memarg.align), info.access_bytes);
        if !info.is_atomic() {
            return Err(self.error(ErrorKind::AlignmentTooLarge { align, natural }));
        }
        if align != natural.trailing_zeros() {
            return Err(self.error(ErrorKind::AtomicAlignment { align, natural }));
        }
        Ok(())
    }

    #[inline]
    pub(super) fn memory(&self, index: MemIdx) -> Result<AddressType> {
        match self.module.memories.get(index.index()) {
            Some(memory) => Ok(memory.ty.address),
            None => Err(self.unknown(IndexSpace::Memory, index.0, self.module.memories.len())),
        }
    }

    // Errors.

    #[cold]
    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.offset, self.context)
    }

    #[cold]
    pub(super) fn unknown(&self, space: IndexSpace, index: u32, len: usize) -> Error {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        self.error(ErrorKind::UnknownIndex { space, index, len })
    }

    // Operands.

    /// Returns the operands of the innermost frame.
    #[inline(always)]
    pub(super) fn frame_operands(&mut self) -> Option<&mut [ValType]> {
        self.operands.get_mut(self.height..)
    }

    #[inline(always)]
    pub(super) fn drop_top(&mut self) {
        self.operands.pop();
    }

    #[inline(always)]
    pub(super) fn push(&mut self, ty: ValType) {
        self.operands.push(ty);
        self.has_vectors |= ty == ValType::V128;
        self.max_height = self.max_height.max(self.operands.len());
    }

    /// Pushes the types of several operands, the last one on top.
    #[inline]
    pub(super) fn push_all(&mut self, types: &[ValType]) -> Result<()> {
        match types {
            [] => Ok(()),
            [ty] => {
                self.push(*ty);
                Ok(())
            }
            types => self.push_many(types),
        }
    }

    #[inline(never)]
    fn push_many(&mut self, types: &[ValType]) -> Result<()> {
        self.operands.extend_from_slice(types);
        self.has_vectors |= types.contains(&ValType::V128);
        self.max_height = self.max_height.max(self.operands.len());
        if self.operands.len() > limits::OPERANDS as usize {
            let (count, limit) = (self.operands.len() as u64, limits::OPERANDS.into());
            return Err(self.error(ErrorKind::TooMany { what: "operands", count, limit }));
        }
        Ok(())
    }

    /// Takes an operand that must match `expected`.
    #[inline(always)]
    pub(super) fn pop(&mut self, expected: ValType) -> Result<()> {
        if self.operands.len() > self.height && self.operands.last() == Some(&expected) {
            self.operands.pop();
            return Ok(());
        }
        self.pop_matching(expected)
    }

    #[inline(never)]
    fn pop_matching(&mut self, expected: ValType) -> Result<()> {
        self.charge(1)?;
        match self.pop_any_of(expected)? {
            found if self.matcher.val(found, expected) => Ok(()),
            found => Err(self.error(ErrorKind::TypeMismatch { expected, found: Found(Some(found)) })),
        }
    }

    /// Counts comparisons that are more than one of bits.
    fn charge(&mut self, comparisons: usize) -> Result<()> {
        self.comparisons += comparisons as u64;
        let beyond = self.comparisons.saturating_sub(self.own_comparisons).min(comparisons as u64);
        if beyond == 0 {
            return Ok(());
        }
        self.beyond += beyond;
        let (count, limit) = (self.shared.spent() + self.beyond, limits::COMPARISONS);
        if count <= limit {
            return Ok(());
        }
        Err(self.error(ErrorKind::TooMany { what: COMPARISONS, count, limit }))
    }

    /// Returns whether each type of one sequence matches its counterpart.
    pub(super) fn sequence(&mut self, sub: &[ValType], sup: &[ValType]) -> Result<bool> {
        if sub == sup {
            return Ok(true);
        }
        self.charge(sub.len())?;
        Ok(self.matcher.sequence(sub, sup))
    }

    /// Takes an operand of any type; [`ValType::BOTTOM`] from an empty stack in unreachable code.
    #[inline]
    pub(super) fn pop_any(&mut self) -> Result<ValType> {
        self.pop_any_of(ValType::BOTTOM)
    }

    #[inline]
    fn pop_any_of(&mut self, expected: ValType) -> Result<ValType> {
        if self.operands.len() > self.height
            && let Some(ty) = self.operands.pop()
        {
            return Ok(ty);
        }
        if self.frames.last().is_some_and(|frame| frame.unreachable) {
            return Ok(ValType::BOTTOM);
        }
        Err(self.error(ErrorKind::TypeMismatch { expected, found: Found(None) }))
    }

    /// Takes a reference of any type; [`ValType::BOTTOM_REF`] from an empty stack in unreachable code.
    pub(super) fn pop_ref(&mut self) -> Result<ValType> {
        let found = self.pop_any()?;
        if found.is_ref() {
            return Ok(found);
        }
        if found == ValType::BOTTOM {
            return Ok(ValType::BOTTOM_REF);
        }
        Err(self.error(ErrorKind::ReferenceExpected { found: Found(Some(found)) }))
    }

    /// Returns whether the topmost operands of the frame are exactly `types`. Branches and calls of a thousand
    /// values in two bytes would make validation quadratic if each value were taken and put back.
    #[inline]
    fn top_is(&self, types: &[ValType]) -> bool {
        self.operands.get(self.height..).is_some_and(|operands| operands.ends_with(types))
    }

    /// Takes operands that must match `types`, the last one from the top.
    #[inline]
    pub(super) fn pop_all(&mut self, types: &[ValType]) -> Result<()> {
        if self.top_is(types) {
            self.operands.truncate(self.operands.len() - types.len());
            return Ok(());
        }
        // In unreachable code what is not on the stack is not compared.
        self.charge(types.len().min(self.operands.len() - self.height))?;
        self.pop_each(types.iter().rev().copied())
    }

    /// Takes operands that must match `types`, the first one from the top. In unreachable code it stops where the
    /// stack is empty, since what is not there matches anything.
    pub(super) fn pop_each(&mut self, types: impl Iterator<Item = ValType>) -> Result<()> {
        for ty in types {
            if self.gives_anything() {
                return Ok(());
            }
            self.pop(ty)?;
        }
        Ok(())
    }

    /// Returns whether the stack of the frame is empty and gives any type.
    fn gives_anything(&self) -> bool {
        self.operands.len() == self.height && self.frames.last().is_some_and(|frame| frame.unreachable)
    }

    /// Checks that the topmost operands match `types`, and gives them exactly these types.
    pub(super) fn pop_push_all(&mut self, types: &[ValType]) -> Result<()> {
        if self.top_is(types) {
            return Ok(());
        }
        self.pop_all(types)?;
        self.push_all(types)
    }

    /// Checks that the topmost operands match `types` and leaves them as they are.
    pub(super) fn peek_all(&mut self, types: &[ValType]) -> Result<()> {
        if self.top_is(types) || self.gives_anything() {
            return Ok(());
        }
        let height = self.operands.len();
        let start = height.saturating_sub(types.len()).max(self.height);
        let saved = self.operands.get(start..).unwrap_or(&[]).to_vec();
        self.pop_all(types)?;
        self.operands.extend_from_slice(&saved);
        Ok(())
    }

    /// Marks the rest of the block as unreachable: its stack is empty and gives any type.
    pub(super) fn unreachable(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.unreachable = true;
        }
        self.operands.truncate(self.height);
    }

    // Control frames.

    /// Opens a frame.
    pub(super) fn open(&mut self, kind: FrameKind, block_type: BlockType) {
        self.height = self.operands.len();
        self.frames.push(Frame {
            kind,
            block_type,
            // A body has less than 2^32 bytes, each of which pushes one operand, or several up to a limit.
            height: u32::try_from(self.height).unwrap_or(u32::MAX),
            n_set_locals: self.locals.n_set(),
            unreachable: false,
        });
    }

    /// Closes the innermost frame, whose results must be all that is on the stack.
    pub(super) fn close(&mut self) -> Result<Frame> {
        let Some(&frame) = self.frames.last() else {
            return Err(self.error(ErrorKind::Misplaced { op: "end" }));
        };
        let results = self.results(frame);
        self.pop_all(results.as_slice())?;
        if self.operands.len() != self.height {
            let extra = u32::try_from(self.operands.len() - self.height).unwrap_or(u32::MAX);
            return Err(self.error(ErrorKind::ValuesRemain { extra }));
        }
        self.locals.unset_since(frame.n_set_locals);
        self.frames.pop();
        self.height = self.frames.last().map_or(0, |frame| frame.height as usize);
        Ok(frame)
    }

    pub(super) fn params(&self, block_type: BlockType) -> Types<'m> {
        match block_type {
            BlockType::Type(index) => Types::Many(self.func_at(index).map_or(&[], FuncType::params)),
            _ => Types::Many(&[]),
        }
    }

    #[inline]
    pub(super) fn results(&self, frame: Frame) -> Types<'m> {
        match (frame.kind, frame.block_type) {
            (FrameKind::Function, _) => self.results,
            (_, BlockType::Empty) => Types::Many(&[]),
            (_, BlockType::Value(ty)) => Types::One(ty),
            (_, BlockType::Type(index)) => Types::Many(self.func_at(index).map_or(&[], FuncType::results)),
        }
    }

    fn func_at(&self, index: TypeIdx) -> Option<&'m FuncType> {
        self.matcher.get(index)?.func()
    }

    /// Returns the types that a branch to the label carries.
    #[inline]
    pub(super) fn label(&self, label: LabelIdx) -> Result<Types<'m>> {
        let frame = self.frame(label)?;
        Ok(if frame.kind == FrameKind::Loop { self.params(frame.block_type) } else { self.results(frame) })
    }

    /// Returns the frame of a label.
    #[inline]
    pub(super) fn frame(&self, label: LabelIdx) -> Result<Frame> {
        let index = self.frames.len().checked_sub(label.index() + 1);
        match index.and_then(|index| self.frames.get(index)) {
            Some(frame) => Ok(*frame),
            None => Err(self.unknown(IndexSpace::Label, label.0, self.frames.len())),
        }
    }

    pub(super) const fn function_results(&self) -> Types<'m> {
        self.results
    }

    pub(super) fn n_frames(&self) -> u32 {
        u32::try_from(self.frames.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn note_call(&mut self) {
        self.has_call = true;
    }

    // Locals.

    #[inline(always)]
    fn local(&self, index: LocalIdx) -> Result<ValType> {
        match self.locals.direct.get(index.index()) {
            Some(ty) => Ok(*ty),
            None => match self.locals.get(index.0) {
                Some(ty) => Ok(ty),
                None => Err(self.unknown(IndexSpace::Local, index.0, self.locals.len as usize)),
            },
        }
    }

    #[inline(always)]
    pub(super) fn local_get(&mut self, index: LocalIdx) -> Result<()> {
        let ty = self.local(index)?;
        if !ty.is_defaultable() && !self.locals.is_set(index.0) {
            return Err(self.error(ErrorKind::UninitializedLocal { index: index.0 }));
        }
        self.push(ty);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn local_set(&mut self, index: LocalIdx) -> Result<()> {
        let ty = self.local(index)?;
        self.pop(ty)?;
        if !ty.is_defaultable() {
            self.locals.mark_set(index.0);
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn local_tee(&mut self, index: LocalIdx) -> Result<()> {
        self.local_set(index)?;
        self.push(self.local(index)?);
        Ok(())
    }

    /// Computes promise P6 for the body that has just been validated.
    fn frame_cost(&self) -> FrameCost {
        let mut slots = 0_u64;
        let mut start = 0;
        for (end, ty) in &self.locals.runs {
            slots += u64::from(end - start) * u64::from(ty.slot_bytes() / 8);
            start = *end;
        }
        slots += self.max_height as u64 * if self.has_vectors { 2 } else { 1 };
        FrameCost::new(slots, self.has_call)
    }
}

#[inline(always)]
fn operand(operand: Operand, address: ValType) -> ValType {
    operand.val().unwrap_or(address)
}

//! Immediates: how each is read from bytes, and how the text format writes it.
//!
//! Source: core 3.0, "Instructions" of the binary and of the text format.

use core::fmt;

use crate::error::{ErrorKind, Result};
use crate::features::Feature;
use crate::limits;
use crate::opcode::Instr;
use crate::reader::Reader;
use crate::types::{
    BlockType, DataIdx, ElemIdx, FieldIdx, FuncIdx, GlobalIdx, HeapType, LabelIdx, LocalIdx, MemIdx, RefType,
    TableIdx, TagIdx, TypeIdx, ValType,
};

/// An immediate that can be read; its text form is its [`fmt::Display`].
pub trait Immediate<'a>: Sized + fmt::Display {
    /// Reads it.
    ///
    /// # Errors
    /// What its bytes are refused for.
    fn read(r: &mut Reader<'a>) -> Result<Self>;

    /// Returns where memory is accessed, if the immediate says so.
    #[inline(always)]
    fn memarg(&self) -> Option<MemArg> {
        None
    }
}

macro_rules! index_immediates {
    ($($name:ident)*) => {
        $(
            impl Immediate<'_> for $name {
                #[inline(always)]
                fn read(r: &mut Reader<'_>) -> Result<Self> {
                    r.var_u32().map(Self)
                }
            }
        )*
    };
}

index_immediates! { DataIdx ElemIdx FieldIdx FuncIdx GlobalIdx LabelIdx LocalIdx TableIdx TagIdx TypeIdx }

impl Immediate<'_> for MemIdx {
    #[inline]
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        let index = r.var_u32()?;
        // Before multi-memory this was one zero byte.
        if index != 0 || r.offset() != offset + 1 {
            r.require(Feature::MultiMemory, offset)?;
        }
        Ok(Self(index))
    }
}

impl Immediate<'_> for i32 {
    #[inline(always)]
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.var_i32()
    }
}

impl Immediate<'_> for i64 {
    #[inline(always)]
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.var_i64()
    }
}

impl Immediate<'_> for BlockType {
    #[inline(always)]
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        Self::read(r)
    }
}

impl fmt::Display for BlockType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Value(ty) => write!(f, "(result {ty})"),
            Self::Type(index) => write!(f, "(type {index})"),
        }
    }
}

impl Immediate<'_> for HeapType {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        Self::read(r)
    }
}

/// The bits of a 32-bit float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ieee32(pub u32);

impl Immediate<'_> for Ieee32 {
    #[inline]
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.array().map(|bytes| Self(u32::from_le_bytes(bytes)))
    }
}

impl fmt::Display for Ieee32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = f32::from_bits(self.0);
        if value.is_nan() {
            let sign = if value.is_sign_negative() { "-" } else { "" };
            return write!(f, "{sign}nan:{:#x}", self.0 & 0x7f_ffff);
        }
        write!(f, "{value:?}")
    }
}

/// The bits of a 64-bit float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ieee64(pub u64);

impl Immediate<'_> for Ieee64 {
    #[inline]
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.array().map(|bytes| Self(u64::from_le_bytes(bytes)))
    }
}

impl fmt::Display for Ieee64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = f64::from_bits(self.0);
        if value.is_nan() {
            let sign = if value.is_sign_negative() { "-" } else { "" };
            return write!(f, "{sign}nan:{:#x}", self.0 & 0xf_ffff_ffff_ffff);
        }
        write!(f, "{value:?}")
    }
}

/// The bytes of a vector, lowest address first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct V128(pub [u8; 16]);

impl Immediate<'_> for V128 {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.array().map(Self)
    }
}

impl fmt::Display for V128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("i32x4")?;
        let (lanes, _) = self.0.as_chunks::<4>();
        lanes.iter().try_for_each(|lane| write!(f, " {:#010x}", u32::from_le_bytes(*lane)))
    }
}

/// Index of a lane of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneIdx(pub u8);

impl Immediate<'_> for LaneIdx {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.byte().map(Self)
    }
}

impl fmt::Display for LaneIdx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The lanes of a shuffle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes16(pub [u8; 16]);

impl Immediate<'_> for Lanes16 {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.array().map(Self)
    }
}

impl fmt::Display for Lanes16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        spaced(f, self.0)
    }
}

fn spaced<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: impl IntoIterator<Item = T>) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(" ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// The type on a `select`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectType(pub ValType);

impl Immediate<'_> for SelectType {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        let count = r.var_u32()?;
        if count != 1 {
            return Err(r.error_at(ErrorKind::SelectArity { count }, offset));
        }
        ValType::read(r).map(Self)
    }
}

impl fmt::Display for SelectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(result {})", self.0)
    }
}

/// Where a memory instruction accesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemArg {
    /// Added to the address, in bytes.
    pub offset: u64,
    /// The memory.
    pub memory: MemIdx,
    /// Binary logarithm of the alignment that the producer promised, in bytes.
    pub align: u8,
}

impl Immediate<'_> for MemArg {
    #[inline(always)]
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let start = r.offset();
        let flags = r.var_u32()?;
        let memory = if flags < 0x40 { MemIdx(0) } else { read_flagged_memory(r, flags, start)? };
        let offset = r.memory_offset()?;
        Ok(Self { offset, memory, align: (flags & 0x3f) as u8 })
    }

    #[inline(always)]
    fn memarg(&self) -> Option<MemArg> {
        Some(*self)
    }
}

/// Bit 6 of the alignment says that the index of the memory follows (multi-memory).
#[cold]
fn read_flagged_memory(r: &mut Reader<'_>, flags: u32, start: usize) -> Result<MemIdx> {
    if flags >= 0x80 {
        let byte = u8::try_from(flags).unwrap_or(u8::MAX);
        return Err(r.error_at(ErrorKind::MalformedByte { what: "memop flags", byte }, start));
    }
    r.require(Feature::MultiMemory, start)?;
    r.var_u32().map(MemIdx)
}

impl fmt::Display for MemArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.memory.0 != 0 {
            write!(f, "{} ", self.memory)?;
        }
        if self.offset != 0 {
            write!(f, "offset={} ", self.offset)?;
        }
        write!(f, "align={}", 1_u64 << self.align)
    }
}

/// Where a vector load or store of one lane accesses, and which lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemArgLane {
    /// Added to the address, in bytes.
    pub offset: u64,
    /// The memory.
    pub memory: MemIdx,
    /// Binary logarithm of the alignment that the producer promised, in bytes.
    pub align: u8,
    /// Which lane.
    pub lane: LaneIdx,
}

impl MemArgLane {
    /// Returns where the instruction accesses, without the lane.
    #[must_use]
    pub const fn without_lane(self) -> MemArg {
        MemArg { offset: self.offset, memory: self.memory, align: self.align }
    }
}

macro_rules! record_immediates {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name { $($(#[$field_doc])* pub $field: $ty,)* }

            impl Immediate<'_> for $name {
                #[inline]
                fn read(r: &mut Reader<'_>) -> Result<Self> {
                    Ok(Self { $($field: <$ty as Immediate<'_>>::read(r)?,)* })
                }
            }
        )*
    };
}

impl Immediate<'_> for MemArgLane {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let MemArg { offset, memory, align } = MemArg::read(r)?;
        Ok(Self { offset, memory, align, lane: LaneIdx::read(r)? })
    }

    #[inline(always)]
    fn memarg(&self) -> Option<MemArg> {
        Some(self.without_lane())
    }
}

impl fmt::Display for MemArgLane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.without_lane(), self.lane)
    }
}

/// Type and table of an indirect call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallIndirect {
    /// The type that the callee must have.
    pub ty: TypeIdx,
    /// The table that the callee is in.
    pub table: TableIdx,
}

impl Immediate<'_> for CallIndirect {
    #[inline]
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let ty = TypeIdx::read(r)?;
        let offset = r.offset();
        let table = TableIdx::read(r)?;
        // Before reference-types this was one zero byte.
        if table.0 != 0 || r.offset() != offset + 1 {
            r.require(Feature::ReferenceTypes, offset)?;
        }
        Ok(Self { ty, table })
    }
}

record_immediates! {
    /// Segment and memory of a `memory.init`.
    MemoryInit {
        /// The segment.
        data: DataIdx,
        /// The memory.
        memory: MemIdx,
    }
    /// Memories of a `memory.copy`.
    MemoryCopy {
        /// Written.
        dst: MemIdx,
        /// Read.
        src: MemIdx,
    }
    /// Segment and table of a `table.init`.
    TableInit {
        /// The segment.
        elem: ElemIdx,
        /// The table.
        table: TableIdx,
    }
    /// Tables of a `table.copy`.
    TableCopy {
        /// Written.
        dst: TableIdx,
        /// Read.
        src: TableIdx,
    }
    /// A field of a structure type.
    StructField {
        /// The type.
        ty: TypeIdx,
        /// The field.
        field: FieldIdx,
    }
    /// Type and length of an `array.new_fixed`.
    ArrayNewFixed {
        /// The type.
        ty: TypeIdx,
        /// How many elements.
        len: ArrayLen,
    }
    /// Array type and data segment.
    ArrayData {
        /// The type.
        ty: TypeIdx,
        /// The segment.
        data: DataIdx,
    }
    /// Array type and element segment.
    ArrayElem {
        /// The type.
        ty: TypeIdx,
        /// The segment.
        elem: ElemIdx,
    }
    /// Array types of an `array.copy`.
    ArrayCopy {
        /// Written.
        dst: TypeIdx,
        /// Read.
        src: TypeIdx,
    }
}

/// How many operands an `array.new_fixed` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayLen(pub u32);

impl Immediate<'_> for ArrayLen {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.count("array.new_fixed operands", limits::ARRAY_NEW_FIXED).map(Self)
    }
}

macro_rules! display {
    ($($name:ident: $format:literal $($field:ident)*;)*) => {
        $(
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, $format, $(self.$field),*)
                }
            }
        )*
    };
}

display! {
    // The text format names the table before the type, and the memory or table before the segment.
    CallIndirect: "{} (type {})" table ty;
    MemoryInit: "{} {}" memory data;
    MemoryCopy: "{} {}" dst src;
    TableInit: "{} {}" table elem;
    TableCopy: "{} {}" dst src;
    StructField: "{} {}" ty field;
    ArrayData: "{} {}" ty data;
    ArrayElem: "{} {}" ty elem;
    ArrayCopy: "{} {}" dst src;
    ArrayNewFixed: "{} {}" ty len;
    BrOnCast: "{} {} {}" label from to;
}

impl fmt::Display for ArrayLen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Label and types of a branch on a cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrOnCast {
    /// Where to.
    pub label: LabelIdx,
    /// The type of the operand, a reference type.
    pub from: ValType,
    /// The type that is tested for, a reference type.
    pub to: ValType,
}

impl Immediate<'_> for BrOnCast {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        let flags = r.byte()?;
        if flags > 0b11 {
            return Err(r.error_at(ErrorKind::MalformedByte { what: "cast flags", byte: flags }, offset));
        }
        let label = LabelIdx::read(r)?;
        let from = ValType::reference(RefType { nullable: flags & 0b01 != 0, heap: HeapType::read(r)? });
        let to = ValType::reference(RefType { nullable: flags & 0b10 != 0, heap: HeapType::read(r)? });
        Ok(Self { label, from, to })
    }
}

/// The byte behind `atomic.fence`, which is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtomicFence;

impl Immediate<'_> for AtomicFence {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        match r.byte()? {
            0 => Ok(Self),
            byte => Err(r.error_at(ErrorKind::ZeroByteExpected { byte }, offset)),
        }
    }
}

impl fmt::Display for AtomicFence {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// The labels of a `br_table`: bytes that have been checked to be integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrTable<'a> {
    /// The targets in LEB128, then the default.
    bytes: &'a [u8],
}

impl<'a> BrTable<'a> {
    /// Yields the targets in order, then the default.
    pub fn labels(self) -> impl Iterator<Item = LabelIdx> + 'a {
        let mut rest = self.bytes;
        core::iter::from_fn(move || checked_u32(&mut rest).map(LabelIdx))
    }
}

/// Takes an integer off bytes that have been read before, so that nothing can be wrong with them.
#[inline]
fn checked_u32(rest: &mut &[u8]) -> Option<u32> {
    let mut value = 0_u32;
    let mut shift = 0;
    loop {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u32::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            return Some(value);
        }
        shift += 7;
    }
}

impl<'a> Immediate<'a> for BrTable<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self> {
        let count = r.count("br_table targets", limits::BR_TABLE_TARGETS)?;
        let start = r.offset();
        for _ in 0..=count {
            r.var_u32()?;
        }
        Ok(Self { bytes: r.since(start) })
    }
}

impl fmt::Display for BrTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        spaced(f, self.labels())
    }
}

/// A clause of a `try_table`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum Catch {
    Tag { tag: TagIdx, label: LabelIdx },
    TagRef { tag: TagIdx, label: LabelIdx },
    All { label: LabelIdx },
    AllRef { label: LabelIdx },
}

impl Catch {
    /// Returns where the clause branches to, counted from outside the `try_table`.
    #[must_use]
    pub const fn label(self) -> LabelIdx {
        match self {
            Self::Tag { label, .. }
            | Self::TagRef { label, .. }
            | Self::All { label }
            | Self::AllRef { label } => label,
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        let code = r.byte()?;
        let tag = |r: &mut Reader<'_>| TagIdx::read(r);
        let label = |r: &mut Reader<'_>| LabelIdx::read(r);
        Ok(match code {
            0 => Self::Tag { tag: tag(r)?, label: label(r)? },
            1 => Self::TagRef { tag: tag(r)?, label: label(r)? },
            2 => Self::All { label: label(r)? },
            3 => Self::AllRef { label: label(r)? },
            byte => return Err(r.error_at(ErrorKind::MalformedByte { what: "catch clause", byte }, offset)),
        })
    }
}

impl fmt::Display for Catch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag { tag, label } => write!(f, "(catch {tag} {label})"),
            Self::TagRef { tag, label } => write!(f, "(catch_ref {tag} {label})"),
            Self::All { label } => write!(f, "(catch_all {label})"),
            Self::AllRef { label } => write!(f, "(catch_all_ref {label})"),
        }
    }
}

/// Type and clauses of a `try_table`: bytes that have been checked, walked again where they are needed, so that an
/// instruction stays small.
#[derive(Clone, Debug)]
pub struct TryTableParts {
    /// The block's type.
    pub block_type: BlockType,
    /// The clauses in order.
    pub catches: Vec<Catch>,
}

/// The immediate of a `try_table`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryTable<'a> {
    /// Block type, length, clauses.
    bytes: &'a [u8],
}

impl TryTable<'_> {
    /// Returns the block type and the clauses.
    #[must_use]
    pub fn parts(self) -> TryTableParts {
        let end = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let span = crate::module::Span { start: 0, end };
        let mut r = Reader::new(self.bytes, span, crate::features::Features::all(), "a try_table");
        Self::read_parts(&mut r)
            .unwrap_or(TryTableParts { block_type: BlockType::Empty, catches: Vec::new() })
    }

    fn read_parts(r: &mut Reader<'_>) -> Result<TryTableParts> {
        let block_type = BlockType::read(r)?;
        let catches = r.vector("catch clauses", limits::CATCHES, 2, Catch::read)?;
        Ok(TryTableParts { block_type, catches })
    }
}

impl<'a> Immediate<'a> for TryTable<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self> {
        let start = r.offset();
        Self::read_parts(r)?;
        Ok(Self { bytes: r.since(start) })
    }
}

impl fmt::Display for TryTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts();
        parts.block_type.fmt(f)?;
        parts.catches.iter().try_for_each(|catch| write!(f, " {catch}"))
    }
}

/// The text form: the name, then the immediate.
impl fmt::Display for Instr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.op().info().name)?;
        let reference = |nullable, heap| RefType { nullable, heap };
        match *self {
            Self::RefTest(heap) | Self::RefCast(heap) => write!(f, " {}", reference(false, heap)),
            Self::RefTestNull(heap) | Self::RefCastNull(heap) => write!(f, " {}", reference(true, heap)),
            Self::Block(BlockType::Empty) | Self::Loop(BlockType::Empty) | Self::If(BlockType::Empty) => {
                Ok(())
            }
            Self::Try(BlockType::Empty) | Self::AtomicFence(_) => Ok(()),
            _ => self.immediate().map_or(Ok(()), |immediate| write!(f, " {immediate}")),
        }
    }
}

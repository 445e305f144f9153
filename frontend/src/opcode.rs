//! THE TABLE: every opcode, once, one row each; everything else reads the rows.
//!
//! Source: core 3.0, "Instructions" of the binary format and the index of instructions; the proposals threads,
//! custom-page-sizes and wide-arithmetic; the first exception-handling proposal for its legacy forms.
//!
//! Columns of a row: the variant with its immediate (`instr.rs`) · code, prefixed ones as 0xPP_SSSS (prefix,
//! sub-opcode) · text name · effect on the operand stack, where `addr` is the address type of the memory that the
//! immediate names, or `special` where the validator decides · class, with the bytes that the access touches ·
//! cost in fuel (promise P2) · the feature that it arrived with.

#[macro_use]
mod simd;
#[macro_use]
mod atomic;
#[macro_use]
mod gc;

use crate::error::{ErrorKind, Result};
use crate::features::Feature;
use crate::instr::{
    ArrayCopy, ArrayData, ArrayElem, ArrayNewFixed, AtomicFence, BrOnCast, BrTable, CallIndirect, Ieee32,
    Ieee64, Immediate, LaneIdx, Lanes16, MemArg, MemArgLane, MemoryCopy, MemoryInit, SelectType, StructField,
    TableCopy, TableInit, TryTable, V128,
};
use crate::reader::Reader;
use crate::types::{
    BlockType, DataIdx, ElemIdx, FuncIdx, GlobalIdx, HeapType, LabelIdx, LocalIdx, MemIdx, TableIdx, TagIdx,
    TypeIdx, ValType,
};

/// An operand type in a row's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum Operand {
    I32,
    I64,
    F32,
    F64,
    V128,
    /// The address type of the memory that the immediate names.
    Addr,
}

impl Operand {
    /// Returns the value type; `None` for [`Operand::Addr`], which depends on the memory.
    #[inline]
    #[must_use]
    pub const fn val(self) -> Option<ValType> {
        match self {
            Self::I32 => Some(ValType::I32),
            Self::I64 => Some(ValType::I64),
            Self::F32 => Some(ValType::F32),
            Self::F64 => Some(ValType::F64),
            Self::V128 => Some(ValType::V128),
            Self::Addr => None,
        }
    }
}

/// What an instruction takes from the operand stack and leaves on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The types are those of the row.
    Fixed {
        /// Taken, the last one from the top.
        params: &'static [Operand],
        /// Left, the last one on top.
        results: &'static [Operand],
    },
    /// The types depend on immediates, labels or the stack.
    Special,
}

/// What kind of work an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Blocks, branches, traps.
    Control,
    /// Exceptions.
    Exception,
    /// Calls.
    Call,
    /// `drop`, `select`.
    Parametric,
    /// Locals and globals.
    Variable,
    /// Constants.
    Constant,
    /// Scalar comparisons.
    Compare,
    /// Scalar integer arithmetic.
    Integer,
    /// Scalar and, or, xor, shifts, rotations.
    Bitwise,
    /// Scalar floating point.
    Float,
    /// Scalar conversions.
    Convert,
    /// Reads memory.
    Load,
    /// Writes memory.
    Store,
    /// Reads and writes memory at once.
    Rmw,
    /// Waits on memory.
    Wait,
    /// Wakes who waits on memory.
    Notify,
    /// Orders memory accesses.
    Fence,
    /// Size of and bulk operations on memory.
    Memory,
    /// Tables.
    Table,
    /// References.
    Reference,
    /// Structures, arrays, casts, i31.
    Gc,
    /// Vectors.
    Vector,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// The opcode.
    pub op: Op,
    /// Its code: one byte, or the prefix in bits 16 to 23 and the sub-opcode below.
    pub code: u32,
    /// Its text name.
    pub name: &'static str,
    /// What it does to the operand stack.
    pub effect: Effect,
    /// What kind of work it does.
    pub class: Class,
    /// How many bytes of memory it touches; 0 where it touches none or the operands decide.
    pub access_bytes: u8,
    /// What it costs in fuel.
    pub fuel: u8,
    /// What it arrived with.
    pub feature: Feature,
}

impl OpInfo {
    /// Returns whether the instruction accesses memory atomically: its alignment must be the natural one.
    #[inline]
    #[must_use]
    pub const fn is_atomic(&self) -> bool {
        self.code >> 16 == 0xfe
    }
}

macro_rules! operand {
    (i32) => {
        Operand::I32
    };
    (i64) => {
        Operand::I64
    };
    (f32) => {
        Operand::F32
    };
    (f64) => {
        Operand::F64
    };
    (v128) => {
        Operand::V128
    };
    (addr) => {
        Operand::Addr
    };
}

macro_rules! effect {
    (special) => { Effect::Special };
    ([$($param:ident)* -> $($result:ident)*]) => {
        Effect::Fixed { params: &[$(operand!($param)),*], results: &[$(operand!($result)),*] }
    };
}

macro_rules! declare {
    ([] $($variant:ident $(($imm:ty))? $code:literal $name:literal $effect:tt
        $class:ident $(($bytes:literal))? $fuel:literal $feature:ident;)*) => {
        /// An opcode without its immediate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[expect(missing_docs, reason = "the names are the specification's")]
        pub enum Op { $($variant,)* }

        /// An instruction with its immediate.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[repr(u16)]
        #[expect(missing_docs, reason = "the names are the specification's")]
        pub enum Instr<'a> { $($variant $(($imm))?,)* }

        /// All rows, in the order of [`Op`].
        pub static TABLE: &[OpInfo] = &ROWS;

        /// The rows with their number, so that a look-up by opcode needs no check.
        static ROWS: [OpInfo; [$(Op::$variant),*].len()] = [$(OpInfo {
            op: Op::$variant,
            code: $code,
            name: $name,
            effect: effect!($effect),
            class: Class::$class,
            access_bytes: 0 $(+ $bytes)?,
            fuel: $fuel,
            feature: Feature::$feature,
        },)*];

        impl<'a> Instr<'a> {
            /// Returns the opcode.
            #[inline]
            #[must_use]
            pub const fn op(&self) -> Op {
                match self { $(Self::$variant { .. } => Op::$variant,)* }
            }

            /// Reads the immediate of the opcode `code`, which is not in the table if the answer is `None`.
            #[inline(always)]
            fn read_immediate(code: u32, r: &mut Reader<'a>) -> Result<Option<Self>> {
                Ok(Some(match code {
                    $($code => Self::$variant $((<$imm as Immediate<'a>>::read(r)?))?,)*
                    _ => return Ok(None),
                }))
            }

            /// Returns where the instruction accesses memory, if it does.
            #[inline]
            #[must_use]
            pub fn memarg(&self) -> Option<MemArg> {
                match self { $(declare!(@bind $variant imm $(($imm))?) => declare!(@memarg imm $(($imm))?),)* }
            }

            /// Returns the immediate as the text format writes it.
            pub(crate) fn immediate(&self) -> Option<&dyn core::fmt::Display> {
                match self { $(declare!(@bind $variant imm $(($imm))?) => declare!(@some imm $(($imm))?),)* }
            }
        }
    };
    (@bind $variant:ident $name:ident) => { Self::$variant };
    (@bind $variant:ident $name:ident ($imm:ty)) => { Self::$variant($name) };
    (@memarg $name:ident) => { None };
    (@memarg $name:ident ($imm:ty)) => { Immediate::memarg($name) };
    (@some $name:ident) => { None };
    (@some $name:ident ($imm:ty)) => { Some($name) };
}

macro_rules! core_rows {
    ([$next:ident $($rest:ident)*] $($rows:tt)*) => {
        $next! { [$($rest)*] $($rows)*
            Unreachable                        0x00      "unreachable"                            special                          Control     1 Mvp;
            Nop                                0x01      "nop"                                    [->]                             Control     0 Mvp;
            Block(BlockType)                   0x02      "block"                                  special                          Control     0 Mvp;
            Loop(BlockType)                    0x03      "loop"                                   special                          Control     0 Mvp;
            If(BlockType)                      0x04      "if"                                     special                          Control     1 Mvp;
            Else                               0x05      "else"                                   special                          Control     0 Mvp;
            Try(BlockType)                     0x06      "try"                                    special                          Exception   1 LegacyExceptions;
            Catch(TagIdx)                      0x07      "catch"                                  special                          Exception   0 LegacyExceptions;
            Throw(TagIdx)                      0x08      "throw"                                  special                          Exception   1 Exceptions;
            Rethrow(LabelIdx)                  0x09      "rethrow"                                special                          Exception   1 LegacyExceptions;
            ThrowRef                           0x0a      "throw_ref"                              special                          Exception   1 Exceptions;
            End                                0x0b      "end"                                    special                          Control     0 Mvp;
            Br(LabelIdx)                       0x0c      "br"                                     special                          Control     1 Mvp;
            BrIf(LabelIdx)                     0x0d      "br_if"                                  special                          Control     1 Mvp;
            BrTable(BrTable<'a>)                   0x0e      "br_table"                               special                          Control     1 Mvp;
            Return                             0x0f      "return"                                 special                          Control     1 Mvp;
            Call(FuncIdx)                      0x10      "call"                                   special                          Call        1 Mvp;
            CallIndirect(CallIndirect)         0x11      "call_indirect"                          special                          Call        1 Mvp;
            ReturnCall(FuncIdx)                0x12      "return_call"                            special                          Call        1 TailCall;
            ReturnCallIndirect(CallIndirect)   0x13      "return_call_indirect"                   special                          Call        1 TailCall;
            CallRef(TypeIdx)                   0x14      "call_ref"                               special                          Call        1 FunctionReferences;
            ReturnCallRef(TypeIdx)             0x15      "return_call_ref"                        special                          Call        1 FunctionReferences;
            Delegate(LabelIdx)                 0x18      "delegate"                               special                          Exception   0 LegacyExceptions;
            CatchAll                           0x19      "catch_all"                              special                          Exception   0 LegacyExceptions;
            Drop                               0x1a      "drop"                                   special                          Parametric  1 Mvp;
            Select                             0x1b      "select"                                 special                          Parametric  1 Mvp;
            SelectT(SelectType)                0x1c      "select"                                 special                          Parametric  1 ReferenceTypes;
            TryTable(TryTable<'a>)                 0x1f      "try_table"                              special                          Exception   1 Exceptions;
            LocalGet(LocalIdx)                 0x20      "local.get"                              special                          Variable    1 Mvp;
            LocalSet(LocalIdx)                 0x21      "local.set"                              special                          Variable    1 Mvp;
            LocalTee(LocalIdx)                 0x22      "local.tee"                              special                          Variable    1 Mvp;
            GlobalGet(GlobalIdx)               0x23      "global.get"                             special                          Variable    1 Mvp;
            GlobalSet(GlobalIdx)               0x24      "global.set"                             special                          Variable    1 Mvp;
            TableGet(TableIdx)                 0x25      "table.get"                              special                          Table       1 ReferenceTypes;
            TableSet(TableIdx)                 0x26      "table.set"                              special                          Table       1 ReferenceTypes;
            I32Load(MemArg)                    0x28      "i32.load"                               [addr -> i32]                    Load(4)     1 Mvp;
            I64Load(MemArg)                    0x29      "i64.load"                               [addr -> i64]                    Load(8)     1 Mvp;
            F32Load(MemArg)                    0x2a      "f32.load"                               [addr -> f32]                    Load(4)     1 Mvp;
            F64Load(MemArg)                    0x2b      "f64.load"                               [addr -> f64]                    Load(8)     1 Mvp;
            I32Load8S(MemArg)                  0x2c      "i32.load8_s"                            [addr -> i32]                    Load(1)     1 Mvp;
            I32Load8U(MemArg)                  0x2d      "i32.load8_u"                            [addr -> i32]                    Load(1)     1 Mvp;
            I32Load16S(MemArg)                 0x2e      "i32.load16_s"                           [addr -> i32]                    Load(2)     1 Mvp;
            I32Load16U(MemArg)                 0x2f      "i32.load16_u"                           [addr -> i32]                    Load(2)     1 Mvp;
            I64Load8S(MemArg)                  0x30      "i64.load8_s"                            [addr -> i64]                    Load(1)     1 Mvp;
            I64Load8U(MemArg)                  0x31      "i64.load8_u"                            [addr -> i64]                    Load(1)     1 Mvp;
            I64Load16S(MemArg)                 0x32      "i64.load16_s"                           [addr -> i64]                    Load(2)     1 Mvp;
            I64Load16U(MemArg)                 0x33      "i64.load16_u"                           [addr -> i64]                    Load(2)     1 Mvp;
            I64Load32S(MemArg)                 0x34      "i64.load32_s"                           [addr -> i64]                    Load(4)     1 Mvp;
            I64Load32U(MemArg)                 0x35      "i64.load32_u"                           [addr -> i64]                    Load(4)     1 Mvp;
            I32Store(MemArg)                   0x36      "i32.store"                              [addr i32 ->]                    Store(4)    1 Mvp;
            I64Store(MemArg)                   0x37      "i64.store"                              [addr i64 ->]                    Store(8)    1 Mvp;
            F32Store(MemArg)                   0x38      "f32.store"                              [addr f32 ->]                    Store(4)    1 Mvp;
            F64Store(MemArg)                   0x39      "f64.store"                              [addr f64 ->]                    Store(8)    1 Mvp;
            I32Store8(MemArg)                  0x3a      "i32.store8"                             [addr i32 ->]                    Store(1)    1 Mvp;
            I32Store16(MemArg)                 0x3b      "i32.store16"                            [addr i32 ->]                    Store(2)    1 Mvp;
            I64Store8(MemArg)                  0x3c      "i64.store8"                             [addr i64 ->]                    Store(1)    1 Mvp;
            I64Store16(MemArg)                 0x3d      "i64.store16"                            [addr i64 ->]                    Store(2)    1 Mvp;
            I64Store32(MemArg)                 0x3e      "i64.store32"                            [addr i64 ->]                    Store(4)    1 Mvp;
            MemorySize(MemIdx)                 0x3f      "memory.size"                            special                          Memory      1 Mvp;
            MemoryGrow(MemIdx)                 0x40      "memory.grow"                            special                          Memory      1 Mvp;
            I32Const(i32)                      0x41      "i32.const"                              [-> i32]                         Constant    1 Mvp;
            I64Const(i64)                      0x42      "i64.const"                              [-> i64]                         Constant    1 Mvp;
            F32Const(Ieee32)                      0x43      "f32.const"                              [-> f32]                         Constant    1 Mvp;
            F64Const(Ieee64)                      0x44      "f64.const"                              [-> f64]                         Constant    1 Mvp;
            I32Eqz                             0x45      "i32.eqz"                                [i32 -> i32]                     Compare     1 Mvp;
            I32Eq                              0x46      "i32.eq"                                 [i32 i32 -> i32]                 Compare     1 Mvp;
            I32Ne                              0x47      "i32.ne"                                 [i32 i32 -> i32]                 Compare     1 Mvp;
            I32LtS                             0x48      "i32.lt_s"                               [i32 i32 -> i32]                 Compare     1 Mvp;
            I32LtU                             0x49      "i32.lt_u"                               [i32 i32 -> i32]                 Compare     1 Mvp;
            I32GtS                             0x4a      "i32.gt_s"                               [i32 i32 -> i32]                 Compare     1 Mvp;
            I32GtU                             0x4b      "i32.gt_u"                               [i32 i32 -> i32]                 Compare     1 Mvp;
            I32LeS                             0x4c      "i32.le_s"                               [i32 i32 -> i32]                 Compare     1 Mvp;
            I32LeU                             0x4d      "i32.le_u"                               [i32 i32 -> i32]                 Compare     1 Mvp;
            I32GeS                             0x4e      "i32.ge_s"                               [i32 i32 -> i32]                 Compare     1 Mvp;
            I32GeU                             0x4f      "i32.ge_u"                               [i32 i32 -> i32]                 Compare     1 Mvp;
            I64Eqz                             0x50      "i64.eqz"                                [i64 -> i32]                     Compare     1 Mvp;
            I64Eq                              0x51      "i64.eq"                                 [i64 i64 -> i32]                 Compare     1 Mvp;
            I64Ne                              0x52      "i64.ne"                                 [i64 i64 -> i32]                 Compare     1 Mvp;
            I64LtS                             0x53      "i64.lt_s"                               [i64 i64 -> i32]                 Compare     1 Mvp;
            I64LtU                             0x54      "i64.lt_u"                               [i64 i64 -> i32]                 Compare     1 Mvp;
            I64GtS                             0x55      "i64.gt_s"                               [i64 i64 -> i32]                 Compare     1 Mvp;
            I64GtU                             0x56      "i64.gt_u"                               [i64 i64 -> i32]                 Compare     1 Mvp;
            I64LeS                             0x57      "i64.le_s"                               [i64 i64 -> i32]                 Compare     1 Mvp;
            I64LeU                             0x58      "i64.le_u"                               [i64 i64 -> i32]                 Compare     1 Mvp;
            I64GeS                             0x59      "i64.ge_s"                               [i64 i64 -> i32]                 Compare     1 Mvp;
            I64GeU                             0x5a      "i64.ge_u"                               [i64 i64 -> i32]                 Compare     1 Mvp;
            F32Eq                              0x5b      "f32.eq"                                 [f32 f32 -> i32]                 Compare     1 Mvp;
            F32Ne                              0x5c      "f32.ne"                                 [f32 f32 -> i32]                 Compare     1 Mvp;
            F32Lt                              0x5d      "f32.lt"                                 [f32 f32 -> i32]                 Compare     1 Mvp;
            F32Gt                              0x5e      "f32.gt"                                 [f32 f32 -> i32]                 Compare     1 Mvp;
            F32Le                              0x5f      "f32.le"                                 [f32 f32 -> i32]                 Compare     1 Mvp;
            F32Ge                              0x60      "f32.ge"                                 [f32 f32 -> i32]                 Compare     1 Mvp;
            F64Eq                              0x61      "f64.eq"                                 [f64 f64 -> i32]                 Compare     1 Mvp;
            F64Ne                              0x62      "f64.ne"                                 [f64 f64 -> i32]                 Compare     1 Mvp;
            F64Lt                              0x63      "f64.lt"                                 [f64 f64 -> i32]                 Compare     1 Mvp;
            F64Gt                              0x64      "f64.gt"                                 [f64 f64 -> i32]                 Compare     1 Mvp;
            F64Le                              0x65      "f64.le"                                 [f64 f64 -> i32]                 Compare     1 Mvp;
            F64Ge                              0x66      "f64.ge"                                 [f64 f64 -> i32]                 Compare     1 Mvp;
            I32Clz                             0x67      "i32.clz"                                [i32 -> i32]                     Integer     1 Mvp;
            I32Ctz                             0x68      "i32.ctz"                                [i32 -> i32]                     Integer     1 Mvp;
            I32Popcnt                          0x69      "i32.popcnt"                             [i32 -> i32]                     Integer     1 Mvp;
            I32Add                             0x6a      "i32.add"                                [i32 i32 -> i32]                 Integer     1 Mvp;
            I32Sub                             0x6b      "i32.sub"                                [i32 i32 -> i32]                 Integer     1 Mvp;
            I32Mul                             0x6c      "i32.mul"                                [i32 i32 -> i32]                 Integer     1 Mvp;
            I32DivS                            0x6d      "i32.div_s"                              [i32 i32 -> i32]                 Integer     1 Mvp;
            I32DivU                            0x6e      "i32.div_u"                              [i32 i32 -> i32]                 Integer     1 Mvp;
            I32RemS                            0x6f      "i32.rem_s"                              [i32 i32 -> i32]                 Integer     1 Mvp;
            I32RemU                            0x70      "i32.rem_u"                              [i32 i32 -> i32]                 Integer     1 Mvp;
            I32And                             0x71      "i32.and"                                [i32 i32 -> i32]                 Bitwise     1 Mvp;
            I32Or                              0x72      "i32.or"                                 [i32 i32 -> i32]                 Bitwise     1 Mvp;
            I32Xor                             0x73      "i32.xor"                                [i32 i32 -> i32]                 Bitwise     1 Mvp;
            I32Shl                             0x74      "i32.shl"                                [i32 i32 -> i32]                 Bitwise     1 Mvp;
            I32ShrS                            0x75      "i32.shr_s"                              [i32 i32 -> i32]                 Bitwise     1 Mvp;
            I32ShrU                            0x76      "i32.shr_u"                              [i32 i32 -> i32]                 Bitwise     1 Mvp;
            I32Rotl                            0x77      "i32.rotl"                               [i32 i32 -> i32]                 Bitwise     1 Mvp;
            I32Rotr                            0x78      "i32.rotr"                               [i32 i32 -> i32]                 Bitwise     1 Mvp;
            I64Clz                             0x79      "i64.clz"                                [i64 -> i64]                     Integer     1 Mvp;
            I64Ctz                             0x7a      "i64.ctz"                                [i64 -> i64]                     Integer     1 Mvp;
            I64Popcnt                          0x7b      "i64.popcnt"                             [i64 -> i64]                     Integer     1 Mvp;
            I64Add                             0x7c      "i64.add"                                [i64 i64 -> i64]                 Integer     1 Mvp;
            I64Sub                             0x7d      "i64.sub"                                [i64 i64 -> i64]                 Integer     1 Mvp;
            I64Mul                             0x7e      "i64.mul"                                [i64 i64 -> i64]                 Integer     1 Mvp;
            I64DivS                            0x7f      "i64.div_s"                              [i64 i64 -> i64]                 Integer     1 Mvp;
            I64DivU                            0x80      "i64.div_u"                              [i64 i64 -> i64]                 Integer     1 Mvp;
            I64RemS                            0x81      "i64.rem_s"                              [i64 i64 -> i64]                 Integer     1 Mvp;
            I64RemU                            0x82      "i64.rem_u"                              [i64 i64 -> i64]                 Integer     1 Mvp;
            I64And                             0x83      "i64.and"                                [i64 i64 -> i64]                 Bitwise     1 Mvp;
            I64Or                              0x84      "i64.or"                                 [i64 i64 -> i64]                 Bitwise     1 Mvp;
            I64Xor                             0x85      "i64.xor"                                [i64 i64 -> i64]                 Bitwise     1 Mvp;
            I64Shl                             0x86      "i64.shl"                                [i64 i64 -> i64]                 Bitwise     1 Mvp;
            I64ShrS                            0x87      "i64.shr_s"                              [i64 i64 -> i64]                 Bitwise     1 Mvp;
            I64ShrU                            0x88      "i64.shr_u"                              [i64 i64 -> i64]                 Bitwise     1 Mvp;
            I64Rotl                            0x89      "i64.rotl"                               [i64 i64 -> i64]                 Bitwise     1 Mvp;
            I64Rotr                            0x8a      "i64.rotr"                               [i64 i64 -> i64]                 Bitwise     1 Mvp;
            F32Abs                             0x8b      "f32.abs"                                [f32 -> f32]                     Float       1 Mvp;
            F32Neg                             0x8c      "f32.neg"                                [f32 -> f32]                     Float       1 Mvp;
            F32Ceil                            0x8d      "f32.ceil"                               [f32 -> f32]                     Float       1 Mvp;
            F32Floor                           0x8e      "f32.floor"                              [f32 -> f32]                     Float       1 Mvp;
            F32Trunc                           0x8f      "f32.trunc"                              [f32 -> f32]                     Float       1 Mvp;
            F32Nearest                         0x90      "f32.nearest"                            [f32 -> f32]                     Float       1 Mvp;
            F32Sqrt                            0x91      "f32.sqrt"                               [f32 -> f32]                     Float       1 Mvp;
            F32Add                             0x92      "f32.add"                                [f32 f32 -> f32]                 Float       1 Mvp;
            F32Sub                             0x93      "f32.sub"                                [f32 f32 -> f32]                 Float       1 Mvp;
            F32Mul                             0x94      "f32.mul"                                [f32 f32 -> f32]                 Float       1 Mvp;
            F32Div                             0x95      "f32.div"                                [f32 f32 -> f32]                 Float       1 Mvp;
            F32Min                             0x96      "f32.min"                                [f32 f32 -> f32]                 Float       1 Mvp;
            F32Max                             0x97      "f32.max"                                [f32 f32 -> f32]                 Float       1 Mvp;
            F32Copysign                        0x98      "f32.copysign"                           [f32 f32 -> f32]                 Float       1 Mvp;
            F64Abs                             0x99      "f64.abs"                                [f64 -> f64]                     Float       1 Mvp;
            F64Neg                             0x9a      "f64.neg"                                [f64 -> f64]                     Float       1 Mvp;
            F64Ceil                            0x9b      "f64.ceil"                               [f64 -> f64]                     Float       1 Mvp;
            F64Floor                           0x9c      "f64.floor"                              [f64 -> f64]                     Float       1 Mvp;
            F64Trunc                           0x9d      "f64.trunc"                              [f64 -> f64]                     Float       1 Mvp;
            F64Nearest                         0x9e      "f64.nearest"                            [f64 -> f64]                     Float       1 Mvp;
            F64Sqrt                            0x9f      "f64.sqrt"                               [f64 -> f64]                     Float       1 Mvp;
            F64Add                             0xa0      "f64.add"                                [f64 f64 -> f64]                 Float       1 Mvp;
            F64Sub                             0xa1      "f64.sub"                                [f64 f64 -> f64]                 Float       1 Mvp;
            F64Mul                             0xa2      "f64.mul"                                [f64 f64 -> f64]                 Float       1 Mvp;
            F64Div                             0xa3      "f64.div"                                [f64 f64 -> f64]                 Float       1 Mvp;
            F64Min                             0xa4      "f64.min"                                [f64 f64 -> f64]                 Float       1 Mvp;
            F64Max                             0xa5      "f64.max"                                [f64 f64 -> f64]                 Float       1 Mvp;
            F64Copysign                        0xa6      "f64.copysign"                           [f64 f64 -> f64]                 Float       1 Mvp;
            I32WrapI64                         0xa7      "i32.wrap_i64"                           [i64 -> i32]                     Convert     1 Mvp;
            I32TruncF32S                       0xa8      "i32.trunc_f32_s"                        [f32 -> i32]                     Convert     1 Mvp;
            I32TruncF32U                       0xa9      "i32.trunc_f32_u"                        [f32 -> i32]                     Convert     1 Mvp;
            I32TruncF64S                       0xaa      "i32.trunc_f64_s"                        [f64 -> i32]                     Convert     1 Mvp;
            I32TruncF64U                       0xab      "i32.trunc_f64_u"                        [f64 -> i32]                     Convert     1 Mvp;
            I64ExtendI32S                      0xac      "i64.extend_i32_s"                       [i32 -> i64]                     Convert     1 Mvp;
            I64ExtendI32U                      0xad      "i64.extend_i32_u"                       [i32 -> i64]                     Convert     1 Mvp;
            I64TruncF32S                       0xae      "i64.trunc_f32_s"                        [f32 -> i64]                     Convert     1 Mvp;
            I64TruncF32U                       0xaf      "i64.trunc_f32_u"                        [f32 -> i64]                     Convert     1 Mvp;
            I64TruncF64S                       0xb0      "i64.trunc_f64_s"                        [f64 -> i64]                     Convert     1 Mvp;
            I64TruncF64U                       0xb1      "i64.trunc_f64_u"                        [f64 -> i64]                     Convert     1 Mvp;
            F32ConvertI32S                     0xb2      "f32.convert_i32_s"                      [i32 -> f32]                     Convert     1 Mvp;
            F32ConvertI32U                     0xb3      "f32.convert_i32_u"                      [i32 -> f32]                     Convert     1 Mvp;
            F32ConvertI64S                     0xb4      "f32.convert_i64_s"                      [i64 -> f32]                     Convert     1 Mvp;
            F32ConvertI64U                     0xb5      "f32.convert_i64_u"                      [i64 -> f32]                     Convert     1 Mvp;
            F32DemoteF64                       0xb6      "f32.demote_f64"                         [f64 -> f32]                     Convert     1 Mvp;
            F64ConvertI32S                     0xb7      "f64.convert_i32_s"                      [i32 -> f64]                     Convert     1 Mvp;
            F64ConvertI32U                     0xb8      "f64.convert_i32_u"                      [i32 -> f64]                     Convert     1 Mvp;
            F64ConvertI64S                     0xb9      "f64.convert_i64_s"                      [i64 -> f64]                     Convert     1 Mvp;
            F64ConvertI64U                     0xba      "f64.convert_i64_u"                      [i64 -> f64]                     Convert     1 Mvp;
            F64PromoteF32                      0xbb      "f64.promote_f32"                        [f32 -> f64]                     Convert     1 Mvp;
            I32ReinterpretF32                  0xbc      "i32.reinterpret_f32"                    [f32 -> i32]                     Convert     1 Mvp;
            I64ReinterpretF64                  0xbd      "i64.reinterpret_f64"                    [f64 -> i64]                     Convert     1 Mvp;
            F32ReinterpretI32                  0xbe      "f32.reinterpret_i32"                    [i32 -> f32]                     Convert     1 Mvp;
            F64ReinterpretI64                  0xbf      "f64.reinterpret_i64"                    [i64 -> f64]                     Convert     1 Mvp;
            I32Extend8S                        0xc0      "i32.extend8_s"                          [i32 -> i32]                     Convert     1 SignExtension;
            I32Extend16S                       0xc1      "i32.extend16_s"                         [i32 -> i32]                     Convert     1 SignExtension;
            I64Extend8S                        0xc2      "i64.extend8_s"                          [i64 -> i64]                     Convert     1 SignExtension;
            I64Extend16S                       0xc3      "i64.extend16_s"                         [i64 -> i64]                     Convert     1 SignExtension;
            I64Extend32S                       0xc4      "i64.extend32_s"                         [i64 -> i64]                     Convert     1 SignExtension;
            RefNull(HeapType)                  0xd0      "ref.null"                               special                          Reference   1 ReferenceTypes;
            RefIsNull                          0xd1      "ref.is_null"                            special                          Reference   1 ReferenceTypes;
            RefFunc(FuncIdx)                   0xd2      "ref.func"                               special                          Reference   1 ReferenceTypes;
            RefEq                              0xd3      "ref.eq"                                 special                          Reference   1 Gc;
            RefAsNonNull                       0xd4      "ref.as_non_null"                        special                          Reference   1 FunctionReferences;
            BrOnNull(LabelIdx)                 0xd5      "br_on_null"                             special                          Control     1 FunctionReferences;
            BrOnNonNull(LabelIdx)              0xd6      "br_on_non_null"                         special                          Control     1 FunctionReferences;
            I32TruncSatF32S                    0xfc_0000 "i32.trunc_sat_f32_s"                    [f32 -> i32]                     Convert     1 SaturatingFloatToInt;
            I32TruncSatF32U                    0xfc_0001 "i32.trunc_sat_f32_u"                    [f32 -> i32]                     Convert     1 SaturatingFloatToInt;
            I32TruncSatF64S                    0xfc_0002 "i32.trunc_sat_f64_s"                    [f64 -> i32]                     Convert     1 SaturatingFloatToInt;
            I32TruncSatF64U                    0xfc_0003 "i32.trunc_sat_f64_u"                    [f64 -> i32]                     Convert     1 SaturatingFloatToInt;
            I64TruncSatF32S                    0xfc_0004 "i64.trunc_sat_f32_s"                    [f32 -> i64]                     Convert     1 SaturatingFloatToInt;
            I64TruncSatF32U                    0xfc_0005 "i64.trunc_sat_f32_u"                    [f32 -> i64]                     Convert     1 SaturatingFloatToInt;
            I64TruncSatF64S                    0xfc_0006 "i64.trunc_sat_f64_s"                    [f64 -> i64]                     Convert     1 SaturatingFloatToInt;
            I64TruncSatF64U                    0xfc_0007 "i64.trunc_sat_f64_u"                    [f64 -> i64]                     Convert     1 SaturatingFloatToInt;
            MemoryInit(MemoryInit)             0xfc_0008 "memory.init"                            special                          Memory      1 BulkMemory;
            DataDrop(DataIdx)                  0xfc_0009 "data.drop"                              special                          Memory      1 BulkMemory;
            MemoryCopy(MemoryCopy)             0xfc_000a "memory.copy"                            special                          Memory      1 BulkMemory;
            MemoryFill(MemIdx)                 0xfc_000b "memory.fill"                            special                          Memory      1 BulkMemory;
            TableInit(TableInit)               0xfc_000c "table.init"                             special                          Table       1 BulkMemory;
            ElemDrop(ElemIdx)                  0xfc_000d "elem.drop"                              special                          Table       1 BulkMemory;
            TableCopy(TableCopy)               0xfc_000e "table.copy"                             special                          Table       1 BulkMemory;
            TableGrow(TableIdx)                0xfc_000f "table.grow"                             special                          Table       1 ReferenceTypes;
            TableSize(TableIdx)                0xfc_0010 "table.size"                             special                          Table       1 ReferenceTypes;
            TableFill(TableIdx)                0xfc_0011 "table.fill"                             special                          Table       1 ReferenceTypes;
            I64Add128                          0xfc_0013 "i64.add128"                             [i64 i64 i64 i64 -> i64 i64]     Integer     1 WideArithmetic;
            I64Sub128                          0xfc_0014 "i64.sub128"                             [i64 i64 i64 i64 -> i64 i64]     Integer     1 WideArithmetic;
            I64MulWideS                        0xfc_0015 "i64.mul_wide_s"                         [i64 i64 -> i64 i64]             Integer     1 WideArithmetic;
            I64MulWideU                        0xfc_0016 "i64.mul_wide_u"                         [i64 i64 -> i64 i64]             Integer     1 WideArithmetic;
        }
    };
}

core_rows! { [gc_rows simd_rows atomic_rows declare] }

const _: () = assert!(size_of::<Instr<'_>>() <= 24, "an instruction is passed by value on every walk");

impl Op {
    /// Returns the opcode's row.
    #[inline]
    #[must_use]
    pub fn info(self) -> &'static OpInfo {
        &ROWS[self as usize]
    }
}

impl<'a> Instr<'a> {
    /// Reads one instruction.
    ///
    /// # Errors
    /// [`ErrorKind::IllegalOpcode`], [`ErrorKind::Unsupported`], or what the immediate is refused for.
    #[inline]
    pub fn read(r: &mut Reader<'a>) -> Result<Self> {
        let offset = r.offset();
        let byte = r.byte()?;
        if byte >= 0xfb {
            return Self::read_prefixed(r, byte, offset);
        }
        match Self::read_immediate(u32::from(byte), r)? {
            Some(instr) => Ok(instr),
            None => Err(r.error_at(refusal(u32::from(byte)), offset)),
        }
    }

    #[inline(never)]
    fn read_prefixed(r: &mut Reader<'a>, prefix: u8, offset: usize) -> Result<Self> {
        if prefix == 0xff {
            return Err(r.error_at(refusal(0xff), offset));
        }
        let sub = r.var_u32()?;
        let code = u32::from(prefix) << 16 | sub.min(0xffff);
        match Self::read_immediate(code, r)? {
            Some(instr) => Ok(instr),
            None => Err(r.error_at(refusal(code), offset)),
        }
    }
}

/// Why a code outside the table is refused: proposals that are out of scope are refused by name.
fn refusal(code: u32) -> ErrorKind {
    match code {
        0xe0..=0xe6 => ErrorKind::Unsupported { what: "stack switching" },
        0xfb_0020..=0xfb_0027 => ErrorKind::Unsupported { what: "an instruction of custom descriptors" },
        0xfe_004f..=0xfe_0073 => {
            ErrorKind::Unsupported { what: "an instruction of shared-everything threads" }
        }
        _ => ErrorKind::IllegalOpcode { code },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_opcodes_and_no_code_twice() {
        let mut codes = HashSet::new();
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.op as usize, index);
            assert!(codes.insert(row.code), "{} repeats {:#x}", row.name, row.code);
            assert!(row.fuel <= 1, "{}", row.name);
        }
    }

    #[test]
    fn what_costs_nothing_is_what_promise_p2_names() {
        let free: Vec<_> = TABLE.iter().filter(|row| row.fuel == 0).map(|row| row.name).collect();
        assert_eq!(free, ["nop", "block", "loop", "else", "catch", "end", "delegate", "catch_all"]);
    }

    #[test]
    fn accesses_say_how_many_bytes_they_touch() {
        for row in TABLE {
            let accesses =
                matches!(row.class, Class::Load | Class::Store | Class::Rmw | Class::Wait | Class::Notify);
            assert_eq!(row.access_bytes != 0, accesses, "{}", row.name);
            assert!(row.access_bytes == 0 || row.access_bytes.is_power_of_two(), "{}", row.name);
        }
    }
}

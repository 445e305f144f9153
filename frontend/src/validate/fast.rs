//! The hot loop over a body: what most one-byte opcodes do, computed from THE TABLE, without making an `Instr` of each.
//!
//! A [`Row`] says for a byte how its immediate is passed over and how the operand stack changes. Whatever is not plain
//! (types that only match by subtyping, code that cannot be reached, a wrong operand) goes to the same functions as
//! every other instruction, which decide and make the error.

use crate::error::{ErrorKind, Result};
use crate::features::Feature;
use crate::instr::{Immediate, MemArg};
use crate::opcode::{Effect, Instr, Op, OpInfo, TABLE};
use crate::reader::Reader;
use crate::types::{FuncIdx, GlobalIdx, LabelIdx, LocalIdx, ValType};
use crate::validate::func::FuncValidator;

/// What the hot loop does with an opcode.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Read as an instruction and apply that.
    General,
    /// Push; the immediate is an integer in LEB128.
    IntegerConst,
    /// Push; the immediate has as many bytes as the value.
    FloatConst,
    /// Replace the topmost operand.
    Unary,
    /// Replace the two topmost operands, which are of one type.
    Binary,
    /// Replace an address by what is there.
    Load,
    /// Take an address and a value.
    Store,
    LocalGet,
    LocalSet,
    LocalTee,
    GlobalGet,
    End,
    Br,
    BrIf,
    Call,
}

/// What a one-byte opcode does.
#[derive(Clone, Copy)]
struct Row {
    step: Step,
    /// Bytes that the access touches, as a binary logarithm.
    natural_align: u8,
    /// What is taken, the address aside.
    param: ValType,
    result: ValType,
}

static ROWS: [Row; 256] = rows();

const fn rows() -> [Row; 256] {
    let general =
        Row { step: Step::General, natural_align: 0, param: ValType::BOTTOM, result: ValType::BOTTOM };
    let mut rows = [general; 256];
    let mut index = 0;
    while index < TABLE.len() {
        let info = &TABLE[index];
        // Other features are looked up by `by_row`, which can refuse them.
        if info.code < 0x100 && matches!(info.feature, Feature::Mvp) {
            rows[info.code as usize] = row(info);
        }
        index += 1;
    }
    rows
}

const fn row(info: &OpInfo) -> Row {
    let (param, result, step) = match info.effect {
        Effect::Fixed { params: [], results: [result] } => {
            let integer = matches!(info.op, Op::I32Const | Op::I64Const);
            (None, result.val(), if integer { Step::IntegerConst } else { Step::FloatConst })
        }
        Effect::Fixed { params: [_], results: [result] } if info.access_bytes > 0 => {
            (None, result.val(), Step::Load)
        }
        Effect::Fixed { params: [_, value], results: [] } if info.access_bytes > 0 => {
            (value.val(), None, Step::Store)
        }
        Effect::Fixed { params: [param], results: [result] } => (param.val(), result.val(), Step::Unary),
        Effect::Fixed { params: [first, second], results: [result] } if *first as u8 == *second as u8 => {
            (first.val(), result.val(), Step::Binary)
        }
        _ => (None, None, special(info.op)),
    };
    let natural_align = info.access_bytes.trailing_zeros() as u8;
    Row { step, natural_align, param: or_bottom(param), result: or_bottom(result) }
}

const fn or_bottom(ty: Option<ValType>) -> ValType {
    match ty {
        Some(ty) => ty,
        None => ValType::BOTTOM,
    }
}

const fn special(op: Op) -> Step {
    match op {
        Op::LocalGet => Step::LocalGet,
        Op::LocalSet => Step::LocalSet,
        Op::LocalTee => Step::LocalTee,
        Op::GlobalGet => Step::GlobalGet,
        Op::End => Step::End,
        Op::Br => Step::Br,
        Op::BrIf => Step::BrIf,
        Op::Call => Step::Call,
        _ => Step::General,
    }
}

impl<'m> FuncValidator<'m> {
    /// Applies the instructions of a body up to the `end` that closes it.
    pub(super) fn instructions(&mut self, r: &mut Reader<'m>) -> Result<()> {
        loop {
            self.offset = r.offset();
            let Some(byte) = r.peek() else {
                return Err(r.error(ErrorKind::EndExpected { open: self.n_frames() }));
            };
            let row = &ROWS[byte as usize];
            match row.step {
                Step::General => {
                    let instr = Instr::read(r)?;
                    self.instr(&instr)?;
                }
                Step::IntegerConst => {
                    r.pass(1);
                    if row.result == ValType::I32 {
                        r.var_i32()?;
                    } else {
                        r.var_i64()?;
                    }
                    self.push(row.result);
                }
                Step::FloatConst => {
                    r.pass(1);
                    if row.result == ValType::F32 {
                        r.array::<4>()?;
                    } else {
                        r.array::<8>()?;
                    }
                    self.push(row.result);
                }
                Step::Unary => {
                    r.pass(1);
                    self.unary(row.param, row.result)?;
                }
                Step::Binary => {
                    r.pass(1);
                    self.binary(row.param, row.result)?;
                }
                Step::Load => {
                    r.pass(1);
                    let address = self.plain_access(MemArg::read(r)?, row.natural_align)?;
                    self.unary(address, row.result)?;
                }
                Step::Store => {
                    r.pass(1);
                    let address = self.plain_access(MemArg::read(r)?, row.natural_align)?;
                    self.pop(row.param)?;
                    self.pop(address)?;
                }
                Step::LocalGet => {
                    r.pass(1);
                    self.local_get(LocalIdx::read(r)?)?;
                }
                Step::LocalSet => {
                    r.pass(1);
                    self.local_set(LocalIdx::read(r)?)?;
                }
                Step::LocalTee => {
                    r.pass(1);
                    self.local_tee(LocalIdx::read(r)?)?;
                }
                Step::GlobalGet => {
                    r.pass(1);
                    self.global_get(GlobalIdx::read(r)?)?;
                }
                Step::Br => {
                    r.pass(1);
                    self.br(LabelIdx::read(r)?)?;
                }
                Step::BrIf => {
                    r.pass(1);
                    self.br_if(LabelIdx::read(r)?)?;
                }
                Step::Call => {
                    r.pass(1);
                    self.call(FuncIdx::read(r)?)?;
                }
                Step::End => {
                    r.pass(1);
                    self.end()?;
                    if self.is_finished() {
                        break;
                    }
                }
            }
        }
        if r.is_empty() { Ok(()) } else { Err(r.error(ErrorKind::BytesAfterEnd { left: r.left() })) }
    }

    #[inline(always)]
    fn unary(&mut self, param: ValType, result: ValType) -> Result<()> {
        if let Some([.., top]) = self.frame_operands()
            && *top == param
        {
            *top = result;
            return Ok(());
        }
        self.pop(param)?;
        self.push(result);
        Ok(())
    }

    #[inline(always)]
    fn binary(&mut self, param: ValType, result: ValType) -> Result<()> {
        if let Some([.., first, second]) = self.frame_operands()
            && *first == param
            && *second == param
        {
            *first = result;
            self.drop_top();
            return Ok(());
        }
        self.pop(param)?;
        self.pop(param)?;
        self.push(result);
        Ok(())
    }
}

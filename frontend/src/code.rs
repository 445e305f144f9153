//! Walks over the bytes of a body or a constant expression, one instruction at a time.

use crate::error::{ErrorKind, Result};
use crate::limits;
use crate::module::{Body, ConstExpr, ElementItems, ElementSegment, Module, Span};
use crate::opcode::{Class, Instr, Op, OpInfo, TABLE};
use crate::reader::Reader;
use crate::types::{FuncIdx, ValType};

const BODY: &str = "a function body";

/// The instructions of a body or a constant expression, with their absolute offsets.
#[derive(Clone, Debug)]
pub struct Instrs<'a>(pub(crate) Reader<'a>);

impl<'a> Instrs<'a> {
    /// Reads the next instruction and the absolute offset of its first byte; `None` behind the last.
    ///
    /// # Errors
    /// What the instruction is refused for; never, in a module that has been validated.
    #[inline]
    pub fn try_next(&mut self) -> Result<Option<(u32, Instr<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let offset = self.0.offset32();
        Ok(Some((offset, Instr::read(&mut self.0)?)))
    }

    /// Shows every instruction that is left to `visit`, between the absolute offsets of its first byte and of the next one.
    /// It is shown where it was read: to move an instruction costs more than to read most of them. For modules that have been
    /// validated: an instruction that cannot be read ends the walk.
    #[inline(always)]
    pub fn visit(mut self, mut visit: impl FnMut(u32, &Instr<'a>, u32)) {
        while !self.0.is_empty() {
            let offset = self.0.offset32();
            match &Instr::read(&mut self.0) {
                Ok(instr) => visit(offset, instr, self.0.offset32()),
                Err(error) => {
                    debug_assert!(false, "{error}");
                    return;
                }
            }
        }
    }

    /// As [`Instrs::visit`], but for plain instructions, which are passed over: `visit` is told first how many of them stand
    /// in front of what it is shown. Plain is what goes on to the next instruction whatever happens, calls nothing, costs
    /// one unit of fuel, and is of one byte and a simple immediate; all else is shown, the `end` of the body last.
    #[inline(always)]
    pub fn visit_control(mut self, mut visit: impl FnMut(u32, u32, &Instr<'a>, u32)) {
        let r = &mut self.0;
        let mut n_plain = 0;
        while let Some(byte) = r.peek() {
            let offset = r.offset32();
            n_plain += 1;
            match PASSES[usize::from(byte)] {
                Pass::Nothing => r.pass(1),
                Pass::Integer => {
                    r.pass(1);
                    r.pass_integer();
                }
                Pass::Access => {
                    r.pass(1);
                    r.pass_access();
                }
                Pass::Bytes(n) => r.pass(1 + usize::from(n)),
                Pass::Shown => match &Instr::read(r) {
                    Ok(instr) => {
                        visit(n_plain - 1, offset, instr, r.offset32());
                        n_plain = 0;
                    }
                    Err(error) => {
                        debug_assert!(false, "{error}");
                        return;
                    }
                },
            }
        }
    }

    /// Returns the absolute offset of the next instruction.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.0.offset32()
    }
}

/// How [`Instrs::visit_control`] passes over an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// It does not.
    Shown,
    /// There is no immediate.
    Nothing,
    /// An index or an integer constant.
    Integer,
    /// Alignment and offset.
    Access,
    /// A constant of so many bytes.
    Bytes(u8),
}

static PASSES: [Pass; 256] = passes();

const fn passes() -> [Pass; 256] {
    let mut passes = [Pass::Shown; 256];
    let mut index = 0;
    while index < TABLE.len() {
        let info = &TABLE[index];
        if info.code < 0x100 && info.fuel == 1 {
            passes[info.code as usize] = pass(info);
        }
        index += 1;
    }
    passes
}

const fn pass(info: &OpInfo) -> Pass {
    match info.class {
        Class::Variable => Pass::Integer,
        Class::Load | Class::Store => Pass::Access,
        Class::Compare | Class::Integer | Class::Bitwise | Class::Float | Class::Convert => Pass::Nothing,
        _ => match info.op {
            Op::I32Const | Op::I64Const => Pass::Integer,
            Op::F32Const => Pass::Bytes(4),
            Op::F64Const => Pass::Bytes(8),
            Op::Drop | Op::Select => Pass::Nothing,
            _ => Pass::Shown,
        },
    }
}

/// For modules that have been validated: an instruction that cannot be read ends the walk.
impl<'a> Iterator for Instrs<'a> {
    type Item = (u32, Instr<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let next = self.try_next();
        debug_assert!(next.is_ok(), "{next:?}");
        next.ok().flatten()
    }
}

/// Reads the declarations of locals in front of a body's instructions, `declare` being called for each run with
/// how many locals of which type. `n_params` counts towards the limit.
///
/// # Errors
/// [`ErrorKind::TooMany`], [`ErrorKind::MalformedByte`] and the reader's.
pub(crate) fn read_locals(
    r: &mut Reader<'_>,
    n_params: u32,
    mut declare: impl FnMut(u32, ValType) -> Result<()>,
) -> Result<()> {
    let mut total = u64::from(n_params);
    let runs = r.var_u32()?;
    for _ in 0..runs {
        let offset = r.offset();
        let count = r.var_u32()?;
        total += u64::from(count);
        if total > u64::from(limits::LOCALS) {
            let kind = ErrorKind::TooMany { what: "locals", count: total, limit: limits::LOCALS.into() };
            return Err(r.error_at(kind, offset));
        }
        declare(count, ValType::read(r)?)?;
    }
    Ok(())
}

impl Module {
    /// Returns a reader of a body.
    pub(crate) fn body_reader(&self, body: Body) -> Reader<'_> {
        Reader::new(self.bytes(), body.0, self.features, BODY)
    }

    /// Returns the types of a defined function's locals, without its parameters, and its instructions.
    ///
    /// # Errors
    /// What the declarations of locals are refused for; never, in a module that has been validated.
    pub fn code(&self, body: Body) -> Result<(Vec<(u32, ValType)>, Instrs<'_>)> {
        let mut r = self.body_reader(body);
        let mut locals = Vec::new();
        read_locals(&mut r, 0, |count, ty| {
            locals.push((count, ty));
            Ok(())
        })?;
        Ok((locals, Instrs(r)))
    }

    /// Returns the instructions of a defined function alone.
    ///
    /// # Errors
    /// What the declarations of locals are refused for; never, in a module that has been validated.
    pub fn instructions(&self, body: Body) -> Result<Instrs<'_>> {
        let mut r = self.body_reader(body);
        read_locals(&mut r, 0, |_, _| Ok(()))?;
        Ok(Instrs(r))
    }

    /// Returns the instructions of a constant expression, the final `end` included.
    #[must_use]
    pub fn const_expr(&self, expr: ConstExpr) -> Instrs<'_> {
        Instrs(Reader::new(self.bytes(), expr.0, self.features, "a constant expression"))
    }

    /// Yields the entries of an element segment in order.
    pub fn element_entries(&self, segment: &ElementSegment) -> impl Iterator<Item = ElementEntry> + use<'_> {
        let mut r = Reader::new(self.bytes(), segment.span, self.features, "an element segment");
        let items = segment.items;
        core::iter::from_fn(move || {
            if r.is_empty() {
                return None;
            }
            match items {
                ElementItems::Functions => Some(ElementEntry::Func(FuncIdx(r.var_u32().ok()?))),
                ElementItems::Expressions => {
                    let start = r.offset32();
                    while !matches!(Instr::read(&mut r).ok()?, Instr::End) {}
                    Some(ElementEntry::Expr(ConstExpr(Span { start, end: r.offset32() })))
                }
            }
        })
    }
}

/// An entry of an element segment.
#[derive(Clone, Copy, Debug)]
pub enum ElementEntry {
    /// A reference to a function.
    Func(FuncIdx),
    /// The value of a constant expression.
    Expr(ConstExpr),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::{Flow, flow};
    use crate::features::Features;
    use crate::module::Span;

    /// Immediates of every kind, in one byte and in several.
    const CODE: &[u8] = &[
        0x20, 0xc8, 0x01, // local.get 200
        0x41, 0xc0, 0x84, 0x3d, // i32.const 1000000
        0x42, 0x7f, // i64.const -1
        0x43, 0, 0, 0x80, 0x3f, // f32.const 1
        0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, // f64.const 1
        0x01, // nop
        0x28, 0x02, 0x90, 0x01, // i32.load offset=144
        0x29, 0x43, 0x81, 0x01, 0x05, // i64.load 129 offset=5
        0x3a, 0x00, 0x00, // i32.store8
        0x1a, 0x1b, // drop, select
        0x1c, 0x01, 0x7f, // select (result i32)
        0x6a, 0x92, 0xa7, 0xc0, // i32.add, f32.add, i32.wrap_i64, i32.extend8_s
        0x24, 0x05, // global.set 5
        0x10, 0x85, 0x01, // call 133
        0x0d, 0x00, // br_if 0
        0x3f, 0x00, // memory.size
        0xd0, 0x70, // ref.null func
        0xfd, 0x0c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, // v128.const
        0xfc, 0x00, // i32.trunc_sat_f32_s
        0x45, // i32.eqz
        0x0b, // end
    ];

    #[test]
    fn what_is_passed_over_is_plain_and_nothing_else_is_lost() {
        let span = Span { start: 0, end: u32::try_from(CODE.len()).unwrap() };
        let instrs = Instrs(Reader::new(CODE, span, Features::default(), BODY));
        let all: Vec<_> = instrs.clone().collect();
        let (mut at, mut n_passed) = (0, 0);
        instrs.visit_control(|n_plain, offset, instr, next| {
            let (passed, rest) = all[at..].split_at(n_plain as usize);
            for (_, instr) in passed {
                let info = instr.op().info();
                assert!(
                    flow(instr) == Flow::Next && info.class != Class::Call && info.fuel == 1,
                    "{instr:?}"
                );
            }
            assert_eq!(rest[0], (offset, *instr));
            assert_eq!(next, rest.get(1).map_or(span.end, |(offset, _)| *offset));
            at += passed.len() + 1;
            n_passed += passed.len();
        });
        assert_eq!((at, n_passed), (all.len(), 16));
    }
}

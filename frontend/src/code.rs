//! Walks over the bytes of a body or a constant expression, one instruction at a time.

use crate::error::{ErrorKind, Result};
use crate::limits;
use crate::module::{Body, ConstExpr, ElementItems, ElementSegment, Module, Span};
use crate::opcode::Instr;
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

    /// Returns the absolute offset of the next instruction.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.0.offset32()
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

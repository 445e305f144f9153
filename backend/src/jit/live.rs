//! How many values are live at once. Allocating registers takes time by about the square of their number (20,000 took 17
//! seconds), and no deadline stops it within a function; a body that may have too many is refused before (attack A053).

use std::collections::HashSet;

use cranelift_codegen::ir::{Opcode, Value};

use super::translate::Translator;

/// Most values on the operand stack, and most in locals. Constants do not count: they are made where they are needed.
pub(super) const MOST: usize = 12_000;
/// How many operands are pushed between two looks at the whole stack, at least, and by how many are on it: a look costs
/// by their number.
pub(super) const SLACK: usize = 1_000;
const OPERANDS_OF_A_LOOK: usize = 64;

/// What is known of the values that are live.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Different values on the operand stack when it was looked at.
    distinct: usize,
    /// Length of the stack below which nothing has changed since.
    unchanged: usize,
    /// How many values that are no constants were put into locals.
    n_set: usize,
}

impl Translator<'_> {
    /// Notes that a value goes into a local.
    pub(super) fn note_set(&mut self, value: Value) {
        self.alive.n_set += usize::from(!self.is_constant(value));
    }

    /// Returns whether more values may be live than can be compiled in time.
    pub(super) fn has_too_many_live(&mut self) -> bool {
        if self.alive.n_set > MOST && self.locals.len() > MOST {
            return true;
        }
        let len = self.stack.len();
        self.alive.unchanged = self.alive.unchanged.min(len);
        let at_most = self.alive.distinct + (len - self.alive.unchanged);
        if at_most <= MOST + SLACK.max(len / OPERANDS_OF_A_LOOK) {
            return false;
        }
        let different: HashSet<_> = self.stack.iter().filter(|value| !self.is_constant(**value)).collect();
        (self.alive.distinct, self.alive.unchanged) = (different.len(), len);
        self.alive.distinct > MOST
    }

    fn is_constant(&self, value: Value) -> bool {
        let dfg = &self.b.func.dfg;
        dfg.value_def(value).inst().is_some_and(|inst| {
            let opcode = dfg.insts[inst].opcode();
            matches!(opcode, Opcode::Iconst | Opcode::F32const | Opcode::F64const | Opcode::Vconst)
        })
    }
}

//! From ops back to instructions, by translating again: a trap and a backtrace are rare, a table of offsets is not free.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use wasmos_frontend::blocks::{self, Flow};
use wasmos_frontend::types::FuncIdx;

use crate::interp::ModuleCode;
use crate::interp::regs::Registers;
use crate::interp::translate::{ENTRY, Trace, trace};
use crate::vm::header;
use crate::vm::state::State;

/// Bodies that have been translated again. A recursion needs one translation.
#[derive(Default)]
pub(crate) struct Finder {
    traces: HashMap<(usize, u32), Trace>,
}

impl Finder {
    fn trace(&mut self, code: &Arc<ModuleCode>, func: FuncIdx) -> &Trace {
        let key = (Arc::as_ptr(code).addr(), func.0);
        self.traces.entry(key).or_insert_with(|| trace_of(code, func))
    }

    /// Returns the offset of the instruction whose op is at `ip`.
    pub(crate) fn at(&mut self, code: &Arc<ModuleCode>, func: FuncIdx, ip: *const u64) -> u32 {
        let word = word_of(code, func, ip);
        self.trace(code, func).origin(word).offset
    }

    /// Returns the offset of a function's first instruction.
    pub(crate) fn entry(&mut self, code: &Arc<ModuleCode>, func: FuncIdx) -> u32 {
        self.trace(code, func).first()
    }
}

/// Translates a function again that has a frame. One that was refused when it was called has nothing to be found.
fn trace_of(code: &ModuleCode, func: FuncIdx) -> Trace {
    code.runnable(func).map_or_else(|_| Trace::default(), |body| trace(code, body))
}

/// Returns how many words an instruction pointer lies behind the beginning of its body.
fn word_of(code: &ModuleCode, func: FuncIdx, ip: *const u64) -> usize {
    let Some(cell) = code.cell(func) else { return 0 };
    // SAFETY: V6. What is published lives as long as the cell.
    let entry = unsafe { (*cell.body.load(Ordering::Acquire)).entry };
    (ip.addr().wrapping_sub(entry.addr()) / 8).wrapping_add(ENTRY)
}

/// Returns what was charged for instructions behind the one that trapped.
pub(crate) fn not_run(state: &State, registers: &Registers) -> u32 {
    // SAFETY: V5. The frame that trapped stands.
    let frame = unsafe { header(registers.fp) };
    let Some(instance) = frame.instance else { return 0 };
    let code = &state.instance(instance).code;
    let func = FuncIdx(frame.func);
    let Ok(body) = code.runnable(func) else { return 0 };
    let origin = trace(code, body).origin(word_of(code, func, registers.ip));
    let instrs = code.module().code(body.body());
    let instr = instrs.ok().and_then(|(_, mut instrs)| instrs.find(|(at, _)| *at == origin.offset));
    // What ends a charge has nothing charged behind it.
    let ends = instr
        .is_none_or(|(_, instr)| blocks::ends_charge(&instr) || !matches!(blocks::flow(&instr), Flow::Next));
    if ends { 0 } else { blocks::not_run(body, origin.offset) + origin.ahead }
}

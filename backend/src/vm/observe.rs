//! Observing a run: which instructions it stops in front of, and what can be seen there.
//!
//! Instances of [`ModuleCode::observed`](crate::interp::ModuleCode::observed) code can be observed; nobody else pays for
//! it. An observed run leaves with [`crate::vm::Exit::Step`] and is resumed, as for anything else that happens.

use std::collections::BTreeSet;

use wasmos_frontend::types::{FuncIdx, ValType};

use crate::interp::ModuleCode;
use crate::interp::translate::{locals, operands};
use crate::vm::activation::{Phase, header};
use crate::vm::state::State;
use crate::vm::{InstanceId, Machine};

/// Which instructions of observed instances a machine stops in front of, besides breakpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// None.
    #[default]
    Nothing,
    /// The first instruction of each function that is entered.
    Calls,
    /// The first instruction of each block: of each charge of fuel.
    Blocks,
    /// All of them.
    Instructions,
}

impl Watch {
    /// Returns the kinds of places that it means, as bits.
    const fn kinds(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Calls => kind::ENTRY,
            Self::Blocks => kind::BLOCK,
            Self::Instructions => kind::INSTRUCTION,
        }
    }
}

/// The kinds of places, as bits: each place is an instruction.
pub(crate) mod kind {
    pub(crate) const INSTRUCTION: u32 = 1;
    pub(crate) const BLOCK: u32 = 2;
    pub(crate) const ENTRY: u32 = 4;
}

/// An instruction that is about to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The instance.
    pub instance: InstanceId,
    /// The function, in the instance's index space.
    pub func: FuncIdx,
    /// Absolute byte offset of the instruction in the module.
    pub offset: u32,
    /// Units that are charged already for this instruction and what stands behind it in its block.
    pub ahead: u32,
    /// Whether a breakpoint stands here.
    pub is_breakpoint: bool,
    /// Whether this is what the machine watches for.
    pub is_watched: bool,
}

/// What a machine watches for.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    kinds: u32,
    is_stepping: bool,
    breakpoints: BTreeSet<(InstanceId, u32)>,
    /// The place that the run goes on from has been seen.
    pub(crate) is_seen: bool,
}

impl Watcher {
    /// Returns whether to stop at a place.
    pub(crate) fn stops(&mut self, instance: InstanceId, offset: u32, kinds: u32) -> bool {
        if core::mem::take(&mut self.is_seen) {
            return false;
        }
        self.kinds & kinds != 0 || self.is_stepping || self.has_breakpoint(instance, offset)
    }

    fn has_breakpoint(&self, instance: InstanceId, offset: u32) -> bool {
        !self.breakpoints.is_empty() && self.breakpoints.contains(&(instance, offset))
    }
}

impl Machine {
    /// Watches for such places from now on.
    pub fn watch(&mut self, watch: Watch) {
        self.state_mut().watcher.kinds = watch.kinds();
    }

    /// Stops in front of each instruction, whatever is watched for, or does so no longer.
    pub fn set_stepping(&mut self, is_stepping: bool) {
        self.state_mut().watcher.is_stepping = is_stepping;
    }

    /// Returns whether each instruction is stopped at.
    #[must_use]
    pub fn is_stepping(&self) -> bool {
        self.state().watcher.is_stepping
    }

    /// Sets or removes a breakpoint on the instruction at an offset of an instance's module; returns whether there is
    /// such an instruction and the instance is observed.
    ///
    /// # Panics
    /// If there is no such instance.
    pub fn set_breakpoint(&mut self, instance: InstanceId, offset: u32, is_set: bool) -> bool {
        let state = self.state_mut();
        let code = &state.instance(instance).code;
        if !code.is_observed() || !is_instruction(code, offset) {
            return false;
        }
        if is_set {
            state.watcher.breakpoints.insert((instance, offset));
        } else {
            state.watcher.breakpoints.remove(&(instance, offset));
        }
        true
    }

    /// Returns where the topmost activation stands; `None` unless it has left with [`crate::vm::Exit::Step`].
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        let state = self.state();
        state.activations.last().filter(|top| top.phase == Phase::Observed)?;
        state.place()
    }

    /// Returns the locals of the frame at [`Machine::place`], parameters first: types and slots. It takes time in
    /// proportion to the body.
    #[must_use]
    pub fn locals(&self) -> Vec<(ValType, [u64; 2])> {
        let state = self.state();
        let Some(place) = self.place() else { return Vec::new() };
        let code = &state.instance(place.instance).code;
        let locals = code.runnable(place.func).map_or_else(|_| Vec::new(), |body| locals(code, body));
        locals.into_iter().map(|(slot, ty)| (ty, state.slots(slot, ty))).collect()
    }

    /// Returns the operands of the frame at [`Machine::place`], the lowest first: types and slots. References count as
    /// `i64`. It takes time in proportion to the body.
    #[must_use]
    pub fn operands(&self) -> Vec<(ValType, [u64; 2])> {
        let state = self.state();
        let Some(place) = self.place() else { return Vec::new() };
        let code = &state.instance(place.instance).code;
        let body = code.runnable(place.func);
        let operands = body.map_or_else(|_| Vec::new(), |body| operands(code, body, place.offset));
        operands.into_iter().map(|(slot, ty)| (ty, state.slots(slot, ty))).collect()
    }
}

/// Returns whether an instruction of a body that can run begins at an offset.
fn is_instruction(code: &ModuleCode, offset: u32) -> bool {
    let module = code.module();
    let behind = module.bodies.partition_point(|body| body.0.start <= offset);
    let Some(position) = behind.checked_sub(1) else { return false };
    let Ok(body) = code.runnable(module.defined_func(position)) else { return false };
    module.code(body.body()).is_ok_and(|(_, mut instrs)| instrs.any(|(at, _)| at == offset))
}

impl State {
    /// Returns the place of the `observe` op that the topmost activation left from.
    pub(crate) fn place(&self) -> Option<Place> {
        let registers = &self.registers;
        // SAFETY: V5, V6. The frame stands, and the run left from an `observe` op.
        let (frame, offset, ahead, kinds) =
            unsafe { (header(registers.fp), registers.u32(8), registers.u32(12), registers.u32(16)) };
        let instance = frame.instance?;
        Some(Place {
            instance,
            func: FuncIdx(frame.func),
            offset,
            ahead,
            is_breakpoint: self.watcher.has_breakpoint(instance, offset),
            is_watched: self.watcher.kinds & kinds != 0,
        })
    }

    /// Returns the slots of a value in the topmost frame; the second is 0 unless it is a vector.
    fn slots(&self, slot: u32, ty: ValType) -> [u64; 2] {
        // SAFETY: V5, V7. The slots are those that translation gave to the value, in a frame that stands.
        unsafe {
            let at = self.registers.fp.add(slot as usize);
            [*at, if ty == ValType::V128 { *at.add(1) } else { 0 }]
        }
    }
}

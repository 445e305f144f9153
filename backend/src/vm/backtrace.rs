//! Which functions were being run, and where.

use wasmos_frontend::types::FuncIdx;

use crate::interp::Registers;
use crate::interp::offsets::Finder;
use crate::interp::ops::call::NO_FUNC;
use crate::vm::activation::{Activation, Phase, header};
use crate::vm::{InstanceId, Machine};

/// A frame of guest code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The instance.
    pub instance: InstanceId,
    /// The function, in the instance's index space.
    pub func: FuncIdx,
    /// Absolute byte offset in the module: of the instruction that trapped or stopped in the innermost frame, of the
    /// call in the others.
    pub offset: u32,
}

/// Frames of all activations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backtrace {
    /// Innermost first.
    pub frames: Vec<Frame>,
    /// How many frames were left out, behind the first [`Backtrace::INNERMOST`].
    pub left_out: u32,
}

impl Backtrace {
    /// How many frames next to the innermost are told.
    pub const INNERMOST: usize = 64;
    /// How many frames next to the outermost are told.
    pub const OUTERMOST: usize = 16;
}

/// A frame, before its offset is looked for.
#[derive(Clone, Copy)]
struct Raw {
    instance: InstanceId,
    func: FuncIdx,
    place: Place,
}

/// Where in its code a frame stands.
#[derive(Clone, Copy)]
enum Place {
    /// At the op.
    Op(*const u64),
    /// Behind the op that called.
    Behind(*const u64),
    /// In front of the first instruction.
    Entry,
}

impl Machine {
    /// Returns the frames of all activations.
    #[must_use]
    pub fn backtrace(&self) -> Backtrace {
        let state = self.state();
        if let Some(native) = &state.native {
            return native.backtrace();
        }
        let mut kept = Kept::default();
        if let Some((func, instance)) = state.entering {
            kept.push(Raw { instance, func, place: Place::Entry });
        }
        for (depth, (activation, registers)) in state.frames().enumerate() {
            walk(activation, registers, depth == 0 && state.entering.is_some(), |raw| kept.push(raw));
        }
        let (raws, left_out) = kept.finish();
        let mut finder = Finder::default();
        let frames = raws.into_iter().map(|raw| {
            let code = &state.instance(raw.instance).code;
            let offset = match raw.place {
                Place::Op(ip) => finder.at(code, raw.func, ip),
                Place::Behind(ip) => finder.at(code, raw.func, ip.wrapping_sub(1)),
                Place::Entry => finder.entry(code, raw.func),
            };
            Frame { instance: raw.instance, func: raw.func, offset }
        });
        Backtrace { frames: frames.collect(), left_out }
    }
}

/// Hands out the frames of an activation, innermost first. `returned` is whether its instruction pointer is a return
/// address.
fn walk(activation: &Activation, registers: &Registers, returned: bool, mut frame: impl FnMut(Raw)) {
    if matches!(activation.phase, Phase::Returned) || activation.never_began() {
        return;
    }
    let (mut fp, mut ip) = (registers.fp, registers.ip);
    let mut returned = returned;
    while !fp.is_null() {
        // SAFETY: V5. Frames of an activation that was left stand.
        let header = unsafe { header(fp) };
        if let (Some(instance), true) = (header.instance, header.func != NO_FUNC) {
            let place = if returned { Place::Behind(ip) } else { Place::Op(ip) };
            frame(Raw { instance, func: FuncIdx(header.func), place });
        }
        (fp, ip, returned) = (header.caller, header.back, true);
    }
}

/// The innermost and the outermost frames.
pub(crate) struct Kept<T> {
    innermost: Vec<T>,
    outermost: std::collections::VecDeque<T>,
    left_out: u32,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { innermost: Vec::new(), outermost: std::collections::VecDeque::new(), left_out: 0 }
    }
}

impl<T> Kept<T> {
    pub(crate) fn push(&mut self, frame: T) {
        if self.innermost.len() < Backtrace::INNERMOST {
            return self.innermost.push(frame);
        }
        self.outermost.push_back(frame);
        if self.outermost.len() > Backtrace::OUTERMOST {
            self.outermost.pop_front();
            self.left_out += 1;
        }
    }

    pub(crate) fn finish(mut self) -> (Vec<T>, u32) {
        self.innermost.extend(self.outermost);
        (self.innermost, self.left_out)
    }
}

//! Which functions of native code were being run, and where.

use wasmos_frontend::blocks;
use wasmos_frontend::types::FuncIdx;

use super::run::{Code, Native, Place, Run, links};
use crate::vm::{Backtrace, Frame, Kept};

impl Native {
    /// Returns the frames of all activations.
    pub(crate) fn backtrace(&self) -> Backtrace {
        let mut kept = Kept::default();
        for run in self.active().iter().rev() {
            self.walk(run, |code, func, offset| {
                kept.push(Frame { instance: code.instance, func, offset });
                true
            });
        }
        let (frames, left_out) = kept.finish();
        Backtrace { frames, left_out }
    }

    /// Hands out code, function and offset of each frame of an activation, innermost first, until `frame` has enough.
    fn walk(&self, run: &Run, mut frame: impl FnMut(&Code, FuncIdx, u32) -> bool) {
        let mut link = match run.place() {
            Place::Nowhere => return,
            Place::Thunk(link) => link,
            Place::Fault(fault) => {
                let found = self.codes.iter().find_map(|code| {
                    let pc = code.displacement(fault.pc)?;
                    Some((code, code.compiled().func_at(pc)?, code.compiled().trap_at(pc)?.offset))
                });
                if let Some((code, func, offset)) = found
                    && !frame(code, func, offset)
                {
                    return;
                }
                fault.frame
            }
        };
        loop {
            let (caller, back) = links(link);
            let found = self.codes.iter().find_map(|code| {
                let pc = code.displacement(back)?;
                Some((code, code.compiled().func_at(pc)?, code.compiled().call_before(pc)?))
            });
            let Some((code, func, offset)) = found else { return };
            if !frame(code, func, offset) {
                return;
            }
            link = caller;
        }
    }

    /// Returns what the frames of an activation cost of the call depth, in bytes.
    pub(super) fn cost_of_frames(&self, run: &Run) -> u64 {
        let mut cost = 0;
        self.walk(run, |code, func, _| {
            cost += code.module.runnable(func).map_or(0, |body| u64::from(body.frame_cost().bytes()));
            true
        });
        cost
    }

    /// Returns what the topmost activation, which trapped, has been charged for instructions behind the one that did.
    pub(super) fn not_run(&self) -> u32 {
        let mut units = 0;
        let Some(run) = self.top() else { return 0 };
        self.walk(run, |code, func, offset| {
            units = code.module.runnable(func).map_or(0, |body| blocks::not_run(body, offset));
            false
        });
        units
    }
}

//! What a run adds to what is known of a module: plain data, filled by whoever ran it. Nothing here runs anything.

use std::collections::BTreeMap;

use wasmos_frontend::ValidModule;
use wasmos_frontend::types::FuncIdx;

use crate::cfg::{BlockIdx, Cfg};

/// How much of something a run used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of what, with its unit: `fuel`, `memory in bytes`.
    pub what: &'static str,
    /// How much.
    pub used: u64,
    /// How much it was allowed to use; `None` without a limit.
    pub limit: Option<u64>,
}

/// How often a host function was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCalls {
    /// The module's name: untrusted text.
    pub module: String,
    /// The name there: untrusted text.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// Something that the host refused, or that the guest told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Fuel used when it happened.
    pub fuel: u64,
    /// What: `refused`, `log`, `alert 2`; guest text in it is escaped.
    pub what: String,
    /// The guest's words: untrusted bytes.
    pub text: Vec<u8>,
}

/// How often instructions of a module ran: those in front of which fuel is charged, by function and absolute offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<FuncIdx, BTreeMap<u32, u64>>);

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// The word for how it ended: `returned`, `trapped`, `out_of_fuel`.
    pub ending: &'static str,
    /// Whether that is what one hopes for.
    pub is_fine: bool,
    /// How it ended, as sentences: guest text in them is escaped.
    pub sentences: Vec<String>,
    /// What it used.
    pub usage: Vec<Usage>,
    /// Calls of the host, the most frequent first.
    pub host_calls: Vec<HostCalls>,
    /// What was refused or told, in order.
    pub happened: Vec<Happened>,
    /// How many of these are not kept.
    pub n_forgotten: u64,
    /// What ran.
    pub counts: Counts,
}

impl RunFacts {
    /// Returns how often a host function was called.
    #[must_use]
    pub fn n_calls(&self, module: &str, name: &str) -> u64 {
        let same = self.host_calls.iter().filter(|call| call.module == module && call.name == name);
        same.map(|call| call.count).sum()
    }

    /// Returns whether the block ran that an offset of a function stands in.
    #[must_use]
    pub fn ran_at(&self, module: &ValidModule, func: FuncIdx, offset: u32) -> bool {
        if !self.counts.entered(func) {
            return false;
        }
        let position = func.0.checked_sub(module.n_imported_funcs);
        let Some(body) = position.and_then(|at| module.bodies.get(at as usize)) else { return false };
        let cfg = Cfg::build(module, *body);
        let counts = self.counts.blocks(func, &cfg);
        cfg.block_at(offset).is_none_or(|block| counts.get(block.index()).is_some_and(|count| *count > 0))
    }
}

impl Counts {
    /// Counts one more run of an instruction.
    pub fn add(&mut self, func: FuncIdx, offset: u32) {
        let count = self.0.entry(func).or_default().entry(offset).or_default();
        *count = count.saturating_add(1);
    }

    /// Returns whether a function was entered.
    #[must_use]
    pub fn entered(&self, func: FuncIdx) -> bool {
        self.0.contains_key(&func)
    }

    /// Yields the functions that were entered, in order.
    pub fn funcs(&self) -> impl Iterator<Item = FuncIdx> {
        self.0.keys().copied()
    }

    /// Returns how often each block of a function ran.
    ///
    /// A block whose instructions cost nothing is not counted by the run. It goes on to one other block, so that its count
    /// follows from those of its neighbours; where they leave it open, the greatest one that they allow stands for it.
    #[must_use]
    pub fn blocks(&self, func: FuncIdx, cfg: &Cfg) -> Vec<u64> {
        let empty = BTreeMap::new();
        let places = self.0.get(&func).unwrap_or(&empty);
        let known: Vec<Option<u64>> = cfg
            .blocks()
            .iter()
            .map(|block| match block.fuel {
                0 => None,
                _ => Some(places.range(block.start..block.end).next().map_or(0, |(_, count)| *count)),
            })
            .collect();
        let mut counts: Vec<u64> = known.iter().map(|count| count.unwrap_or(0)).collect();
        // Against the order of the code: what a block without cost goes on to is known, or has just been found.
        for block in cfg.indices().rev().filter(|block| known[block.index()].is_none()) {
            let behind = cfg.succs(block).iter().map(|succ| counts[succ.index()]);
            let before = cfg.preds(block).iter().map(|pred| into(block, *pred, cfg, &known));
            let before = before.fold(0_u64, u64::saturating_add);
            counts[block.index()] = match (block == Cfg::ENTRY, cfg.succs(block)) {
                (true, _) => behind.max().unwrap_or(before),
                (false, []) => before,
                (false, _) => before.min(behind.fold(0, u64::saturating_add)),
            };
        }
        counts
    }
}

/// Returns how often control went from a block to another at most.
fn into(block: BlockIdx, pred: BlockIdx, cfg: &Cfg, known: &[Option<u64>]) -> u64 {
    let Some(from) = known[pred.index()] else { return u64::MAX };
    let others = cfg.succs(pred).iter().filter(|succ| **succ != block && cfg.preds(**succ).len() == 1);
    others.filter_map(|succ| known[succ.index()]).fold(from, u64::saturating_sub)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::module;

    /// The arm that has no cost ran when the other one did not.
    #[test]
    fn a_block_without_cost_is_counted_by_its_neighbours() {
        let module =
            module("(module (func (param i32) (if (local.get 0) (then (drop (i32.const 1))) (else (nop)))))");
        let cfg = Cfg::build(&module, module.bodies[0]);
        let entry = cfg.blocks()[0].start;
        let then = cfg.blocks()[1].start;
        let free: Vec<_> = cfg.indices().filter(|block| cfg.blocks()[block.index()].fuel == 0).collect();
        for (n_then, n_else) in [(0, 5), (5, 0), (2, 3)] {
            let mut counts = Counts::default();
            (0..n_then + n_else).for_each(|_| counts.add(FuncIdx(0), entry));
            (0..n_then).for_each(|_| counts.add(FuncIdx(0), then));
            let found = counts.blocks(FuncIdx(0), &cfg);
            assert_eq!((found[0], found[1]), (n_then + n_else, n_then), "{found:?}");
            let other = free.iter().find(|block| cfg.preds(**block) == [Cfg::ENTRY]);
            if let Some(other) = other {
                assert_eq!(found[other.index()], n_else, "{found:?}");
            }
        }
    }

    #[test]
    fn what_was_not_entered_did_not_run() {
        let module = module("(module (func (nop)) (func (drop (i32.const 1))))");
        let mut run = RunFacts::default();
        let at = module.bodies[1].0.start + 1;
        assert!(!run.ran_at(&module, FuncIdx(1), at));
        run.counts.add(FuncIdx(1), at);
        assert!(run.ran_at(&module, FuncIdx(1), at));
        assert!(!run.ran_at(&module, FuncIdx(0), module.bodies[0].0.start + 1));
    }
}

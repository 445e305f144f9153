//! How often a loop goes round at most: counted loops, by their induction local and the test that leaves them.
//!
//! Everything here is a theorem on valid modules: a bound that is given is never exceeded by a run. The argument, for a
//! loop whose header is entered once:
//!
//! 1. The induction local is assigned once in the loop, by itself plus a constant (or shifted right by one), in a block
//!    that is directly in the loop and dominates every latch: exactly once in every round that goes round again.
//! 2. The test stands in a block that is directly in the loop and dominates every latch, so that it is passed in every such
//!    round; one side of it leaves the loop.
//! 3. Within a round code runs in the order of its offsets, so that it is known whether the test reads the local before or
//!    behind the assignment. Hence in round t the tested value is start + k + t × step, and rounds go on only while the test
//!    says so. The other side of the test is a constant, or a parameter that is never assigned.
//!
//! Wrap-around is part of each case. What fits no case is unbounded, with the reason.

use wasmos_frontend::opcode::Op;
use wasmos_frontend::types::LocalIdx;

use crate::cfg::{BlockIdx, Cfg, Terminator};
use crate::dataflow::{Dataflow, LocalSet, ValueIdx};
use crate::dominators::Dominators;
use crate::loops::{Loop, LoopIdx, Loops};

/// Tests of a loop that are looked at, and assignments to a local: beyond them a loop is not counted.
const TESTS: usize = 8;
const SETS: usize = 64;

/// A number of rounds that depends on a parameter: `max(0, ±p + add) / div + plus`, or modulo 2^width where it wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term {
    /// Index of the parameter.
    pub param: u32,
    /// Whether the parameter is subtracted.
    pub negated: bool,
    /// Whether the parameter is a signed number.
    pub signed: bool,
    /// Whether it is a parameter of 64 bits.
    pub wide: bool,
    /// Whether a sum below zero wraps around instead of counting as zero.
    pub wraps: bool,
    /// What is added to it.
    pub add: i64,
    /// What the sum is divided by; not 0.
    pub div: u64,
    /// What is added to the quotient.
    pub plus: u64,
    /// A larger parameter (as the sign says) has no bound.
    pub limit: Option<i64>,
}

impl Term {
    /// Returns the number of rounds for an argument, of which the low 32 bits count if it is not wide; `None` where the
    /// term has no bound.
    #[must_use]
    pub fn eval(&self, arg: u64) -> Option<u64> {
        let p = match (self.wide, self.signed) {
            (false, false) => i128::from(arg as u32),
            (false, true) => i128::from(arg as u32 as i32),
            (true, false) => i128::from(arg),
            (true, true) => i128::from(arg as i64),
        };
        if self.limit.is_some_and(|limit| p > i128::from(limit)) {
            return None;
        }
        let sum = if self.negated { -p } else { p } + i128::from(self.add);
        let modulus = 1_i128 << if self.wide { 64 } else { 32 };
        let sum = if self.wraps { sum.rem_euclid(modulus) } else { sum.max(0) };
        let rounds = sum / i128::from(self.div.max(1)) + i128::from(self.plus);
        Some(u64::try_from(rounds).unwrap_or(u64::MAX))
    }
}

/// How often the header of a loop is entered at most, each time that control comes to it from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trips {
    /// So often.
    Constant(u64),
    /// As a parameter says.
    Linear(Term),
    /// No bound is known.
    Unbounded,
}

/// Returns the bound of each loop.
pub(crate) fn trips(cfg: &Cfg, loops: &Loops, tree: &Dominators, flow: &Dataflow<'_>) -> Vec<Trips> {
    let sets = flow.sets.iter().enumerate();
    let mut sets: Vec<u64> = sets.map(|(at, set)| u64::from(set.local.0) << 32 | at as u64).collect();
    sets.sort_unstable();
    let counter = Counter { cfg, loops, tree, flow, sets };
    loops.indices().map(|at| counter.count(at)).collect()
}

struct Counter<'c, 'a> {
    cfg: &'c Cfg,
    loops: &'c Loops,
    tree: &'c Dominators,
    flow: &'c Dataflow<'a>,
    /// Assignments by local, each group in order: the local above, its place among all assignments below.
    sets: Vec<u64>,
}

/// How an induction local changes in each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Add(i64),
    /// Shifted right, or divided, so that it is at most half.
    Halve,
}

/// What an induction local holds when control comes to the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Constant(u64),
    Param(u32),
    Unknown,
}

/// What the tested value is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Constant(u64),
    Param(u32),
}

/// When a round goes on: while the tested value is so, compared with the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum While {
    Equal,
    NotEqual,
    Below,
    AtMost,
    Above,
    AtLeast,
}

impl While {
    const fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Below => Self::AtLeast,
            Self::AtMost => Self::Above,
            Self::Above => Self::AtMost,
            Self::AtLeast => Self::Below,
        }
    }

    /// The same with both sides changed about.
    const fn mirrored(self) -> Self {
        match self {
            Self::Below => Self::Above,
            Self::AtMost => Self::AtLeast,
            Self::Above => Self::Below,
            Self::AtLeast => Self::AtMost,
            same => same,
        }
    }
}

/// A test as the cases read it.
#[derive(Clone, Copy, Debug)]
struct Test {
    goes_on: While,
    signed: bool,
    wide: bool,
    value: ValueIdx,
    limit: Limit,
}

/// Comparison, whether it is signed, whether of 64 bits.
const fn comparison(op: Op) -> Option<(While, bool, bool)> {
    Some(match op {
        Op::I32Eq => (While::Equal, false, false),
        Op::I32Ne => (While::NotEqual, false, false),
        Op::I32LtU => (While::Below, false, false),
        Op::I32LeU => (While::AtMost, false, false),
        Op::I32GtU => (While::Above, false, false),
        Op::I32GeU => (While::AtLeast, false, false),
        Op::I32LtS => (While::Below, true, false),
        Op::I32LeS => (While::AtMost, true, false),
        Op::I32GtS => (While::Above, true, false),
        Op::I32GeS => (While::AtLeast, true, false),
        Op::I64Eq => (While::Equal, false, true),
        Op::I64Ne => (While::NotEqual, false, true),
        Op::I64LtU => (While::Below, false, true),
        Op::I64LeU => (While::AtMost, false, true),
        Op::I64GtU => (While::Above, false, true),
        Op::I64GeU => (While::AtLeast, false, true),
        Op::I64LtS => (While::Below, true, true),
        Op::I64LeS => (While::AtMost, true, true),
        Op::I64GtS => (While::Above, true, true),
        Op::I64GeS => (While::AtLeast, true, true),
        _ => return None,
    })
}

impl Counter<'_, '_> {
    fn count(&self, at: LoopIdx) -> Trips {
        let it = &self.loops.all()[at.index()];
        let tests = it.exits.iter().take(TESTS).map(|(block, target)| self.by_test(at, it, *block, *target));
        tests.fold(Trips::Unbounded, |best, trips| match (best, trips) {
            (Trips::Constant(a), Trips::Constant(b)) => Trips::Constant(a.min(b)),
            (Trips::Constant(_), _) | (_, Trips::Unbounded) => best,
            (Trips::Unbounded | Trips::Linear(_), trips) => trips,
        })
    }

    fn by_test(&self, at: LoopIdx, it: &Loop, block: BlockIdx, target: BlockIdx) -> Trips {
        let every_round = it.latches.iter().all(|latch| self.tree.dominates(block, *latch));
        let Some(goes_on_if) = self.goes_on_if(at, block, target).filter(|_| every_round) else {
            return Trips::Unbounded;
        };
        let tests = self.tests(block, goes_on_if);
        let counted = tests.into_iter().flatten().find_map(|test| self.counted(at, it, &test));
        counted.unwrap_or(Trips::Unbounded)
    }

    /// Returns for which truth of the condition the loop goes on; `None` if both sides leave it.
    fn goes_on_if(&self, at: LoopIdx, block: BlockIdx, target: BlockIdx) -> Option<bool> {
        let [next, taken] = self.cfg.succs(block) else { return None };
        // For `br_if` the second edge is taken on a condition that is not zero; for `if` it is the first.
        let taken_if = match self.cfg.blocks()[block.index()].terminator {
            Terminator::BranchIf => true,
            Terminator::If => false,
            _ => return None,
        };
        if next == taken {
            return None;
        }
        let stays = |block: BlockIdx| self.loops.contains(at, block);
        if *taken == target && stays(*next) {
            Some(!taken_if)
        } else if *next == target && stays(*taken) {
            Some(taken_if)
        } else {
            None
        }
    }

    /// Reads the condition of a block as tests: of its left side against the right, and the other way round.
    fn tests(&self, block: BlockIdx, goes_on_if: bool) -> [Option<Test>; 2] {
        let condition = self.flow.condition(block);
        let node = self.flow.node(condition);
        let zero = Limit::Constant(0);
        let (wide, value, goes_on) = match node.op {
            Op::I32Eqz => (false, node.args[0], While::Equal),
            Op::I64Eqz => (true, node.args[0], While::Equal),
            op => {
                if let Some((goes_on, signed, wide)) = comparison(op) {
                    let goes_on = if goes_on_if { goes_on } else { goes_on.negated() };
                    let test = |goes_on, value, other| {
                        let limit = self.limit(other)?;
                        Some(Test { goes_on, signed, wide, value, limit })
                    };
                    let [a, b] = node.args;
                    return [test(goes_on, a, b), test(goes_on.mirrored(), b, a)];
                }
                (false, condition, While::NotEqual)
            }
        };
        let goes_on = if goes_on_if { goes_on } else { goes_on.negated() };
        [Some(Test { goes_on, signed: false, wide, value, limit: zero }), None]
    }

    fn limit(&self, value: ValueIdx) -> Option<Limit> {
        let constant = self.flow.constant(value).map(Limit::Constant);
        constant.or_else(|| self.flow.param(value).map(Limit::Param))
    }

    /// Returns a value as a local plus a constant.
    fn local_plus(&self, value: ValueIdx) -> Option<(LocalIdx, i64)> {
        if let Some(local) = self.flow.local(value) {
            return Some((local, 0));
        }
        let node = self.flow.node(value);
        let (a, b) = (node.args[0], node.args[1]);
        let constant = |value| self.flow.constant(value);
        let (local, constant, sign) = match node.op {
            Op::I32Add | Op::I64Add => match (self.flow.local(a), self.flow.local(b)) {
                (Some(local), _) => (local, constant(b)?, 1),
                (None, Some(local)) => (local, constant(a)?, 1),
                (None, None) => return None,
            },
            Op::I32Sub | Op::I64Sub => (self.flow.local(a)?, constant(b)?, -1),
            _ => return None,
        };
        let wide = matches!(node.op, Op::I64Add | Op::I64Sub);
        let constant = if wide { constant as i64 } else { i64::from(constant as u32 as i32) };
        Some((local, constant.checked_mul(sign)?))
    }

    /// Returns how an assignment changes its local.
    fn step(&self, set: &LocalSet) -> Option<Step> {
        if let Some((local, step)) = self.local_plus(set.value) {
            return (local == set.local && step != 0).then_some(Step::Add(step));
        }
        let node = self.flow.node(set.value);
        let local = self.flow.local(node.args[0])?;
        let constant = self.flow.constant(node.args[1])?;
        let halves = match node.op {
            Op::I32ShrU => constant % 32 != 0,
            Op::I64ShrU => constant % 64 != 0,
            Op::I32DivU | Op::I64DivU => constant >= 2,
            _ => false,
        };
        (local == set.local && halves).then_some(Step::Halve)
    }

    fn sets_of(&self, local: LocalIdx) -> impl DoubleEndedIterator<Item = &LocalSet> + Clone {
        let begin = self.sets.partition_point(|set| set >> 32 < u64::from(local.0));
        let of_local = self.sets[begin..].iter().take_while(move |set| **set >> 32 == u64::from(local.0));
        let len = of_local.take(SETS + 1).count();
        self.sets[begin..begin + len].iter().map(|set| &self.flow.sets[*set as u32 as usize])
    }

    fn counted(&self, at: LoopIdx, it: &Loop, test: &Test) -> Option<Trips> {
        let halved = self.flow.node(test.value);
        let (local, k) = match self.local_plus(test.value) {
            Some(found) => found,
            // The value that is assigned, tested at once.
            None => (self.flow.local(halved.args[0])?, 0),
        };
        let sets = self.sets_of(local);
        if sets.clone().count() > SETS {
            return None;
        }
        let mut inside = sets.clone().filter(|set| self.loops.contains(at, set.block));
        let set = inside.next().filter(|_| inside.next().is_none())?;
        let every_round = self.loops.of(set.block) == Some(at)
            && it.latches.iter().all(|latch| self.tree.dominates(set.block, *latch));
        if !every_round {
            return None;
        }
        match self.step(set)? {
            Step::Halve => self.halving(test, local, set.value),
            Step::Add(step) => {
                self.local_plus(test.value)?;
                let start = self.start(at, it, local);
                let k = if self.is_read_behind(test.value, set) { k.checked_add(step)? } else { k };
                rounds(test, start, k, step)
            }
        }
    }

    /// Returns whether the local in a tested value is read behind its assignment.
    fn is_read_behind(&self, value: ValueIdx, set: &LocalSet) -> bool {
        let node = self.flow.node(value);
        let get = [value, node.args[0], node.args[1]].into_iter().find(|it| self.flow.local(*it).is_some());
        get.is_some_and(|get| self.flow.node(get).at > set.at)
    }

    /// A value that is at most half as large each round, and that goes on only while it is not zero.
    fn halving(&self, test: &Test, local: LocalIdx, assigned: ValueIdx) -> Option<Trips> {
        let is_it = self.flow.local(test.value) == Some(local) || test.value == assigned;
        let above_zero = match (test.goes_on, test.limit) {
            (While::NotEqual, Limit::Constant(0)) => true,
            (While::Above, Limit::Constant(_)) => !test.signed,
            (While::AtLeast, Limit::Constant(limit)) => !test.signed && limit > 0,
            _ => false,
        };
        (is_it && above_zero).then_some(Trips::Constant(66))
    }

    /// Finds what a local holds when control comes to a loop: the last assignment before it that dominates it.
    fn start(&self, at: LoopIdx, it: &Loop, local: LocalIdx) -> Start {
        let outside = self.sets_of(local).filter(|set| !self.loops.contains(at, set.block));
        let mut last: Option<&LocalSet> = None;
        for set in outside.filter(|set| set.block < it.header) {
            if last.is_none_or(|last| last.block <= set.block) {
                last = Some(set);
            }
        }
        match last {
            // Without an assignment on the way, it holds what the function began with, unless an outer loop comes again.
            None if it.parent.is_some() => Start::Unknown,
            None if local.0 < self.flow.n_params() => Start::Param(local.0),
            None => Start::Constant(0),
            Some(set) => {
                let in_same_round = self.loops.of(set.block) == it.parent;
                if !in_same_round || !self.tree.dominates(set.block, it.header) {
                    return Start::Unknown;
                }
                match (self.flow.constant(set.value), self.flow.param(set.value)) {
                    (Some(constant), _) => Start::Constant(constant),
                    (None, Some(param)) => Start::Param(param),
                    (None, None) => Start::Unknown,
                }
            }
        }
    }
}

fn rounds(test: &Test, start: Start, k: i64, step: i64) -> Option<Trips> {
    match test.goes_on {
        // It changes every round.
        While::Equal => Some(Trips::Constant(2)),
        While::NotEqual => rounds_until_equal(test, start, k, step),
        While::Below | While::AtMost if step > 0 => rounds_up(test, start, k, step),
        While::Above | While::AtLeast if step < 0 => rounds_down(test, start, k, step),
        _ => None,
    }
}

fn modulus(test: &Test) -> i128 {
    1 << if test.wide { 64 } else { 32 }
}

/// Reads bits as a number of the test's kind.
fn number(test: &Test, bits: u64) -> i128 {
    match (test.wide, test.signed) {
        (false, false) => i128::from(bits as u32),
        (false, true) => i128::from(bits as u32 as i32),
        (true, false) => i128::from(bits),
        (true, true) => i128::from(bits as i64),
    }
}

/// Largest number of the test's kind.
fn top(test: &Test) -> i128 {
    if test.signed { modulus(test) / 2 - 1 } else { modulus(test) - 1 }
}

/// Smallest number of the test's kind.
fn bottom(test: &Test) -> i128 {
    if test.signed { -(modulus(test) / 2) } else { 0 }
}

fn constant(rounds: i128) -> Option<Trips> {
    Some(Trips::Constant(u64::try_from(rounds).ok()?))
}

/// While value ≠ limit: the distance must be a multiple of the step, and is taken modulo 2^width.
fn rounds_until_equal(test: &Test, start: Start, k: i64, step: i64) -> Option<Trips> {
    let length = i128::from(step).abs();
    let direction = i128::from(step.signum());
    let k = i128::from(k);
    match (start, test.limit) {
        (Start::Constant(start), Limit::Constant(limit)) => {
            let distance = direction * (i128::from(limit) - i128::from(start) - k);
            let distance = distance.rem_euclid(modulus(test));
            if distance % length == 0 { constant(distance / length + 1) } else { None }
        }
        (Start::Constant(other), Limit::Param(param)) | (Start::Param(param), Limit::Constant(other))
            if length == 1 =>
        {
            let limit_is_param = matches!(test.limit, Limit::Param(_));
            let other = i128::from(other);
            let add = direction * if limit_is_param { -other - k } else { other - k };
            Some(Trips::Linear(Term {
                param,
                negated: limit_is_param != (direction > 0),
                signed: false,
                wide: test.wide,
                wraps: true,
                add: i64::try_from(add).ok()?,
                div: 1,
                plus: 1,
                limit: None,
            }))
        }
        _ => None,
    }
}

/// While value < limit (or ≤), with a positive step: the last value below the limit must not jump over the top.
fn rounds_up(test: &Test, start: Start, k: i64, step: i64) -> Option<Trips> {
    let step = i128::from(step);
    let slack = i128::from(test.goes_on == While::AtMost) - 1;
    let first = match start {
        Start::Constant(start) => Some(number(test, start.wrapping_add(k as u64))),
        // Whatever it is, it is not below zero.
        _ => (!test.signed).then_some(0),
    };
    match test.limit {
        Limit::Constant(limit) => {
            let last = number(test, limit) + slack;
            if last + step > top(test) {
                return None;
            }
            constant((last - first?).max(0) / step + 2)
        }
        Limit::Param(param) => {
            let highest = top(test) - step - slack;
            Some(Trips::Linear(Term {
                param,
                negated: false,
                signed: test.signed,
                wide: test.wide,
                wraps: false,
                add: i64::try_from(slack - first?).ok()?,
                div: u64::try_from(step).ok()?,
                plus: 2,
                limit: (highest < top(test)).then(|| i64::try_from(highest).unwrap_or(i64::MAX)),
            }))
        }
    }
}

/// While value > limit (or ≥), with a negative step: the last value above the limit must not jump below the bottom.
fn rounds_down(test: &Test, start: Start, k: i64, step: i64) -> Option<Trips> {
    let length = -i128::from(step);
    let Limit::Constant(limit) = test.limit else { return None };
    let last = number(test, limit) + i128::from(test.goes_on == While::Above);
    if last - length < bottom(test) {
        return None;
    }
    match start {
        Start::Constant(start) => {
            let first = number(test, start.wrapping_add(k as u64));
            constant((first - last).max(0) / length + 2)
        }
        // A parameter less something may wrap to the top.
        Start::Param(param) if k >= 0 => Some(Trips::Linear(Term {
            param,
            negated: false,
            signed: test.signed,
            wide: test.wide,
            wraps: false,
            add: i64::try_from(i128::from(k) - last).ok()?,
            div: u64::try_from(length).ok()?,
            plus: 2,
            limit: None,
        })),
        Start::Param(_) | Start::Unknown => None,
    }
}

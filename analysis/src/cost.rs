//! An upper bound of the fuel that a call of a function can use: constant, linear in its parameters, or unbounded for a
//! reason.
//!
//! A theorem, not an estimate: for every run that ends, the fuel used is at most the bound. It holds under one assumption,
//! that host functions do not call back and declare no cost of their own. Fuel is counted as promise P2 says: the rows of
//! the table, and surcharges for growth and bulk operations (P4).

use std::fmt;

use wasmos_frontend::ValidModule;
use wasmos_frontend::opcode::Instr;
use wasmos_frontend::types::{AddressType, FuncIdx, MemIdx, TableIdx};

use crate::callgraph::{CallGraph, Set, Vertex};
use crate::cfg::Cfg;
use crate::dataflow::{Dataflow, ValueIdx};
use crate::functions::{Arg, FuncFacts, Target};
use crate::loops::{LoopIdx, Loops};
use crate::trips::{Term, Trips};

/// Terms that a bound may have: beyond them it says no person anything.
const TERMS: usize = 8;

/// Why a function has no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// A loop whose rounds are not counted.
    Loop,
    /// Loops that depend on parameters stand in one another.
    NotLinear,
    /// The function may call itself.
    Recursion,
    /// A call whose callees are not known.
    UnknownCallee,
    /// A callee's bound depends on an argument that is neither a constant nor a parameter.
    Argument,
    /// An operation costs as much as an operand says.
    Operand,
    /// The body was not looked at.
    Skipped,
}

impl Why {
    /// Says it.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Loop => "a loop whose rounds depend on more than constants and parameters",
            Self::NotLinear => "loops that depend on parameters stand in one another",
            Self::Recursion => "the function may call itself",
            Self::UnknownCallee => "a call whose callees are not known",
            Self::Argument => {
                "a callee's cost depends on an argument that is neither a constant nor a parameter"
            }
            Self::Operand => "an operation that costs as much as an operand says",
            Self::Skipped => "a body that was too long to be looked at",
        }
    }
}

/// No bound: why, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbounded {
    /// Why.
    pub why: Why,
    /// Absolute offset of the loop, call or operation.
    pub at: u32,
}

/// How often a block runs at most in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// So often.
    Constant(u64),
    /// So often for each unit of the term.
    Linear(u64, Term),
    /// Unknown.
    Unbounded(Unbounded),
}

impl Times {
    /// The number of times that the header of each loop runs.
    pub(crate) fn of_loops(cfg: &Cfg, loops: &Loops, trips: &[Trips]) -> Vec<Self> {
        let mut times: Vec<Self> = Vec::with_capacity(trips.len());
        for (it, trips) in loops.all().iter().zip(trips) {
            let around = it.parent.and_then(|up| times.get(up.index()).copied());
            let around = around.unwrap_or(Self::Constant(1));
            let at = cfg.blocks().get(it.header.index()).map_or(0, |header| header.start);
            times.push(around.and_in(*trips, at));
        }
        times
    }

    fn and_in(self, trips: Trips, at: u32) -> Self {
        let unbounded = |why| Self::Unbounded(Unbounded { why, at });
        match (self, trips) {
            (Self::Unbounded(unbounded), _) => Self::Unbounded(unbounded),
            (_, Trips::Unbounded) => unbounded(Why::Loop),
            (Self::Constant(a), Trips::Constant(b)) => Self::Constant(a.saturating_mul(b)),
            (Self::Constant(a), Trips::Linear(term)) => Self::Linear(a, term),
            (Self::Linear(a, term), Trips::Constant(b)) => Self::Linear(a.saturating_mul(b), term),
            (Self::Linear(..), Trips::Linear(_)) => unbounded(Why::NotLinear),
        }
    }

    fn in_loop(times: &[Self], at: Option<LoopIdx>) -> Self {
        at.map_or(Self::Constant(1), |at| times.get(at.index()).copied().unwrap_or(Self::Constant(1)))
    }
}

/// An upper bound of fuel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The constant and what is to be paid for each unit of each term. What exceeds 64 bits is `u64::MAX`, and no bound.
    Fuel {
        /// Paid always.
        constant: u64,
        /// Paid for each unit of a term of the parameters.
        terms: Vec<(u64, Term)>,
    },
    /// None is known.
    Unbounded(Unbounded),
}

impl Bound {
    /// The bound of what costs nothing.
    pub(crate) const FREE: Self = Self::Fuel { constant: 0, terms: Vec::new() };

    /// Returns the bound for arguments, of which integers alone are looked at; `None` if there is none.
    #[must_use]
    pub fn eval(&self, args: &[u64]) -> Option<u64> {
        let Self::Fuel { constant, terms } = self else { return None };
        let mut sum = *constant;
        for (factor, term) in terms {
            let rounds = term.eval(*args.get(term.param as usize)?)?;
            sum = sum.saturating_add(rounds.saturating_mul(*factor));
        }
        (sum != u64::MAX).then_some(sum)
    }

    /// Returns the bound if it does not depend on parameters.
    #[must_use]
    pub fn constant(&self) -> Option<u64> {
        match self {
            Self::Fuel { constant, terms } if terms.is_empty() && *constant != u64::MAX => Some(*constant),
            _ => None,
        }
    }

    fn add(&mut self, factor: u64, times: Times) {
        match (&mut *self, times) {
            (Self::Unbounded(_), _) => {}
            (Self::Fuel { constant, .. }, Times::Constant(n)) => {
                *constant = constant.saturating_add(factor.saturating_mul(n));
            }
            (Self::Fuel { terms, .. }, Times::Linear(n, term)) => {
                let factor = factor.saturating_mul(n);
                let n_terms = terms.len();
                match terms.iter_mut().find(|(_, other)| *other == term) {
                    Some((sum, _)) => *sum = sum.saturating_add(factor),
                    None if n_terms < TERMS => terms.push((factor, term)),
                    None => *self = Self::Unbounded(Unbounded { why: Why::NotLinear, at: 0 }),
                }
            }
            (_, Times::Unbounded(unbounded)) => *self = Self::Unbounded(unbounded),
        }
    }

    /// Adds what a call costs, whose callee has a bound.
    pub(crate) fn add_call(&mut self, callee: &Self, n_params: usize, args: &[Arg], times: Times, at: u32) {
        let (constant, terms) = match callee {
            Self::Fuel { constant, terms } => (*constant, terms),
            Self::Unbounded(unbounded) => return self.give_up(unbounded.why, at),
        };
        self.add(constant, times);
        for (factor, term) in terms {
            // The last arguments are kept.
            let first = n_params.saturating_sub(args.len());
            let arg = (term.param as usize).checked_sub(first).and_then(|at| args.get(at));
            match arg {
                Some(Arg::Constant(value)) => match term.eval(*value) {
                    Some(rounds) => self.add(factor.saturating_mul(rounds), times),
                    None => self.give_up(Why::Argument, at),
                },
                Some(Arg::Param(param)) => match times {
                    Times::Constant(n) => {
                        self.add(*factor, Times::Linear(n, Term { param: *param, ..*term }));
                    }
                    _ => self.give_up(Why::NotLinear, at),
                },
                _ => self.give_up(Why::Argument, at),
            }
        }
    }

    /// Makes it a bound of whichever of two is called.
    pub(crate) fn join(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Unbounded(_), _) => {}
            (_, Self::Unbounded(unbounded)) => *self = Self::Unbounded(*unbounded),
            (Self::Fuel { constant, .. }, Self::Fuel { constant: theirs, terms }) => {
                *constant = (*constant).max(*theirs);
                for (factor, term) in terms {
                    self.join_term(*factor, *term);
                }
            }
        }
    }

    fn join_term(&mut self, factor: u64, term: Term) {
        let Self::Fuel { terms, .. } = self else { return };
        let n_terms = terms.len();
        match terms.iter_mut().find(|(_, other)| *other == term) {
            Some((most, _)) => *most = (*most).max(factor),
            None if n_terms < TERMS => terms.push((factor, term)),
            None => self.give_up(Why::NotLinear, 0),
        }
    }

    pub(crate) fn give_up(&mut self, why: Why, at: u32) {
        if !matches!(self, Self::Unbounded(_)) {
            *self = Self::Unbounded(Unbounded { why, at });
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fuel { constant: u64::MAX, .. } => f.write_str("more than can be counted"),
            Self::Fuel { constant, terms } => {
                write!(f, "{constant}")?;
                terms.iter().try_for_each(|(factor, term)| write!(f, " + {factor} × {term}"))
            }
            Self::Unbounded(unbounded) => write!(f, "unbounded: {}", unbounded.why.sentence()),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negated { "-" } else { "" };
        write!(f, "({sign}p{}", self.param)?;
        if self.add != 0 {
            write!(f, "{:+}", self.add)?;
        }
        f.write_str(")")?;
        if self.div != 1 {
            write!(f, "/{}", self.div)?;
        }
        write!(f, "+{}", self.plus)
    }
}

/// The bound of a body, with the calls left open.
#[derive(Clone, Debug)]
pub struct LocalCost {
    /// The body itself, and its surcharges.
    pub own: Bound,
    /// How often each of its calls is made, in the order of the calls; empty if the body itself has no bound.
    pub calls: Vec<Times>,
}

impl Default for LocalCost {
    fn default() -> Self {
        Self { own: Bound::FREE, calls: Vec::new() }
    }
}

impl LocalCost {
    pub(crate) fn skipped(at: u32) -> Self {
        Self { own: Bound::Unbounded(Unbounded { why: Why::Skipped, at }), calls: Vec::new() }
    }

    pub(crate) fn of(
        module: &ValidModule,
        cfg: &Cfg,
        loops: &Loops,
        times: &[Times],
        flow: &Dataflow<'_>,
    ) -> Self {
        let in_loop = |at| Times::in_loop(times, at);
        let mut own = Bound::FREE;
        for (index, block) in cfg.indices().zip(cfg.blocks()) {
            own.add(u64::from(block.fuel), in_loop(loops.of(index)));
        }
        for event in &flow.events {
            let times = in_loop(loops.of(event.block));
            surcharge(&mut own, module, flow, &event.instr, event.operand, times, event.at);
        }
        if matches!(own, Bound::Unbounded(_)) {
            return Self { own, calls: Vec::new() };
        }
        Self { calls: flow.calls.iter().map(|call| in_loop(loops.of(call.block))).collect(), own }
    }
}

/// Adds the surcharge of growth and bulk operations (promise P4), by the operand if it is known, else by what the memory or
/// table can hold: an operation beyond that traps or fails, and costs nothing more.
#[expect(clippy::too_many_arguments, reason = "an event, where it happens, and how often")]
fn surcharge(
    own: &mut Bound,
    module: &ValidModule,
    flow: &Dataflow<'_>,
    instr: &Instr<'_>,
    operand: ValueIdx,
    times: Times,
    at: u32,
) {
    let most = match *instr {
        Instr::MemoryGrow(memory) => {
            memory_bytes(module, memory).map(|bytes| bytes >> 16).map(|n| (n, 16, 1))
        }
        Instr::MemoryFill(memory) => memory_bytes(module, memory).map(|bytes| (bytes, 1, 64)),
        Instr::MemoryCopy(copy) => memory_bytes(module, copy.dst).map(|bytes| (bytes, 1, 64)),
        Instr::MemoryInit(init) => {
            module.data_segment(init.data).map(|data| (u64::from(data.span.len_bytes()), 1, 64))
        }
        Instr::TableGrow(table) | Instr::TableFill(table) => table_len(module, table).map(|len| (len, 1, 8)),
        Instr::TableCopy(copy) => table_len(module, copy.dst).map(|len| (len, 1, 8)),
        Instr::TableInit(init) => module.element_segment(init.elem).map(|elem| (u64::from(elem.count), 1, 8)),
        Instr::ArrayNew(_)
        | Instr::ArrayNewDefault(_)
        | Instr::ArrayNewFixed(_)
        | Instr::ArrayNewData(_)
        | Instr::ArrayNewElem(_)
        | Instr::ArrayFill(_)
        | Instr::ArrayCopy(_)
        | Instr::ArrayInitData(_)
        | Instr::ArrayInitElem(_) => None,
        _ => return,
    };
    let Some((most, factor, divisor)) = most else { return own.give_up(Why::Operand, at) };
    let len = flow.node(operand).max.min(most);
    own.add((len / divisor + 1).saturating_mul(factor), times);
}

/// The most bytes that a memory can have. One with 64-bit addresses and no maximum has no such number.
fn memory_bytes(module: &ValidModule, memory: MemIdx) -> Option<u64> {
    let ty = module.memories.get(memory.index())?.ty;
    let pages = match (ty.limits.max, ty.address) {
        (Some(max), _) => max,
        (None, AddressType::I32) => 1 << 32_u32.saturating_sub(ty.page_size_log2),
        (None, AddressType::I64) => return None,
    };
    Some(pages.saturating_mul(1_u64.checked_shl(ty.page_size_log2)?).max(1 << 16))
}

fn table_len(module: &ValidModule, table: TableIdx) -> Option<u64> {
    let ty = module.tables.get(table.index())?.ty;
    ty.limits.max.or(match ty.address {
        AddressType::I32 => Some(u64::from(u32::MAX)),
        AddressType::I64 => None,
    })
}

/// Returns the bound of every function, imported ones first: they cost nothing themselves.
#[must_use]
pub fn bounds(module: &ValidModule, functions: &[FuncFacts], graph: &CallGraph) -> Vec<Bound> {
    let mut bounds = vec![Bound::FREE; graph.graph().node_count()];
    for (component, is_cycle) in graph.components() {
        for node in component {
            bounds[node.index()] = match graph.graph().node_weight(*node) {
                Some(Vertex::Func(func)) => of_function(module, functions, graph, &bounds, *func, is_cycle),
                Some(Vertex::Class(Set::All, _)) | None => unknown_callee(),
                Some(Vertex::Class(..) | Vertex::Site(_)) => {
                    let mut bound = Bound::FREE;
                    graph.graph().neighbors(*node).for_each(|callee| bound.join(&bounds[callee.index()]));
                    bound
                }
            };
        }
    }
    bounds.truncate(module.funcs.len());
    bounds
}

const fn unknown_callee() -> Bound {
    Bound::Unbounded(Unbounded { why: Why::UnknownCallee, at: 0 })
}

fn of_function(
    module: &ValidModule,
    functions: &[FuncFacts],
    graph: &CallGraph,
    bounds: &[Bound],
    func: FuncIdx,
    is_cycle: bool,
) -> Bound {
    let position = func.0.checked_sub(module.n_imported_funcs);
    let Some(facts) = position.and_then(|position| functions.get(position as usize)) else {
        return Bound::FREE;
    };
    let mut bound = facts.cost.own.clone();
    if is_cycle {
        let at = module.body(func).map_or(0, |body| body.0.start);
        bound.give_up(Why::Recursion, at);
    }
    let mut indirect = graph.indirect_of(func).iter();
    for (call, times) in facts.calls.iter().zip(&facts.cost.calls) {
        let (node, ty) = match call.target {
            Target::Func(callee) => (Some(callee.index()), module.func_type(callee)),
            Target::Table { ty, .. } | Target::Reference(ty) => {
                let ty = module.types.get(ty.index()).and_then(|ty| ty.func());
                (indirect.next().map(|call| call.vertex().index()), ty)
            }
        };
        let n_params = ty.map_or(0, |ty| ty.params().len());
        match node.and_then(|node| bounds.get(node)) {
            Some(callee) => bound.add_call(callee, n_params, &call.args, *times, call.at),
            None => bound.give_up(Why::UnknownCallee, call.at),
        }
    }
    bound
}

//! The facts of each body, found body by body in parallel: calls, shapes of note, contents, cost.

use rayon::prelude::*;
use wasmos_frontend::ValidModule;
use wasmos_frontend::module::Body;
use wasmos_frontend::opcode::{Instr, Op};
use wasmos_frontend::types::{ElemIdx, FuncIdx, GlobalIdx, TableIdx, TypeIdx};

use crate::cfg::{Builder, Cfg};
use crate::cost::{LocalCost, Times};
use crate::dataflow::{ARGS, Callee, Dataflow, StackString, ValueIdx};
use crate::dominators::dominators;
use crate::loops::Loops;
use crate::mix::{Contents, Gatherer};
use crate::shapes::{self, Shape};
use crate::trips::{Trips, trips};

/// A body longer than this is not looked at: its values alone would take more memory than the budget allows.
pub const BODY_BYTES: u32 = 16 << 20;
/// A module of fewer bytes is looked at by one thread.
const PARALLEL_BYTES: usize = 32 << 10;
/// Texts that are kept of one body.
const STACK_STRINGS: usize = 16;

/// What an indirect call may index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Index {
    /// One of these.
    Constants(Vec<u32>),
    /// At most this.
    AtMost(u32),
    /// An argument of the function.
    Param(u32),
    /// What another function returns.
    Result(FuncIdx),
    /// Anything.
    Any,
}

/// What a call calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A function.
    Func(FuncIdx),
    /// An element of a table.
    Table {
        /// The type that the element must have.
        ty: TypeIdx,
        /// The table.
        table: TableIdx,
        /// Which element.
        index: Index,
        /// Whether the index is a constant that stands right before the call.
        is_literal: bool,
    },
    /// A reference of a type.
    Reference(TypeIdx),
}

/// An argument of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A constant.
    Constant(u64),
    /// A parameter of the caller, as it was given.
    Param(u32),
    /// Anything else.
    Unknown,
}

/// The last arguments of a call: they stand in place, since a module has as many lists of them as calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Args {
    len: u8,
    args: [Arg; ARGS],
}

impl Args {
    fn of(args: impl Iterator<Item = Arg>) -> Self {
        let mut all = Self { len: 0, args: [Arg::Unknown; ARGS] };
        for (slot, arg) in all.args.iter_mut().zip(args) {
            *slot = arg;
            all.len += 1;
        }
        all
    }
}

impl std::ops::Deref for Args {
    type Target = [Arg];

    fn deref(&self) -> &[Arg] {
        self.args.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Absolute offset.
    pub at: u32,
    /// What is called.
    pub target: Target,
    /// The last arguments, at most five.
    pub args: Args,
    /// How many loops it stands in.
    pub loop_depth: u32,
    /// Whether no bound is known for one of them.
    pub in_unbounded_loop: bool,
}

/// A use of a table or an element segment other than by a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableUse {
    /// `table.get`.
    Read(TableIdx),
    /// `table.set`, `table.grow`, `table.fill`, `table.copy`, `table.init`.
    Write(TableIdx),
    /// An array is made of a segment's entries.
    Segment(ElemIdx),
}

/// How often a body reads and writes a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalUse {
    /// The global.
    pub global: GlobalIdx,
    /// `global.get`.
    pub n_gets: u32,
    /// `global.set`.
    pub n_sets: u32,
    /// What the body subtracts from it, if it takes that much: the size of its frame, in bytes.
    pub frame_bytes: Option<u32>,
}

/// The facts of a body.
#[derive(Clone, Debug, Default)]
pub struct FuncFacts {
    /// Whether the body was too long to be looked at; nothing else is known then.
    pub is_skipped: bool,
    /// Instructions that no path reaches.
    pub n_dead: u32,
    /// Blocks of the graph.
    pub n_blocks: u32,
    /// Loops.
    pub n_loops: u32,
    /// Loops for which a bound is known.
    pub n_counted_loops: u32,
    /// How deep loops nest.
    pub loop_depth: u32,
    /// Counts, constants, hash, repetitions.
    pub contents: Contents,
    /// Calls, in order.
    pub calls: Vec<Call>,
    /// Functions that `ref.func` names.
    pub refs: Vec<FuncIdx>,
    /// Uses of tables, with their offsets.
    pub tables: Vec<(u32, TableUse)>,
    /// Mutable globals.
    pub globals: Vec<GlobalUse>,
    /// What it returns, if that is always the same.
    pub returns: Option<u64>,
    /// Shapes of note.
    pub shapes: Vec<Shape>,
    /// Text that is put together on the stack.
    pub stack_strings: Vec<StackString>,
    /// An upper bound of its fuel, calls left open.
    pub cost: LocalCost,
}

/// Returns whether a module is looked at by one thread: because there is but one, or because waking another takes longer.
pub(crate) fn is_for_one_thread(module: &ValidModule) -> bool {
    module.bytes().len() < PARALLEL_BYTES || rayon::current_num_threads() == 1
}

/// Finds the facts of every body, in order.
#[must_use]
pub fn functions<'a>(module: &'a ValidModule) -> Vec<FuncFacts> {
    let facts = |scratch: &mut Scratch<'a>, (at, body): (usize, &Body)| {
        scratch.facts(module, module.defined_func(at), *body)
    };
    if is_for_one_thread(module) {
        let mut scratch = Scratch::default();
        return module.bodies.iter().enumerate().map(|body| facts(&mut scratch, body)).collect();
    }
    module.bodies.par_iter().enumerate().map_init(Scratch::default, facts).collect()
}

/// Buffers that serve one body after the other.
#[derive(Debug, Default)]
struct Scratch<'a> {
    builder: Builder,
    cfg: Cfg,
    flow: Dataflow<'a>,
    gatherer: Gatherer,
}

impl<'a> Scratch<'a> {
    fn facts(&mut self, module: &'a ValidModule, func: FuncIdx, body: Body) -> FuncFacts {
        if body.0.len_bytes() > BODY_BYTES {
            return FuncFacts {
                is_skipped: true,
                cost: LocalCost::skipped(body.0.start),
                ..FuncFacts::default()
            };
        }
        self.builder.build(module, body, &mut self.cfg);
        let cfg = &self.cfg;
        let gatherer = &mut self.gatherer;
        gatherer.begin(module, func, cfg.n_instrs());
        self.flow.read(module, func, body, cfg, |at, instr| gatherer.next(module, at, instr));
        let contents = gatherer.finish(self.flow.constants);
        let flow = &self.flow;
        let loops = Loops::find(cfg);
        let trips =
            if loops.all().is_empty() { Vec::new() } else { trips(cfg, &loops, &dominators(cfg), flow) };
        let times = Times::of_loops(cfg, &loops, &trips);
        let calls: Vec<Call> = flow.calls.iter().map(|call| self.call(call, &loops, &times)).collect();
        let mut stack_strings = flow.stack_strings.clone();
        stack_strings.truncate(STACK_STRINGS);
        let n_counted = trips.iter().filter(|trips| **trips != Trips::Unbounded).count();
        FuncFacts {
            is_skipped: false,
            n_dead: cfg.n_dead(),
            n_blocks: count(cfg.blocks().len()),
            n_loops: count(loops.all().len()),
            n_counted_loops: count(n_counted),
            loop_depth: loops.all().iter().map(|it| it.depth).max().unwrap_or(0),
            refs: refs(flow),
            tables: tables(flow),
            globals: globals(module, flow),
            returns: flow.returns(),
            shapes: shapes::find(&shapes::Parts { module, cfg, loops: &loops, flow, contents: &contents }),
            cost: LocalCost::of(module, cfg, &loops, &times, flow),
            contents,
            calls,
            stack_strings,
        }
    }

    fn call(&self, call: &crate::dataflow::CallSite, loops: &Loops, times: &[Times]) -> Call {
        let flow = &self.flow;
        let target = match call.callee {
            Callee::Direct(func) => Target::Func(func),
            Callee::Reference(ty) => Target::Reference(ty),
            Callee::Indirect { ty, table, index } => {
                let node = flow.node(index);
                // A constant takes an opcode and at most five bytes.
                let is_literal = flow.constant(index).is_some() && call.at.saturating_sub(node.at) <= 6;
                Target::Table { ty, table, index: index_of(flow, index), is_literal }
            }
        };
        let args = Args::of(flow.args(call).iter().map(|value| arg(flow, *value)));
        let innermost = loops.of(call.block).and_then(|at| times.get(at.index()));
        Call {
            at: call.at,
            target,
            args,
            loop_depth: loops.depth(call.block),
            in_unbounded_loop: matches!(innermost, Some(Times::Unbounded(_))),
        }
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn arg(flow: &Dataflow<'_>, value: ValueIdx) -> Arg {
    match (flow.constant(value), flow.param(value)) {
        (Some(constant), _) => Arg::Constant(constant),
        (None, Some(param)) => Arg::Param(param),
        (None, None) => Arg::Unknown,
    }
}

fn index_of(flow: &Dataflow<'_>, value: ValueIdx) -> Index {
    if let Some(constants) = flow.constants(value) {
        let constants: Option<Vec<u32>> = constants.into_iter().map(|it| u32::try_from(it).ok()).collect();
        return constants.map_or(Index::Any, Index::Constants);
    }
    if let Some(param) = flow.param(value) {
        return Index::Param(param);
    }
    let node = flow.node(value);
    match u32::try_from(node.max) {
        Ok(max) if max < u32::MAX => Index::AtMost(max),
        _ if node.op == Op::Call => Index::Result(FuncIdx(u32::try_from(node.imm).unwrap_or(u32::MAX))),
        _ => Index::Any,
    }
}

fn refs(flow: &Dataflow<'_>) -> Vec<FuncIdx> {
    let refs = flow.events.iter().filter_map(|event| match event.instr {
        Instr::RefFunc(func) => Some(func),
        _ => None,
    });
    let mut refs: Vec<_> = refs.collect();
    refs.sort_unstable();
    refs.dedup();
    refs
}

fn tables(flow: &Dataflow<'_>) -> Vec<(u32, TableUse)> {
    let uses = flow.events.iter().filter_map(|event| {
        let used = match event.instr {
            Instr::TableGet(table) => TableUse::Read(table),
            Instr::TableSet(table) | Instr::TableGrow(table) | Instr::TableFill(table) => {
                TableUse::Write(table)
            }
            Instr::TableCopy(copy) => TableUse::Write(copy.dst),
            Instr::TableInit(init) => TableUse::Write(init.table),
            Instr::ArrayNewElem(array) | Instr::ArrayInitElem(array) => TableUse::Segment(array.elem),
            _ => return None,
        };
        Some((event.at, used))
    });
    uses.collect()
}

/// Counts the uses of mutable globals; a body that uses many of them keeps the first.
fn globals(module: &ValidModule, flow: &Dataflow<'_>) -> Vec<GlobalUse> {
    let mut uses: Vec<GlobalUse> = Vec::new();
    for node in flow.nodes() {
        if node.op == Op::GlobalGet
            && let Some(used) =
                used(module, &mut uses, GlobalIdx(u32::try_from(node.imm).unwrap_or(u32::MAX)))
        {
            used.n_gets += 1;
        }
    }
    for event in &flow.events {
        if let Instr::GlobalSet(global) = event.instr
            && let Some(used) = used(module, &mut uses, global)
        {
            used.n_sets += 1;
            used.frame_bytes = used.frame_bytes.or_else(|| frame_bytes(flow, global, event.operand));
        }
    }
    uses
}

/// Mutable globals that are counted of one body.
const GLOBALS: usize = 16;

fn used<'u>(
    module: &ValidModule,
    uses: &'u mut Vec<GlobalUse>,
    global: GlobalIdx,
) -> Option<&'u mut GlobalUse> {
    let at = match uses.iter().position(|used| used.global == global) {
        Some(at) => at,
        None => {
            let is_mutable = module.globals.get(global.index()).is_some_and(|global| global.ty.mutable);
            if !is_mutable || uses.len() >= GLOBALS {
                return None;
            }
            uses.push(GlobalUse { global, n_gets: 0, n_sets: 0, frame_bytes: None });
            uses.len() - 1
        }
    };
    uses.get_mut(at)
}

/// Returns by how much a value is below a global: the frame that a prologue takes.
fn frame_bytes(flow: &Dataflow<'_>, global: GlobalIdx, value: ValueIdx) -> Option<u32> {
    let node = flow.node(value);
    let base = flow.node(node.args[0]);
    if base.op != Op::GlobalGet || base.imm != u64::from(global.0) {
        return None;
    }
    let constant = flow.constant(node.args[1])? as u32;
    match node.op {
        Op::I32Sub => Some(constant),
        Op::I32Add => Some(constant.wrapping_neg()),
        _ => None,
    }
    .filter(|bytes| (1..1 << 30).contains(bytes))
}

//! All facts of a module in one place: what rules read.

use wasmos_frontend::ValidModule;
use wasmos_frontend::types::{FuncIdx, GlobalIdx};

use crate::callgraph::CallGraph;
use crate::cost::{Bound, bounds};
use crate::data::DataFacts;
use crate::functions::{Call, FuncFacts, Target, functions, is_for_one_thread};
use crate::imports::{Audit, ImportFacts};
use crate::mix::{Constants, Family, Mix};
use crate::provenance::Provenance;
use crate::shapes::{Shape, ShapeKind};
use crate::tables::Tables;

/// All facts of a module.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The module.
    pub module: &'a ValidModule,
    /// By body.
    pub functions: Vec<FuncFacts>,
    /// Tables.
    pub tables: Tables,
    /// Who calls whom.
    pub graph: CallGraph,
    /// Imports.
    pub audit: Audit,
    /// Data segments.
    pub data: DataFacts,
    /// Names and custom sections.
    pub provenance: Provenance,
    /// By function: the bound of its fuel.
    pub bounds: Vec<Bound>,
    /// Counts over the functions that can be reached.
    pub mix: Mix,
    /// Constants of note in them.
    pub constants: Constants,
    /// The stack pointer of the linear memory.
    pub stack_pointer: Option<StackPointer>,
}

/// The global that holds the stack pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackPointer {
    /// The global.
    pub global: GlobalIdx,
    /// How many functions write it.
    pub n_users: u32,
    /// How many of them take a frame of more than 16 bytes.
    pub n_frames: u32,
}

impl<'a> Facts<'a> {
    /// Finds all facts of a module.
    #[must_use]
    pub fn find(module: &'a ValidModule) -> Self {
        let (functions, data) = if is_for_one_thread(module) {
            (functions(module), DataFacts::of(module))
        } else {
            rayon::join(|| functions(module), || DataFacts::of(module))
        };
        let tables = Tables::find(module, &functions);
        let graph = CallGraph::build(module, &functions, &tables);
        let audit = Audit::of(module, &graph, &functions);
        let provenance = Provenance::of(module, &data);
        let bounds = bounds(module, &functions, &graph);
        let mut facts = Self {
            module,
            tables,
            audit,
            data,
            provenance,
            bounds,
            mix: Mix::default(),
            constants: Constants::default(),
            stack_pointer: None,
            functions,
            graph,
        };
        let (mut mix, mut constants) = (Mix::default(), Constants::default());
        for (_, func) in facts.reachable() {
            mix.add(&func.contents.mix);
            constants.add(&func.contents.constants);
        }
        (facts.mix, facts.constants) = (mix, constants);
        facts.stack_pointer = facts.find_stack_pointer();
        facts
    }

    /// Yields the functions with a body that the host can make run.
    pub fn reachable(&self) -> impl Iterator<Item = (FuncIdx, &FuncFacts)> {
        let all = self.functions.iter().enumerate().map(|(at, facts)| (self.module.defined_func(at), facts));
        all.filter(|(func, _)| self.graph.is_reachable(*func))
    }

    /// Yields the shapes in functions that can be reached.
    pub fn shapes(&self) -> impl Iterator<Item = (FuncIdx, &Shape)> {
        self.reachable().flat_map(|(func, facts)| facts.shapes.iter().map(move |shape| (func, shape)))
    }

    /// Yields the shapes of one kind in functions that can be reached.
    pub fn shapes_of(&self, is_it: fn(&ShapeKind) -> bool) -> impl Iterator<Item = (FuncIdx, &Shape)> {
        self.shapes().filter(move |(_, shape)| is_it(&shape.kind))
    }

    /// Yields the calls in functions that can be reached.
    pub fn calls(&self) -> impl Iterator<Item = (FuncIdx, &Call)> {
        self.reachable().flat_map(|(func, facts)| facts.calls.iter().map(move |call| (func, call)))
    }

    /// Yields the calls of imports, from functions that can be reached.
    pub fn host_calls(&self) -> impl Iterator<Item = (FuncIdx, &Call, &ImportFacts)> {
        self.calls().filter_map(|(func, call)| match call.target {
            Target::Func(callee) => Some((func, call, self.audit.of_func(callee)?)),
            _ => None,
        })
    }

    /// Returns whether the tables or the constants of an algorithm are there, in code that can be reached or in data.
    #[must_use]
    pub fn has_family(&self, family: Family) -> bool {
        self.constants.has(family) || self.data.families.contains(&family)
    }

    /// The mutable 32-bit global with the largest product of reads and writes, if both are more than three.
    fn find_stack_pointer(&self) -> Option<StackPointer> {
        let mut uses = vec![(0_u64, 0_u64, 0_u32, 0_u32); self.module.globals.len()];
        for used in self.functions.iter().flat_map(|func| &func.globals) {
            if let Some(sum) = uses.get_mut(used.global.index()) {
                sum.0 += u64::from(used.n_gets);
                sum.1 += u64::from(used.n_sets);
                sum.2 += u32::from(used.n_sets > 0);
                sum.3 += u32::from(used.frame_bytes.is_some_and(|bytes| bytes > 16));
            }
        }
        let best = uses
            .iter()
            .enumerate()
            .filter(|(_, (gets, sets, _, frames))| *gets > 3 && *sets > 3 && *frames > 0);
        let (at, (_, _, n_users, n_frames)) =
            best.max_by_key(|(at, (gets, sets, ..))| (gets.saturating_mul(*sets), usize::MAX - at))?;
        Some(StackPointer {
            global: GlobalIdx(u32::try_from(at).unwrap_or(u32::MAX)),
            n_users: *n_users,
            n_frames: *n_frames,
        })
    }
}

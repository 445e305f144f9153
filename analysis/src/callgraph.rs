//! Who calls whom, and why it is thought so; what can be reached from outside; what may call itself.
//!
//! The graph over-approximates: whatever a run calls has an edge here. An indirect call does not get an edge to each function
//! it may reach, which would be a product; it leads to a [`Vertex`] that stands for all functions of a type in a set, and
//! that vertex leads to them. Calls whose index is known lead to a vertex of their own.
//!
//! Source of the cases: "call graph soundness" microbenchmarks for WebAssembly in the literature (exports, tables that the
//! host reaches, placement that the host decides, constant, masked and inter-procedural indices).

use std::collections::{BTreeMap, HashMap};

use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;
use wasmos_frontend::ValidModule;
use wasmos_frontend::module::ExternIdx;
use wasmos_frontend::types::{FuncIdx, TableIdx, TypeIdx};

use crate::functions::{Arg, Call, FuncFacts, Index, TableUse, Target};
use crate::tables::Tables;

/// Edges that calls with a known index may have together, and one of them alone.
const KNOWN_EDGES: usize = 1 << 20;
const KNOWN_RANGE: u32 = 256;
/// How far a chain of supertypes is followed, as validation does.
const SUPERTYPES: usize = 64;

/// Why an edge is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A call by index.
    Direct,
    /// An indirect call whose index is one of few constants.
    Constant,
    /// An indirect call whose index is masked or otherwise bounded.
    Range,
    /// An indirect call through a table that the module alone decides: every entry of the type.
    Type,
    /// An indirect call through a table that the host can change: every function of the type that it can lay hands on.
    HostMutable,
    /// A reference is made or read: whoever has it may call it.
    Reference,
}

impl Reason {
    /// Says it.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Direct => "direct call",
            Self::Constant => "indirect call, constant index",
            Self::Range => "indirect call, index bounded by a mask or range",
            Self::Type => "indirect call, by type",
            Self::HostMutable => "indirect call through a table that the host can change, by type",
            Self::Reference => "reference to a function",
        }
    }
}

/// What stands in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vertex {
    /// A function.
    Func(FuncIdx),
    /// The functions of a set that have a type, or all of them.
    Class(Set, Option<TypeIdx>),
    /// The callees of one call.
    Site(u32),
}

/// Functions that an indirect call may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Set {
    /// The entries of a table that the module alone decides.
    Table(TableIdx),
    /// Every function that something may refer to, exported ones included.
    All,
    /// The entries of an element segment.
    Segment(u32),
}

/// An indirect call as it was resolved.
#[derive(Clone, Copy, Debug)]
pub struct IndirectCall {
    /// The caller.
    pub caller: FuncIdx,
    /// Absolute offset.
    pub at: u32,
    /// Position in the caller's calls.
    pub position: u32,
    /// Why its edges are there.
    pub reason: Reason,
    /// The vertex that leads to its callees.
    vertex: NodeIndex,
}

/// The call graph.
#[derive(Debug)]
pub struct CallGraph {
    graph: DiGraph<Vertex, Reason>,
    n_funcs: usize,
    /// Indirect calls in order.
    pub indirect: Vec<IndirectCall>,
    /// Functions that the host can call: exports, the start function, entries of tables that it can reach.
    pub roots: Vec<FuncIdx>,
    reachable: Vec<bool>,
    recursive: Vec<bool>,
    /// Strongly connected components, callees before callers.
    components: Vec<Vec<NodeIndex>>,
}

impl CallGraph {
    /// Builds the graph.
    #[must_use]
    pub fn build(module: &ValidModule, functions: &[FuncFacts], tables: &Tables) -> Self {
        let mut builder = Builder::new(module, functions, tables);
        builder.direct();
        builder.references();
        builder.indirect();
        builder.finish()
    }

    /// Returns whether the host can make a function run.
    #[must_use]
    pub fn is_reachable(&self, func: FuncIdx) -> bool {
        self.reachable.get(func.index()).copied().unwrap_or(false)
    }

    /// Returns whether nothing but calls by index leads to a function: no table, no reference, no export.
    #[must_use]
    pub fn is_called_directly_only(&self, func: FuncIdx) -> bool {
        let mut edges = self.graph.edges_directed(NodeIndex::new(func.index()), Direction::Incoming);
        edges.all(|edge| *edge.weight() == Reason::Direct) && self.roots.binary_search(&func).is_err()
    }

    /// Returns whether a function may come to call itself.
    #[must_use]
    pub fn is_recursive(&self, func: FuncIdx) -> bool {
        self.recursive.get(func.index()).copied().unwrap_or(false)
    }

    /// Yields what a function may call, with repetition where several calls lead to one function.
    pub fn callees(&self, func: FuncIdx) -> impl Iterator<Item = (FuncIdx, Reason)> {
        let edges = (func.index() < self.n_funcs).then(|| self.graph.edges(NodeIndex::new(func.index())));
        edges.into_iter().flatten().flat_map(|edge| {
            let reason = *edge.weight();
            let target = edge.target();
            let is_func = target.index() < self.n_funcs;
            let inner = (!is_func).then(|| self.graph.neighbors(target)).into_iter().flatten();
            let direct = is_func.then(|| as_func(target)).into_iter();
            direct.chain(inner.map(as_func)).map(move |func| (func, reason))
        })
    }

    /// Yields the functions that an indirect call may reach.
    pub fn targets(&self, call: &IndirectCall) -> impl Iterator<Item = FuncIdx> {
        self.graph.neighbors(call.vertex).map(as_func)
    }

    /// Returns how many functions an indirect call may reach.
    #[must_use]
    pub fn n_targets(&self, call: &IndirectCall) -> usize {
        self.targets(call).count()
    }

    /// Yields functions that may call a function and why, with repetition where several calls lead to it.
    pub fn callers(&self, func: FuncIdx) -> impl Iterator<Item = (FuncIdx, Reason)> {
        let incoming = (func.index() < self.n_funcs)
            .then(|| self.graph.edges_directed(NodeIndex::new(func.index()), Direction::Incoming));
        incoming.into_iter().flatten().flat_map(|edge| {
            let (source, reason) = (edge.source(), *edge.weight());
            let is_func = source.index() < self.n_funcs;
            let outer = (!is_func).then(|| self.graph.edges_directed(source, Direction::Incoming));
            let outer = outer.into_iter().flatten().map(|edge| (as_func(edge.source()), *edge.weight()));
            is_func.then(|| (as_func(source), reason)).into_iter().chain(outer)
        })
    }

    /// Yields the functions that may call one another in a cycle, cycle by cycle.
    pub fn cycles(&self) -> impl Iterator<Item = Vec<FuncIdx>> {
        let cycles = self.components().filter(|(_, is_cycle)| *is_cycle).map(|(component, _)| {
            let mut funcs: Vec<_> =
                component.iter().filter(|at| at.index() < self.n_funcs).map(|at| as_func(*at)).collect();
            funcs.sort_unstable();
            funcs
        });
        cycles.filter(|funcs| !funcs.is_empty())
    }

    /// Returns the graph, whose first vertices are the functions in order.
    #[must_use]
    pub const fn graph(&self) -> &DiGraph<Vertex, Reason> {
        &self.graph
    }

    /// Yields the strongly connected components, callees before callers; and whether each is a cycle.
    pub(crate) fn components(&self) -> impl Iterator<Item = (&[NodeIndex], bool)> {
        self.components.iter().map(|component| (&**component, self.is_cycle(component)))
    }

    fn is_cycle(&self, component: &[NodeIndex]) -> bool {
        component.len() > 1 || component.first().is_some_and(|at| self.graph.contains_edge(*at, *at))
    }

    /// Returns the indirect calls of a function, in order.
    #[must_use]
    pub fn indirect_of(&self, func: FuncIdx) -> &[IndirectCall] {
        let begin = self.indirect.partition_point(|call| call.caller < func);
        let end = self.indirect.partition_point(|call| call.caller <= func);
        self.indirect.get(begin..end).unwrap_or(&[])
    }
}

impl IndirectCall {
    pub(crate) const fn vertex(&self) -> NodeIndex {
        self.vertex
    }
}

fn as_func(node: NodeIndex) -> FuncIdx {
    FuncIdx(u32::try_from(node.index()).unwrap_or(u32::MAX))
}

/// What all callers of a function pass as one of its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Passed {
    Nothing,
    Constants(Vec<u32>),
    Anything,
}

struct Builder<'b> {
    module: &'b ValidModule,
    functions: &'b [FuncFacts],
    tables: &'b Tables,
    graph: DiGraph<Vertex, Reason>,
    classes: HashMap<(Set, Option<TypeIdx>), NodeIndex>,
    /// By set: its functions by type.
    by_type: BTreeMap<Set, BTreeMap<TypeIdx, Vec<FuncIdx>>>,
    indirect: Vec<IndirectCall>,
    roots: Vec<FuncIdx>,
    /// Parameters that index a table, and what is passed as them.
    passed: BTreeMap<(FuncIdx, u32), Passed>,
    n_known_edges: usize,
}

impl<'b> Builder<'b> {
    fn new(module: &'b ValidModule, functions: &'b [FuncFacts], tables: &'b Tables) -> Self {
        let mut graph = DiGraph::with_capacity(module.funcs.len(), module.funcs.len());
        for at in 0..module.funcs.len() {
            graph.add_node(Vertex::Func(FuncIdx(u32::try_from(at).unwrap_or(u32::MAX))));
        }
        let mut builder = Self {
            module,
            functions,
            tables,
            graph,
            classes: HashMap::new(),
            by_type: BTreeMap::new(),
            indirect: Vec::new(),
            roots: Vec::new(),
            passed: BTreeMap::new(),
            n_known_edges: 0,
        };
        builder.roots = builder.find_roots();
        builder.passed = builder.find_passed();
        builder
    }

    fn find_roots(&self) -> Vec<FuncIdx> {
        let exports = self.module.exports.iter().filter_map(|export| match export.item {
            ExternIdx::Func(func) => Some(func),
            _ => None,
        });
        let start = self.module.start.map(|start| start.func);
        // Code may write what it refers to into a table that the host reads; who refers is followed elsewhere.
        let visible = self.tables.tables.iter().filter(|table| table.is_host_visible());
        let visible = visible.flat_map(|table| table.funcs.iter().copied());
        let globals = self.tables.in_globals.iter().copied();
        let mut roots: Vec<_> = exports.chain(start).chain(visible).chain(globals).collect();
        roots.sort_unstable();
        roots.dedup();
        roots
    }

    fn caller(&self, at: usize) -> FuncIdx {
        self.module.defined_func(at)
    }

    fn edge(&mut self, from: FuncIdx, to: NodeIndex, reason: Reason) {
        self.graph.add_edge(NodeIndex::new(from.index()), to, reason);
    }

    fn direct(&mut self) {
        let mut callees = Vec::new();
        for (at, facts) in self.functions.iter().enumerate() {
            callees.clear();
            callees.extend(facts.calls.iter().filter_map(|call| match call.target {
                Target::Func(func) => Some(func),
                _ => None,
            }));
            callees.sort_unstable();
            callees.dedup();
            for callee in &callees {
                self.edge(self.caller(at), NodeIndex::new(callee.index()), Reason::Direct);
            }
            if facts.is_skipped {
                self.any_callee(at);
            }
        }
    }

    /// A body that was not looked at may call anything.
    fn any_callee(&mut self, at: usize) {
        for callee in 0..self.module.funcs.len() {
            self.edge(self.caller(at), NodeIndex::new(callee), Reason::Reference);
        }
    }

    fn references(&mut self) {
        for (at, facts) in self.functions.iter().enumerate() {
            let caller = self.caller(at);
            for func in &facts.refs {
                self.edge(caller, NodeIndex::new(func.index()), Reason::Reference);
            }
            let mut sets: Vec<Set> = facts
                .tables
                .iter()
                .filter_map(|(_, used)| match used {
                    TableUse::Read(table) => Some(self.set_of(*table)),
                    TableUse::Segment(segment) => Some(Set::Segment(segment.0)),
                    TableUse::Write(_) => None,
                })
                .collect();
            sets.sort_unstable();
            sets.dedup();
            for set in sets {
                let class = self.class(set, None);
                self.edge(caller, class, Reason::Reference);
            }
        }
    }

    fn set_of(&self, table: TableIdx) -> Set {
        let is_fixed = self.tables.tables.get(table.index()).is_some_and(|table| table.is_fixed());
        if is_fixed { Set::Table(table) } else { Set::All }
    }

    fn set_funcs(&self, set: Set) -> Vec<FuncIdx> {
        match set {
            Set::Table(table) => self.tables.tables.get(table.index()).map(|it| it.funcs.clone()),
            Set::Segment(segment) => self.tables.segments.get(segment as usize).cloned(),
            Set::All => {
                let exported = self.module.exports.iter().filter_map(|export| match export.item {
                    ExternIdx::Func(func) => Some(func),
                    _ => None,
                });
                let mut all: Vec<_> = self.tables.address_taken.iter().copied().chain(exported).collect();
                all.sort_unstable();
                all.dedup();
                Some(all)
            }
        }
        .unwrap_or_default()
    }

    /// Returns the vertex of the functions of a set that have a type; of all of them without a type.
    fn class(&mut self, set: Set, ty: Option<TypeIdx>) -> NodeIndex {
        let ty = ty.map(|ty| self.module.canonical_type(ty));
        if let Some(class) = self.classes.get(&(set, ty)) {
            return *class;
        }
        let funcs = match ty {
            None => self.set_funcs(set),
            Some(ty) => {
                if !self.by_type.contains_key(&set) {
                    let by_type = self.group(&self.set_funcs(set));
                    self.by_type.insert(set, by_type);
                }
                self.by_type[&set].get(&ty).cloned().unwrap_or_default()
            }
        };
        let class = self.graph.add_node(Vertex::Class(set, ty));
        self.classes.insert((set, ty), class);
        let reason = if set == Set::All { Reason::HostMutable } else { Reason::Type };
        for func in funcs {
            self.graph.add_edge(class, NodeIndex::new(func.index()), reason);
        }
        class
    }

    /// Groups functions by their types and the supertypes of those.
    fn group(&self, funcs: &[FuncIdx]) -> BTreeMap<TypeIdx, Vec<FuncIdx>> {
        let mut by_type: BTreeMap<TypeIdx, Vec<FuncIdx>> = BTreeMap::new();
        for func in funcs {
            self.types_of(*func).for_each(|ty| by_type.entry(ty).or_default().push(*func));
        }
        by_type
    }

    fn types_of(&self, func: FuncIdx) -> impl Iterator<Item = TypeIdx> {
        let first = self.module.funcs.get(func.index()).map(|func| self.module.canonical_type(func.ty));
        let up = |ty: &TypeIdx| {
            let supertype = self.module.types.get(ty.index())?.supertype?;
            Some(self.module.canonical_type(supertype))
        };
        std::iter::successors(first, up).take(SUPERTYPES)
    }

    fn indirect(&mut self) {
        for (at, facts) in self.functions.iter().enumerate() {
            let caller = self.caller(at);
            for (position, call) in facts.calls.iter().enumerate() {
                let (vertex, reason) = match &call.target {
                    Target::Func(_) => continue,
                    Target::Reference(ty) => (self.class(Set::All, Some(*ty)), Reason::Reference),
                    Target::Table { ty, table, index, .. } => self.resolve(caller, *ty, *table, index),
                };
                let position = u32::try_from(position).unwrap_or(u32::MAX);
                self.indirect.push(IndirectCall { caller, at: call.at, position, reason, vertex });
            }
        }
        // Calls of one function through one class are one edge.
        let mut edges: Vec<_> =
            self.indirect.iter().map(|call| (call.caller, call.vertex, call.reason)).collect();
        edges.sort_unstable();
        edges.dedup();
        for (caller, vertex, reason) in edges {
            self.edge(caller, vertex, reason);
        }
    }

    fn resolve(
        &mut self,
        caller: FuncIdx,
        ty: TypeIdx,
        table: TableIdx,
        index: &Index,
    ) -> (NodeIndex, Reason) {
        let set = self.set_of(table);
        let by_type =
            if set == Set::All && self.is_host_visible(table) { Reason::HostMutable } else { Reason::Type };
        let Some((indices, reason)) = self.known(caller, index) else {
            return (self.class(set, Some(ty)), by_type);
        };
        let entries = self.tables.tables.get(table.index()).and_then(|table| table.entries.as_ref());
        let Some(entries) = entries else { return (self.class(set, Some(ty)), by_type) };
        let ty = self.module.canonical_type(ty);
        let mut funcs: Vec<FuncIdx> = indices
            .iter()
            .filter_map(|index| entries.get(*index as usize).copied().flatten())
            .filter(|func| self.types_of(*func).any(|it| it == ty))
            .collect();
        funcs.sort_unstable();
        funcs.dedup();
        let site = u32::try_from(self.indirect.len()).unwrap_or(u32::MAX);
        let vertex = self.graph.add_node(Vertex::Site(site));
        self.n_known_edges += funcs.len();
        for func in funcs {
            self.graph.add_edge(vertex, NodeIndex::new(func.index()), reason);
        }
        (vertex, reason)
    }

    fn is_host_visible(&self, table: TableIdx) -> bool {
        self.tables.tables.get(table.index()).is_some_and(|table| table.is_host_visible())
    }

    /// Returns the indices that a call may use, if they are few.
    fn known(&self, caller: FuncIdx, index: &Index) -> Option<(Vec<u32>, Reason)> {
        if self.n_known_edges > KNOWN_EDGES {
            return None;
        }
        match index {
            Index::Constants(constants) => Some((constants.clone(), Reason::Constant)),
            Index::AtMost(max) => (*max < KNOWN_RANGE).then(|| ((0..=*max).collect(), Reason::Range)),
            Index::Param(param) => match self.passed.get(&(caller, *param)) {
                Some(Passed::Constants(constants)) => Some((constants.clone(), Reason::Constant)),
                // Nobody calls it.
                Some(Passed::Nothing) => Some((Vec::new(), Reason::Constant)),
                _ => None,
            },
            Index::Result(func) => {
                let position = func.0.checked_sub(self.module.n_imported_funcs)?;
                let returned = self.functions.get(position as usize)?.returns?;
                Some((vec![u32::try_from(returned).ok()?], Reason::Constant))
            }
            Index::Any => None,
        }
    }

    /// Finds what is passed to parameters that index a table, in functions that only direct calls reach.
    fn find_passed(&self) -> BTreeMap<(FuncIdx, u32), Passed> {
        let mut passed = BTreeMap::new();
        for (at, facts) in self.functions.iter().enumerate() {
            for call in &facts.calls {
                if let Target::Table { index: Index::Param(param), .. } = call.target {
                    passed.insert((self.caller(at), param), Passed::Nothing);
                }
            }
        }
        let taken = |func: &FuncIdx| {
            self.roots.binary_search(func).is_ok() || self.tables.address_taken.binary_search(func).is_ok()
        };
        let any_skipped = self.functions.iter().any(|facts| facts.is_skipped);
        for ((func, _), known) in &mut passed {
            if any_skipped || taken(func) {
                *known = Passed::Anything;
            }
        }
        if !passed.is_empty() {
            for call in self.functions.iter().flat_map(|facts| &facts.calls) {
                self.pass(&mut passed, call);
            }
        }
        passed
    }

    fn pass(&self, passed: &mut BTreeMap<(FuncIdx, u32), Passed>, call: &Call) {
        const CONSTANTS: usize = 16;
        let Target::Func(callee) = call.target else { return };
        let n_params = self.module.func_type(callee).map_or(0, |ty| ty.params().len());
        let first = n_params.saturating_sub(call.args.len());
        for ((_, param), known) in passed.range_mut((callee, 0)..=(callee, u32::MAX)) {
            let arg = (*param as usize).checked_sub(first).and_then(|at| call.args.get(at));
            let constant = match arg {
                Some(Arg::Constant(constant)) => u32::try_from(*constant).ok(),
                _ => None,
            };
            match (&mut *known, constant) {
                (Passed::Anything, _) => {}
                (_, None) => *known = Passed::Anything,
                (Passed::Nothing, Some(constant)) => *known = Passed::Constants(vec![constant]),
                (Passed::Constants(constants), Some(constant)) => {
                    if !constants.contains(&constant) {
                        constants.push(constant);
                    }
                    if constants.len() > CONSTANTS {
                        *known = Passed::Anything;
                    }
                }
            }
        }
    }

    fn finish(self) -> CallGraph {
        let n_funcs = self.module.funcs.len();
        let components = kosaraju_scc(&self.graph);
        let mut call_graph = CallGraph {
            graph: self.graph,
            n_funcs,
            indirect: self.indirect,
            roots: self.roots,
            reachable: vec![false; n_funcs],
            recursive: vec![false; n_funcs],
            components,
        };
        call_graph.reach();
        call_graph.mark_recursive();
        call_graph
    }
}

impl CallGraph {
    fn reach(&mut self) {
        let mut seen = vec![false; self.graph.node_count()];
        let mut work: Vec<NodeIndex> = self.roots.iter().map(|root| NodeIndex::new(root.index())).collect();
        while let Some(node) = work.pop() {
            if seen.get(node.index()).is_none_or(|seen| *seen) {
                continue;
            }
            seen[node.index()] = true;
            work.extend(self.graph.neighbors(node).filter(|next| !seen[next.index()]));
        }
        seen.truncate(self.n_funcs);
        self.reachable = seen;
    }

    fn mark_recursive(&mut self) {
        let mut recursive = std::mem::take(&mut self.recursive);
        for (component, is_cycle) in self.components() {
            for node in component.iter().filter(|node| is_cycle && node.index() < self.n_funcs) {
                recursive[node.index()] = true;
            }
        }
        self.recursive = recursive;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::functions;
    use crate::testing::module;
    use expect_test::{Expect, expect};

    /// Each function with a name that is not `_`: what it may call and why; behind them what cannot be reached.
    fn check(text: &str, expected: &Expect) {
        let module = module(text);
        let functions = functions(&module);
        let tables = Tables::find(&module, &functions);
        let graph = CallGraph::build(&module, &functions, &tables);
        let name = |func: FuncIdx| module.func_name(func).unwrap_or("?").to_owned();
        let funcs = || (0..module.funcs.len()).map(|at| FuncIdx(at as u32));
        let mut lines = Vec::new();
        for func in funcs() {
            let mut callees: Vec<_> =
                graph.callees(func).map(|(func, reason)| format!("{} {reason:?}", name(func))).collect();
            callees.sort();
            callees.dedup();
            if !callees.is_empty() {
                lines.push(format!("{}: {}", name(func), callees.join(", ")));
            }
        }
        let dead: Vec<_> = funcs().filter(|func| !graph.is_reachable(*func)).map(name).collect();
        if !dead.is_empty() {
            lines.push(format!("unreachable: {}", dead.join(" ")));
        }
        expected.assert_eq(&lines.join("\n"));
    }

    /// A table of $a $b $c of the same type and $d of another, and a body that calls.
    fn with_table(export: &str, body: &str) -> String {
        format!(
            r#"(module (type $v (func)) (type $i (func (param i32)))
                 (memory 1) (table $t {export} 4 funcref) (elem (i32.const 0) $a $b $c $d)
                 (func $a) (func $b) (func $c) (func $d (param i32)) (func $unused)
                 (func $run (export "run") (param $p i32) (local $x i32) {body}))"#
        )
    }

    #[test]
    fn an_index_that_is_not_known_reaches_every_entry_of_the_type() {
        check(
            &with_table("", "local.get 0 call_indirect (type $v)"),
            &expect![[r#"
                run: a Type, b Type, c Type
                unreachable: d unused"#]],
        );
    }

    #[test]
    fn a_constant_reaches_one_entry_also_through_a_local() {
        let expected = expect![[r#"
            run: b Constant
            unreachable: a c d unused"#]];
        check(&with_table("", "i32.const 1 call_indirect (type $v)"), &expected);
        check(&with_table("", "i32.const 1 local.set $x local.get $x call_indirect (type $v)"), &expected);
    }

    #[test]
    fn a_mask_reaches_the_entries_below_it() {
        let expected = expect![[r#"
            run: a Range, b Range
            unreachable: c d unused"#]];
        check(&with_table("", "local.get 0 i32.const 1 i32.and call_indirect (type $v)"), &expected);
        check(&with_table("", "local.get 0 i32.const 2 i32.rem_u call_indirect (type $v)"), &expected);
    }

    #[test]
    fn a_constant_of_another_type_traps_and_reaches_nothing() {
        check(
            &with_table("", "i32.const 3 call_indirect (type $v)"),
            &expect!["unreachable: a b c d unused"],
        );
    }

    #[test]
    fn the_host_may_change_a_table_that_it_can_reach() {
        check(
            &with_table("(export \"t\")", "i32.const 1 call_indirect (type $v)"),
            &expect![[r#"
                run: a HostMutable, b HostMutable, c HostMutable
                unreachable: unused"#]],
        );
        check(
            r#"(module (import "m" "t" (table 4 funcref)) (elem (i32.const 0) $a)
                 (func $a) (func $exported (export "e")) (func $unused)
                 (func $run (export "run") i32.const 0 call_indirect))"#,
            &expect![[r#"
                run: a HostMutable, exported HostMutable, run HostMutable
                unreachable: unused"#]],
        );
    }

    #[test]
    fn a_table_that_the_module_writes_may_hold_whatever_it_refers_to() {
        check(
            r#"(module (table 4 funcref) (elem (i32.const 0) $a) (elem declare func $b)
                 (func $a) (func $b) (func $unused)
                 (func $write i32.const 0 ref.func $b table.set 0)
                 (func $run (export "run") call $write i32.const 0 call_indirect))"#,
            &expect![[r#"
                write: b Reference
                run: a Type, b Type, run Type, write Direct
                unreachable: unused"#]],
        );
    }

    #[test]
    fn a_passive_segment_reaches_a_table_wherever_it_is_put() {
        check(
            r#"(module (import "m" "o" (global $o i32)) (table 4 funcref) (elem $e func $a $b)
                 (func $a) (func $b (param i32)) (func $unused)
                 (func $run (export "run")
                   global.get $o i32.const 0 i32.const 2 table.init $e
                   i32.const 0 call_indirect))"#,
            &expect![[r#"
                run: a Type, run Type
                unreachable: b unused"#]],
        );
    }

    #[test]
    fn a_segment_at_an_offset_of_the_host_makes_indices_unknown() {
        check(
            r#"(module (import "m" "o" (global $o i32)) (table 4 funcref) (elem (global.get $o) $a $b)
                 (func $a) (func $b)
                 (func $run (export "run") i32.const 0 call_indirect))"#,
            &expect!["run: a Type, b Type"],
        );
    }

    #[test]
    fn an_offset_in_a_global_of_our_own_is_known() {
        check(
            r#"(module (global $o i32 i32.const 1) (table 4 funcref) (elem (global.get $o) $a $b)
                 (func $a) (func $b)
                 (func $run (export "run") i32.const 2 call_indirect))"#,
            &expect![[r#"
                run: b Constant
                unreachable: a"#]],
        );
    }

    #[test]
    fn a_constant_is_followed_into_and_out_of_a_function() {
        // Each body closes its function and opens the next.
        check(
            &with_table(
                "",
                "i32.const 2 call $by) (func $by (param i32) local.get 0 call_indirect (type $v)",
            ),
            &expect![[r#"
                run: by Direct
                by: c Constant
                unreachable: a b d unused"#]],
        );
        check(
            &with_table("", "call $two call_indirect (type $v)) (func $two (result i32) i32.const 2"),
            &expect![[r#"
                run: c Constant, two Direct
                unreachable: a b d unused"#]],
        );
        // The host may call it with anything.
        check(
            &with_table(
                "",
                "i32.const 2 call $by)
                 (func $by (export \"by\") (param i32) local.get 0 call_indirect (type $v)",
            ),
            &expect![[r#"
                run: by Direct
                by: a Type, b Type, c Type
                unreachable: d unused"#]],
        );
    }

    #[test]
    fn the_start_function_and_a_global_are_ways_in() {
        check(
            "(module (func $a) (func $b) (func $c) (start $a) (global (export \"g\") funcref ref.func $b))",
            &expect!["unreachable: c"],
        );
    }

    #[test]
    fn recursion_goes_through_tables_too() {
        let module = module(
            "(module (table 1 funcref) (elem (i32.const 0) $a)
               (func $a (param i32) local.get 0 i32.const 0 call_indirect (param i32)) (func $b call $b) (func $c call $b))",
        );
        let functions = functions(&module);
        let graph = CallGraph::build(&module, &functions, &Tables::find(&module, &functions));
        let recursive: Vec<_> = (0..3).map(|at| graph.is_recursive(FuncIdx(at))).collect();
        assert_eq!(recursive, [true, true, false]);
    }

    #[test]
    fn callers_are_callees_the_other_way_round_and_cycles_are_found() {
        let module = module(
                "(module (type $t (func)) (table 2 funcref) (elem (i32.const 0) $c $d)
                   (func $a (export \"a\") (call $b)) (func $b (call $a) (call_indirect (type $t) (global.get 0)))
                   (func $c) (func $d (call $d)) (global (mut i32) (i32.const 0)))",
        );
        let functions = functions(&module);
        let graph = CallGraph::build(&module, &functions, &Tables::find(&module, &functions));
        let all: Vec<_> = (0..4).map(FuncIdx).collect();
        for from in &all {
            for to in &all {
                let forward = graph.callees(*from).any(|(func, _)| func == *to);
                let back = graph.callers(*to).any(|(func, _)| func == *from);
                assert_eq!(forward, back, "{from} to {to}");
            }
        }
        let mut cycles: Vec<_> = graph.cycles().collect();
        cycles.sort();
        assert_eq!(cycles, [vec![FuncIdx(0), FuncIdx(1)], vec![FuncIdx(3)]]);
    }
}

//! Second witnesses of the graphs of `analysis`: another library's dominators, and naive definitions of dominance, loops
//! and edges, on modules made at random.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use petgraph::algo::dominators::simple_fast;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Reversed;
use wasmos_analysis::cfg::{BlockIdx, Cfg, Terminator};
use wasmos_analysis::dominators::{Dominators, dominators, post_dominators};
use wasmos_analysis::loops::Loops;
use wasmos_frontend::opcode::Instr;
use wasmos_frontend::{ValidModule, decode, validate};
use wasmos_tests::guard;

/// Every graph of modules with much control flow: some thousand.
fn graphs(mut check: impl FnMut(&ValidModule, usize, &Cfg)) {
    let mut rng = Rng::with_seed(0x6ea9);
    let (mut n_graphs, mut n_loops) = (0, 0);
    for round in 0..150 {
        let bytes: Vec<u8> = (0..4096).map(|_| rng.u8(..)).collect();
        let config = wasm_smith::Config {
            compact_imports_enabled: false,
            max_instructions: 300,
            min_funcs: 1,
            max_funcs: 6,
            exceptions_enabled: round % 2 == 0,
            tail_call_enabled: true,
            ..wasm_smith::Config::default()
        };
        let module = wasm_smith::Module::new(config, &mut arbitrary::Unstructured::new(&bytes));
        let module = module.expect("a module").to_bytes();
        let module = decode(module).and_then(validate).expect("a valid module");
        for (at, body) in module.bodies.iter().enumerate() {
            let cfg = Cfg::build(&module, *body);
            n_graphs += 1;
            n_loops += cfg.blocks().iter().filter(|block| block.begins_loop).count();
            check(&module, at, &cfg);
        }
    }
    // A tree of nested structures at random has what a generator of valid modules rarely makes.
    for _ in 0..2_500 {
        let text = nested(&mut rng);
        let module = decode(wat::parse_str(&text).expect(&text)).and_then(validate).expect("a valid module");
        let cfg = Cfg::build(&module, module.bodies[0]);
        n_graphs += 1;
        n_loops += cfg.blocks().iter().filter(|block| block.begins_loop).count();
        check(&module, 0, &cfg);
    }
    assert!(n_graphs > 1_000 && n_loops > 1_000, "{n_graphs} graphs with {n_loops} loops");
}

/// A body of blocks, loops, arms, handlers and branches at random.
fn nested(rng: &mut Rng) -> String {
    let mut text = String::from("(module (func (param i32) ");
    statements(rng, &mut text, 1, 4);
    text + "))"
}

fn statements(rng: &mut Rng, text: &mut String, n_labels: u32, depth: u32) {
    for _ in 0..rng.u32(1..4) {
        let (kind, label) = (rng.u32(..if depth == 0 { 7 } else { 12 }), rng.u32(..n_labels));
        match kind {
            0 | 1 => text.push_str("nop "),
            2 | 3 => text.push_str(&format!("local.get 0 br_if {label} ")),
            4 => text.push_str("local.get 0 call 0 "),
            5 => text.push_str(&format!("local.get 0 br_table {label} 0 {label} ")),
            6 => text.push_str(["br 0 ", "return ", "unreachable "][rng.usize(..3)]),
            _ => {
                let (open, middle) = match kind {
                    7 => ("block ".to_owned(), ""),
                    8 | 9 => ("loop ".to_owned(), ""),
                    10 => ("local.get 0 if ".to_owned(), "else "),
                    _ => (format!("try_table (catch_all {label}) "), ""),
                };
                text.push_str(&open);
                statements(rng, text, n_labels + 1, depth - 1);
                if !middle.is_empty() && rng.bool() {
                    text.push_str(middle);
                    statements(rng, text, n_labels + 1, depth - 1);
                }
                text.push_str("end ");
            }
        }
    }
}

fn reachable(cfg: &Cfg, without: Option<BlockIdx>) -> BTreeSet<BlockIdx> {
    let mut seen = BTreeSet::new();
    let mut work: Vec<_> = Some(Cfg::ENTRY).filter(|entry| Some(*entry) != without).into_iter().collect();
    while let Some(block) = work.pop() {
        if seen.insert(block) {
            work.extend(cfg.succs(block).iter().filter(|succ| Some(**succ) != without));
        }
    }
    seen
}

#[test]
fn the_graph_keeps_its_promises() {
    graphs(|module, at, cfg| {
        let tree = dominators(cfg);
        let reached = reachable(cfg, None);
        let mut behind = cfg.blocks()[0].start;
        let mut fuel = 0;
        for (index, block) in cfg.indices().zip(cfg.blocks()) {
            let is_exit = block.terminator == Terminator::Exit;
            assert_eq!(is_exit, index == cfg.exit());
            assert!(is_exit || reached.contains(&index), "no path leads to {index:?}");
            assert!(block.start >= behind && block.end >= block.start, "{block:?}");
            behind = block.end;
            fuel += u64::from(block.fuel);
            let distinct: BTreeSet<_> = cfg.succs(index).iter().collect();
            assert!(block.terminator != Terminator::Table || distinct.len() == cfg.succs(index).len());
            for succ in cfg.succs(index) {
                assert!(cfg.preds(*succ).contains(&index));
                let back = *succ <= index;
                assert_eq!(back, tree.dominates(*succ, index), "{index:?} to {succ:?}");
                assert!(!back || cfg.blocks()[succ.index()].begins_loop);
            }
        }
        // The fuel of the blocks is that of the charges, which were planned without a graph.
        let body = module.valid_body(module.defined_func(at)).expect("a body");
        let plan = wasmos_frontend::blocks::plan(body);
        let planned = plan.iter().map(|charge| u64::from(charge.cost)).sum::<u64>();
        // The plan takes every handler for reachable, the graph those of a block in which something throws.
        let has_handlers = cfg.blocks().iter().any(|block| block.terminator == Terminator::Dispatch);
        assert!(
            fuel == planned || fuel < planned && (has_handlers || has_try(module, at)),
            "{fuel} {planned}"
        );
    });
}

fn has_try(module: &ValidModule, at: usize) -> bool {
    let (_, mut instrs) = module.code(module.bodies[at]).expect("a valid body");
    instrs.any(|(_, instr)| matches!(instr, Instr::Try(_) | Instr::TryTable(_)))
}

fn immediate(cfg: &Cfg, tree: &Dominators) -> Vec<Option<u32>> {
    cfg.indices().map(|block| tree.immediate(block).map(|block| block.0)).collect()
}

fn graph(cfg: &Cfg) -> DiGraph<(), ()> {
    let mut graph = DiGraph::new();
    for _ in cfg.indices() {
        graph.add_node(());
    }
    for block in cfg.indices() {
        for succ in cfg.succs(block) {
            graph.add_edge(NodeIndex::new(block.index()), NodeIndex::new(succ.index()), ());
        }
    }
    graph
}

#[test]
fn dominators_are_those_of_another_library() {
    graphs(|_, _, cfg| {
        let mut graph = graph(cfg);
        let theirs = simple_fast(&graph, NodeIndex::new(0));
        let theirs = |at: BlockIdx| theirs.immediate_dominator(NodeIndex::new(at.index()));
        let theirs: Vec<_> = cfg.indices().map(|at| theirs(at).map(|at| at.index() as u32)).collect();
        assert_eq!(immediate(cfg, &dominators(cfg)), theirs);

        // Loops that nothing leaves go to the exit.
        let exit = NodeIndex::new(cfg.exit().index());
        let leaves: BTreeSet<_> = {
            let mut search = petgraph::visit::Dfs::new(Reversed(&graph), exit);
            std::iter::from_fn(|| search.next(Reversed(&graph))).collect()
        };
        for (block, begins) in cfg.indices().zip(cfg.blocks().iter().map(|block| block.begins_loop)) {
            let node = NodeIndex::new(block.index());
            if begins && !leaves.contains(&node) {
                graph.add_edge(node, exit, ());
            }
        }
        let theirs = simple_fast(Reversed(&graph), exit);
        let theirs = |at: BlockIdx| theirs.immediate_dominator(NodeIndex::new(at.index()));
        let theirs: Vec<_> = cfg.indices().map(|at| theirs(at).map(|at| at.index() as u32)).collect();
        assert_eq!(immediate(cfg, &post_dominators(cfg)), theirs);
    });
}

#[test]
fn a_block_dominates_what_cannot_be_reached_without_it() {
    graphs(|_, _, cfg| {
        if cfg.blocks().len() > 60 {
            return;
        }
        let tree = dominators(cfg);
        let all = reachable(cfg, None);
        for above in &all {
            let without = reachable(cfg, Some(*above));
            for block in &all {
                assert_eq!(tree.dominates(*above, *block), !without.contains(block), "{above:?} {block:?}");
            }
        }
    });
}

#[test]
fn loops_are_the_natural_ones() {
    graphs(|_, _, cfg| {
        let mut naive: BTreeMap<BlockIdx, BTreeSet<BlockIdx>> = BTreeMap::new();
        for block in cfg.indices() {
            for header in cfg.succs(block).iter().filter(|succ| **succ <= block) {
                let blocks = naive.entry(*header).or_default();
                blocks.insert(*header);
                let mut work = vec![block];
                while let Some(block) = work.pop() {
                    if blocks.insert(block) {
                        work.extend(cfg.preds(block));
                    }
                }
            }
        }
        let loops = Loops::find(cfg);
        assert_eq!(
            loops.all().iter().map(|it| it.header).collect::<Vec<_>>(),
            Vec::from_iter(naive.keys().copied())
        );
        for (at, (header, blocks)) in loops.indices().zip(&naive) {
            let found = &loops.all()[at.index()];
            let ours: BTreeSet<_> = cfg.indices().filter(|block| loops.contains(at, *block)).collect();
            assert_eq!(&ours, blocks, "the loop of {header:?}");
            assert_eq!(found.n_blocks as usize, blocks.len());
            let around = naive.iter().filter(|(other, body)| *other != header && body.contains(header));
            assert_eq!(found.depth as usize, 1 + around.clone().count());
            let parent = around.min_by_key(|(_, body)| body.len()).map(|(header, _)| *header);
            assert_eq!(found.parent.map(|up| loops.all()[up.index()].header), parent);
            let exits =
                blocks.iter().flat_map(|block| cfg.succs(*block).iter().map(move |succ| (*block, *succ)));
            let exits: Vec<_> = exits.filter(|(_, succ)| !blocks.contains(succ)).collect();
            assert_eq!(found.n_exits as usize, exits.len());
            let own: Vec<_> = exits.into_iter().filter(|(from, _)| loops.of(*from) == Some(at)).collect();
            assert_eq!(found.exits, own);
        }
    });
}

/// The shapes that make careless graph algorithms quadratic or deep, on a small stack.
#[test]
fn graphs_of_hostile_bodies_are_built_in_time() {
    let n = 100_000;
    let shapes = [
        format!("{} {}", "block ".repeat(n), "local.get 0 br_if 0 end ".repeat(n)),
        format!("{} {}", "loop ".repeat(n), "local.get 0 br_if 0 end ".repeat(n)),
        format!("{} {}", "local.get 0 if ".repeat(n), "end ".repeat(n)),
        format!(
            "{} {}",
            "block ".repeat(n),
            (0..n).map(|at| format!("local.get 0 br_if {} ", n - 1 - at)).collect::<String>()
                + &"end ".repeat(n)
        ),
        "loop local.get 0 br_if 0 end ".repeat(n),
        format!("loop {} end", "local.get 0 br_if 0 ".repeat(n)),
        format!("{} {}", "try_table ".repeat(n), "local.get 0 call 0 end ".repeat(n)),
        format!("block {} end", format!("local.get 0 br_table {} ", "0 ".repeat(60_000)).as_str()),
    ];
    for (at, shape) in shapes.into_iter().enumerate() {
        let bytes = wat::parse_str(format!("(module (func (param i32) {shape}))")).expect("text");
        guard::in_time(move || {
            let module = decode(bytes).and_then(validate).expect("a valid module");
            guard::on_small_stack(|| {
                let cfg = Cfg::build(&module, module.bodies[0]);
                let loops = Loops::find(&cfg);
                let (below, above) = (dominators(&cfg), post_dominators(&cfg));
                assert!(
                    below.dominates(Cfg::ENTRY, cfg.exit()) && above.dominates(cfg.exit(), Cfg::ENTRY),
                    "shape {at}"
                );
                assert!(loops.all().iter().all(|it| it.n_exits > 0));
            });
        });
    }
}

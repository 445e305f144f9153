//! Shapes of code that rules ask for, found where the graph, the loops and the data flow of a body are at hand.

use wasmos_frontend::ValidModule;
use wasmos_frontend::opcode::{Class, Instr, Op};
use wasmos_frontend::types::LocalIdx;

use crate::cfg::{BlockIdx, Cfg, Terminator};
use crate::dataflow::{Dataflow, ValueIdx};
use crate::dominators::post_dominators;
use crate::fold;
use crate::loops::{LoopIdx, Loops};
use crate::mix::Contents;

/// Shapes of one kind that are kept of a body.
const KEPT: usize = 64;

/// What a shape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeKind {
    /// A loop that nothing leaves.
    EndlessLoop {
        /// Whether something is called in it.
        calls: bool,
        /// Whether every call of the function ends up in it.
        inevitable: bool,
    },
    /// A loop whose exits depend only on results of calls, or on memory that the loop does not write.
    HostLoop,
    /// `memory.grow` in a loop.
    GrowInLoop,
    /// A loop that takes a block of the input's length in each round.
    BlockLoop {
        /// Bytes of a block.
        block_bytes: u32,
    },
    /// A `br_table` in a loop that goes where a byte of memory says, and mostly back.
    Dispatch {
        /// How many targets it lists.
        n_labels: u32,
    },
    /// A `br_table` in a loop by a local that is assigned constants.
    Flattened {
        /// Distinct targets.
        n_targets: u32,
        /// Assignments of constants to the local in the loop.
        n_constants: u32,
    },
    /// Bytes are loaded, mixed and stored in a loop.
    DecodeLoop,
    /// A condition that is always the same.
    ConstantCondition,
    /// An address, or what is at it, goes through an `xor` with a global.
    MaskedAccess,
    /// A loaded value is compared with another or with a global before a trap or call: a canary.
    Canary,
}

/// A shape, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What.
    pub kind: ShapeKind,
    /// Absolute offset.
    pub at: u32,
}

/// What the shapes are found in.
pub(crate) struct Parts<'p, 'a> {
    pub(crate) module: &'a ValidModule,
    pub(crate) cfg: &'p Cfg,
    pub(crate) loops: &'p Loops,
    pub(crate) flow: &'p Dataflow<'a>,
    pub(crate) contents: &'p Contents,
}

/// Finds the shapes of a body, in the order of their kinds.
pub(crate) fn find(parts: &Parts<'_, '_>) -> Vec<Shape> {
    let mut shapes = Vec::new();
    if !parts.loops.all().is_empty() {
        let inside = Inside::of(parts);
        shapes.extend(parts.endless(&inside).take(KEPT));
        shapes.extend(parts.host_loops(&inside).take(KEPT));
        shapes.extend(parts.growth().take(KEPT));
        shapes.extend(parts.block_loops().take(KEPT));
        shapes.extend(parts.dispatches().take(KEPT));
        shapes.extend(parts.decode_loops().take(KEPT));
    }
    shapes.extend(parts.constant_conditions().take(KEPT));
    shapes.extend(parts.masked_access());
    shapes.extend(parts.canary());
    shapes
}

/// What each loop has in it, inner loops included.
struct Inside {
    calls: Vec<bool>,
    stores: Vec<bool>,
}

impl Inside {
    fn of(parts: &Parts<'_, '_>) -> Self {
        let n = parts.loops.all().len();
        let (mut calls, mut stores) = (vec![false; n], vec![false; n]);
        let mark = |list: &mut Vec<bool>, block: BlockIdx| {
            if let Some(at) = parts.loops.of(block) {
                list[at.index()] = true;
            }
        };
        parts.flow.calls.iter().for_each(|call| mark(&mut calls, call.block));
        parts.flow.stores.iter().for_each(|block| mark(&mut stores, *block));
        for at in parts.loops.indices().rev() {
            if let Some(up) = parts.loops.all()[at.index()].parent {
                calls[up.index()] |= calls[at.index()];
                stores[up.index()] |= stores[at.index()];
            }
        }
        Self { calls, stores }
    }
}

impl<'p, 'a> Parts<'p, 'a> {
    fn at(&self, block: BlockIdx) -> u32 {
        self.cfg.blocks().get(block.index()).map_or(0, |block| block.start)
    }

    fn last(&self, block: BlockIdx) -> u32 {
        self.cfg.blocks().get(block.index()).map_or(0, |block| block.end.saturating_sub(1))
    }

    fn endless(&self, inside: &Inside) -> impl Iterator<Item = Shape> {
        let endless = self.loops.indices().filter(|at| self.loops.all()[at.index()].n_exits == 0);
        // An inner loop of an endless one is part of it.
        let endless: Vec<_> = endless
            .filter(|at| {
                let parent = self.loops.all()[at.index()].parent;
                parent.is_none_or(|up| self.loops.all()[up.index()].n_exits > 0)
            })
            .collect();
        let tree = (!endless.is_empty()).then(|| post_dominators(self.cfg));
        let shapes: Vec<_> = endless
            .into_iter()
            .map(|at| {
                let header = self.loops.all()[at.index()].header;
                let inevitable = tree.as_ref().is_some_and(|tree| tree.dominates(header, Cfg::ENTRY));
                let kind = ShapeKind::EndlessLoop { calls: inside.calls[at.index()], inevitable };
                Shape { kind, at: self.at(header) }
            })
            .collect();
        shapes.into_iter()
    }

    /// Loops that no call of ours and no store of theirs can end.
    fn host_loops(&self, inside: &Inside) -> impl Iterator<Item = Shape> {
        let loops = self.loops.indices().filter(|at| {
            let it = &self.loops.all()[at.index()];
            let is_leaf = it.exits.len() as u64 == u64::from(it.n_exits);
            !it.exits.is_empty() && is_leaf && it.exits.len() <= 8 && !inside.stores[at.index()] && {
                let mut exits = it.exits.iter();
                exits.all(|(block, _)| self.depends_on_host(self.flow.condition(*block)))
            }
        });
        loops.map(|at| Shape { kind: ShapeKind::HostLoop, at: self.at(self.loops.all()[at.index()].header) })
    }

    fn depends_on_host(&self, value: ValueIdx) -> bool {
        let (mut work, mut from_host) = (vec![value], false);
        let mut seen = 0;
        while let Some(value) = work.pop() {
            seen += 1;
            let node = self.flow.node(value);
            match node.op {
                _ if seen > 32 => return false,
                Op::I32Const | Op::I64Const => {}
                Op::Call => {
                    let is_import = node.imm < u64::from(self.module.n_imported_funcs);
                    if !is_import {
                        return false;
                    }
                    from_host = true;
                }
                op if op.info().class == Class::Load => {
                    // Of a fixed place: an address that moves on is a walk over data.
                    if self.flow.constant(node.args[0]).is_none() {
                        return false;
                    }
                    from_host = true;
                }
                op if value == ValueIdx::UNKNOWN || op == Op::LocalGet || op == Op::GlobalGet => {
                    return false;
                }
                _ => work.extend(node.args.into_iter().filter(|arg| *arg != ValueIdx::UNKNOWN)),
            }
        }
        from_host
    }

    fn growth(&self) -> impl Iterator<Item = Shape> {
        let grows = self.flow.events.iter().filter(|event| matches!(event.instr, Instr::MemoryGrow(_)));
        let grows = grows.filter(|event| self.loops.depth(event.block) > 0);
        grows.map(|event| Shape { kind: ShapeKind::GrowInLoop, at: event.at })
    }

    /// `len -= BLOCK` in a loop that tests `len` against the same constant.
    fn block_loops(&self) -> impl Iterator<Item = Shape> {
        const BLOCKS: [u64; 10] = [16, 32, 48, 64, 72, 104, 128, 136, 144, 168];
        let sets = self.flow.sets.iter().filter_map(|set| {
            let node = self.flow.node(set.value);
            let taken = match node.op {
                Op::I32Sub => self.flow.constant(node.args[1])?,
                Op::I32Add => u64::from((self.flow.constant(node.args[1])? as u32).wrapping_neg()),
                _ => return None,
            };
            let at = self.loops.of(set.block)?;
            let is_own = self.flow.local(node.args[0]) == Some(set.local);
            (is_own && BLOCKS.contains(&taken)).then_some((at, set.local, taken))
        });
        sets.filter_map(|(at, local, taken)| {
            let it = &self.loops.all()[at.index()];
            let tests = it.exits.iter().take(8).map(|(block, _)| self.flow.condition(*block));
            tests.into_iter().any(|test| self.compares(test, local, taken)).then(|| Shape {
                kind: ShapeKind::BlockLoop { block_bytes: taken as u32 },
                at: self.at(it.header),
            })
        })
    }

    fn compares(&self, test: ValueIdx, local: LocalIdx, constant: u64) -> bool {
        let node = self.flow.node(test);
        let [a, b] = node.args;
        let is_local = |value: ValueIdx| {
            let inner = self.flow.node(value).args[0];
            self.flow.local(value) == Some(local) || self.flow.local(inner) == Some(local)
        };
        fold::is_compare(node.op)
            && is_local(a)
            && self.flow.constant(b).is_some_and(|it| it == constant || it + 1 == constant)
    }

    fn dispatches(&self) -> impl Iterator<Item = Shape> {
        let tables = self.cfg.indices().filter(|block| {
            self.cfg.blocks()[block.index()].terminator == Terminator::Table && self.loops.depth(*block) > 0
        });
        tables.filter_map(|block| self.dispatch(block))
    }

    fn dispatch(&self, block: BlockIdx) -> Option<Shape> {
        let at = self.loops.of(block)?;
        let targets = self.cfg.succs(block);
        let back = targets.iter().filter(|target| self.loops.contains(at, **target)).count();
        let selector = self.flow.node(self.flow.condition(block));
        let kind = match selector.op {
            Op::I32Load8U | Op::I32Load8S | Op::I32Load16U | Op::I32Load16S if targets.len() >= 2 => {
                // Several codes may share a target: bytes of the table count, which is at least one a label.
                let n_labels = self.flow.n_labels(block);
                let is_interpreter = n_labels >= 128 && back * 10 >= targets.len() * 6;
                is_interpreter.then_some(ShapeKind::Dispatch { n_labels })?
            }
            Op::LocalGet => self.flattened(at, LocalIdx(u32::try_from(selector.imm).ok()?), targets.len())?,
            _ => return None,
        };
        Some(Shape { kind, at: self.last(block) })
    }

    /// Much of the function goes round one loop, by a local that nearly every round assigns a constant.
    fn flattened(&self, at: LoopIdx, local: LocalIdx, n_targets: usize) -> Option<ShapeKind> {
        let it = &self.loops.all()[at.index()];
        // Most of it, but that a few rounds may stand unrolled before the loop.
        let much = it.n_blocks as usize * 6 >= self.cfg.blocks().len();
        if n_targets < 6 || !much || it.latches.len() * 10 < n_targets * 6 {
            return None;
        }
        let sets = self.flow.sets.iter().filter(|set| set.local == local);
        let sets = sets.filter(|set| self.loops.contains(at, set.block));
        let (mut n_sets, mut n_constants) = (0_usize, 0_usize);
        for set in sets {
            let node = self.flow.node(set.value);
            let chosen =
                node.op == Op::Select && node.args.iter().all(|arg| self.flow.constant(*arg).is_some());
            n_sets += 1;
            n_constants += usize::from(chosen || self.flow.constant(set.value).is_some());
        }
        let flattened = n_constants * 10 >= n_sets * 8 && n_constants * 10 >= n_targets * 6;
        flattened.then(|| ShapeKind::Flattened {
            n_targets: u32::try_from(n_targets).unwrap_or(u32::MAX),
            n_constants: u32::try_from(n_constants).unwrap_or(u32::MAX),
        })
    }

    fn decode_loops(&self) -> impl Iterator<Item = Shape> {
        let stores = self.flow.mixed_stores.iter().filter(|(_, block)| self.loops.depth(*block) > 0);
        stores.map(|(at, _)| Shape { kind: ShapeKind::DecodeLoop, at: *at })
    }

    fn constant_conditions(&self) -> impl Iterator<Item = Shape> {
        let conditions = self.cfg.indices().filter(|block| {
            let terminator = self.cfg.blocks()[block.index()].terminator;
            matches!(terminator, Terminator::BranchIf | Terminator::If)
                && self.is_constant(self.flow.condition(*block))
        });
        conditions.map(|block| Shape { kind: ShapeKind::ConstantCondition, at: self.last(block) })
    }

    /// Returns whether a condition is computed, and always comes out the same. One that is plainly a constant, maybe through
    /// a local, is what compilers leave of flags.
    fn is_constant(&self, value: ValueIdx) -> bool {
        let node = self.flow.node(value);
        match node.op {
            Op::I32Const => node.args.iter().all(|arg| *arg != ValueIdx::UNKNOWN),
            Op::I32Eqz => self.is_constant(node.args[0]),
            Op::I32Eq | Op::I32Ne => {
                self.flow.constant(node.args[1]).is_some() && self.is_even_product(node.args[0])
            }
            _ => self.is_even_product(value),
        }
    }

    /// `x × (x + 1) & 1`, which is always zero.
    fn is_even_product(&self, value: ValueIdx) -> bool {
        let node = self.flow.node(value);
        let low_bit = matches!(node.op, Op::I32And) && self.flow.constant(node.args[1]) == Some(1)
            || matches!(node.op, Op::I32RemU | Op::I32RemS) && self.flow.constant(node.args[1]) == Some(2);
        let product = self.flow.node(node.args[0]);
        if !low_bit || product.op != Op::I32Mul {
            return false;
        }
        let [a, b] = product.args;
        let is_next = |x: ValueIdx, y: ValueIdx| {
            let node = self.flow.node(y);
            x != ValueIdx::UNKNOWN
                && node.args[0] == x
                && match (node.op, self.flow.constant(node.args[1])) {
                    (Op::I32Add | Op::I32Sub, Some(by)) => by % 2 == 1,
                    _ => false,
                }
        };
        is_next(a, b) || is_next(b, a)
    }

    /// A short function that loads or stores, and mixes a global into it.
    fn masked_access(&self) -> Option<Shape> {
        let mix = &self.contents.mix;
        if mix.total > 32 || mix.loads + mix.stores == 0 || mix.xor == 0 {
            return None;
        }
        let nodes = self.flow.nodes();
        let mixed = nodes.iter().find(|node| {
            matches!(node.op, Op::I32Xor | Op::I64Xor)
                && node.args.iter().any(|arg| self.flow.node(*arg).op == Op::GlobalGet)
        });
        mixed.map(|node| Shape { kind: ShapeKind::MaskedAccess, at: node.at })
    }

    fn canary(&self) -> Option<Shape> {
        let is_load = |value| self.flow.node(value).op.info().class == Class::Load;
        let found = self.cfg.indices().find(|block| {
            let node = self.flow.node(self.flow.condition(*block));
            let [a, b] = node.args;
            let global = |value| self.flow.node(value).op == Op::GlobalGet;
            matches!(node.op, Op::I32Ne | Op::I32Eq | Op::I64Ne | Op::I64Eq)
                && (is_load(a) && (is_load(b) || global(b)) || global(a) && is_load(b))
                && self.leads_to_trap(*block)
        });
        found.map(|block| Shape { kind: ShapeKind::Canary, at: self.last(block) })
    }

    fn leads_to_trap(&self, block: BlockIdx) -> bool {
        self.cfg.succs(block).iter().any(|succ| {
            self.cfg.blocks().get(succ.index()).is_some_and(|block| block.terminator == Terminator::Trap)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::functions;
    use crate::testing::module;

    fn kinds(text: &str) -> Vec<ShapeKind> {
        functions(&module(text))[0].shapes.iter().map(|shape| shape.kind).collect()
    }

    /// Asserts that a shape is there, and stays where operations without effect stand in place of `HOLE`.
    fn stays(text: &str, kind: ShapeKind) {
        let idle = [
            "nop",
            "i32.const 0 i32.add",
            "i32.const 0 i32.shl i64.const 7 drop",
            "global.set 1 global.get 1",
            "i32.const 5 i32.const 4 i32.sub i32.mul",
        ];
        for idle in idle {
            assert!(kinds(&text.replace("HOLE", idle)).contains(&kind), "{kind:?} behind {idle}");
        }
    }

    const MODULE: &str = "(module (memory 1) (global (mut i32) i32.const 7) (global (mut i32) i32.const 0) ";

    #[test]
    fn operations_without_effect_hide_no_access() {
        let masked = format!(
            "{MODULE}(func (param i32) (result i32)
            local.get 0 i32.load global.get 0 HOLE i32.xor))"
        );
        stays(&masked, ShapeKind::MaskedAccess);
        let twice = masked.replace("HOLE", "global.get 0 i32.or");
        assert_eq!(kinds(&twice), [ShapeKind::MaskedAccess]);
        let decodes = format!(
            "{MODULE}(func (param i32) loop
            local.get 0  local.get 0 i32.load8_u HOLE i32.const 90 i32.xor HOLE i32.store8
            local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end))"
        );
        stays(&decodes, ShapeKind::DecodeLoop);
    }

    #[test]
    fn operations_without_effect_hide_no_opaque_condition() {
        let opaque = format!(
            "{MODULE}(func (param i32)
            local.get 0 local.get 0 i32.const 1 HOLE i32.add i32.mul HOLE i32.const 1 i32.and
            if i32.const 1 global.set 0 end))"
        );
        stays(&opaque, ShapeKind::ConstantCondition);
        let turned = opaque.replace("local.get 0 i32.const 1 HOLE", "i32.const 1 local.get 0 HOLE");
        stays(&turned, ShapeKind::ConstantCondition);
        let same = format!("{MODULE}(func (param i32) local.get 0 local.get 0 i32.xor if nop end))");
        assert_eq!(kinds(&same), [ShapeKind::ConstantCondition]);
    }

    #[test]
    fn rounds_before_the_loop_hide_no_flattening() {
        const N: usize = 8;
        // The state machine, and what goes back to its header.
        let round = |back: &dyn Fn(usize) -> String| {
            let arms = (0..N).map(|at| {
                let next = (at * 3 + 1) % N;
                format!(
                    "end global.get 0 i32.const {at} i32.add global.set 0 i32.const {next} local.set 0 {}",
                    back(N - 1 - at)
                )
            });
            let labels: String = (0..N).map(|at| format!(" {at}")).collect();
            format!("{} local.get 0 br_table{labels} {}", "block ".repeat(N), arms.collect::<String>())
        };
        let looped = format!("loop {} end", round(&|depth| format!("br {depth} ")));
        let peeled = format!("block {} end ", round(&|depth| format!("br {depth} ")));
        for n_peeled in 0..3 {
            let text = format!("{MODULE}(func (local i32) {} {looped}))", peeled.repeat(n_peeled));
            let is_flattened = |kind: &ShapeKind| matches!(kind, ShapeKind::Flattened { n_targets: 8, .. });
            assert!(kinds(&text).iter().any(is_flattened), "{n_peeled} rounds before the loop");
        }
    }
}

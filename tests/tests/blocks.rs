//! A second witness of `frontend::blocks`: random walks over bodies, by a control-flow graph made naively here, count
//! instruction by instruction what the plan charges run by run.

use std::collections::HashMap;

use wasmos_frontend::blocks::{Charge, Flow, UNTESTED, ends_charge, flow, not_run, plan};
use wasmos_frontend::instr::Catch;
use wasmos_frontend::opcode::Instr;
use wasmos_frontend::validate::ValidBody;
use wasmos_frontend::{decode, validate};

/// Steps of one walk.
const STEPS: usize = 400;

/// A small generator of random numbers (xorshift64*), so that a failure repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }
}

/// Where a block's later arms begin and where it ends, by position.
#[derive(Clone, Default)]
struct Block {
    opened: usize,
    arms: Vec<usize>,
    end: usize,
}

fn opens(flow: &Flow<'_>) -> bool {
    matches!(flow, Flow::Block | Flow::Loop | Flow::If | Flow::Try | Flow::TryTable(_))
}

fn blocks(instrs: &[(u32, Instr<'_>)]) -> HashMap<usize, Block> {
    let mut open: Vec<Block> = Vec::new();
    let mut blocks = HashMap::new();
    for (at, (_, instr)) in instrs.iter().enumerate() {
        match flow(instr) {
            kind if opens(&kind) => open.push(Block { opened: at, ..Block::default() }),
            Flow::Else | Flow::Catch => open.last_mut().expect("an open block").arms.push(at),
            Flow::End | Flow::Delegate => {
                if let Some(mut block) = open.pop() {
                    block.end = at;
                    blocks.insert(block.opened, block);
                }
            }
            _ => {}
        }
    }
    blocks
}

/// By instruction: the positions that may come next.
fn successors(instrs: &[(u32, Instr<'_>)]) -> Vec<Vec<usize>> {
    let blocks = blocks(instrs);
    let end = |at: usize| blocks[&at].end + 1;
    let target = |open: &[usize], label: u32| match open.iter().rev().nth(label as usize) {
        Some(at) if matches!(flow(&instrs[*at].1), Flow::Loop) => at + 1,
        Some(at) => end(*at),
        None => instrs.len(),
    };
    let mut open: Vec<usize> = Vec::new();
    let mut next = vec![Vec::new(); instrs.len()];
    for (at, (_, instr)) in instrs.iter().enumerate() {
        let flow = flow(instr);
        next[at] = match flow {
            Flow::Next | Flow::End | Flow::Delegate | Flow::Block | Flow::Loop => vec![at + 1],
            Flow::If => vec![at + 1, blocks[&at].arms.first().map_or(end(at), |arm| arm + 1)],
            Flow::Try => blocks[&at].arms.iter().map(|arm| arm + 1).chain([at + 1]).collect(),
            Flow::TryTable(table) => {
                let labels = table.parts().catches.into_iter().map(Catch::label);
                labels.map(|label| target(&open, label.0)).chain([at + 1]).collect()
            }
            Flow::Else | Flow::Catch => vec![end(*open.last().expect("an open block"))],
            Flow::Br(label) => vec![target(&open, label.0)],
            Flow::BrIf(label) => vec![at + 1, target(&open, label.0)],
            Flow::BrTable(table) => table.labels().map(|label| target(&open, label.0)).collect(),
            Flow::Return | Flow::Unreachable | Flow::Throw => vec![],
        };
        match flow {
            kind if opens(&kind) => open.push(at),
            Flow::End | Flow::Delegate => {
                open.pop();
            }
            _ => {}
        }
    }
    next
}

/// Counts along one walk.
#[derive(Default)]
struct Count {
    charged: u32,
    run: u32,
    untested: u32,
}

impl Count {
    fn charge(&mut self, charge: &Charge) {
        assert_eq!(
            self.charged, self.run,
            "a run is entered at {:#x} before another has ended",
            charge.offset
        );
        assert!((1..=UNTESTED).contains(&charge.cost));
        self.charged += charge.cost;
        self.untested = if charge.test { 0 } else { self.untested + charge.cost };
        assert!(self.untested <= UNTESTED, "{} units untested at {:#x}", self.untested, charge.offset);
    }
}

/// Walks a body at random; at every step what has been charged and not run is what `not_run` says.
fn walk(body: ValidBody<'_>, random: &mut Random) {
    let plan = plan(body);
    let charges: HashMap<u32, Charge> = plan.into_iter().map(|charge| (charge.offset, charge)).collect();
    let (_, instrs) = body.module().code(body.body()).expect("a valid body");
    let instrs: Vec<_> = instrs.collect();
    let next = successors(&instrs);
    let (mut at, mut count) = (0, Count::default());
    for step in 0..STEPS {
        let Some((offset, instr)) = instrs.get(at) else { break };
        if let Some(charge) = charges.get(offset) {
            count.charge(charge);
        }
        let fuel = u32::from(instr.op().info().fuel);
        count.run += fuel;
        assert!(count.run <= count.charged, "{instr} at {offset:#x} runs uncharged");
        if step % 16 == 0 && fuel > 0 {
            assert_eq!(not_run(body, *offset), count.charged - count.run, "{instr} at {offset:#x}");
        }
        // Where other code can look, or control may go elsewhere, the count is exact. Opening a block with handlers
        // is not such a place: its handlers are entered from a throw inside, which ends its charge.
        let handlers = matches!(flow(instr), Flow::Try | Flow::TryTable(_));
        if ends_charge(instr) || next[at].len() != 1 && !handlers {
            assert_eq!(count.charged, count.run, "{instr} at {offset:#x} does not end its charge");
        }
        let Some(chosen) = next[at].get(random.below(next[at].len().max(1))) else { break };
        if handlers && *chosen != at + 1 {
            count.charged = count.run;
            count.untested = UNTESTED;
        }
        at = *chosen;
    }
}

fn check(bytes: Vec<u8>, random: &mut Random) -> usize {
    let module = decode(bytes).and_then(validate).expect("a valid module");
    for body in module.valid_bodies() {
        for _ in 0..4 {
            walk(body, random);
        }
    }
    module.bodies.len()
}

#[test]
fn random_walks_count_what_the_plan_charges() {
    let mut random = Random(0x5eed);
    let mut walked = 0;
    for _ in 0..600 {
        let bytes: Vec<u8> = (0..4096).map(|_| random.below(256) as u8).collect();
        let config = wasm_smith::Config {
            compact_imports_enabled: false,
            max_instructions: 400,
            min_funcs: 1,
            max_funcs: 6,
            exceptions_enabled: true,
            gc_enabled: true,
            reference_types_enabled: true,
            tail_call_enabled: true,
            threads_enabled: true,
            ..wasm_smith::Config::default()
        };
        let module = wasm_smith::Module::new(config, &mut arbitrary::Unstructured::new(&bytes));
        walked += check(module.expect("a module").to_bytes(), &mut random);
    }
    assert!(walked > 500, "only {walked} bodies were walked");
}

/// Charges of the first function of a text, as offsets from its first instruction.
fn charges(text: &str) -> Vec<(u32, u32, bool)> {
    let module = decode(wat::parse_str(text).expect("text")).and_then(validate).expect("a valid module");
    let body = module.valid_bodies().next().expect("a body");
    let (_, instrs) = module.code(body.body()).expect("a valid body");
    let start = instrs.offset();
    plan(body).iter().map(|charge| (charge.offset - start, charge.cost, charge.test)).collect()
}

#[test]
fn an_endless_loop_costs_one_unit_a_round_and_is_tested_each_time() {
    assert_eq!(charges("(func loop br 0 end)"), [(2, 1, true)]);
}

#[test]
fn a_join_begins_a_run_only_where_something_joins() {
    assert_eq!(charges("(func nop block end i32.const 1 drop)"), [(0, 2, true)]);
    assert_eq!(
        charges("(func (param i32) block local.get 0 br_if 0 i32.const 1 drop end i32.const 1 drop)"),
        [(0, 2, true), (6, 2, false), (10, 2, false)]
    );
}

#[test]
fn dead_code_is_not_charged() {
    assert_eq!(charges("(func unreachable i32.const 1 drop loop br 0 end)"), [(0, 1, true)]);
}

#[test]
fn a_handler_tests_when_it_is_entered() {
    let text = "(func try call 0 i32.const 1 drop catch_all i32.const 1 drop end)";
    let found: Vec<_> = charges(text).iter().map(|charge| (charge.1, charge.2)).collect();
    assert_eq!(found, [(2, true), (2, false), (2, true)]);
}

#[test]
fn a_long_straight_body_is_split_and_tested_in_time() {
    let text = format!("(func {})", "i32.const 1 drop ".repeat(2_000));
    let found: Vec<_> = charges(&text).iter().map(|charge| (charge.1, charge.2)).collect();
    assert_eq!(found, [(1_000, true), (1_000, false), (1_000, true), (1_000, false)]);
}

//! A body's bytes to ops, in one pass, without recursion.
//!
//! The operand stack is symbolic: an entry is a temporary, a local that has not been copied, or a constant. The
//! temporary of a height always has the same slot, behind the locals. Each class of values has an accumulator, which
//! *caches* the slot that was written last; at labels it is dead. An op whose result goes to a local right away is
//! made to write the local; a comparison or an addition that feeds a branch or a load is taken back and becomes part
//! of it.
//!
//! **Fuel** is paid as [`wasmos_frontend::blocks::plan`] says. A *site* is a place in the ops that pays: an edge, the
//! continuation of a call, a `charge` op. Charges of the plan that follow each other without a test, a branch or a look
//! at the counter are paid at once, at the site in front of them. So a label that is reached by falling needs no op:
//! the charge runs on through it, and each branch that arrives there is a site of its own. A charge that tests is an
//! op, unless a loop's first op or the function's entry stands there.
//!
//! **Frames beyond 65,535 slots** do not fit operands of 16 bits. In such a function all operands are moved through a
//! window of slots behind the parameters, and nothing is fused.
//!
//! Memory is bounded by the body: an instruction makes a bounded number of words, and lists of values longer than
//! [`LISTED`](super::ops::call::LISTED) slots are settled, once, in a row. Work per instruction is bounded, or amortised
//! over what was pushed.

mod call;
mod control;
mod instr;
mod memory;
mod numeric;
mod operand;
mod trace;

use wasmos_frontend::LazyModule;
use wasmos_frontend::blocks::{self, Charge};
use wasmos_frontend::instr::V128;
use wasmos_frontend::types::{BlockType, FuncIdx, ValType};
use wasmos_frontend::validate::ValidBody;

use crate::interp::ModuleCode;
use crate::interp::ops::control::{BranchForms, charge};
use crate::interp::ops::observe::observe;
use crate::interp::regs::{Handler, METERED};
use crate::vm::observe::kind;
use operand::{Entry, Ty};
pub(crate) use trace::Trace;

/// Where a body is entered: behind its `charge` op.
pub(crate) const ENTRY: usize = 2;

/// Slots of an operand in a window.
const WINDOW_OPERAND: u32 = 2;
/// Operands that a window holds; the first is for results.
const WINDOW_OPERANDS: u32 = 16;

/// The words of a `charge`: what is tested, and what is paid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entrance {
    pub(crate) test: u32,
    pub(crate) total: u32,
}

/// A translated body.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) ops: Vec<u64>,
    pub(crate) entry: Entrance,
    /// Where the slots begin that are to be cleared at entry, and how many there are.
    pub(crate) zero_from: u32,
    pub(crate) n_zero: u32,
}

/// Translates a function of the code's module.
pub(crate) fn translate(code: &ModuleCode, body: ValidBody<'_>) -> Code {
    Translator::new(code, body, None).run().0
}

/// Translates it again, only to learn which op came from which instruction.
pub(crate) fn trace(code: &ModuleCode, body: ValidBody<'_>) -> Trace {
    Translator::new(code, body, Some(Trace::default())).run().1.unwrap_or_default()
}

/// Returns slot and type of each local of a function.
pub(crate) fn locals(code: &ModuleCode, body: ValidBody<'_>) -> Vec<(u32, ValType)> {
    let translator = Translator::new(code, body, None);
    let params = translator.module.func_type(body.func()).map_or(&[][..], |ty| ty.params());
    let declared = translator.module.code(body.body()).map_or_else(|_| Vec::new(), |code| code.0);
    let declared = declared.into_iter().flat_map(|(n, ty)| core::iter::repeat_n(ty, n as usize));
    let types = params.iter().copied().chain(declared);
    translator.locals.iter().zip(types).map(|((slot, _), ty)| (*slot, ty)).collect()
}

/// Returns slot and type of each operand in front of the instruction at `offset` of an observed function.
pub(crate) fn operands(code: &ModuleCode, body: ValidBody<'_>, offset: u32) -> Vec<(u32, ValType)> {
    let mut translator = Translator::new(code, body, None);
    translator.begin();
    translator.instrs_up_to(offset);
    translator.stack.iter().map(|entry| (translator.temp(*entry), entry.ty.val())).collect()
}

/// A word whose upper half is to be what is paid from here to the next look at the counter.
struct Site {
    word: usize,
    /// Value of the running sum where it was opened.
    start: u32,
}

/// A comparison as a branch.
#[derive(Clone, Copy)]
struct Relation {
    branch: &'static BranchForms,
    /// The opposite; floats have none, since a NaN is neither.
    inverse: Option<&'static BranchForms>,
    /// With a loop's counter in front.
    counter: Option<&'static [Handler; 2]>,
}

/// An operation on two operands that may become part of the next op.
#[derive(Clone, Copy)]
struct Fusible {
    /// An addition of 32 bits, which an access can compute.
    is_sum: bool,
    relation: Option<Relation>,
    form: usize,
    a: u16,
    b: u16,
    immediate: u64,
    /// Whether the immediate has a word of its own.
    is_wide: bool,
    /// The accumulators in front of it.
    acc: [Option<u32>; 3],
}

/// The last op, as long as nothing stands behind it.
#[derive(Clone, Copy)]
struct Last {
    at: usize,
    end: usize,
    fusible: Option<Fusible>,
    /// The slot and the constant of an addition.
    sum: Option<(u16, i32)>,
}

/// `local += constant`, which a branch behind it can do.
#[derive(Clone, Copy)]
struct Count {
    at: usize,
    local: u16,
    step: i32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FrameKind {
    Block,
    Loop,
    Func,
}

/// A block that is open.
struct Frame {
    kind: FrameKind,
    ty: BlockType,
    /// Whether it was opened where code can be reached.
    is_reachable: bool,
    /// Entries of the operand stack below its parameters.
    height: usize,
    /// Values of its label.
    label_len: usize,
    label_slots: u32,
    /// Of a loop: the op behind its `charge`.
    target: usize,
    /// The last target word that waits for the block's end; each has the one before it in its lower half; 0 for none.
    pending: usize,
    /// The target word of an `if` that waits for the second arm; 0 for none.
    second_arm: usize,
    /// The `br_table`, counted from 1, and where its stub for this label stands.
    stub: (u32, usize),
}

struct Translator<'m> {
    code: &'m ModuleCode,
    module: &'m LazyModule,
    valid: ValidBody<'m>,
    func: FuncIdx,
    ops: Vec<u64>,
    /// Slot and type of each local.
    locals: Vec<(u32, Ty)>,
    /// How many entries of the stack are copies of each local.
    uses: Vec<u32>,
    n_param_slots: u32,
    /// Slot of the temporary at height 0.
    first_temp: u32,
    stack: Vec<Entry>,
    /// Slots of the stack.
    height: u32,
    /// Indices of the entries that are locals, and constants, in order.
    local_entries: Vec<u32>,
    const_entries: Vec<u32>,
    frames: Vec<Frame>,
    /// Which slot each accumulator has.
    acc: [Option<u32>; 3],
    last: Option<Last>,
    count: Option<Count>,
    /// A copy that a second one can join: where it is.
    copy_at: Option<usize>,
    /// Target words that land at `fresh_at`.
    fresh: Vec<usize>,
    fresh_at: usize,
    charges: Vec<Charge>,
    next_charge: usize,
    /// Sum of the charges that were passed.
    run: u32,
    sites: Vec<Site>,
    /// A `charge` op that has just been made for what stands here: its amounts.
    open_charge: usize,
    n_tables: u32,
    live: bool,
    /// Whether slots are beyond 16 bits.
    is_wide: bool,
    window_used: u32,
    offset: u32,
    /// Whether an `observe` op stands in front of each instruction.
    is_observed: bool,
    /// What the charge that was passed last pays for instructions that have not been translated.
    ahead: u32,
    /// Where the charge stands that was passed last.
    charged_at: u32,
    trace: Option<Trace>,
}

/// The types of a block or a function on one side.
enum Types<'m> {
    One(ValType),
    Many(&'m [ValType]),
}

impl Types<'_> {
    fn as_slice(&self) -> &[ValType] {
        match self {
            Self::One(ty) => core::slice::from_ref(ty),
            Self::Many(types) => types,
        }
    }

    fn slots(&self) -> u32 {
        self.as_slice().iter().map(|ty| ty.slot_bytes() / 8).sum()
    }
}

fn word(handler: Handler) -> u64 {
    handler as usize as u64
}

/// Packs four operands of 16 bits.
fn pack(a: u16, b: u16, c: u16, d: u16) -> u64 {
    u64::from(a) | u64::from(b) << 16 | u64::from(c) << 32 | u64::from(d) << 48
}

/// Packs two operands of 32 bits.
fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

impl<'m> Translator<'m> {
    fn new(code: &'m ModuleCode, valid: ValidBody<'m>, trace: Option<Trace>) -> Self {
        let (module, func) = (valid.module(), valid.func());
        let charges = if METERED { blocks::plan(valid) } else { Vec::new() };
        let mut translator = Self {
            code,
            module,
            valid,
            func,
            ops: Vec::with_capacity(valid.body().0.len_bytes() as usize),
            locals: Vec::new(),
            uses: Vec::new(),
            n_param_slots: 0,
            first_temp: 0,
            stack: Vec::new(),
            height: 0,
            local_entries: Vec::new(),
            const_entries: Vec::new(),
            frames: Vec::new(),
            acc: [None; 3],
            last: None,
            count: None,
            copy_at: None,
            fresh: Vec::new(),
            fresh_at: usize::MAX,
            charges,
            next_charge: 0,
            run: 0,
            sites: Vec::new(),
            open_charge: 0,
            n_tables: 0,
            live: true,
            is_wide: false,
            window_used: 0,
            offset: 0,
            is_observed: code.is_observed(),
            ahead: 0,
            charged_at: 0,
            trace,
        };
        translator.lay_out();
        translator
    }

    /// Gives locals their slots: parameters, the window if there is one, the others.
    fn lay_out(&mut self) {
        let params = self.module.func_type(self.func).map_or(&[][..], |ty| ty.params());
        // What the frame costs is 32 bytes and 8 for each slot, or nothing for less than 128 slots.
        self.is_wide = self.valid.frame_cost().bytes() > 8 * 65_000;
        let mut slot = 0;
        for param in params {
            self.locals.push((slot, Ty::of(*param)));
            slot += param.slot_bytes() / 8;
        }
        self.n_param_slots = slot;
        if self.is_wide {
            slot += WINDOW_OPERAND * WINDOW_OPERANDS;
        }
        let declared = self.module.code(self.valid.body()).map_or_else(|_| Vec::new(), |code| code.0);
        for (n, ty) in declared {
            for _ in 0..n {
                self.locals.push((slot, Ty::of(ty)));
                slot += ty.slot_bytes() / 8;
            }
        }
        self.first_temp = slot;
        self.uses = vec![0; self.locals.len()];
    }

    fn run(mut self) -> (Code, Option<Trace>) {
        self.begin();
        self.instrs_up_to(u32::MAX);
        let amounts = self.ops[ENTRY - 1];
        let code = Code {
            ops: self.ops,
            entry: Entrance { test: amounts as u32, total: (amounts >> 32) as u32 },
            zero_from: self.n_param_slots,
            n_zero: self.first_temp - self.n_param_slots,
        };
        (code, self.trace)
    }

    /// Opens the function's block and makes its `charge`.
    fn begin(&mut self) {
        let results = self.results_of_func();
        self.frames.push(Frame {
            kind: FrameKind::Func,
            ty: BlockType::Empty,
            is_reachable: true,
            height: 0,
            label_len: results.len(),
            label_slots: Types::Many(results).slots(),
            target: 0,
            pending: 0,
            second_arm: 0,
            stub: (0, 0),
        });
        self.emit_charge();
    }

    /// Translates the instructions in front of the offset `end`.
    fn instrs_up_to(&mut self, end: u32) {
        let module = self.module;
        let Ok((_, instrs)) = module.code(self.valid.body()) else { return };
        for (offset, instr) in instrs.take_while(|(offset, _)| *offset < end) {
            self.begin_instr(offset);
            if self.is_observed && self.live {
                self.observe();
                self.ahead = self.ahead.saturating_sub(instr.op().info().fuel.into());
            }
            self.instr(&instr);
        }
    }

    /// Makes the `observe` op of an instruction: what it finds and leaves is in its slots.
    fn observe(&mut self) {
        let is_entry = self.ops.len() == ENTRY;
        let is_block = self.charged_at == self.offset;
        self.settle_from(0);
        let kinds = kind::INSTRUCTION
            | if is_block { kind::BLOCK } else { 0 }
            | if is_entry { kind::ENTRY } else { 0 };
        self.op(observe, &[pair(self.offset, self.ahead), kinds.into()]);
    }

    fn results_of_func(&self) -> &'m [ValType] {
        self.module.func_type(self.func).map_or(&[], |ty| ty.results())
    }

    fn block_params(&self, ty: BlockType) -> Types<'m> {
        match ty {
            BlockType::Empty | BlockType::Value(_) => Types::Many(&[]),
            BlockType::Type(index) => Types::Many(self.func_type(index).map_or(&[], |ty| ty.params())),
        }
    }

    fn block_results(&self, ty: BlockType) -> Types<'m> {
        match ty {
            BlockType::Empty => Types::Many(&[]),
            BlockType::Value(ty) => Types::One(ty),
            BlockType::Type(index) => Types::Many(self.func_type(index).map_or(&[], |ty| ty.results())),
        }
    }

    fn func_type(
        &self,
        index: wasmos_frontend::types::TypeIdx,
    ) -> Option<&'m wasmos_frontend::types::FuncType> {
        self.module.types.get(index.index())?.func()
    }

    /// Begins an instruction: passes the charge that the plan has in front of it.
    fn begin_instr(&mut self, offset: u32) {
        self.offset = offset;
        self.window_used = WINDOW_OPERAND;
        if let Some(trace) = &mut self.trace {
            trace.begin(offset);
        }
        if !self.live {
            return;
        }
        while let Some(charge) = self.charges.get(self.next_charge).filter(|charge| charge.offset <= offset) {
            let charge = *charge;
            self.next_charge += 1;
            if charge.offset == offset {
                self.pass(charge);
            }
        }
    }

    fn pass(&mut self, charge: Charge) {
        // Observed, each charge is paid where it stands, so that what is paid ahead is known.
        if (charge.test || self.is_observed) && self.open_charge + 1 != self.ops.len() {
            self.emit_charge();
        }
        if charge.test {
            self.ops[self.open_charge] |= u64::from(charge.cost);
        }
        (self.charged_at, self.ahead) = (charge.offset, charge.cost);
        self.run = self.run.wrapping_add(charge.cost);
    }

    /// Makes a `charge` op, whose amounts are to come.
    fn emit_charge(&mut self) {
        self.close_sites();
        self.emit(charge);
        self.ops.push(0);
        self.open_charge = self.ops.len() - 1;
        self.open_site(self.open_charge);
    }

    /// Gives the open sites their amount: what was passed since each was opened.
    fn close_sites(&mut self) {
        for site in self.sites.drain(..) {
            self.ops[site.word] += u64::from(self.run.wrapping_sub(site.start)) << 32;
        }
        if let Some(trace) = &mut self.trace {
            trace.close(self.run);
        }
    }

    fn open_site(&mut self, word: usize) {
        self.sites.push(Site { word, start: self.run });
    }

    /// Begins an op and returns where it stands.
    fn emit(&mut self, handler: Handler) -> usize {
        let at = self.ops.len();
        if let Some(trace) = &mut self.trace {
            trace.op(at, self.run);
        }
        self.ops.push(word(handler));
        self.last = None;
        at
    }

    /// Makes an op of a handler and words.
    fn op(&mut self, handler: Handler, words: &[u64]) -> usize {
        let at = self.emit(handler);
        self.ops.extend_from_slice(words);
        at
    }

    /// Takes back the ops from `at` on.
    fn take_back(&mut self, at: usize) {
        self.ops.truncate(at);
        if let Some(trace) = &mut self.trace {
            trace.take_back(at);
        }
    }

    /// Code behind cannot be reached until a label.
    fn die(&mut self) {
        self.live = false;
        self.sites.clear();
        self.forget_ops();
    }

    /// Forgets what could be changed about ops: a label stands here.
    fn forget_ops(&mut self) {
        self.last = None;
        self.count = None;
        self.copy_at = None;
    }

    fn vector_words(vector: V128) -> [u64; 2] {
        let (words, _) = vector.0.as_chunks::<8>();
        [u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])]
    }
}

#[cfg(test)]
mod tests;

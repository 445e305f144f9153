//! Light data flow within a body: which constants, parameters, masks and host results reach where.
//!
//! One pass over the code that has a block. Every value that the pass can name is a [`Node`]; what it cannot name is
//! [`ValueIdx::UNKNOWN`], and the whole is sound because unknown may be anything. A local keeps its value as long as control
//! comes from one place; where paths meet it becomes a [`Op::LocalGet`] of what the local holds there. Where a block of the
//! source ends, the operands below it are forgotten, so that no arity of control instructions is needed.

use wasmos_frontend::ValidModule;
use wasmos_frontend::blocks::{Flow as Way, flow};
use wasmos_frontend::module::Body;
use wasmos_frontend::opcode::{Class, Effect, Instr, Op};
use wasmos_frontend::types::{FuncIdx, GlobalIdx, LocalIdx, TableIdx, TypeIdx, ValType};

use crate::cfg::{BlockIdx, Cfg, Terminator};
use crate::fold::{self, Identity};
use crate::mix::Constants;

/// Index of a value of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueIdx(pub u32);

impl ValueIdx {
    /// A value of which nothing is known.
    pub const UNKNOWN: Self = Self(0);
}

/// A value: the instruction that made it, and what it was made of.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The instruction. Constants, locals, globals, loads, calls and integer arithmetic are told apart, the rest is unknown.
    pub op: Op,
    /// What it was made of; unknown where there is no such operand. A constant that was computed has its operands.
    pub args: [ValueIdx; 2],
    /// The constant, zero-extended; the index of a local, global or function; the offset of a load.
    pub imm: u64,
    /// The largest value that it can be, unsigned.
    pub max: u64,
    /// Absolute offset of the instruction.
    pub at: u32,
}

impl Node {
    /// Returns the constant that it is.
    #[inline]
    fn constant(&self) -> Option<u64> {
        matches!(self.op, Op::I32Const | Op::I64Const).then_some(self.imm)
    }
}

/// How a call finds its callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// By index.
    Direct(FuncIdx),
    /// By an element of a table.
    Indirect {
        /// The type that the callee must have.
        ty: TypeIdx,
        /// The table.
        table: TableIdx,
        /// The index into the table.
        index: ValueIdx,
    },
    /// By a reference of a type.
    Reference(TypeIdx),
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct CallSite {
    /// Absolute offset of the instruction.
    pub at: u32,
    /// The block that it stands in.
    pub block: BlockIdx,
    /// What is called.
    pub callee: Callee,
    /// Whether it is a tail call.
    pub is_tail: bool,
    /// Where its arguments begin in [`Dataflow::args`].
    args: u32,
    /// How many are kept.
    n_args: u32,
}

/// An assignment to a local.
#[derive(Clone, Copy, Debug)]
pub struct LocalSet {
    /// Absolute offset of the instruction.
    pub at: u32,
    /// The local.
    pub local: LocalIdx,
    /// The block that it stands in.
    pub block: BlockIdx,
    /// What is assigned.
    pub value: ValueIdx,
}

/// Something else that the facts ask for, with up to one operand.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Absolute offset of the instruction.
    pub at: u32,
    /// The block that it stands in.
    pub block: BlockIdx,
    /// The instruction: growth, bulk operations, tables, references to functions.
    pub instr: Instr<'a>,
    /// The topmost operand: pages, bytes, elements.
    pub operand: ValueIdx,
}

/// Text that is stored to memory constant by constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackString {
    /// Absolute offset of the first store.
    pub at: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How many stores it took.
    pub n_stores: u32,
}

/// How many arguments of a call are kept: those of `path_open` from its flags on.
pub(crate) const ARGS: usize = 5;
/// How many constants a local is followed through.
const SET: usize = 4;
/// How many bytes of a stack string are kept.
const STACK_STRING_BYTES: usize = 256;

/// What the pass found in a body. Its buffers serve one body after the other.
#[derive(Debug, Default)]
pub struct Dataflow<'a> {
    nodes: Vec<Node>,
    /// Calls, in order.
    pub calls: Vec<CallSite>,
    /// Assignments to locals, in order.
    pub sets: Vec<LocalSet>,
    /// Other instructions of note, in order.
    pub events: Vec<Event<'a>>,
    /// The blocks that write memory, in order, with repetitions.
    pub stores: Vec<BlockIdx>,
    /// Stores of a loaded byte that something was mixed into: their offsets and blocks.
    pub mixed_stores: Vec<(u32, BlockIdx)>,
    /// Texts that are stored constant by constant.
    pub stack_strings: Vec<StackString>,
    /// Constants of note, whether they stand in the code or are computed.
    pub constants: Constants,
    /// By block: what decides where it goes.
    conditions: Vec<ValueIdx>,
    args: Vec<ValueIdx>,
    /// How many labels each `br_table` lists, by block.
    labels: Vec<(BlockIdx, u32)>,
    locals: Locals,
    stack: Vec<ValueIdx>,
    n_params: u32,
    /// What every return so far has returned.
    returned: Option<Returned>,
    run: Option<StoreRun>,
    /// The global that was written or read last: in which stretch, and what it holds.
    held: Option<(u64, GlobalIdx, ValueIdx)>,
    current: BlockIdx,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Returned {
    Always(u64),
    Anything,
}

/// Stores of constants to addresses that follow one another.
#[derive(Debug)]
struct StoreRun {
    base: ValueIdx,
    next: u64,
    string: StackString,
}

/// What locals hold. Never cleared: a local is known only if its stamp is of now, since declaring many of them is cheap for
/// a module and clearing them would not be for us.
#[derive(Debug, Default)]
struct Locals {
    /// What each holds in the current stretch.
    now: Vec<(u64, ValueIdx)>,
    /// What each is ever assigned in this body.
    ever: Vec<(u64, Ever)>,
    stretch: u64,
    body: u64,
}

/// What a local is ever assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ever {
    Constants { len: u8, values: [u64; SET] },
    Anything,
}

impl Ever {
    fn add(&mut self, constant: Option<u64>) {
        let (Self::Constants { len, values }, Some(constant)) = (&mut *self, constant) else {
            *self = Self::Anything;
            return;
        };
        if values[..usize::from(*len)].contains(&constant) {
            return;
        }
        match values.get_mut(usize::from(*len)) {
            Some(slot) => {
                *slot = constant;
                *len += 1;
            }
            None => *self = Self::Anything,
        }
    }
}

impl Default for BlockIdx {
    fn default() -> Self {
        Cfg::ENTRY
    }
}

impl<'a> Dataflow<'a> {
    /// Reads a body, whose graph is `cfg`, in place of the one before. `visit` is shown each instruction that has a block, so
    /// that other facts of the code need no walk of their own.
    pub fn read(
        &mut self,
        module: &'a ValidModule,
        func: FuncIdx,
        body: Body,
        cfg: &Cfg,
        mut visit: impl FnMut(u32, &Instr<'a>),
    ) {
        self.reset(module, func, cfg);
        let Ok(instrs) = module.instructions(body) else { return };
        let mut blocks = cfg.indices().zip(cfg.blocks()).filter(|(_, block)| block.start < block.end);
        // Where the current block begins and ends; what stands in front of it no path reaches.
        let (mut start, mut end) = (u32::MAX, u32::MAX);
        if let Some((first, block)) = blocks.next() {
            self.current = first;
            (start, end) = (block.start, block.end);
        }
        self.note_branches_out(cfg, Cfg::ENTRY);
        instrs.visit(|offset, instr, _| {
            while offset >= end {
                match blocks.next() {
                    Some((next, block)) => {
                        self.enter(cfg, self.current, next);
                        self.note_branches_out(cfg, next);
                        self.current = next;
                        (start, end) = (block.start, block.end);
                    }
                    None => (start, end) = (u32::MAX, u32::MAX),
                }
            }
            if offset >= start {
                self.instr(module, offset, instr, offset + 1 == body.0.end);
                visit(offset, instr);
            }
        });
        self.end_run();
    }

    fn reset(&mut self, module: &ValidModule, func: FuncIdx, cfg: &Cfg) {
        self.nodes.clear();
        // Most instructions make a value.
        self.nodes.reserve(cfg.n_instrs() as usize);
        self.nodes.push(Node { op: Op::Nop, args: [ValueIdx::UNKNOWN; 2], imm: 0, max: u64::MAX, at: 0 });
        self.calls.clear();
        self.sets.clear();
        self.events.clear();
        self.stores.clear();
        self.mixed_stores.clear();
        self.labels.clear();
        self.stack_strings.clear();
        self.args.clear();
        self.stack.clear();
        self.conditions.clear();
        self.conditions.resize(cfg.blocks().len(), ValueIdx::UNKNOWN);
        let params = module.func_type(func).map_or(0, |ty| ty.params().len());
        self.n_params = u32::try_from(params).unwrap_or(u32::MAX);
        let is_followed = cfg.blocks().iter().all(|block| block.terminator != Terminator::Dispatch);
        self.returned = (!is_followed).then_some(Returned::Anything);
        self.current = Cfg::ENTRY;
        self.run = None;
        self.held = None;
        self.constants = Constants::default();
        self.locals.body += 1;
        self.locals.stretch += 1;
    }

    /// Goes on in another block: what locals hold stays known only if control comes from the block before alone.
    fn enter(&mut self, cfg: &Cfg, from: BlockIdx, to: BlockIdx) {
        if cfg.preds(to) != [from] {
            self.locals.stretch += 1;
            self.end_run();
        }
    }

    /// A branch to the outermost label returns too.
    fn note_branches_out(&mut self, cfg: &Cfg, block: BlockIdx) {
        let terminator = cfg.blocks().get(block.index()).map(|block| block.terminator);
        let branches =
            matches!(terminator, Some(Terminator::Jump | Terminator::BranchIf | Terminator::Table));
        if branches && cfg.succs(block).contains(&cfg.exit()) {
            self.returned = Some(Returned::Anything);
        }
    }

    /// Returns the node of a value.
    #[must_use]
    pub fn node(&self, value: ValueIdx) -> &Node {
        self.nodes.get(value.0 as usize).unwrap_or(&self.nodes[0])
    }

    /// Returns all values.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns what decides where a block goes: the condition of a branch, the selector of a `br_table`.
    #[must_use]
    pub fn condition(&self, block: BlockIdx) -> ValueIdx {
        self.conditions.get(block.index()).copied().unwrap_or(ValueIdx::UNKNOWN)
    }

    /// Returns how many labels the `br_table` at the end of a block lists.
    #[must_use]
    pub fn n_labels(&self, block: BlockIdx) -> u32 {
        let at = self.labels.binary_search_by_key(&block, |(block, _)| *block);
        at.ok().and_then(|at| self.labels.get(at)).map_or(0, |(_, n)| *n)
    }

    /// Returns the last arguments of a call, at most five; the first of them is that of parameter `n_params - len`.
    #[must_use]
    pub fn args(&self, call: &CallSite) -> &[ValueIdx] {
        let start = call.args as usize;
        self.args.get(start..start + call.n_args as usize).unwrap_or(&[])
    }

    /// Returns the constant that a value is.
    #[must_use]
    pub fn constant(&self, value: ValueIdx) -> Option<u64> {
        self.node(value).constant()
    }

    /// Returns how many parameters the function has.
    #[must_use]
    pub const fn n_params(&self) -> u32 {
        self.n_params
    }

    /// Returns the parameter that a value is: one that the body never assigns.
    #[must_use]
    pub fn param(&self, value: ValueIdx) -> Option<u32> {
        let node = self.node(value);
        let local = u32::try_from(node.imm).ok().filter(|local| *local < self.n_params)?;
        (node.op == Op::LocalGet && !self.is_assigned(LocalIdx(local))).then_some(local)
    }

    /// Returns the local that a value is read from.
    #[must_use]
    pub fn local(&self, value: ValueIdx) -> Option<LocalIdx> {
        let node = self.node(value);
        let local = u32::try_from(node.imm).ok()?;
        (node.op == Op::LocalGet).then_some(LocalIdx(local))
    }

    /// Returns whether a body ever assigns a local.
    #[must_use]
    pub fn is_assigned(&self, local: LocalIdx) -> bool {
        self.locals.ever.get(local.index()).is_some_and(|(body, _)| *body == self.locals.body)
    }

    /// Returns all constants that a value can be, if they are few: of a constant, or of a local that is only ever assigned
    /// constants. A local that is no parameter begins with zero.
    #[must_use]
    pub fn constants(&self, value: ValueIdx) -> Option<Vec<u64>> {
        if let Some(constant) = self.constant(value) {
            return Some(vec![constant]);
        }
        let local = self.local(value).filter(|local| local.0 >= self.n_params)?;
        let mut constants = vec![0];
        match self.locals.ever.get(local.index()).filter(|(body, _)| *body == self.locals.body) {
            Some((_, Ever::Constants { len, values })) => {
                constants.extend(values.iter().take(usize::from(*len)).filter(|value| **value != 0));
            }
            Some((_, Ever::Anything)) => return None,
            None => {}
        }
        Some(constants)
    }

    /// Returns what the function returns, if it is one constant on every path.
    #[must_use]
    pub fn returns(&self) -> Option<u64> {
        match self.returned {
            Some(Returned::Always(constant)) => Some(constant),
            _ => None,
        }
    }

    fn push(&mut self, node: Node) -> ValueIdx {
        let value = ValueIdx(u32::try_from(self.nodes.len()).unwrap_or(0));
        self.nodes.push(node);
        self.stack.push(value);
        value
    }

    fn push_made(&mut self, op: Op, imm: u64, max: u64, at: u32) {
        self.push(Node { op, args: [ValueIdx::UNKNOWN; 2], imm, max, at });
    }

    fn pop(&mut self) -> ValueIdx {
        self.stack.pop().unwrap_or(ValueIdx::UNKNOWN)
    }

    fn pop_many(&mut self, n: usize) {
        self.stack.truncate(self.stack.len().saturating_sub(n));
    }

    /// Takes operands and leaves results of which nothing is known.
    fn make_unknown(&mut self, n_params: usize, n_results: usize) {
        self.pop_many(n_params);
        self.stack.resize(self.stack.len() + n_results, ValueIdx::UNKNOWN);
    }

    /// Nothing is known of the operands any more.
    fn forget(&mut self) {
        self.stack.clear();
    }

    #[inline]
    fn instr(&mut self, module: &ValidModule, at: u32, instr: &Instr<'a>, is_last: bool) {
        match *instr {
            Instr::LocalGet(local) => self.get_local(local, at),
            Instr::LocalSet(local) => {
                let value = self.pop();
                self.set_local(local, value, at);
            }
            Instr::LocalTee(local) => {
                let value = self.stack.last().copied().unwrap_or(ValueIdx::UNKNOWN);
                self.set_local(local, value, at);
            }
            Instr::I32Const(value) => {
                let value = u64::from(value as u32);
                self.constants.note(Op::I32Const, value);
                self.push_made(Op::I32Const, value, value, at);
            }
            Instr::I64Const(value) => {
                self.constants.note(Op::I64Const, value as u64);
                self.push_made(Op::I64Const, value as u64, value as u64, at);
            }
            Instr::GlobalGet(global) => self.get_global(global, at),
            Instr::Drop => {
                self.pop();
            }
            _ => {
                let info = instr.op().info();
                match (info.class, info.effect) {
                    (
                        Class::Compare | Class::Integer | Class::Bitwise | Class::Convert,
                        Effect::Fixed { params, results },
                    ) => match (params.len(), results.len()) {
                        (1, 1) => self.unary(info.op, at),
                        (2, 1) => self.binary(info.op, at),
                        // Of 128 bits, in halves.
                        (n_params, n_results) => self.make_unknown(n_params, n_results),
                    },
                    (Class::Load, Effect::Fixed { .. }) => self.load(info.op, at, instr),
                    (Class::Store, Effect::Fixed { params, .. }) if params.len() == 2 => {
                        self.store(at, instr)
                    }
                    (Class::Float | Class::Constant | Class::Vector, Effect::Fixed { params, results }) => {
                        self.make_unknown(params.len(), results.len());
                    }
                    _ => self.rare(module, at, instr, is_last),
                }
            }
        }
    }

    fn rare(&mut self, module: &ValidModule, at: u32, instr: &Instr<'a>, is_last: bool) {
        match flow(instr) {
            Way::Next => self.plain(module, at, instr),
            Way::Block | Way::Try => {}
            Way::Loop | Way::Else | Way::Catch | Way::Delegate | Way::TryTable(_) => self.forget(),
            Way::End => {
                if is_last {
                    self.note_return();
                }
                self.forget();
            }
            Way::If => self.decide(),
            Way::BrIf(_) if matches!(instr, Instr::BrIf(_)) => self.decide(),
            Way::BrTable(table) => {
                let n_labels = u32::try_from(table.labels().count()).unwrap_or(u32::MAX);
                self.labels.push((self.current, n_labels));
                self.decide();
                self.forget();
            }
            Way::Br(_) | Way::BrIf(_) | Way::Throw | Way::Unreachable => self.forget(),
            Way::Return => self.leave(module, at, instr),
        }
    }

    fn decide(&mut self) {
        let condition = self.pop();
        if let Some(slot) = self.conditions.get_mut(self.current.index()) {
            *slot = condition;
        }
    }

    fn leave(&mut self, module: &ValidModule, at: u32, instr: &Instr<'a>) {
        match *instr {
            Instr::Return => self.note_return(),
            Instr::ReturnCall(func) => self.call(module, at, Callee::Direct(func), true),
            Instr::ReturnCallIndirect(call) => {
                let index = self.pop();
                let callee = Callee::Indirect { ty: call.ty, table: call.table, index };
                self.call(module, at, callee, true);
            }
            Instr::ReturnCallRef(ty) => {
                self.pop();
                self.call(module, at, Callee::Reference(ty), true);
            }
            _ => {}
        }
        if !matches!(instr, Instr::Return) {
            self.returned = Some(Returned::Anything);
        }
        self.forget();
    }

    fn note_return(&mut self) {
        let value = self.stack.last().copied().unwrap_or(ValueIdx::UNKNOWN);
        let returned = self.constant(value).map_or(Returned::Anything, Returned::Always);
        self.returned = match self.returned {
            None => Some(returned),
            Some(before) if before == returned => Some(returned),
            Some(_) => Some(Returned::Anything),
        };
    }

    fn plain(&mut self, module: &ValidModule, at: u32, instr: &Instr<'a>) {
        match *instr {
            Instr::Nop => {}
            Instr::GlobalSet(global) => {
                let operand = self.pop();
                self.held = (operand != ValueIdx::UNKNOWN).then_some((self.locals.stretch, global, operand));
                self.event(at, instr, operand);
            }
            Instr::Select | Instr::SelectT(_) => self.select(at),
            Instr::Call(func) => self.call(module, at, Callee::Direct(func), false),
            Instr::CallIndirect(call) => {
                let index = self.pop();
                self.call(module, at, Callee::Indirect { ty: call.ty, table: call.table, index }, false);
            }
            Instr::CallRef(ty) => {
                self.pop();
                self.call(module, at, Callee::Reference(ty), false);
            }
            _ => self.by_class(at, instr),
        }
    }

    fn by_class(&mut self, at: u32, instr: &Instr<'a>) {
        let info = instr.op().info();
        match (info.class, info.effect) {
            (_, Effect::Fixed { params, results }) => self.make_unknown(params.len(), results.len()),
            (Class::Memory | Class::Table | Class::Reference, Effect::Special) => self.special(at, instr),
            (Class::Gc, _) => {
                self.event(at, instr, ValueIdx::UNKNOWN);
                self.forget();
            }
            _ => self.forget(),
        }
    }

    fn special(&mut self, at: u32, instr: &Instr<'a>) {
        let operand = self.stack.last().copied().unwrap_or(ValueIdx::UNKNOWN);
        self.event(at, instr, operand);
        let (pops, pushes) = match instr {
            Instr::MemorySize(_) | Instr::TableSize(_) | Instr::RefFunc(_) | Instr::RefNull(_) => (0, 1),
            Instr::MemoryGrow(_) | Instr::TableGet(_) | Instr::RefIsNull => (1, 1),
            Instr::TableGrow(_) => (2, 1),
            Instr::TableSet(_) => (2, 0),
            Instr::MemoryCopy(_)
            | Instr::MemoryFill(_)
            | Instr::MemoryInit(_)
            | Instr::TableCopy(_)
            | Instr::TableFill(_)
            | Instr::TableInit(_) => (3, 0),
            Instr::DataDrop(_) | Instr::ElemDrop(_) => (0, 0),
            _ => return self.forget(),
        };
        self.make_unknown(pops, pushes);
    }

    fn event(&mut self, at: u32, instr: &Instr<'a>, operand: ValueIdx) {
        self.events.push(Event { at, block: self.current, instr: *instr, operand });
    }

    /// A global holds what was last put into it or read from it, until another path or a call comes in between. Each read
    /// has a node all the same: reads are counted.
    fn get_global(&mut self, global: GlobalIdx, at: u32) {
        let node = Node {
            op: Op::GlobalGet,
            args: [ValueIdx::UNKNOWN; 2],
            imm: u64::from(global.0),
            max: u64::MAX,
            at,
        };
        let read = self.push(node);
        match self.held {
            Some((stretch, held, value)) if (stretch, held) == (self.locals.stretch, global) => {
                self.pop();
                self.stack.push(value);
            }
            _ => self.held = Some((self.locals.stretch, global, read)),
        }
    }

    fn get_local(&mut self, local: LocalIdx, at: u32) {
        let locals = &mut self.locals;
        if locals.now.len() <= local.index() {
            locals.now.resize(local.index() + 1, (0, ValueIdx::UNKNOWN));
        }
        let (stretch, value) = locals.now[local.index()];
        if stretch == locals.stretch {
            self.stack.push(value);
            return;
        }
        let max = u64::MAX;
        let value = self.push(Node {
            op: Op::LocalGet,
            args: [ValueIdx::UNKNOWN; 2],
            imm: u64::from(local.0),
            max,
            at,
        });
        self.locals.now[local.index()] = (self.locals.stretch, value);
    }

    fn set_local(&mut self, local: LocalIdx, value: ValueIdx, at: u32) {
        let constant = self.constant(value);
        let locals = &mut self.locals;
        let index = local.index();
        if locals.now.len() <= index {
            locals.now.resize(index + 1, (0, ValueIdx::UNKNOWN));
        }
        if locals.ever.len() <= index {
            locals.ever.resize(index + 1, (0, Ever::Anything));
        }
        locals.now[index] = (locals.stretch, value);
        if locals.ever[index].0 != locals.body {
            locals.ever[index] = (locals.body, Ever::Constants { len: 0, values: [0; SET] });
        }
        locals.ever[index].1.add(constant);
        self.sets.push(LocalSet { at, local, block: self.current, value });
    }

    fn select(&mut self, at: u32) {
        self.pop();
        let (b, a) = (self.pop(), self.pop());
        let max = self.node(a).max.max(self.node(b).max);
        self.push(Node { op: Op::Select, args: [a, b], imm: 0, max, at });
    }

    fn unary(&mut self, op: Op, at: u32) {
        let a = self.pop();
        if let Some(value) = self.constant(a).and_then(|constant| fold::unary(op, constant)) {
            return self.push_constant(op, value, [a, ValueIdx::UNKNOWN], at);
        }
        let max = match op {
            Op::I64ExtendI32U | Op::I32WrapI64 => self.node(a).max.min(u64::from(u32::MAX)),
            _ if fold::is_compare(op) => 1,
            _ => u64::MAX,
        };
        self.push(Node { op, args: [a, ValueIdx::UNKNOWN], imm: 0, max, at });
    }

    fn binary(&mut self, op: Op, at: u32) {
        let (b, a) = (self.pop(), self.pop());
        let (first, second) = (*self.node(a), *self.node(b));
        let (x, y) = (first.constant(), second.constant());
        if let (Some(x), Some(y)) = (x, y)
            && let Some(value) = fold::binary(op, x, y)
        {
            return self.push_constant(op, value, [a, b], at);
        }
        // A constant stands second, so that who reads the node looks in one place.
        let (a, b, y) = if x.is_some() && fold::commutes(op) { (b, a, x) } else { (a, b, y) };
        let same = a == b && a != ValueIdx::UNKNOWN;
        if y.is_some() || same {
            match fold::identity(op, y, same) {
                Some(Identity::First) => return self.stack.push(a),
                Some(Identity::Constant(value)) => return self.push_constant(op, value, [a, b], at),
                None => {}
            }
            if op == Op::I32And {
                self.constants.note_mask(y, at);
            }
        }
        let max = fold::binary_max(op, self.node(a).max, self.node(b).max, y);
        self.push(Node { op, args: [a, b], imm: 0, max, at });
    }

    fn push_constant(&mut self, op: Op, value: u64, args: [ValueIdx; 2], at: u32) {
        let is_i64 = matches!(op.info().effect, Effect::Fixed { results, .. }
            if results.first().and_then(|it| it.val()) == Some(ValType::I64));
        let op = if is_i64 { Op::I64Const } else { Op::I32Const };
        self.constants.note(op, value);
        self.push(Node { op, args, imm: value, max: value, at });
    }

    fn load(&mut self, op: Op, at: u32, instr: &Instr<'a>) {
        let address = self.pop();
        let max = match op {
            Op::I32Load8U | Op::I64Load8U => 0xff,
            Op::I32Load16U | Op::I64Load16U => 0xffff,
            Op::I64Load32U => u64::from(u32::MAX),
            _ => u64::MAX,
        };
        let imm = instr.memarg().map_or(0, |memarg| memarg.offset);
        self.push(Node { op, args: [address, ValueIdx::UNKNOWN], imm, max, at });
    }

    fn store(&mut self, at: u32, instr: &Instr<'a>) {
        if self.stores.last() != Some(&self.current) {
            self.stores.push(self.current);
        }
        let (value, address) = (self.pop(), self.pop());
        let len = usize::from(instr.op().info().access_bytes);
        let mixed = self.node(value);
        let is_load = |arg: ValueIdx| matches!(self.node(arg).op, Op::I32Load8U | Op::I32Load8S);
        if len == 1 && mixed.op == Op::I32Xor && mixed.args.into_iter().any(is_load) {
            self.mixed_stores.push((at, self.current));
        }
        let Some(constant) = self.constant(value).filter(|_| len <= 8) else {
            return self.end_run();
        };
        let memarg = instr.memarg().map_or(0, |memarg| memarg.offset);
        let (base, offset) = self.split_address(address);
        let (begin, end) =
            (offset.wrapping_add(memarg), offset.wrapping_add(memarg).wrapping_add(len as u64));
        if self.run.as_ref().is_none_or(|run| run.base != base || run.next != begin) {
            self.end_run();
            let string = StackString { at, bytes: Vec::new(), n_stores: 0 };
            self.run = Some(StoreRun { base, next: begin, string });
        }
        if let Some(run) = &mut self.run {
            run.next = end;
            run.string.n_stores += 1;
            if run.string.bytes.len() < STACK_STRING_BYTES {
                run.string.bytes.extend(&constant.to_le_bytes()[..len]);
            }
        }
    }

    /// Returns an address as a base and a constant.
    fn split_address(&self, address: ValueIdx) -> (ValueIdx, u64) {
        if let Some(constant) = self.constant(address) {
            return (ValueIdx::UNKNOWN, constant);
        }
        let node = self.node(address);
        match (node.op, self.constant(node.args[1])) {
            (Op::I32Add, Some(constant)) => (node.args[0], constant),
            _ => (address, 0),
        }
    }

    /// Ends a run of stores; it is kept if it made text.
    fn end_run(&mut self) {
        let Some(run) = self.run.take() else { return };
        let text = run.string.bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')).count();
        let zeros = run.string.bytes.iter().rev().take_while(|byte| **byte == 0).count();
        if run.string.n_stores >= 8 && text + zeros == run.string.bytes.len() && text >= 8 {
            self.stack_strings.push(run.string);
        }
    }

    fn call(&mut self, module: &ValidModule, at: u32, callee: Callee, is_tail: bool) {
        let ty = match callee {
            Callee::Direct(func) => module.func_type(func),
            Callee::Indirect { ty, .. } | Callee::Reference(ty) => {
                module.types.get(ty.index()).and_then(|ty| ty.func())
            }
        };
        let (n_params, n_results) = ty.map_or((0, 0), |ty| (ty.params().len(), ty.results().len()));
        let kept = n_params.min(ARGS);
        let args = u32::try_from(self.args.len()).unwrap_or(u32::MAX);
        for back in (1..=kept).rev() {
            let value = self.stack.len().checked_sub(back).and_then(|at| self.stack.get(at));
            self.args.push(value.copied().unwrap_or(ValueIdx::UNKNOWN));
        }
        self.pop_many(n_params);
        self.held = None;
        let n_args = u32::try_from(kept).unwrap_or(0);
        self.calls.push(CallSite { at, block: self.current, callee, is_tail, args, n_args });
        self.end_run();
        match (n_results, callee) {
            (0, _) => {}
            (1, Callee::Direct(func)) => self.push_made(Op::Call, u64::from(func.0), u64::MAX, at),
            (1, _) => self.push_made(Op::CallIndirect, 0, u64::MAX, at),
            (2..=8, _) => self.stack.extend((0..n_results).map(|_| ValueIdx::UNKNOWN)),
            _ => self.forget(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::module;

    /// What the only indirect call of the first function may index.
    fn index(body: &str) -> (Option<Vec<u64>>, u64, Option<u32>) {
        let module = module(&format!(
            "(module (memory 1) (table 16 funcref) (global (mut i32) i32.const 0)
               (func (param i32) (local $x i32) {body}) (func))"
        ));
        let cfg = Cfg::build(&module, module.bodies[0]);
        let mut flow = Dataflow::default();
        flow.read(&module, FuncIdx(0), module.bodies[0], &cfg, |_, _| {});
        let index = match flow.calls.last().unwrap().callee {
            Callee::Indirect { index, .. } => index,
            other => panic!("{other:?}"),
        };
        (flow.constants(index), flow.node(index).max, flow.param(index))
    }

    #[test]
    fn an_index_is_followed_through_locals_arithmetic_and_masks() {
        let unknown = u64::MAX;
        assert_eq!(index("i32.const 3 i32.const 4 i32.add call_indirect"), (Some(vec![7]), 7, None));
        assert_eq!(index("i32.const 3 local.set 1 local.get 1 call_indirect"), (Some(vec![3]), 3, None));
        assert_eq!(index("local.get 0 call_indirect"), (None, unknown, Some(0)));
        assert_eq!(index("local.get 0 i32.const 3 i32.and call_indirect"), (None, 3, None));
        assert_eq!(index("local.get 0 i32.const 5 i32.rem_u call_indirect"), (None, 4, None));
        assert_eq!(index("local.get 0 i32.load8_u drop local.get 0 call_indirect"), (None, unknown, Some(0)));
    }

    #[test]
    fn an_index_is_followed_through_operations_without_effect() {
        let unknown = u64::MAX;
        let param = (None, unknown, Some(0));
        assert_eq!(index("local.get 0 i32.const 32 i32.rotl i32.const 1 i32.mul call_indirect"), param);
        assert_eq!(index("i32.const 0 local.get 0 i32.or local.get 0 i32.and call_indirect"), param);
        assert_eq!(index("local.get 0 i32.const 1 i32.shl call_indirect").2, None);
        assert_eq!(index("i32.const 3 local.get 0 i32.and call_indirect"), (None, 3, None));
        assert_eq!(index("local.get 0 i32.const 0 i32.mul call_indirect").0, Some(vec![0]));
        assert_eq!(index("local.get 0 local.get 0 i32.sub call_indirect").0, Some(vec![0]));
    }

    #[test]
    fn halves_of_128_bits_are_not_known() {
        let sum =
            "i64.const 1 i64.const 2 i64.const 3 i64.const 4 i64.add128 drop i32.wrap_i64 call_indirect";
        assert_eq!(index(sum).0, None);
        let product =
            "i64.const 7 i64.const 1 i64.const 2 i64.mul_wide_u drop i32.wrap_i64 call_indirect drop";
        assert_eq!(index(product).0, None);
    }

    #[test]
    fn an_index_is_followed_through_a_global_until_something_comes_between() {
        assert_eq!(index("i32.const 3 global.set 0 global.get 0 call_indirect").0, Some(vec![3]));
        assert_eq!(
            index("i32.const 3 global.set 0 nop i32.const 9 drop global.get 0 call_indirect").0,
            Some(vec![3])
        );
        assert_eq!(index("i32.const 3 global.set 0 call 1 global.get 0 call_indirect").0, None);
        assert_eq!(
            index("i32.const 3 global.set 0 local.get 0 if nop end global.get 0 call_indirect").0,
            None
        );
        assert_eq!(index("i32.const 3 global.set 0 f32.const 0 drop i32.const 4 global.set 0 global.get 0 call_indirect").0, Some(vec![4]));
    }

    #[test]
    fn a_local_that_paths_assign_differently_is_any_of_them() {
        let body = "local.get 0 if i32.const 2 local.set 1 else i32.const 5 local.set 1 end local.get 1 call_indirect";
        assert_eq!(index(body), (Some(vec![0, 2, 5]), u64::MAX, None));
        let body = "loop i32.const 2 local.set 1 local.get 1 i32.const 1 i32.add local.tee 1 br_if 0 end local.get 1 call_indirect";
        assert_eq!(index(body).0, Some(vec![3]));
        let body = "local.get 0 local.set 1 local.get 0 if nop end local.get 1 call_indirect";
        assert_eq!(index(body).0, None);
        // A parameter that is assigned is no parameter any more.
        let body =
            "i32.const 1 local.get 0 if nop end local.set 0 local.get 0 if nop end local.get 0 call_indirect";
        assert_eq!(index(body), (None, u64::MAX, None));
    }

    #[test]
    fn a_function_returns_a_constant_if_every_path_does() {
        let returns = |body: &str| {
            let module = module(&format!("(module (func (param i32) (result i32) {body}))"));
            let mut flow = Dataflow::default();
            flow.read(
                &module,
                FuncIdx(0),
                module.bodies[0],
                &Cfg::build(&module, module.bodies[0]),
                |_, _| {},
            );
            flow.returns()
        };
        assert_eq!(returns("i32.const 3"), Some(3));
        assert_eq!(returns("local.get 0 if i32.const 3 return end i32.const 3"), Some(3));
        assert_eq!(returns("local.get 0 if i32.const 4 return end i32.const 3"), None);
        assert_eq!(returns("local.get 0 if i32.const 3 return end local.get 0"), None);
        assert_eq!(returns("i32.const 3 local.get 0 br_if 0"), None);
        assert_eq!(returns("local.get 0 if i32.const 3 return end local.get 0 return_call 0"), None);
        assert_eq!(returns("local.get 0 if (result i32) i32.const 3 else local.get 0 end"), None);
    }

    #[test]
    fn text_that_is_stored_byte_by_byte_is_read() {
        let stores: String = "evil.example"
            .bytes()
            .enumerate()
            .map(|(at, byte)| format!("local.get 0 i32.const {byte} i32.store8 offset={at} "))
            .collect();
        let module = module(&format!("(module (memory 1) (func (param i32) {stores}))"));
        let cfg = Cfg::build(&module, module.bodies[0]);
        let mut flow = Dataflow::default();
        flow.read(&module, FuncIdx(0), module.bodies[0], &cfg, |_, _| {});
        assert_eq!(flow.stack_strings.len(), 1);
        assert_eq!(flow.stack_strings[0].bytes, b"evil.example");
    }
}

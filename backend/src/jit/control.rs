//! Blocks and branches.

use std::collections::HashMap;

use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, JumpTableData, Type, Value};
use wasmos_abi::TrapCode;
use wasmos_frontend::instr::BrTable;
use wasmos_frontend::types::{BlockType, FuncType};

use super::abi::clif_type;
use super::translate::{Translator, trap};

/// A block that is open.
pub(super) struct Frame {
    /// Where branches to its label go.
    label: Block,
    /// Values of its label.
    label_types: Vec<Type>,
    is_loop: bool,
    /// What comes behind its end, with its results.
    end: Block,
    results: Vec<Type>,
    /// Operands below its parameters.
    height: usize,
    /// Whether it was opened where code can be reached.
    is_reachable: bool,
    /// Whether something goes to its end.
    is_joined: bool,
    /// What compares had shown when it was opened.
    proofs: usize,
    /// Of an `if`: where the condition goes when it is false, with the parameters.
    second_arm: Option<(Block, Vec<Value>)>,
}

impl Translator<'_> {
    pub(super) fn open_function(&mut self, ty: &FuncType) {
        let results: Vec<_> = ty.results().iter().map(|ty| clif_type(*ty)).collect();
        let end = self.labelled(&results);
        self.frames.push(Frame {
            label: end,
            label_types: results.clone(),
            is_loop: false,
            end,
            results,
            height: 0,
            is_reachable: true,
            is_joined: false,
            second_arm: None,
            proofs: self.proofs.mark(),
        });
    }

    fn labelled(&mut self, types: &[Type]) -> Block {
        let block = self.b.create_block();
        for ty in types {
            self.b.append_block_param(block, *ty);
        }
        block
    }

    /// Opens a block; its parameters are on the stack.
    fn open(&mut self, ty: BlockType) -> &mut Frame {
        let (params, results) = self.block_types(ty);
        let end = self.labelled(&results);
        let frame = Frame {
            label: end,
            label_types: results.clone(),
            is_loop: false,
            end,
            results,
            height: self.stack.len() - params.len(),
            is_reachable: true,
            is_joined: false,
            second_arm: None,
            proofs: self.proofs.mark(),
        };
        self.frames.push(frame);
        self.top()
    }

    fn top(&mut self) -> &mut Frame {
        match self.frames.last_mut() {
            Some(frame) => frame,
            None => unreachable!("validation has matched blocks with their ends"),
        }
    }

    pub(super) fn open_dead(&mut self) {
        let end = self.b.create_block();
        self.frames.push(Frame {
            label: end,
            label_types: Vec::new(),
            is_loop: false,
            end,
            results: Vec::new(),
            height: self.stack.len(),
            is_reachable: false,
            is_joined: false,
            second_arm: None,
            proofs: self.proofs.mark(),
        });
    }

    pub(super) fn block(&mut self, ty: BlockType) {
        self.open(ty);
    }

    pub(super) fn loop_(&mut self, ty: BlockType) {
        let (params, _) = self.block_types(ty);
        let args = self.pop_settled(params.len());
        let header = self.labelled(&params);
        self.jump(header, &args);
        self.b.switch_to_block(header);
        let args = self.b.block_params(header).to_vec();
        self.stack.extend(args);
        let frame = self.open(ty);
        (frame.label, frame.label_types, frame.is_loop) = (header, params, true);
    }

    pub(super) fn if_(&mut self, ty: BlockType) {
        let condition = self.pop();
        let (params, _) = self.block_types(ty);
        self.settle(params.len());
        let args = self.stack[self.stack.len() - params.len()..].to_vec();
        let (then, other) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(condition, then, &[], other, &[]);
        self.open(ty).second_arm = Some((other, args));
        self.begin_block(then);
    }

    fn begin_block(&mut self, block: Block) {
        self.b.switch_to_block(block);
        self.b.seal_block(block);
    }

    /// Ends an arm that can be reached: its results go on behind the end.
    fn leave_arm(&mut self) {
        if !self.live {
            return;
        }
        let n = self.top().results.len();
        let args = self.pop_settled(n);
        let frame = self.top();
        frame.is_joined = true;
        let end = frame.end;
        self.jump(end, &args);
    }

    pub(super) fn else_(&mut self) {
        if !self.top().is_reachable {
            return;
        }
        self.leave_arm();
        let frame = self.top();
        let (height, second, proofs) = (frame.height, frame.second_arm.take(), frame.proofs);
        self.proofs.forget(proofs);
        let Some((block, args)) = second else { unreachable!("validation has matched `else` with its `if`") };
        self.stack.truncate(height);
        self.stack.extend(args);
        self.begin_block(block);
        self.live = true;
    }

    pub(super) fn end(&mut self) {
        if !self.top().is_reachable {
            self.frames.pop();
            return;
        }
        self.leave_arm();
        let Some(mut frame) = self.frames.pop() else { unreachable!("`leave_arm` has seen it") };
        self.proofs.forget(frame.proofs);
        if let Some((block, args)) = frame.second_arm.take() {
            self.begin_block(block);
            self.jump(frame.end, &args);
            frame.is_joined = true;
        }
        if frame.is_loop {
            self.b.seal_block(frame.label);
        }
        self.stack.truncate(frame.height);
        self.live = frame.is_joined;
        if !frame.is_joined {
            return;
        }
        self.begin_block(frame.end);
        let results = self.b.block_params(frame.end).to_vec();
        if self.frames.is_empty() {
            self.b.ins().return_(&results);
            self.live = false;
        } else {
            self.stack.extend(results);
        }
    }

    /// Returns the label's block and how many values it takes; something goes there.
    fn target(&mut self, depth: usize) -> (Block, usize) {
        let Some(index) = self.frames.len().checked_sub(depth + 1) else {
            unreachable!("validation has seen the label")
        };
        let frame = &mut self.frames[index];
        frame.is_joined |= !frame.is_loop;
        (frame.label, frame.label_types.len())
    }

    fn label_args(&mut self, n: usize) -> Vec<Value> {
        self.settle(n);
        self.stack[self.stack.len() - n..].to_vec()
    }

    pub(super) fn br(&mut self, depth: usize) {
        let (block, n) = self.target(depth);
        let args = self.label_args(n);
        self.jump(block, &args);
        self.live = false;
    }

    pub(super) fn br_if(&mut self, depth: usize) {
        let condition = self.pop();
        self.branch_if(condition, depth);
    }

    /// Branches if a condition holds, and goes on if it does not.
    fn branch_if(&mut self, condition: Value, depth: usize) {
        let (block, n) = self.target(depth);
        let args: Vec<_> = self.label_args(n).into_iter().map(BlockArg::Value).collect();
        let on = self.b.create_block();
        self.b.ins().brif(condition, block, &args, on, &[]);
        self.begin_block(on);
    }

    /// `br_on_null` leaves the reference to who is not null; `br_on_non_null` to the label.
    pub(super) fn br_on_null(&mut self, depth: usize, on_non_null: bool) {
        let reference = self.pop();
        if on_non_null {
            self.push(reference);
            self.branch_if(reference, depth);
            self.pop();
            return;
        }
        let is_null = self.is_zero(reference);
        self.branch_if(is_null, depth);
        self.push(reference);
    }

    pub(super) fn br_table(&mut self, table: BrTable<'_>) {
        let index = self.pop();
        let mut blocks = HashMap::new();
        let mut waiting = Vec::new();
        let mut calls = Vec::new();
        for label in table.labels() {
            let depth = label.index();
            let block = *blocks.entry(depth).or_insert_with(|| {
                let (target, n) = self.target(depth);
                if n == 0 {
                    return target;
                }
                // One edge with values for each label, however often it is named.
                let edge = self.b.create_block();
                waiting.push((edge, target, n));
                edge
            });
            calls.push(self.b.func.dfg.block_call(block, &[]));
        }
        let most = waiting.iter().map(|(_, _, n)| *n).max().unwrap_or(0);
        self.settle(most);
        let Some(default) = calls.pop() else { unreachable!("a `br_table` has a default") };
        let table = self.b.create_jump_table(JumpTableData::new(default, &calls));
        self.b.ins().br_table(index, table);
        for (edge, target, n) in waiting {
            self.begin_block(edge);
            let args = self.label_args(n);
            self.jump(target, &args);
        }
        self.live = false;
    }

    pub(super) fn return_(&mut self) {
        let n = self.frames.first().map_or(0, |frame| frame.results.len());
        let results = self.pop_settled(n);
        self.b.ins().return_(&results);
        self.live = false;
    }

    pub(super) fn unreachable(&mut self) {
        // A block that only traps would become part of the branch that leads there, and trap at its offset.
        self.b.ins().sequence_point();
        self.b.ins().trap(trap(TrapCode::Unreachable));
        self.live = false;
    }
}

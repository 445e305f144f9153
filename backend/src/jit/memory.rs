//! Loads, stores, atomic accesses, bulk operations, tables, globals.
//!
//! With guards, an access of a memory with 32-bit addresses whose offset stays within the guard needs no compare: all
//! that it can reach belongs to the memory's mapping. Else the end of the access is compared with the memory's length,
//! and the address is forced to 0 where the compare fails, also on paths that the processor only guesses: nothing is ever
//! mapped in the first page, so that the access itself is what traps.
//!
//! A memory never shrinks and never moves. So an access needs no compare of its own where one of the same index that
//! ends as far away dominates it: it goes through the address that was forced there. Nor does one whose index is known
//! and within the least length that the memory can have.

use core::mem::offset_of;
use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, AtomicRmwOp, InstBuilder, MemFlagsData, Type, Value, types};
use wasmos_abi::TrapCode;
use wasmos_frontend::instr::MemArg;
use wasmos_frontend::types::{AddressType, GlobalIdx, MemIdx, MemoryType};

use super::abi::clif_type;
use super::layout::Task;
use super::stubs::Thunk;
use super::translate::{Region, Translator, trap};
use crate::vm::memory::GUARD_BYTES;
use crate::vm::{VmContext, VmMemory, VmTable};

/// Displacements behind an address that is 0 where it is out of bounds are less: they stay within a page that the system
/// never maps (`vm.mmap_min_addr`).
pub(super) const BEHIND_NULL: u64 = 2_048;

/// Where an access begins: a memory, an index, and what is added to it before the address may become 0.
type Key = (MemIdx, Value, u64);

/// What is known of an index of a memory wherever the compare dominates.
#[derive(Clone, Copy)]
pub(super) struct Checked {
    /// Accesses that end up to here, from the index, are within bounds.
    end: u64,
    /// Base, index, and what is added, or 0.
    start: Value,
}

/// What compares have shown on the way here. Structured control makes this a stack: what was shown within a block is
/// forgotten behind it, where other paths may join.
#[derive(Default)]
pub(super) struct Proofs {
    known: HashMap<Key, Checked>,
    undo: Vec<(Key, Option<Checked>)>,
}

impl Proofs {
    pub(super) const fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Forgets what was shown behind a mark.
    pub(super) fn forget(&mut self, mark: usize) {
        while self.undo.len() > mark
            && let Some((key, before)) = self.undo.pop()
        {
            match before {
                Some(before) => self.known.insert(key, before),
                None => self.known.remove(&key),
            };
        }
    }

    fn note(&mut self, key: Key, checked: Checked) {
        let before = self.known.insert(key, checked);
        self.undo.push((key, before));
    }
}

/// Where an access goes: an address, a displacement, and how it may trap.
pub(super) struct Place {
    address: Value,
    displacement: i32,
    flags: MemFlagsData,
}

impl Translator<'_> {
    fn memory_type(&self, memory: MemIdx) -> MemoryType {
        match self.module.memories.get(memory.index()) {
            Some(memory) => memory.ty,
            None => unreachable!("validation has seen the memory"),
        }
    }

    /// Returns the record of a memory.
    fn memory_record(&mut self, memory: MemIdx) -> Value {
        if memory.0 == 0 {
            return self.load_fixed(self.context, offset_of!(VmContext, memory0) as i32);
        }
        let memories = self.load_fixed(self.context, offset_of!(VmContext, memories) as i32);
        self.load_fixed(memories, memory.0 as i32 * 8)
    }

    /// Returns where a memory begins.
    fn memory_base(&mut self, memory: MemIdx) -> Value {
        if memory.0 == 0 {
            return self.load_fixed(self.context, offset_of!(VmContext, base0) as i32);
        }
        let record = self.memory_record(memory);
        self.load_fixed(record, offset_of!(VmMemory, base) as i32)
    }

    fn memory_len(&mut self, memory: MemIdx) -> Value {
        let record = self.memory_record(memory);
        let flags = self.flags(Region::Context);
        self.b.ins().load(types::I64, flags, record, offset_of!(VmMemory, len_bytes) as i32)
    }

    /// Widens an index or an address.
    fn wide(&mut self, value: Value) -> Value {
        if self.ty(value) == types::I32 { self.b.ins().uextend(types::I64, value) } else { value }
    }

    /// Takes an address and finds out where `size` bytes from it are.
    fn place(&mut self, at: MemArg, size: u32) -> Place {
        let code = self.access_trap();
        let ty = self.memory_type(at.memory);
        let end = at.offset.saturating_add(size.into());
        let bounds = self.env.options.bounds;
        let is_guarded = bounds.is_guarded()
            && ty.address == AddressType::I32
            && ty.page_size_log2 == 16
            && end <= GUARD_BYTES;
        let narrow = self.pop();
        let index = self.wide(narrow);
        let base = self.memory_base(at.memory);
        if is_guarded && !bounds.compares() {
            let address = self.b.ins().iadd(base, index);
            let flags = self.memory_flags(Some(code));
            return Place { address, displacement: at.offset as i32, flags };
        }
        let flags = self.memory_flags(Some(code));
        let near = at.offset & !(BEHIND_NULL - 1);
        let displacement = (at.offset - near) as i32;
        let key = (at.memory, self.b.func.dfg.resolve_aliases(narrow), near);
        if let Some(checked) = self.proofs.known.get(&key).filter(|checked| end <= checked.end) {
            return Place { address: checked.start, displacement, flags };
        }
        let start = self.b.ins().iadd(base, index);
        let start = self.b.ins().iadd_imm_s(start, near.cast_signed());
        if self.is_always_within(narrow, ty, end) {
            return Place { address: start, displacement, flags };
        }
        let is_out = self.is_out(at.memory, ty.address, end, (index, code));
        let nowhere = self.b.ins().iconst(types::I64, 0);
        let start = self.b.ins().select_spectre_guard(is_out, nowhere, start);
        self.proofs.note(key, Checked { end, start });
        Place { address: start, displacement, flags }
    }

    /// Returns whether an index is known, and what it leads to within every length that the memory can have.
    fn is_always_within(&self, index: Value, ty: MemoryType, end: u64) -> bool {
        let index = self.b.func.dfg.resolve_aliases(index);
        let ir::ValueDef::Result(inst, _) = self.b.func.dfg.value_def(index) else { return false };
        let ir::InstructionData::UnaryImm { opcode: ir::Opcode::Iconst, imm } = self.b.func.dfg.insts[inst]
        else {
            return false;
        };
        let bits = imm.bits().cast_unsigned();
        let index = if ty.address == AddressType::I32 { bits & u64::from(u32::MAX) } else { bits };
        let least = ty.limits.min.checked_shl(ty.page_size_log2).unwrap_or(0);
        index.checked_add(end).is_some_and(|end| end <= least)
    }

    /// Compares the end of an access with the memory's length.
    fn is_out(
        &mut self,
        memory: MemIdx,
        address: AddressType,
        end: u64,
        (index, code): (Value, ir::TrapCode),
    ) -> Value {
        let len = self.memory_len(memory);
        let end = self.b.ins().iconst(types::I64, end.cast_signed());
        // With 32 bits and an offset of 32 bits the sum does not overflow.
        let end = if address == AddressType::I32 {
            self.b.ins().iadd(index, end)
        } else {
            self.b.ins().uadd_overflow_trap(index, end, code)
        };
        self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, len)
    }

    /// The same with a compare that traps by itself, for accesses that must not be what traps.
    fn compared(
        &mut self,
        at: MemArg,
        address: AddressType,
        end: u64,
        (base, index): (Value, Value),
        (code, flags): (ir::TrapCode, MemFlagsData),
    ) -> Place {
        let is_out = self.is_out(at.memory, address, end, (index, code));
        self.b.ins().trapnz(is_out, code);
        let start = self.b.ins().iadd(base, index);
        let (start, displacement) = match i32::try_from(at.offset) {
            Ok(displacement) => (start, displacement),
            Err(_) => {
                let offset = self.b.ins().iconst(types::I64, at.offset.cast_signed());
                (self.b.ins().iadd(start, offset), 0)
            }
        };
        let nowhere = self.b.ins().iconst(types::I64, 0);
        let address = self.b.ins().select_spectre_guard(is_out, nowhere, start);
        Place { address, displacement, flags }
    }

    /// Loads `ty` and pushes it.
    pub(super) fn load(&mut self, at: MemArg, ty: Type) {
        let place = self.place(at, ty.bytes());
        let value = self.b.ins().load(ty, place.flags, place.address, place.displacement);
        self.push(value);
    }

    /// Loads `ty` and extends it to `to`.
    pub(super) fn load_extended(&mut self, at: MemArg, ty: Type, to: Type, signed: bool) {
        let place = self.place(at, ty.bytes());
        let (flags, address, displacement) = (place.flags, place.address, place.displacement);
        let ins = self.b.ins();
        let value = match (ty, signed) {
            (types::I8, true) => ins.sload8(to, flags, address, displacement),
            (types::I8, false) => ins.uload8(to, flags, address, displacement),
            (types::I16, true) => ins.sload16(to, flags, address, displacement),
            (types::I16, false) => ins.uload16(to, flags, address, displacement),
            (_, true) => ins.sload32(flags, address, displacement),
            (_, false) => ins.uload32(flags, address, displacement),
        };
        self.push(value);
    }

    /// Loads 8 bytes as lanes of `ty` and makes them twice as wide.
    pub(super) fn load_widened(&mut self, at: MemArg, ty: Type, signed: bool) {
        let place = self.place(at, 8);
        let (flags, address, displacement) = (place.flags, place.address, place.displacement);
        let ins = self.b.ins();
        let value = match (ty, signed) {
            (types::I8, true) => ins.sload8x8(flags, address, displacement),
            (types::I8, false) => ins.uload8x8(flags, address, displacement),
            (types::I16, true) => ins.sload16x4(flags, address, displacement),
            (types::I16, false) => ins.uload16x4(flags, address, displacement),
            (_, true) => ins.sload32x2(flags, address, displacement),
            (_, false) => ins.uload32x2(flags, address, displacement),
        };
        self.push(value);
    }

    pub(super) fn load_splat(&mut self, at: MemArg, lane: Type, ty: Type) {
        self.load(at, lane);
        let value = self.pop();
        let value = self.b.ins().splat(ty, value);
        self.push(value);
    }

    /// Loads a lane into a vector of zeros.
    pub(super) fn load_zero(&mut self, at: MemArg, lane: Type, ty: Type) {
        self.load(at, lane);
        let value = self.pop();
        let value = self.b.ins().scalar_to_vector(ty, value);
        self.push(value);
    }

    pub(super) fn load_lane(&mut self, at: MemArg, lane: u8, ty: Type) {
        let vector = self.pop_vector(ty);
        self.load(at, ty.lane_type());
        let value = self.pop();
        let value = self.b.ins().insertlane(vector, value, lane);
        self.push(value);
    }

    pub(super) fn store_lane(&mut self, at: MemArg, lane: u8, ty: Type) {
        let vector = self.pop_vector(ty);
        let value = self.b.ins().extractlane(vector, lane);
        self.store_value(at, value);
    }

    pub(super) fn store(&mut self, at: MemArg) {
        let value = self.pop();
        let value = self.canonical(value);
        self.store_value(at, value);
    }

    fn store_value(&mut self, at: MemArg, value: Value) {
        let place = self.place(at, self.ty(value).bytes());
        self.b.ins().store(place.flags, value, place.address, place.displacement);
    }

    /// Stores the low part of an integer.
    pub(super) fn store_narrow(&mut self, at: MemArg, ty: Type) {
        let value = self.pop();
        let place = self.place(at, ty.bytes());
        let (flags, address, displacement) = (place.flags, place.address, place.displacement);
        match ty {
            types::I8 => self.b.ins().istore8(flags, value, address, displacement),
            types::I16 => self.b.ins().istore16(flags, value, address, displacement),
            _ => self.b.ins().istore32(flags, value, address, displacement),
        };
    }

    /// Finds out where an atomic access goes. Bounds come before the alignment, so they are compared.
    fn atomic_place(&mut self, at: MemArg, size: u32) -> (Value, MemFlagsData) {
        let code = self.access_trap();
        let ty = self.memory_type(at.memory);
        let index = self.pop();
        let index = self.wide(index);
        let base = self.memory_base(at.memory);
        let flags = self.memory_flags(None);
        let end = at.offset.saturating_add(size.into());
        let place = self.compared(at, ty.address, end, (base, index), (code, flags));
        let address = self.b.ins().iadd_imm_s(place.address, i64::from(place.displacement));
        if size > 1 {
            let low = self.b.ins().band_imm_u(address, i64::from(size - 1));
            self.b.ins().trapnz(low, trap(TrapCode::UnalignedAtomic));
        }
        (address, flags)
    }

    fn extend(&mut self, value: Value, to: Type) -> Value {
        if self.ty(value) == to { value } else { self.b.ins().uextend(to, value) }
    }

    fn reduce(&mut self, value: Value, to: Type) -> Value {
        if self.ty(value) == to { value } else { self.b.ins().ireduce(to, value) }
    }

    pub(super) fn atomic_load(&mut self, at: MemArg, ty: Type, to: Type) {
        let (address, flags) = self.atomic_place(at, ty.bytes());
        let value = self.b.ins().atomic_load(ty, flags, address);
        let value = self.extend(value, to);
        self.push(value);
    }

    pub(super) fn atomic_store(&mut self, at: MemArg, ty: Type) {
        let value = self.pop();
        let value = self.reduce(value, ty);
        let (address, flags) = self.atomic_place(at, ty.bytes());
        self.b.ins().atomic_store(flags, value, address);
    }

    pub(super) fn atomic_rmw(&mut self, op: AtomicRmwOp, at: MemArg, ty: Type, to: Type) {
        let value = self.pop();
        let value = self.reduce(value, ty);
        let (address, flags) = self.atomic_place(at, ty.bytes());
        let value = self.b.ins().atomic_rmw(ty, flags, op, address, value);
        let value = self.extend(value, to);
        self.push(value);
    }

    /// Compare and exchange. The expected value is compared whole: one that does not fit the access never matches.
    pub(super) fn compare_exchange(&mut self, at: MemArg, ty: Type, to: Type) {
        let (expected, replacement) = self.pop2();
        let (address, flags) = self.atomic_place(at, ty.bytes());
        let (low, replacement) = (self.reduce(expected, ty), self.reduce(replacement, ty));
        let value = if ty == to {
            self.b.ins().atomic_cas(flags, address, low, replacement)
        } else {
            self.narrow_compare_exchange((address, flags), (expected, low), replacement)
        };
        let value = self.extend(value, to);
        self.push(value);
    }

    fn narrow_compare_exchange(
        &mut self,
        (address, flags): (Value, MemFlagsData),
        (expected, low): (Value, Value),
        replacement: Value,
    ) -> Value {
        let ty = self.ty(low);
        let whole = self.ty(expected);
        let again = self.b.ins().uextend(whole, low);
        let fits = self.b.ins().icmp(IntCC::Equal, again, expected);
        let [swap, load, on] = [(); 3].map(|()| self.b.create_block());
        self.b.append_block_param(on, ty);
        self.b.ins().brif(fits, swap, &[], load, &[]);
        for block in [swap, load] {
            self.b.switch_to_block(block);
            self.b.seal_block(block);
            let value = if block == swap {
                self.b.ins().atomic_cas(flags, address, low, replacement)
            } else {
                self.b.ins().atomic_load(ty, flags, address)
            };
            self.jump(on, &[value]);
        }
        self.b.switch_to_block(on);
        self.b.seal_block(on);
        self.b.block_params(on)[0]
    }

    /// Waits and notifies: the service sees to bounds and alignment.
    pub(super) fn wait(&mut self, task: Task, at: MemArg, n: usize) {
        let mut args = self.stack.split_off(self.stack.len() - n);
        args[0] = self.wide(args[0]);
        // An address that overflows is out of bounds, as the largest one is.
        if at.offset > 0 {
            let offset = self.b.ins().iconst(types::I64, at.offset.cast_signed());
            let sum = self.b.ins().iadd(args[0], offset);
            let overflows = self.b.ins().icmp(IntCC::UnsignedLessThan, sum, offset);
            let most = self.b.ins().iconst(types::I64, -1);
            args[0] = self.b.ins().select(overflows, most, sum);
        }
        let result = self.perform(task, [at.memory.0, 0], &args);
        let result = self.b.ins().ireduce(types::I32, result);
        self.push(result);
    }

    /// Has a task done on up to three operands.
    pub(super) fn perform(&mut self, task: Task, indices: [u32; 2], operands: &[Value]) -> Value {
        let thunk = self.thunk(Thunk::Perform);
        let packed = u64::from(indices[0]) | u64::from(indices[1]) << 32;
        let mut args = vec![
            self.context,
            self.b.ins().iconst(types::I64, i64::from(task as u32)),
            self.b.ins().iconst(types::I64, packed.cast_signed()),
        ];
        for operand in operands {
            let wide = self.wide(*operand);
            args.push(wide);
        }
        while args.len() < 6 {
            let zero = self.b.ins().iconst(types::I64, 0);
            args.push(zero);
        }
        let call = self.b.ins().call(thunk, &args);
        self.b.inst_results(call)[0]
    }

    /// An operation on `n` operands; its result, if it has one, has the address type.
    pub(super) fn bulk(&mut self, task: Task, n: usize, indices: [u32; 2], result: Option<AddressType>) {
        let operands = self.stack.split_off(self.stack.len() - n);
        let value = self.perform(task, indices, &operands);
        if let Some(ty) = result {
            let value = self.reduce(value, clif_type(ty.val()));
            self.push(value);
        }
    }

    pub(super) fn memory_grow(&mut self, memory: MemIdx) {
        let ty = self.memory_type(memory).address;
        self.bulk(Task::MemoryGrow, 1, [memory.0, 0], Some(ty));
    }

    pub(super) fn memory_size(&mut self, memory: MemIdx) {
        let ty = self.memory_type(memory);
        let len = self.memory_len(memory);
        let pages = self.b.ins().ushr_imm_u(len, i64::from(ty.page_size_log2));
        let pages = self.reduce(pages, clif_type(ty.address.val()));
        self.push(pages);
    }

    pub(super) fn table_address(&self, table: u32) -> AddressType {
        self.module.tables.get(table as usize).map_or(AddressType::I32, |table| table.ty.address)
    }

    fn table_record(&mut self, table: u32) -> Value {
        let tables = self.load_fixed(self.context, offset_of!(VmContext, tables) as i32);
        self.load_fixed(tables, table as i32 * 8)
    }

    /// Returns the address of a table's element, or traps.
    pub(super) fn element(&mut self, table: u32, index: Value, code: TrapCode) -> Value {
        let index = self.wide(index);
        let record = self.table_record(table);
        let flags = self.flags(Region::Context);
        let len = self.b.ins().load(types::I64, flags, record, offset_of!(VmTable, len) as i32);
        let is_out = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        self.b.ins().trapnz(is_out, trap(code));
        let elements = self.b.ins().load(types::I64, flags, record, offset_of!(VmTable, elements) as i32);
        let displacement = self.b.ins().ishl_imm_u(index, 3);
        let address = self.b.ins().iadd(elements, displacement);
        self.b.ins().select_spectre_guard(is_out, elements, address)
    }

    pub(super) fn table_get(&mut self, table: u32) {
        let index = self.pop();
        let at = self.element(table, index, TrapCode::TableOutOfBounds);
        let flags = self.flags(Region::Table);
        let value = self.b.ins().load(types::I64, flags, at, 0);
        self.push(value);
    }

    pub(super) fn table_set(&mut self, table: u32) {
        let (index, value) = self.pop2();
        let at = self.element(table, index, TrapCode::TableOutOfBounds);
        let flags = self.flags(Region::Table);
        self.b.ins().store(flags, value, at, 0);
    }

    pub(super) fn table_size(&mut self, table: u32) {
        let record = self.table_record(table);
        let flags = self.flags(Region::Context);
        let len = self.b.ins().load(types::I64, flags, record, offset_of!(VmTable, len) as i32);
        let ty = clif_type(self.table_address(table).val());
        let len = self.reduce(len, ty);
        self.push(len);
    }

    /// Returns type and address of a global.
    fn global(&mut self, global: GlobalIdx) -> (Type, Value) {
        let Some(entry) = self.module.globals.get(global.index()) else {
            unreachable!("validation has seen the global")
        };
        let at = self.load_fixed(self.context, VmContext::global_offset(global.index()) as i32);
        (clif_type(entry.ty.value), at)
    }

    pub(super) fn global_get(&mut self, global: GlobalIdx) {
        let (ty, at) = self.global(global);
        let flags = self.global_flags();
        let value = self.b.ins().load(ty, flags, at, 0);
        self.push(value);
    }

    /// A global is aligned to 8 bytes, a vector would be to 16.
    fn global_flags(&self) -> MemFlagsData {
        let region = self.flags(Region::Global).alias_region();
        MemFlagsData::new().with_notrap().with_endianness(ir::Endianness::Little).with_alias_region(region)
    }

    /// What lies above a value of 32 bits was 0 when the global was made, and stays so.
    pub(super) fn global_set(&mut self, global: GlobalIdx) {
        let value = self.pop();
        let value = self.settled(value);
        let (_, at) = self.global(global);
        let flags = self.global_flags();
        self.b.ins().store(flags, value, at, 0);
    }
}

//! Loads, stores, atomic accesses, bulk operations, tables, globals.

use wasmos_frontend::instr::{MemArg, MemArgLane};
use wasmos_frontend::types::{AddressType, GlobalIdx, MemIdx};

use super::operand::{Kind, Operand, Ty};
use super::{Translator, pack, pair};
use crate::interp::ops::atomic::AtomicForms;
use crate::interp::ops::bulk::WAIT;
use crate::interp::ops::memory::{LoadForms, StoreForms, memory_size, store_lane};
use crate::interp::ops::numeric::form::{AS, SS};
use crate::interp::ops::variable::{global_get, global_set_forms};
use crate::interp::regs::Handler;
use crate::vm::VmContext;
use wasmos_frontend::instr::V128;

impl Translator<'_> {
    fn address_type(&self, memory: MemIdx) -> AddressType {
        self.module.memories.get(memory.index()).map_or(AddressType::I32, |memory| memory.ty.address)
    }

    fn page_size_log2(&self, memory: MemIdx) -> u32 {
        self.module.memories.get(memory.index()).map_or(16, |memory| memory.ty.page_size_log2)
    }

    /// Returns `offset + size` if the fast form can access so: memory 0, 32-bit addresses, a sum of 32 bits.
    fn fast_end(&self, at: MemArg, size: u32) -> Option<u32> {
        let is_fast = at.memory.0 == 0 && self.address_type(at.memory) == AddressType::I32;
        let end = at.offset.checked_add(size.into()).filter(|_| is_fast)?;
        u32::try_from(end).ok()
    }

    pub(super) fn load(&mut self, forms: &'static LoadForms, at: MemArg, ty: Ty) {
        let Some(end) = self.fast_end(at, forms.size) else {
            let address = self.pop_slot();
            let op = self.op(forms.any, &[pack(0, address, 0, 0), at.memory.0.into(), at.offset]);
            return self.result(op, ty);
        };
        if self.load_of_sum(forms, end, ty) {
            return;
        }
        if let Kind::Const(base) = self.top().kind
            && let Some(end) = end.checked_add(base as u32)
        {
            self.pop_entry();
            let op = self.op(forms.fast[2], &[u64::from(end) << 32]);
            return self.result(op, ty);
        }
        let (is_acc, slot) = self.pop_acc_or_slot();
        let op = self.op(forms.fast[usize::from(is_acc)], &[pack(0, slot, 0, 0) | u64::from(end) << 32]);
        self.result(op, ty);
    }

    /// An address that the last op has added up: the load adds.
    fn load_of_sum(&mut self, forms: &'static LoadForms, end: u32, ty: Ty) -> bool {
        let Some((last, sum)) = self.last_fusible() else { return false };
        if !sum.is_sum || (sum.form != SS && sum.form != AS) {
            return false;
        }
        self.pop_entry();
        self.take_back(last.at);
        self.acc = sum.acc;
        let handler = forms.indexed[usize::from(sum.form == AS)];
        let op = self.op(handler, &[pack(0, sum.a, sum.b, 0), end.into()]);
        self.result(op, ty);
        true
    }

    pub(super) fn store(&mut self, forms: &'static StoreForms, at: MemArg, ty: Ty) {
        let Some(end) = self.fast_end(at, forms.size) else {
            let value = self.pop_slot();
            let address = self.pop_slot();
            self.op(forms.any, &[pack(value, address, 0, 0), at.memory.0.into(), at.offset]);
            return;
        };
        let value = self.pop();
        let base = self.pop();
        let constant = match base {
            Operand::Const(bits) => end.checked_add(bits as u32),
            Operand::Acc(_) | Operand::Slot(_) => None,
        };
        let temp = self.next_temp();
        let (base_form, base) = match base {
            _ if constant.is_some() => (2, 0),
            Operand::Acc(slot) => (1, slot),
            base => (0, self.in_slot(base, Ty::I32, temp)),
        };
        let (value_form, slot, bits) = match self.again(value, ty) {
            Operand::Slot(slot) => (0, slot, None),
            Operand::Acc(slot) => (1, slot, None),
            Operand::Const(bits) => (2, 0, Some(bits)),
        };
        let end = constant.unwrap_or(end);
        self.op(forms.fast[base_form][value_form], &[pack(slot, base, 0, 0) | u64::from(end) << 32]);
        self.ops.extend(bits);
    }

    pub(super) fn load_lane(&mut self, (handler, _): (Handler, u32), at: MemArgLane) {
        let (vector, address) = (self.pop_slot(), self.pop_slot());
        let place = pair(at.memory.0, at.lane.0.into());
        let op = self.op(handler, &[pack(0, address, vector, 0), place, at.offset]);
        self.result(op, Ty::V128);
    }

    pub(super) fn store_lane<const N: usize>(&mut self, at: MemArgLane) {
        let (vector, address) = (self.pop_slot(), self.pop_slot());
        let place = pair(at.memory.0, at.lane.0.into());
        self.op(store_lane::<N>, &[pack(vector, address, 0, 0), place, at.offset]);
    }

    pub(super) fn memory_size(&mut self, memory: MemIdx) {
        let op = self.op(memory_size, &[0, pair(self.page_size_log2(memory), memory.0)]);
        let ty = self.address_type(memory).val();
        self.result(op, Ty::of(ty));
    }

    /// An operation that pays a surcharge or leaves in between, on `n` operands and two indices.
    pub(super) fn bulk(&mut self, handler: Handler, n: usize, indices: [u32; 2], result: Option<Ty>) {
        let mut slots = [0; 3];
        for slot in slots.iter_mut().take(n).rev() {
            *slot = self.pop_slot();
        }
        self.close_sites();
        let [a, b, c] = slots;
        let at = self.op(handler, &[pack(0, a, b, c), pair(indices[0], indices[1]), 0]);
        self.open_site(at + 3);
        if let Some(ty) = result {
            self.result(at, ty);
        }
    }

    pub(super) fn memory_grow(&mut self, handler: Handler, memory: MemIdx) {
        let ty = Ty::of(self.address_type(memory).val());
        self.bulk(handler, 1, [memory.0, 0], Some(ty));
    }

    pub(super) fn table_type(&self, table: u32) -> Ty {
        let table = self.module.tables.get(table as usize);
        Ty::of(table.map_or(AddressType::I32, |table| table.ty.address).val())
    }

    /// An atomic access of `size` bytes on `n` operands behind the address.
    pub(super) fn atomic(
        &mut self,
        forms: &AtomicForms,
        size: u32,
        at: MemArg,
        n: usize,
        result: Option<Ty>,
    ) {
        let mut slots = [0; 2];
        for slot in slots.iter_mut().take(n).rev() {
            *slot = self.pop_slot();
        }
        let address = self.pop_slot();
        let handler = forms[size.trailing_zeros() as usize % 4];
        let op = self.op(handler, &[pack(0, address, slots[0], slots[1]), at.memory.0.into(), at.offset]);
        if let Some(ty) = result {
            self.result(op, ty);
        }
    }

    pub(super) fn wait(&mut self, size: usize, at: MemArg) {
        let (timeout, expected, address) = (self.pop_slot(), self.pop_slot(), self.pop_slot());
        let shared = self.module.memories.get(at.memory.index()).is_some_and(|memory| memory.ty.shared);
        let handler = WAIT[usize::from(size == 8)][usize::from(shared)];
        self.close_sites();
        let words = [pack(0, address, expected, timeout), at.memory.0.into(), at.offset, 0];
        let op = self.op(handler, &words);
        self.open_site(op + 4);
        self.result(op, Ty::I32);
    }

    pub(super) fn notify(&mut self, handler: Handler, at: MemArg) {
        let (count, address) = (self.pop_slot(), self.pop_slot());
        self.close_sites();
        let op = self.op(handler, &[pack(0, address, count, 0), at.memory.0.into(), at.offset, 0]);
        self.open_site(op + 4);
        self.result(op, Ty::I32);
    }

    pub(super) fn table_get(&mut self, handler: Handler, table: u32) {
        let index = self.pop_slot();
        let op = self.op(handler, &[pack(0, index, 0, 0), table.into()]);
        self.result(op, Ty::I64);
    }

    pub(super) fn table_set(&mut self, handler: Handler, table: u32) {
        let (value, index) = (self.pop_slot(), self.pop_slot());
        self.op(handler, &[pack(0, index, value, 0), table.into()]);
    }

    pub(super) fn table_size(&mut self, handler: Handler, table: u32) {
        let op = self.op(handler, &[0, table.into()]);
        let ty = self.table_type(table);
        self.result(op, ty);
    }

    /// `data.drop` and `elem.drop`.
    pub(super) fn drop_segment(&mut self, handler: Handler, segment: u32) {
        self.op(handler, &[0, segment.into()]);
    }

    fn global(&self, global: GlobalIdx) -> (Ty, u64) {
        let ty = self.module.globals.get(global.index()).map_or(Ty::I64, |global| Ty::of(global.ty.value));
        (ty, VmContext::global_offset(global.index()) as u64)
    }

    pub(super) fn global_get(&mut self, global: GlobalIdx) {
        let (ty, displacement) = self.global(global);
        let handler = match ty {
            Ty::I32 | Ty::I64 => global_get::<u64>,
            Ty::F32 => global_get::<f32>,
            Ty::F64 => global_get::<f64>,
            Ty::V128 => global_get::<V128>,
        };
        let op = self.op(handler, &[displacement << 32]);
        self.result(op, ty);
    }

    pub(super) fn global_set(&mut self, global: GlobalIdx) {
        let (ty, displacement) = self.global(global);
        let (is_acc, slot) = self.pop_acc_or_slot();
        let forms = match ty {
            Ty::I32 | Ty::I64 => const { global_set_forms::<u64>() },
            Ty::F32 => const { global_set_forms::<f32>() },
            Ty::F64 => const { global_set_forms::<f64>() },
            Ty::V128 => const { global_set_forms::<V128>() },
        };
        self.op(forms[usize::from(is_acc)], &[pack(0, slot, 0, 0) | displacement << 32]);
    }
}

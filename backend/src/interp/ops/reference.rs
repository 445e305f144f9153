//! References and tables: the operations that do not grow or copy.

use wasmos_abi::TrapCode;
use wasmos_frontend::types::FuncIdx;

use super::trap;
use crate::interp::regs::{Registers, handlers};
use crate::vm::{InstanceId, VmTable};

/// Returns the table that the operand at byte 16 names.
///
/// # Safety
/// V3, V5, V6, V7: the op has it.
#[inline(always)]
unsafe fn table(r: &Registers) -> *const VmTable {
    // SAFETY: the caller's promise.
    unsafe { *(*r.context()).tables.add(r.u32(16) as usize) }
}

handlers! {
    fn table_get(r) {
        let (table, index) = (table(&r), r.slot::<u64>(10));
        if index >= (*table).len as u64 {
            return trap(r, TrapCode::TableOutOfBounds);
        }
        let value = *(*table).elements.add(index as usize);
        r.put(value);
        r.next(3)
    }
    /// Index @10, value @12.
    fn table_set(r) {
        let (table, index) = (table(&r), r.slot::<u64>(10));
        if index >= (*table).len as u64 {
            return trap(r, TrapCode::TableOutOfBounds);
        }
        *(*table).elements.add(index as usize) = r.slot(12);
        r.next(3)
    }
    fn table_size(r) {
        let len = (*table(&r)).len as u64;
        r.put(len);
        r.next(3)
    }
    /// The function at byte 16.
    fn ref_func(r) {
        let context = r.context();
        let state = &mut *(*context).state;
        let func = state.func(InstanceId::new((*context).instance as u32), FuncIdx(r.u32(16)));
        let bits = func.map_or(0, |func| state.func_bits(func));
        r.put(bits);
        r.next(3)
    }
    fn ref_is_null(r) {
        let is_null = r.slot::<u64>(10) == 0;
        r.put(is_null);
        r.next(2)
    }
    fn ref_as_non_null(r) {
        if r.slot::<u64>(10) == 0 {
            return trap(r, TrapCode::NullReference);
        }
        r.next(2)
    }
    /// The segment at byte 16.
    fn data_drop(r) {
        let context = r.context();
        (*(*context).state).drop_data(InstanceId::new((*context).instance as u32), r.u32(16));
        r.next(3)
    }
    /// The segment at byte 16.
    fn elem_drop(r) {
        let context = r.context();
        (*(*context).state).elem_drop(InstanceId::new((*context).instance as u32), r.u32(16));
        r.next(3)
    }
}

//! THE MATCH: what each instruction is translated to. A new row of the table does not compile until it stands here.

use wasmos_frontend::blocks::{self, Flow};
use wasmos_frontend::instr::V128;
use wasmos_frontend::opcode::Instr;

use super::numeric::Symmetric;
use super::operand::{Kind, Ty};
use super::{Relation, Translator};
use crate::interp::ops::atomic::{self, atomic_fence};
use crate::interp::ops::bulk::{
    MEMORY_COPY, MEMORY_FILL, MEMORY_GROW, MEMORY_INIT, TABLE_COPY, TABLE_FILL, TABLE_GROW, TABLE_INIT,
    notify,
};
use crate::interp::ops::control::{branch_forms, counter_forms};
use crate::interp::ops::float;
use crate::interp::ops::memory::{load_forms, load_lane_form, store_forms};
use crate::interp::ops::numeric::{
    binary_forms, extract_lane, replace_lane, splat, symmetric_forms, unary_forms, vector1, vector2, vector3,
};
use crate::interp::ops::reference::{data_drop, elem_drop, table_get, table_set, table_size};
use crate::semantics::*;

/// An operation with its branches.
macro_rules! relation {
    ($op:expr, $inverse:expr, $counter:expr) => {
        Symmetric {
            forms: symmetric_forms($op),
            relation: Some(Relation { branch: branch_forms($op), inverse: $inverse, counter: $counter }),
        }
    };
}

/// A comparison: itself, for integers its opposite, then both with the operands exchanged.
macro_rules! compare {
    ($self:ident $ty:ident $op:ident $exchanged:ident) => {
        $self.symmetric(
            relation!($op, None, None),
            relation!($exchanged, None, None),
            Ty::$ty,
            Ty::I32,
            false,
        )
    };
    ($self:ident $ty:ident $op:ident $inverse:ident $exchanged:ident $exchanged_inverse:ident) => {
        $self.symmetric(
            relation!($op, Some(branch_forms($inverse)), None),
            relation!($exchanged, Some(branch_forms($exchanged_inverse)), None),
            Ty::$ty,
            Ty::I32,
            false,
        )
    };
    ($self:ident $ty:ident $op:ident $inverse:ident $exchanged:ident $exchanged_inverse:ident counter) => {
        $self.symmetric(
            relation!($op, Some(branch_forms($inverse)), Some(counter_forms($op))),
            relation!($exchanged, Some(branch_forms($exchanged_inverse)), Some(counter_forms($exchanged))),
            Ty::$ty,
            Ty::I32,
            false,
        )
    };
}

fn low_half(bytes: [u8; 8]) -> V128 {
    let mut vector = [0; 16];
    vector[..8].copy_from_slice(&bytes);
    V128(vector)
}

fn low_quarter(bytes: [u8; 4]) -> V128 {
    let mut vector = [0; 16];
    vector[..4].copy_from_slice(&bytes);
    V128(vector)
}

impl Translator<'_> {
    /// Translates an instruction.
    pub(super) fn instr(&mut self, instr: &Instr<'_>) {
        if self.live {
            self.live_instr(instr);
        } else {
            self.dead_instr(instr);
        }
    }

    /// Of code that cannot be reached only the nesting matters.
    fn dead_instr(&mut self, instr: &Instr<'_>) {
        match blocks::flow(instr) {
            Flow::Block | Flow::Loop | Flow::If | Flow::TryTable(_) | Flow::Try => self.open_dead(),
            Flow::Else => self.else_(),
            Flow::End => self.end(),
            _ => {}
        }
    }

    fn live_instr(&mut self, instr: &Instr<'_>) {
        match *instr {
            Instr::Nop => {}
            Instr::Unreachable => self.unreachable(),
            Instr::Block(ty) => self.block(ty),
            Instr::Loop(ty) => self.loop_(ty),
            Instr::If(ty) => self.if_(ty),
            Instr::Else => self.else_(),
            Instr::End => self.end(),
            Instr::Br(label) => self.br(label.index()),
            Instr::BrIf(label) => self.br_if(label.index()),
            Instr::BrTable(table) => self.br_table(table),
            Instr::BrOnNull(label) => self.br_on_null(label.index(), false),
            Instr::BrOnNonNull(label) => self.br_on_null(label.index(), true),
            Instr::Return => self.return_(),
            Instr::Call(func) => self.call(func),
            Instr::CallIndirect(callee) => self.call_indirect(callee),
            Instr::CallRef(ty) => self.call_ref(ty),
            Instr::ReturnCall(func) => self.return_call(func),
            Instr::ReturnCallIndirect(callee) => self.return_call_indirect(callee),
            Instr::ReturnCallRef(ty) => self.return_call_ref(ty),

            Instr::Drop => drop(self.pop_entry()),
            Instr::Select | Instr::SelectT(_) => self.select(),
            Instr::LocalGet(local) => self.local_get(local.0),
            Instr::LocalSet(local) => self.local_set(local.0, false),
            Instr::LocalTee(local) => self.local_set(local.0, true),
            Instr::GlobalGet(global) => self.global_get(global),
            Instr::GlobalSet(global) => self.global_set(global),
            Instr::I32Const(x) => self.push(Kind::Const(x.cast_unsigned().into()), Ty::I32),
            Instr::I64Const(x) => self.push(Kind::Const(x.cast_unsigned()), Ty::I64),
            Instr::F32Const(x) => self.push(Kind::Const(x.0.into()), Ty::F32),
            Instr::F64Const(x) => self.push(Kind::Const(x.0), Ty::F64),
            Instr::V128Const(x) => self.push_vector(x),

            Instr::RefNull(_) => self.push(Kind::Const(0), Ty::I64),
            Instr::RefIsNull => self.ref_is_null(),
            Instr::RefFunc(func) => self.ref_func(func.0),
            Instr::RefAsNonNull => self.ref_as_non_null(),
            Instr::TableGet(table) => self.table_get(table_get, table.0),
            Instr::TableSet(table) => self.table_set(table_set, table.0),
            Instr::TableSize(table) => self.table_size(table_size, table.0),
            Instr::TableGrow(table) => self.bulk(TABLE_GROW, 2, [table.0, 0], Some(self.table_type(table.0))),
            Instr::TableFill(table) => self.bulk(TABLE_FILL, 3, [table.0, 0], None),
            Instr::TableCopy(tables) => self.bulk(TABLE_COPY, 3, [tables.dst.0, tables.src.0], None),
            Instr::TableInit(init) => self.bulk(TABLE_INIT, 3, [init.elem.0, init.table.0], None),
            Instr::ElemDrop(elem) => self.drop_segment(elem_drop, elem.0),
            Instr::MemorySize(memory) => self.memory_size(memory),
            Instr::MemoryGrow(memory) => self.memory_grow(MEMORY_GROW, memory),
            Instr::MemoryFill(memory) => self.bulk(MEMORY_FILL, 3, [memory.0, 0], None),
            Instr::MemoryCopy(memories) => self.bulk(MEMORY_COPY, 3, [memories.dst.0, memories.src.0], None),
            Instr::MemoryInit(init) => self.bulk(MEMORY_INIT, 3, [init.data.0, init.memory.0], None),
            Instr::DataDrop(data) => self.drop_segment(data_drop, data.0),

            Instr::I32Load(at) => self.load(load_forms(|b: [u8; 4]| i32::from_le_bytes(b)), at, Ty::I32),
            Instr::I64Load(at) => self.load(load_forms(|b: [u8; 8]| i64::from_le_bytes(b)), at, Ty::I64),
            Instr::F32Load(at) => self.load(load_forms(|b: [u8; 4]| f32::from_le_bytes(b)), at, Ty::F32),
            Instr::F64Load(at) => self.load(load_forms(|b: [u8; 8]| f64::from_le_bytes(b)), at, Ty::F64),
            Instr::I32Load8S(at) => {
                self.load(load_forms(|b: [u8; 1]| i32::from(i8::from_le_bytes(b))), at, Ty::I32)
            }
            Instr::I32Load8U(at) => {
                self.load(load_forms(|b: [u8; 1]| i32::from(u8::from_le_bytes(b))), at, Ty::I32)
            }
            Instr::I32Load16S(at) => {
                self.load(load_forms(|b: [u8; 2]| i32::from(i16::from_le_bytes(b))), at, Ty::I32)
            }
            Instr::I32Load16U(at) => {
                self.load(load_forms(|b: [u8; 2]| i32::from(u16::from_le_bytes(b))), at, Ty::I32)
            }
            Instr::I64Load8S(at) => {
                self.load(load_forms(|b: [u8; 1]| i64::from(i8::from_le_bytes(b))), at, Ty::I64)
            }
            Instr::I64Load8U(at) => {
                self.load(load_forms(|b: [u8; 1]| i64::from(u8::from_le_bytes(b))), at, Ty::I64)
            }
            Instr::I64Load16S(at) => {
                self.load(load_forms(|b: [u8; 2]| i64::from(i16::from_le_bytes(b))), at, Ty::I64)
            }
            Instr::I64Load16U(at) => {
                self.load(load_forms(|b: [u8; 2]| i64::from(u16::from_le_bytes(b))), at, Ty::I64)
            }
            Instr::I64Load32S(at) => {
                self.load(load_forms(|b: [u8; 4]| i64::from(i32::from_le_bytes(b))), at, Ty::I64)
            }
            Instr::I64Load32U(at) => {
                self.load(load_forms(|b: [u8; 4]| i64::from(u32::from_le_bytes(b))), at, Ty::I64)
            }
            Instr::I32Store(at) => self.store(store_forms(|x: i32| x.to_le_bytes()), at, Ty::I32),
            Instr::I64Store(at) => self.store(store_forms(|x: i64| x.to_le_bytes()), at, Ty::I64),
            Instr::F32Store(at) => self.store(store_forms(|x: f32| x.to_le_bytes()), at, Ty::F32),
            Instr::F64Store(at) => self.store(store_forms(|x: f64| x.to_le_bytes()), at, Ty::F64),
            Instr::I32Store8(at) => self.store(store_forms(|x: i32| (x as i8).to_le_bytes()), at, Ty::I32),
            Instr::I32Store16(at) => self.store(store_forms(|x: i32| (x as i16).to_le_bytes()), at, Ty::I32),
            Instr::I64Store8(at) => self.store(store_forms(|x: i64| (x as i8).to_le_bytes()), at, Ty::I64),
            Instr::I64Store16(at) => self.store(store_forms(|x: i64| (x as i16).to_le_bytes()), at, Ty::I64),
            Instr::I64Store32(at) => self.store(store_forms(|x: i64| (x as i32).to_le_bytes()), at, Ty::I64),
            Instr::V128Load(at) => self.load(load_forms(|b: [u8; 16]| V128(b)), at, Ty::V128),
            Instr::V128Load8x8S(at) => {
                self.load(load_forms(|b: [u8; 8]| i16x8_extend_low_i8x16_s(low_half(b))), at, Ty::V128)
            }
            Instr::V128Load8x8U(at) => {
                self.load(load_forms(|b: [u8; 8]| i16x8_extend_low_i8x16_u(low_half(b))), at, Ty::V128)
            }
            Instr::V128Load16x4S(at) => {
                self.load(load_forms(|b: [u8; 8]| i32x4_extend_low_i16x8_s(low_half(b))), at, Ty::V128)
            }
            Instr::V128Load16x4U(at) => {
                self.load(load_forms(|b: [u8; 8]| i32x4_extend_low_i16x8_u(low_half(b))), at, Ty::V128)
            }
            Instr::V128Load32x2S(at) => {
                self.load(load_forms(|b: [u8; 8]| i64x2_extend_low_i32x4_s(low_half(b))), at, Ty::V128)
            }
            Instr::V128Load32x2U(at) => {
                self.load(load_forms(|b: [u8; 8]| i64x2_extend_low_i32x4_u(low_half(b))), at, Ty::V128)
            }
            Instr::V128Load8Splat(at) => {
                self.load(load_forms(|b: [u8; 1]| i8x16_splat(i8::from_le_bytes(b).into())), at, Ty::V128)
            }
            Instr::V128Load16Splat(at) => {
                self.load(load_forms(|b: [u8; 2]| i16x8_splat(i16::from_le_bytes(b).into())), at, Ty::V128)
            }
            Instr::V128Load32Splat(at) => {
                self.load(load_forms(|b: [u8; 4]| i32x4_splat(i32::from_le_bytes(b))), at, Ty::V128)
            }
            Instr::V128Load64Splat(at) => {
                self.load(load_forms(|b: [u8; 8]| i64x2_splat(i64::from_le_bytes(b))), at, Ty::V128)
            }
            Instr::V128Store(at) => self.store(store_forms(|x: V128| x.0), at, Ty::V128),
            Instr::V128Load8Lane(at) => self.load_lane(
                load_lane_form(|a, lane, b: [u8; 1]| {
                    i8x16_replace_lane(a, lane, i8::from_le_bytes(b).into())
                }),
                at,
            ),
            Instr::V128Load16Lane(at) => self.load_lane(
                load_lane_form(|a, lane, b: [u8; 2]| {
                    i16x8_replace_lane(a, lane, i16::from_le_bytes(b).into())
                }),
                at,
            ),
            Instr::V128Load32Lane(at) => self.load_lane(
                load_lane_form(|a, lane, b: [u8; 4]| i32x4_replace_lane(a, lane, i32::from_le_bytes(b))),
                at,
            ),
            Instr::V128Load64Lane(at) => self.load_lane(
                load_lane_form(|a, lane, b: [u8; 8]| i64x2_replace_lane(a, lane, i64::from_le_bytes(b))),
                at,
            ),
            Instr::V128Store8Lane(at) => self.store_lane::<1>(at),
            Instr::V128Store16Lane(at) => self.store_lane::<2>(at),
            Instr::V128Store32Lane(at) => self.store_lane::<4>(at),
            Instr::V128Store64Lane(at) => self.store_lane::<8>(at),
            Instr::V128Load32Zero(at) => self.load(load_forms(|b: [u8; 4]| low_quarter(b)), at, Ty::V128),
            Instr::V128Load64Zero(at) => self.load(load_forms(|b: [u8; 8]| low_half(b)), at, Ty::V128),

            Instr::I32Eqz => self.eqz(Ty::I32),
            Instr::I32Eq => compare!(self I32 i32_eq i32_ne i32_eq i32_ne counter),
            Instr::I32Ne => compare!(self I32 i32_ne i32_eq i32_ne i32_eq counter),
            Instr::I32LtS => compare!(self I32 i32_lt_s i32_ge_s i32_gt_s i32_le_s counter),
            Instr::I32LtU => compare!(self I32 i32_lt_u i32_ge_u i32_gt_u i32_le_u counter),
            Instr::I32GtS => compare!(self I32 i32_gt_s i32_le_s i32_lt_s i32_ge_s counter),
            Instr::I32GtU => compare!(self I32 i32_gt_u i32_le_u i32_lt_u i32_ge_u counter),
            Instr::I32LeS => compare!(self I32 i32_le_s i32_gt_s i32_ge_s i32_lt_s counter),
            Instr::I32LeU => compare!(self I32 i32_le_u i32_gt_u i32_ge_u i32_lt_u counter),
            Instr::I32GeS => compare!(self I32 i32_ge_s i32_lt_s i32_le_s i32_gt_s counter),
            Instr::I32GeU => compare!(self I32 i32_ge_u i32_lt_u i32_le_u i32_gt_u counter),
            Instr::I64Eqz => self.eqz(Ty::I64),
            Instr::I64Eq => compare!(self I64 i64_eq i64_ne i64_eq i64_ne),
            Instr::I64Ne => compare!(self I64 i64_ne i64_eq i64_ne i64_eq),
            Instr::I64LtS => compare!(self I64 i64_lt_s i64_ge_s i64_gt_s i64_le_s),
            Instr::I64LtU => compare!(self I64 i64_lt_u i64_ge_u i64_gt_u i64_le_u),
            Instr::I64GtS => compare!(self I64 i64_gt_s i64_le_s i64_lt_s i64_ge_s),
            Instr::I64GtU => compare!(self I64 i64_gt_u i64_le_u i64_lt_u i64_ge_u),
            Instr::I64LeS => compare!(self I64 i64_le_s i64_gt_s i64_ge_s i64_lt_s),
            Instr::I64LeU => compare!(self I64 i64_le_u i64_gt_u i64_ge_u i64_lt_u),
            Instr::I64GeS => compare!(self I64 i64_ge_s i64_lt_s i64_le_s i64_gt_s),
            Instr::I64GeU => compare!(self I64 i64_ge_u i64_lt_u i64_le_u i64_gt_u),
            Instr::F32Eq => compare!(self F32 f32_eq f32_eq),
            Instr::F32Ne => compare!(self F32 f32_ne f32_ne),
            Instr::F32Lt => compare!(self F32 f32_lt f32_gt),
            Instr::F32Gt => compare!(self F32 f32_gt f32_lt),
            Instr::F32Le => compare!(self F32 f32_le f32_ge),
            Instr::F32Ge => compare!(self F32 f32_ge f32_le),
            Instr::F64Eq => compare!(self F64 f64_eq f64_eq),
            Instr::F64Ne => compare!(self F64 f64_ne f64_ne),
            Instr::F64Lt => compare!(self F64 f64_lt f64_gt),
            Instr::F64Gt => compare!(self F64 f64_gt f64_lt),
            Instr::F64Le => compare!(self F64 f64_le f64_ge),
            Instr::F64Ge => compare!(self F64 f64_ge f64_le),
            Instr::I32Clz => self.unary(unary_forms(i32_clz), Ty::I32),
            Instr::I32Ctz => self.unary(unary_forms(i32_ctz), Ty::I32),
            Instr::I32Popcnt => self.unary(unary_forms(i32_popcnt), Ty::I32),
            Instr::I32Add => self.add32(symmetric_forms(i32_add)),
            Instr::I32Sub => self.sub32(binary_forms(i32_sub), symmetric_forms(i32_add)),
            Instr::I32Mul => self.commutative(symmetric_forms(i32_mul), Ty::I32),
            Instr::I32DivS => self.binary(binary_forms(i32_div_s), Ty::I32),
            Instr::I32DivU => self.binary(binary_forms(i32_div_u), Ty::I32),
            Instr::I32RemS => self.binary(binary_forms(i32_rem_s), Ty::I32),
            Instr::I32RemU => self.binary(binary_forms(i32_rem_u), Ty::I32),
            Instr::I32And => self.and32(),
            Instr::I32Or => self.commutative(symmetric_forms(i32_or), Ty::I32),
            Instr::I32Xor => self.commutative(symmetric_forms(i32_xor), Ty::I32),
            Instr::I32Shl => self.binary(binary_forms(i32_shl), Ty::I32),
            Instr::I32ShrS => self.binary(binary_forms(i32_shr_s), Ty::I32),
            Instr::I32ShrU => self.binary(binary_forms(i32_shr_u), Ty::I32),
            Instr::I32Rotl => self.binary(binary_forms(i32_rotl), Ty::I32),
            Instr::I32Rotr => self.binary(binary_forms(i32_rotr), Ty::I32),
            Instr::I64Clz => self.unary(unary_forms(i64_clz), Ty::I64),
            Instr::I64Ctz => self.unary(unary_forms(i64_ctz), Ty::I64),
            Instr::I64Popcnt => self.unary(unary_forms(i64_popcnt), Ty::I64),
            Instr::I64Add => self.commutative(symmetric_forms(i64_add), Ty::I64),
            Instr::I64Sub => self.binary(binary_forms(i64_sub), Ty::I64),
            Instr::I64Mul => self.commutative(symmetric_forms(i64_mul), Ty::I64),
            Instr::I64DivS => self.binary(binary_forms(i64_div_s), Ty::I64),
            Instr::I64DivU => self.binary(binary_forms(i64_div_u), Ty::I64),
            Instr::I64RemS => self.binary(binary_forms(i64_rem_s), Ty::I64),
            Instr::I64RemU => self.binary(binary_forms(i64_rem_u), Ty::I64),
            Instr::I64And => self.commutative(symmetric_forms(i64_and), Ty::I64),
            Instr::I64Or => self.commutative(symmetric_forms(i64_or), Ty::I64),
            Instr::I64Xor => self.commutative(symmetric_forms(i64_xor), Ty::I64),
            Instr::I64Shl => self.binary(binary_forms(i64_shl), Ty::I64),
            Instr::I64ShrS => self.binary(binary_forms(i64_shr_s), Ty::I64),
            Instr::I64ShrU => self.binary(binary_forms(i64_shr_u), Ty::I64),
            Instr::I64Rotl => self.binary(binary_forms(i64_rotl), Ty::I64),
            Instr::I64Rotr => self.binary(binary_forms(i64_rotr), Ty::I64),
            Instr::F32Abs => self.unary(unary_forms(f32_abs), Ty::F32),
            Instr::F32Neg => self.unary(unary_forms(f32_neg), Ty::F32),
            Instr::F32Ceil => self.unary(unary_forms(f32_ceil), Ty::F32),
            Instr::F32Floor => self.unary(unary_forms(f32_floor), Ty::F32),
            Instr::F32Trunc => self.unary(unary_forms(f32_trunc), Ty::F32),
            Instr::F32Nearest => self.unary(unary_forms(f32_nearest), Ty::F32),
            Instr::F32Sqrt => self.unary(unary_forms(float::f32_sqrt), Ty::F32),
            Instr::F32Add => self.commutative(symmetric_forms(float::f32_add), Ty::F32),
            Instr::F32Sub => self.binary(binary_forms(float::f32_sub), Ty::F32),
            Instr::F32Mul => self.commutative(symmetric_forms(float::f32_mul), Ty::F32),
            Instr::F32Div => self.binary(binary_forms(float::f32_div), Ty::F32),
            Instr::F32Min => self.commutative(symmetric_forms(f32_min), Ty::F32),
            Instr::F32Max => self.commutative(symmetric_forms(f32_max), Ty::F32),
            Instr::F32Copysign => self.binary(binary_forms(f32_copysign), Ty::F32),
            Instr::F64Abs => self.unary(unary_forms(f64_abs), Ty::F64),
            Instr::F64Neg => self.unary(unary_forms(f64_neg), Ty::F64),
            Instr::F64Ceil => self.unary(unary_forms(f64_ceil), Ty::F64),
            Instr::F64Floor => self.unary(unary_forms(f64_floor), Ty::F64),
            Instr::F64Trunc => self.unary(unary_forms(f64_trunc), Ty::F64),
            Instr::F64Nearest => self.unary(unary_forms(f64_nearest), Ty::F64),
            Instr::F64Sqrt => self.unary(unary_forms(float::f64_sqrt), Ty::F64),
            Instr::F64Add => self.commutative(symmetric_forms(float::f64_add), Ty::F64),
            Instr::F64Sub => self.binary(binary_forms(float::f64_sub), Ty::F64),
            Instr::F64Mul => self.commutative(symmetric_forms(float::f64_mul), Ty::F64),
            Instr::F64Div => self.binary(binary_forms(float::f64_div), Ty::F64),
            Instr::F64Min => self.commutative(symmetric_forms(f64_min), Ty::F64),
            Instr::F64Max => self.commutative(symmetric_forms(f64_max), Ty::F64),
            Instr::F64Copysign => self.binary(binary_forms(f64_copysign), Ty::F64),
            Instr::I32WrapI64 => self.unary(unary_forms(i32_wrap_i64), Ty::I32),
            Instr::I32TruncF32S => self.unary(unary_forms(i32_trunc_f32_s), Ty::I32),
            Instr::I32TruncF32U => self.unary(unary_forms(i32_trunc_f32_u), Ty::I32),
            Instr::I32TruncF64S => self.unary(unary_forms(i32_trunc_f64_s), Ty::I32),
            Instr::I32TruncF64U => self.unary(unary_forms(i32_trunc_f64_u), Ty::I32),
            Instr::I64ExtendI32S => self.unary(unary_forms(i64_extend_i32_s), Ty::I64),
            Instr::I64ExtendI32U => self.unary(unary_forms(i64_extend_i32_u), Ty::I64),
            Instr::I64TruncF32S => self.unary(unary_forms(i64_trunc_f32_s), Ty::I64),
            Instr::I64TruncF32U => self.unary(unary_forms(i64_trunc_f32_u), Ty::I64),
            Instr::I64TruncF64S => self.unary(unary_forms(i64_trunc_f64_s), Ty::I64),
            Instr::I64TruncF64U => self.unary(unary_forms(i64_trunc_f64_u), Ty::I64),
            Instr::F32ConvertI32S => self.unary(unary_forms(f32_convert_i32_s), Ty::F32),
            Instr::F32ConvertI32U => self.unary(unary_forms(f32_convert_i32_u), Ty::F32),
            Instr::F32ConvertI64S => self.unary(unary_forms(f32_convert_i64_s), Ty::F32),
            Instr::F32ConvertI64U => self.unary(unary_forms(f32_convert_i64_u), Ty::F32),
            Instr::F32DemoteF64 => self.unary(unary_forms(f32_demote_f64), Ty::F32),
            Instr::F64ConvertI32S => self.unary(unary_forms(f64_convert_i32_s), Ty::F64),
            Instr::F64ConvertI32U => self.unary(unary_forms(f64_convert_i32_u), Ty::F64),
            Instr::F64ConvertI64S => self.unary(unary_forms(f64_convert_i64_s), Ty::F64),
            Instr::F64ConvertI64U => self.unary(unary_forms(f64_convert_i64_u), Ty::F64),
            Instr::F64PromoteF32 => self.unary(unary_forms(f64_promote_f32), Ty::F64),
            Instr::I32ReinterpretF32 => self.unary(unary_forms(i32_reinterpret_f32), Ty::I32),
            Instr::I64ReinterpretF64 => self.unary(unary_forms(i64_reinterpret_f64), Ty::I64),
            Instr::F32ReinterpretI32 => self.unary(unary_forms(f32_reinterpret_i32), Ty::F32),
            Instr::F64ReinterpretI64 => self.unary(unary_forms(f64_reinterpret_i64), Ty::F64),
            Instr::I32Extend8S => self.unary(unary_forms(i32_extend8_s), Ty::I32),
            Instr::I32Extend16S => self.unary(unary_forms(i32_extend16_s), Ty::I32),
            Instr::I64Extend8S => self.unary(unary_forms(i64_extend8_s), Ty::I64),
            Instr::I64Extend16S => self.unary(unary_forms(i64_extend16_s), Ty::I64),
            Instr::I64Extend32S => self.unary(unary_forms(i64_extend32_s), Ty::I64),
            Instr::I32TruncSatF32S => self.unary(unary_forms(i32_trunc_sat_f32_s), Ty::I32),
            Instr::I32TruncSatF32U => self.unary(unary_forms(i32_trunc_sat_f32_u), Ty::I32),
            Instr::I32TruncSatF64S => self.unary(unary_forms(i32_trunc_sat_f64_s), Ty::I32),
            Instr::I32TruncSatF64U => self.unary(unary_forms(i32_trunc_sat_f64_u), Ty::I32),
            Instr::I64TruncSatF32S => self.unary(unary_forms(i64_trunc_sat_f32_s), Ty::I64),
            Instr::I64TruncSatF32U => self.unary(unary_forms(i64_trunc_sat_f32_u), Ty::I64),
            Instr::I64TruncSatF64S => self.unary(unary_forms(i64_trunc_sat_f64_s), Ty::I64),
            Instr::I64TruncSatF64U => self.unary(unary_forms(i64_trunc_sat_f64_u), Ty::I64),
            Instr::I64Add128 => self.wide4(i64_add128),
            Instr::I64Sub128 => self.wide4(i64_sub128),
            Instr::I64MulWideS => self.wide2(i64_mul_wide_s),
            Instr::I64MulWideU => self.wide2(i64_mul_wide_u),

            Instr::I8x16Shuffle(lanes) => self.shuffle(lanes.0),
            Instr::I8x16Swizzle => self.slots2(vector2(i8x16_swizzle), Ty::V128),
            Instr::I8x16Splat => self.slots1(splat(i8x16_splat), Ty::V128),
            Instr::I16x8Splat => self.slots1(splat(i16x8_splat), Ty::V128),
            Instr::I32x4Splat => self.slots1(splat(i32x4_splat), Ty::V128),
            Instr::I64x2Splat => self.slots1(splat(i64x2_splat), Ty::V128),
            Instr::F32x4Splat => self.slots1(splat(f32x4_splat), Ty::V128),
            Instr::F64x2Splat => self.slots1(splat(f64x2_splat), Ty::V128),
            Instr::I8x16ExtractLaneS(lane) => {
                self.extract_lane(extract_lane(i8x16_extract_lane_s), lane.0, Ty::I32)
            }
            Instr::I8x16ExtractLaneU(lane) => {
                self.extract_lane(extract_lane(i8x16_extract_lane_u), lane.0, Ty::I32)
            }
            Instr::I8x16ReplaceLane(lane) => self.replace_lane(replace_lane(i8x16_replace_lane), lane.0),
            Instr::I16x8ExtractLaneS(lane) => {
                self.extract_lane(extract_lane(i16x8_extract_lane_s), lane.0, Ty::I32)
            }
            Instr::I16x8ExtractLaneU(lane) => {
                self.extract_lane(extract_lane(i16x8_extract_lane_u), lane.0, Ty::I32)
            }
            Instr::I16x8ReplaceLane(lane) => self.replace_lane(replace_lane(i16x8_replace_lane), lane.0),
            Instr::I32x4ExtractLane(lane) => {
                self.extract_lane(extract_lane(i32x4_extract_lane), lane.0, Ty::I32)
            }
            Instr::I32x4ReplaceLane(lane) => self.replace_lane(replace_lane(i32x4_replace_lane), lane.0),
            Instr::I64x2ExtractLane(lane) => {
                self.extract_lane(extract_lane(i64x2_extract_lane), lane.0, Ty::I64)
            }
            Instr::I64x2ReplaceLane(lane) => self.replace_lane(replace_lane(i64x2_replace_lane), lane.0),
            Instr::F32x4ExtractLane(lane) => {
                self.extract_lane(extract_lane(f32x4_extract_lane), lane.0, Ty::F32)
            }
            Instr::F32x4ReplaceLane(lane) => self.replace_lane(replace_lane(f32x4_replace_lane), lane.0),
            Instr::F64x2ExtractLane(lane) => {
                self.extract_lane(extract_lane(f64x2_extract_lane), lane.0, Ty::F64)
            }
            Instr::F64x2ReplaceLane(lane) => self.replace_lane(replace_lane(f64x2_replace_lane), lane.0),
            Instr::I8x16Eq => self.slots2(vector2(i8x16_eq), Ty::V128),
            Instr::I8x16Ne => self.slots2(vector2(i8x16_ne), Ty::V128),
            Instr::I8x16LtS => self.slots2(vector2(i8x16_lt_s), Ty::V128),
            Instr::I8x16LtU => self.slots2(vector2(i8x16_lt_u), Ty::V128),
            Instr::I8x16GtS => self.slots2(vector2(i8x16_gt_s), Ty::V128),
            Instr::I8x16GtU => self.slots2(vector2(i8x16_gt_u), Ty::V128),
            Instr::I8x16LeS => self.slots2(vector2(i8x16_le_s), Ty::V128),
            Instr::I8x16LeU => self.slots2(vector2(i8x16_le_u), Ty::V128),
            Instr::I8x16GeS => self.slots2(vector2(i8x16_ge_s), Ty::V128),
            Instr::I8x16GeU => self.slots2(vector2(i8x16_ge_u), Ty::V128),
            Instr::I16x8Eq => self.slots2(vector2(i16x8_eq), Ty::V128),
            Instr::I16x8Ne => self.slots2(vector2(i16x8_ne), Ty::V128),
            Instr::I16x8LtS => self.slots2(vector2(i16x8_lt_s), Ty::V128),
            Instr::I16x8LtU => self.slots2(vector2(i16x8_lt_u), Ty::V128),
            Instr::I16x8GtS => self.slots2(vector2(i16x8_gt_s), Ty::V128),
            Instr::I16x8GtU => self.slots2(vector2(i16x8_gt_u), Ty::V128),
            Instr::I16x8LeS => self.slots2(vector2(i16x8_le_s), Ty::V128),
            Instr::I16x8LeU => self.slots2(vector2(i16x8_le_u), Ty::V128),
            Instr::I16x8GeS => self.slots2(vector2(i16x8_ge_s), Ty::V128),
            Instr::I16x8GeU => self.slots2(vector2(i16x8_ge_u), Ty::V128),
            Instr::I32x4Eq => self.slots2(vector2(i32x4_eq), Ty::V128),
            Instr::I32x4Ne => self.slots2(vector2(i32x4_ne), Ty::V128),
            Instr::I32x4LtS => self.slots2(vector2(i32x4_lt_s), Ty::V128),
            Instr::I32x4LtU => self.slots2(vector2(i32x4_lt_u), Ty::V128),
            Instr::I32x4GtS => self.slots2(vector2(i32x4_gt_s), Ty::V128),
            Instr::I32x4GtU => self.slots2(vector2(i32x4_gt_u), Ty::V128),
            Instr::I32x4LeS => self.slots2(vector2(i32x4_le_s), Ty::V128),
            Instr::I32x4LeU => self.slots2(vector2(i32x4_le_u), Ty::V128),
            Instr::I32x4GeS => self.slots2(vector2(i32x4_ge_s), Ty::V128),
            Instr::I32x4GeU => self.slots2(vector2(i32x4_ge_u), Ty::V128),
            Instr::F32x4Eq => self.slots2(vector2(f32x4_eq), Ty::V128),
            Instr::F32x4Ne => self.slots2(vector2(f32x4_ne), Ty::V128),
            Instr::F32x4Lt => self.slots2(vector2(f32x4_lt), Ty::V128),
            Instr::F32x4Gt => self.slots2(vector2(f32x4_gt), Ty::V128),
            Instr::F32x4Le => self.slots2(vector2(f32x4_le), Ty::V128),
            Instr::F32x4Ge => self.slots2(vector2(f32x4_ge), Ty::V128),
            Instr::F64x2Eq => self.slots2(vector2(f64x2_eq), Ty::V128),
            Instr::F64x2Ne => self.slots2(vector2(f64x2_ne), Ty::V128),
            Instr::F64x2Lt => self.slots2(vector2(f64x2_lt), Ty::V128),
            Instr::F64x2Gt => self.slots2(vector2(f64x2_gt), Ty::V128),
            Instr::F64x2Le => self.slots2(vector2(f64x2_le), Ty::V128),
            Instr::F64x2Ge => self.slots2(vector2(f64x2_ge), Ty::V128),
            Instr::V128Not => self.slots1(vector1(v128_not), Ty::V128),
            Instr::V128And => self.slots2(vector2(v128_and), Ty::V128),
            Instr::V128Andnot => self.slots2(vector2(v128_andnot), Ty::V128),
            Instr::V128Or => self.slots2(vector2(v128_or), Ty::V128),
            Instr::V128Xor => self.slots2(vector2(v128_xor), Ty::V128),
            Instr::V128Bitselect => self.slots3(vector3(v128_bitselect)),
            Instr::V128AnyTrue => self.slots1(vector1(v128_any_true), Ty::I32),
            Instr::F32x4DemoteF64x2Zero => self.slots1(vector1(f32x4_demote_f64x2_zero), Ty::V128),
            Instr::F64x2PromoteLowF32x4 => self.slots1(vector1(f64x2_promote_low_f32x4), Ty::V128),
            Instr::I8x16Abs => self.slots1(vector1(i8x16_abs), Ty::V128),
            Instr::I8x16Neg => self.slots1(vector1(i8x16_neg), Ty::V128),
            Instr::I8x16Popcnt => self.slots1(vector1(i8x16_popcnt), Ty::V128),
            Instr::I8x16AllTrue => self.slots1(vector1(i8x16_all_true), Ty::I32),
            Instr::I8x16Bitmask => self.slots1(vector1(i8x16_bitmask), Ty::I32),
            Instr::I8x16NarrowI16x8S => self.slots2(vector2(i8x16_narrow_i16x8_s), Ty::V128),
            Instr::I8x16NarrowI16x8U => self.slots2(vector2(i8x16_narrow_i16x8_u), Ty::V128),
            Instr::F32x4Ceil => self.slots1(vector1(f32x4_ceil), Ty::V128),
            Instr::F32x4Floor => self.slots1(vector1(f32x4_floor), Ty::V128),
            Instr::F32x4Trunc => self.slots1(vector1(f32x4_trunc), Ty::V128),
            Instr::F32x4Nearest => self.slots1(vector1(f32x4_nearest), Ty::V128),
            Instr::I8x16Shl => self.slots2(vector2(i8x16_shl), Ty::V128),
            Instr::I8x16ShrS => self.slots2(vector2(i8x16_shr_s), Ty::V128),
            Instr::I8x16ShrU => self.slots2(vector2(i8x16_shr_u), Ty::V128),
            Instr::I8x16Add => self.slots2(vector2(i8x16_add), Ty::V128),
            Instr::I8x16AddSatS => self.slots2(vector2(i8x16_add_sat_s), Ty::V128),
            Instr::I8x16AddSatU => self.slots2(vector2(i8x16_add_sat_u), Ty::V128),
            Instr::I8x16Sub => self.slots2(vector2(i8x16_sub), Ty::V128),
            Instr::I8x16SubSatS => self.slots2(vector2(i8x16_sub_sat_s), Ty::V128),
            Instr::I8x16SubSatU => self.slots2(vector2(i8x16_sub_sat_u), Ty::V128),
            Instr::F64x2Ceil => self.slots1(vector1(f64x2_ceil), Ty::V128),
            Instr::F64x2Floor => self.slots1(vector1(f64x2_floor), Ty::V128),
            Instr::I8x16MinS => self.slots2(vector2(i8x16_min_s), Ty::V128),
            Instr::I8x16MinU => self.slots2(vector2(i8x16_min_u), Ty::V128),
            Instr::I8x16MaxS => self.slots2(vector2(i8x16_max_s), Ty::V128),
            Instr::I8x16MaxU => self.slots2(vector2(i8x16_max_u), Ty::V128),
            Instr::F64x2Trunc => self.slots1(vector1(f64x2_trunc), Ty::V128),
            Instr::I8x16AvgrU => self.slots2(vector2(i8x16_avgr_u), Ty::V128),
            Instr::I16x8ExtaddPairwiseI8x16S => self.slots1(vector1(i16x8_extadd_pairwise_i8x16_s), Ty::V128),
            Instr::I16x8ExtaddPairwiseI8x16U => self.slots1(vector1(i16x8_extadd_pairwise_i8x16_u), Ty::V128),
            Instr::I32x4ExtaddPairwiseI16x8S => self.slots1(vector1(i32x4_extadd_pairwise_i16x8_s), Ty::V128),
            Instr::I32x4ExtaddPairwiseI16x8U => self.slots1(vector1(i32x4_extadd_pairwise_i16x8_u), Ty::V128),
            Instr::I16x8Abs => self.slots1(vector1(i16x8_abs), Ty::V128),
            Instr::I16x8Neg => self.slots1(vector1(i16x8_neg), Ty::V128),
            Instr::I16x8Q15mulrSatS => self.slots2(vector2(i16x8_q15mulr_sat_s), Ty::V128),
            Instr::I16x8AllTrue => self.slots1(vector1(i16x8_all_true), Ty::I32),
            Instr::I16x8Bitmask => self.slots1(vector1(i16x8_bitmask), Ty::I32),
            Instr::I16x8NarrowI32x4S => self.slots2(vector2(i16x8_narrow_i32x4_s), Ty::V128),
            Instr::I16x8NarrowI32x4U => self.slots2(vector2(i16x8_narrow_i32x4_u), Ty::V128),
            Instr::I16x8ExtendLowI8x16S => self.slots1(vector1(i16x8_extend_low_i8x16_s), Ty::V128),
            Instr::I16x8ExtendHighI8x16S => self.slots1(vector1(i16x8_extend_high_i8x16_s), Ty::V128),
            Instr::I16x8ExtendLowI8x16U => self.slots1(vector1(i16x8_extend_low_i8x16_u), Ty::V128),
            Instr::I16x8ExtendHighI8x16U => self.slots1(vector1(i16x8_extend_high_i8x16_u), Ty::V128),
            Instr::I16x8Shl => self.slots2(vector2(i16x8_shl), Ty::V128),
            Instr::I16x8ShrS => self.slots2(vector2(i16x8_shr_s), Ty::V128),
            Instr::I16x8ShrU => self.slots2(vector2(i16x8_shr_u), Ty::V128),
            Instr::I16x8Add => self.slots2(vector2(i16x8_add), Ty::V128),
            Instr::I16x8AddSatS => self.slots2(vector2(i16x8_add_sat_s), Ty::V128),
            Instr::I16x8AddSatU => self.slots2(vector2(i16x8_add_sat_u), Ty::V128),
            Instr::I16x8Sub => self.slots2(vector2(i16x8_sub), Ty::V128),
            Instr::I16x8SubSatS => self.slots2(vector2(i16x8_sub_sat_s), Ty::V128),
            Instr::I16x8SubSatU => self.slots2(vector2(i16x8_sub_sat_u), Ty::V128),
            Instr::F64x2Nearest => self.slots1(vector1(f64x2_nearest), Ty::V128),
            Instr::I16x8Mul => self.slots2(vector2(i16x8_mul), Ty::V128),
            Instr::I16x8MinS => self.slots2(vector2(i16x8_min_s), Ty::V128),
            Instr::I16x8MinU => self.slots2(vector2(i16x8_min_u), Ty::V128),
            Instr::I16x8MaxS => self.slots2(vector2(i16x8_max_s), Ty::V128),
            Instr::I16x8MaxU => self.slots2(vector2(i16x8_max_u), Ty::V128),
            Instr::I16x8AvgrU => self.slots2(vector2(i16x8_avgr_u), Ty::V128),
            Instr::I16x8ExtmulLowI8x16S => self.slots2(vector2(i16x8_extmul_low_i8x16_s), Ty::V128),
            Instr::I16x8ExtmulHighI8x16S => self.slots2(vector2(i16x8_extmul_high_i8x16_s), Ty::V128),
            Instr::I16x8ExtmulLowI8x16U => self.slots2(vector2(i16x8_extmul_low_i8x16_u), Ty::V128),
            Instr::I16x8ExtmulHighI8x16U => self.slots2(vector2(i16x8_extmul_high_i8x16_u), Ty::V128),
            Instr::I32x4Abs => self.slots1(vector1(i32x4_abs), Ty::V128),
            Instr::I32x4Neg => self.slots1(vector1(i32x4_neg), Ty::V128),
            Instr::I32x4AllTrue => self.slots1(vector1(i32x4_all_true), Ty::I32),
            Instr::I32x4Bitmask => self.slots1(vector1(i32x4_bitmask), Ty::I32),
            Instr::I32x4ExtendLowI16x8S => self.slots1(vector1(i32x4_extend_low_i16x8_s), Ty::V128),
            Instr::I32x4ExtendHighI16x8S => self.slots1(vector1(i32x4_extend_high_i16x8_s), Ty::V128),
            Instr::I32x4ExtendLowI16x8U => self.slots1(vector1(i32x4_extend_low_i16x8_u), Ty::V128),
            Instr::I32x4ExtendHighI16x8U => self.slots1(vector1(i32x4_extend_high_i16x8_u), Ty::V128),
            Instr::I32x4Shl => self.slots2(vector2(i32x4_shl), Ty::V128),
            Instr::I32x4ShrS => self.slots2(vector2(i32x4_shr_s), Ty::V128),
            Instr::I32x4ShrU => self.slots2(vector2(i32x4_shr_u), Ty::V128),
            Instr::I32x4Add => self.slots2(vector2(i32x4_add), Ty::V128),
            Instr::I32x4Sub => self.slots2(vector2(i32x4_sub), Ty::V128),
            Instr::I32x4Mul => self.slots2(vector2(i32x4_mul), Ty::V128),
            Instr::I32x4MinS => self.slots2(vector2(i32x4_min_s), Ty::V128),
            Instr::I32x4MinU => self.slots2(vector2(i32x4_min_u), Ty::V128),
            Instr::I32x4MaxS => self.slots2(vector2(i32x4_max_s), Ty::V128),
            Instr::I32x4MaxU => self.slots2(vector2(i32x4_max_u), Ty::V128),
            Instr::I32x4DotI16x8S => self.slots2(vector2(i32x4_dot_i16x8_s), Ty::V128),
            Instr::I32x4ExtmulLowI16x8S => self.slots2(vector2(i32x4_extmul_low_i16x8_s), Ty::V128),
            Instr::I32x4ExtmulHighI16x8S => self.slots2(vector2(i32x4_extmul_high_i16x8_s), Ty::V128),
            Instr::I32x4ExtmulLowI16x8U => self.slots2(vector2(i32x4_extmul_low_i16x8_u), Ty::V128),
            Instr::I32x4ExtmulHighI16x8U => self.slots2(vector2(i32x4_extmul_high_i16x8_u), Ty::V128),
            Instr::I64x2Abs => self.slots1(vector1(i64x2_abs), Ty::V128),
            Instr::I64x2Neg => self.slots1(vector1(i64x2_neg), Ty::V128),
            Instr::I64x2AllTrue => self.slots1(vector1(i64x2_all_true), Ty::I32),
            Instr::I64x2Bitmask => self.slots1(vector1(i64x2_bitmask), Ty::I32),
            Instr::I64x2ExtendLowI32x4S => self.slots1(vector1(i64x2_extend_low_i32x4_s), Ty::V128),
            Instr::I64x2ExtendHighI32x4S => self.slots1(vector1(i64x2_extend_high_i32x4_s), Ty::V128),
            Instr::I64x2ExtendLowI32x4U => self.slots1(vector1(i64x2_extend_low_i32x4_u), Ty::V128),
            Instr::I64x2ExtendHighI32x4U => self.slots1(vector1(i64x2_extend_high_i32x4_u), Ty::V128),
            Instr::I64x2Shl => self.slots2(vector2(i64x2_shl), Ty::V128),
            Instr::I64x2ShrS => self.slots2(vector2(i64x2_shr_s), Ty::V128),
            Instr::I64x2ShrU => self.slots2(vector2(i64x2_shr_u), Ty::V128),
            Instr::I64x2Add => self.slots2(vector2(i64x2_add), Ty::V128),
            Instr::I64x2Sub => self.slots2(vector2(i64x2_sub), Ty::V128),
            Instr::I64x2Mul => self.slots2(vector2(i64x2_mul), Ty::V128),
            Instr::I64x2Eq => self.slots2(vector2(i64x2_eq), Ty::V128),
            Instr::I64x2Ne => self.slots2(vector2(i64x2_ne), Ty::V128),
            Instr::I64x2LtS => self.slots2(vector2(i64x2_lt_s), Ty::V128),
            Instr::I64x2GtS => self.slots2(vector2(i64x2_gt_s), Ty::V128),
            Instr::I64x2LeS => self.slots2(vector2(i64x2_le_s), Ty::V128),
            Instr::I64x2GeS => self.slots2(vector2(i64x2_ge_s), Ty::V128),
            Instr::I64x2ExtmulLowI32x4S => self.slots2(vector2(i64x2_extmul_low_i32x4_s), Ty::V128),
            Instr::I64x2ExtmulHighI32x4S => self.slots2(vector2(i64x2_extmul_high_i32x4_s), Ty::V128),
            Instr::I64x2ExtmulLowI32x4U => self.slots2(vector2(i64x2_extmul_low_i32x4_u), Ty::V128),
            Instr::I64x2ExtmulHighI32x4U => self.slots2(vector2(i64x2_extmul_high_i32x4_u), Ty::V128),
            Instr::F32x4Abs => self.slots1(vector1(f32x4_abs), Ty::V128),
            Instr::F32x4Neg => self.slots1(vector1(f32x4_neg), Ty::V128),
            Instr::F32x4Sqrt => self.slots1(vector1(f32x4_sqrt), Ty::V128),
            Instr::F32x4Add => self.slots2(vector2(f32x4_add), Ty::V128),
            Instr::F32x4Sub => self.slots2(vector2(f32x4_sub), Ty::V128),
            Instr::F32x4Mul => self.slots2(vector2(f32x4_mul), Ty::V128),
            Instr::F32x4Div => self.slots2(vector2(f32x4_div), Ty::V128),
            Instr::F32x4Min => self.slots2(vector2(f32x4_min), Ty::V128),
            Instr::F32x4Max => self.slots2(vector2(f32x4_max), Ty::V128),
            Instr::F32x4Pmin => self.slots2(vector2(f32x4_pmin), Ty::V128),
            Instr::F32x4Pmax => self.slots2(vector2(f32x4_pmax), Ty::V128),
            Instr::F64x2Abs => self.slots1(vector1(f64x2_abs), Ty::V128),
            Instr::F64x2Neg => self.slots1(vector1(f64x2_neg), Ty::V128),
            Instr::F64x2Sqrt => self.slots1(vector1(f64x2_sqrt), Ty::V128),
            Instr::F64x2Add => self.slots2(vector2(f64x2_add), Ty::V128),
            Instr::F64x2Sub => self.slots2(vector2(f64x2_sub), Ty::V128),
            Instr::F64x2Mul => self.slots2(vector2(f64x2_mul), Ty::V128),
            Instr::F64x2Div => self.slots2(vector2(f64x2_div), Ty::V128),
            Instr::F64x2Min => self.slots2(vector2(f64x2_min), Ty::V128),
            Instr::F64x2Max => self.slots2(vector2(f64x2_max), Ty::V128),
            Instr::F64x2Pmin => self.slots2(vector2(f64x2_pmin), Ty::V128),
            Instr::F64x2Pmax => self.slots2(vector2(f64x2_pmax), Ty::V128),
            Instr::I32x4TruncSatF32x4S => self.slots1(vector1(i32x4_trunc_sat_f32x4_s), Ty::V128),
            Instr::I32x4TruncSatF32x4U => self.slots1(vector1(i32x4_trunc_sat_f32x4_u), Ty::V128),
            Instr::F32x4ConvertI32x4S => self.slots1(vector1(f32x4_convert_i32x4_s), Ty::V128),
            Instr::F32x4ConvertI32x4U => self.slots1(vector1(f32x4_convert_i32x4_u), Ty::V128),
            Instr::I32x4TruncSatF64x2SZero => self.slots1(vector1(i32x4_trunc_sat_f64x2_s_zero), Ty::V128),
            Instr::I32x4TruncSatF64x2UZero => self.slots1(vector1(i32x4_trunc_sat_f64x2_u_zero), Ty::V128),
            Instr::F64x2ConvertLowI32x4S => self.slots1(vector1(f64x2_convert_low_i32x4_s), Ty::V128),
            Instr::F64x2ConvertLowI32x4U => self.slots1(vector1(f64x2_convert_low_i32x4_u), Ty::V128),
            Instr::I8x16RelaxedSwizzle => self.slots2(vector2(i8x16_relaxed_swizzle), Ty::V128),
            Instr::I32x4RelaxedTruncF32x4S => self.slots1(vector1(i32x4_relaxed_trunc_f32x4_s), Ty::V128),
            Instr::I32x4RelaxedTruncF32x4U => self.slots1(vector1(i32x4_relaxed_trunc_f32x4_u), Ty::V128),
            Instr::I32x4RelaxedTruncF64x2SZero => {
                self.slots1(vector1(i32x4_relaxed_trunc_f64x2_s_zero), Ty::V128)
            }
            Instr::I32x4RelaxedTruncF64x2UZero => {
                self.slots1(vector1(i32x4_relaxed_trunc_f64x2_u_zero), Ty::V128)
            }
            Instr::F32x4RelaxedMadd => self.slots3(vector3(f32x4_relaxed_madd)),
            Instr::F32x4RelaxedNmadd => self.slots3(vector3(f32x4_relaxed_nmadd)),
            Instr::F64x2RelaxedMadd => self.slots3(vector3(f64x2_relaxed_madd)),
            Instr::F64x2RelaxedNmadd => self.slots3(vector3(f64x2_relaxed_nmadd)),
            Instr::I8x16RelaxedLaneselect => self.slots3(vector3(i8x16_relaxed_laneselect)),
            Instr::I16x8RelaxedLaneselect => self.slots3(vector3(i16x8_relaxed_laneselect)),
            Instr::I32x4RelaxedLaneselect => self.slots3(vector3(i32x4_relaxed_laneselect)),
            Instr::I64x2RelaxedLaneselect => self.slots3(vector3(i64x2_relaxed_laneselect)),
            Instr::F32x4RelaxedMin => self.slots2(vector2(f32x4_relaxed_min), Ty::V128),
            Instr::F32x4RelaxedMax => self.slots2(vector2(f32x4_relaxed_max), Ty::V128),
            Instr::F64x2RelaxedMin => self.slots2(vector2(f64x2_relaxed_min), Ty::V128),
            Instr::F64x2RelaxedMax => self.slots2(vector2(f64x2_relaxed_max), Ty::V128),
            Instr::I16x8RelaxedQ15mulrS => self.slots2(vector2(i16x8_relaxed_q15mulr_s), Ty::V128),
            Instr::I16x8RelaxedDotI8x16I7x16S => {
                self.slots2(vector2(i16x8_relaxed_dot_i8x16_i7x16_s), Ty::V128)
            }
            Instr::I32x4RelaxedDotI8x16I7x16AddS => self.slots3(vector3(i32x4_relaxed_dot_i8x16_i7x16_add_s)),

            Instr::MemoryAtomicNotify(at) => self.notify(notify, at),
            Instr::MemoryAtomicWait32(at) => self.wait(4, at),
            Instr::MemoryAtomicWait64(at) => self.wait(8, at),
            Instr::AtomicFence(_) => self.fence(),
            Instr::I32AtomicLoad(at) => self.atomic(&atomic::LOAD, 4, at, 0, Some(Ty::I32)),
            Instr::I64AtomicLoad(at) => self.atomic(&atomic::LOAD, 8, at, 0, Some(Ty::I64)),
            Instr::I32AtomicLoad8U(at) => self.atomic(&atomic::LOAD, 1, at, 0, Some(Ty::I32)),
            Instr::I32AtomicLoad16U(at) => self.atomic(&atomic::LOAD, 2, at, 0, Some(Ty::I32)),
            Instr::I64AtomicLoad8U(at) => self.atomic(&atomic::LOAD, 1, at, 0, Some(Ty::I64)),
            Instr::I64AtomicLoad16U(at) => self.atomic(&atomic::LOAD, 2, at, 0, Some(Ty::I64)),
            Instr::I64AtomicLoad32U(at) => self.atomic(&atomic::LOAD, 4, at, 0, Some(Ty::I64)),
            Instr::I32AtomicStore(at) => self.atomic(&atomic::STORE, 4, at, 1, None),
            Instr::I64AtomicStore(at) => self.atomic(&atomic::STORE, 8, at, 1, None),
            Instr::I32AtomicStore8(at) => self.atomic(&atomic::STORE, 1, at, 1, None),
            Instr::I32AtomicStore16(at) => self.atomic(&atomic::STORE, 2, at, 1, None),
            Instr::I64AtomicStore8(at) => self.atomic(&atomic::STORE, 1, at, 1, None),
            Instr::I64AtomicStore16(at) => self.atomic(&atomic::STORE, 2, at, 1, None),
            Instr::I64AtomicStore32(at) => self.atomic(&atomic::STORE, 4, at, 1, None),
            Instr::I32AtomicRmwAdd(at) => self.atomic(&atomic::ADD, 4, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmwAdd(at) => self.atomic(&atomic::ADD, 8, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmw8AddU(at) => self.atomic(&atomic::ADD, 1, at, 1, Some(Ty::I32)),
            Instr::I32AtomicRmw16AddU(at) => self.atomic(&atomic::ADD, 2, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmw8AddU(at) => self.atomic(&atomic::ADD, 1, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw16AddU(at) => self.atomic(&atomic::ADD, 2, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw32AddU(at) => self.atomic(&atomic::ADD, 4, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmwSub(at) => self.atomic(&atomic::SUB, 4, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmwSub(at) => self.atomic(&atomic::SUB, 8, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmw8SubU(at) => self.atomic(&atomic::SUB, 1, at, 1, Some(Ty::I32)),
            Instr::I32AtomicRmw16SubU(at) => self.atomic(&atomic::SUB, 2, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmw8SubU(at) => self.atomic(&atomic::SUB, 1, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw16SubU(at) => self.atomic(&atomic::SUB, 2, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw32SubU(at) => self.atomic(&atomic::SUB, 4, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmwAnd(at) => self.atomic(&atomic::AND, 4, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmwAnd(at) => self.atomic(&atomic::AND, 8, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmw8AndU(at) => self.atomic(&atomic::AND, 1, at, 1, Some(Ty::I32)),
            Instr::I32AtomicRmw16AndU(at) => self.atomic(&atomic::AND, 2, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmw8AndU(at) => self.atomic(&atomic::AND, 1, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw16AndU(at) => self.atomic(&atomic::AND, 2, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw32AndU(at) => self.atomic(&atomic::AND, 4, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmwOr(at) => self.atomic(&atomic::OR, 4, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmwOr(at) => self.atomic(&atomic::OR, 8, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmw8OrU(at) => self.atomic(&atomic::OR, 1, at, 1, Some(Ty::I32)),
            Instr::I32AtomicRmw16OrU(at) => self.atomic(&atomic::OR, 2, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmw8OrU(at) => self.atomic(&atomic::OR, 1, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw16OrU(at) => self.atomic(&atomic::OR, 2, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw32OrU(at) => self.atomic(&atomic::OR, 4, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmwXor(at) => self.atomic(&atomic::XOR, 4, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmwXor(at) => self.atomic(&atomic::XOR, 8, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmw8XorU(at) => self.atomic(&atomic::XOR, 1, at, 1, Some(Ty::I32)),
            Instr::I32AtomicRmw16XorU(at) => self.atomic(&atomic::XOR, 2, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmw8XorU(at) => self.atomic(&atomic::XOR, 1, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw16XorU(at) => self.atomic(&atomic::XOR, 2, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw32XorU(at) => self.atomic(&atomic::XOR, 4, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmwXchg(at) => self.atomic(&atomic::EXCHANGE, 4, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmwXchg(at) => self.atomic(&atomic::EXCHANGE, 8, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmw8XchgU(at) => self.atomic(&atomic::EXCHANGE, 1, at, 1, Some(Ty::I32)),
            Instr::I32AtomicRmw16XchgU(at) => self.atomic(&atomic::EXCHANGE, 2, at, 1, Some(Ty::I32)),
            Instr::I64AtomicRmw8XchgU(at) => self.atomic(&atomic::EXCHANGE, 1, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw16XchgU(at) => self.atomic(&atomic::EXCHANGE, 2, at, 1, Some(Ty::I64)),
            Instr::I64AtomicRmw32XchgU(at) => self.atomic(&atomic::EXCHANGE, 4, at, 1, Some(Ty::I64)),
            Instr::I32AtomicRmwCmpxchg(at) => self.atomic(&atomic::COMPARE_EXCHANGE, 4, at, 2, Some(Ty::I32)),
            Instr::I64AtomicRmwCmpxchg(at) => self.atomic(&atomic::COMPARE_EXCHANGE, 8, at, 2, Some(Ty::I64)),
            Instr::I32AtomicRmw8CmpxchgU(at) => {
                self.atomic(&atomic::COMPARE_EXCHANGE, 1, at, 2, Some(Ty::I32))
            }
            Instr::I32AtomicRmw16CmpxchgU(at) => {
                self.atomic(&atomic::COMPARE_EXCHANGE, 2, at, 2, Some(Ty::I32))
            }
            Instr::I64AtomicRmw8CmpxchgU(at) => {
                self.atomic(&atomic::COMPARE_EXCHANGE, 1, at, 2, Some(Ty::I64))
            }
            Instr::I64AtomicRmw16CmpxchgU(at) => {
                self.atomic(&atomic::COMPARE_EXCHANGE, 2, at, 2, Some(Ty::I64))
            }
            Instr::I64AtomicRmw32CmpxchgU(at) => {
                self.atomic(&atomic::COMPARE_EXCHANGE, 4, at, 2, Some(Ty::I64))
            }

            // `ModuleCode::new` refuses modules with these by the name of their proposal.
            Instr::Try(_)
            | Instr::Catch(_)
            | Instr::Throw(_)
            | Instr::Rethrow(_)
            | Instr::ThrowRef
            | Instr::Delegate(_)
            | Instr::CatchAll
            | Instr::TryTable(_)
            | Instr::RefEq
            | Instr::StructNew(_)
            | Instr::StructNewDefault(_)
            | Instr::StructGet(_)
            | Instr::StructGetS(_)
            | Instr::StructGetU(_)
            | Instr::StructSet(_)
            | Instr::ArrayNew(_)
            | Instr::ArrayNewDefault(_)
            | Instr::ArrayNewFixed(_)
            | Instr::ArrayNewData(_)
            | Instr::ArrayNewElem(_)
            | Instr::ArrayGet(_)
            | Instr::ArrayGetS(_)
            | Instr::ArrayGetU(_)
            | Instr::ArraySet(_)
            | Instr::ArrayLen
            | Instr::ArrayFill(_)
            | Instr::ArrayCopy(_)
            | Instr::ArrayInitData(_)
            | Instr::ArrayInitElem(_)
            | Instr::RefTest(_)
            | Instr::RefTestNull(_)
            | Instr::RefCast(_)
            | Instr::RefCastNull(_)
            | Instr::BrOnCast(_)
            | Instr::BrOnCastFail(_)
            | Instr::AnyConvertExtern
            | Instr::ExternConvertAny
            | Instr::RefI31
            | Instr::I31GetS
            | Instr::I31GetU => self.unreachable(),
        }
    }

    fn eqz(&mut self, ty: Ty) {
        self.push(Kind::Const(0), ty);
        match ty {
            Ty::I64 => compare!(self I64 i64_eq i64_ne i64_eq i64_ne),
            _ => compare!(self I32 i32_eq i32_ne i32_eq i32_ne),
        }
    }

    /// `i32.and`, which a branch can test.
    fn and32(&mut self) {
        let and = Symmetric {
            forms: symmetric_forms(i32_and),
            relation: Some(Relation {
                branch: branch_forms(|a: i32, b: i32| a & b != 0),
                inverse: Some(branch_forms(|a: i32, b: i32| a & b == 0)),
                counter: None,
            }),
        };
        self.symmetric(and, and, Ty::I32, Ty::I32, false);
    }

    fn fence(&mut self) {
        self.emit(atomic_fence);
    }
}

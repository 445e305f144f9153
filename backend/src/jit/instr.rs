//! THE MATCH: what each instruction is translated to. A new row of the table does not compile until it stands here.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{AtomicRmwOp, InstBuilder, types};
use wasmos_abi::TrapCode;
use wasmos_frontend::blocks::{self, Flow};
use wasmos_frontend::instr::V128;
use wasmos_frontend::opcode::Instr;

use super::call::Kind;
use super::layout::Task;
use super::translate::{Translator, trap};

macro_rules! scalar1 {
    ($self:ident $op:ident) => {{
        let value = $self.pop();
        let value = $self.b.ins().$op(value);
        $self.push(value);
    }};
}

macro_rules! scalar2 {
    ($self:ident $op:ident) => {{
        let (a, b) = $self.pop2();
        let value = $self.b.ins().$op(a, b);
        $self.push(value);
    }};
}

macro_rules! scalar_to {
    ($self:ident $ty:ident $op:ident) => {{
        let value = $self.pop();
        let value = $self.b.ins().$op(types::$ty, value);
        $self.push(value);
    }};
}

/// What changes a float's sign only.
macro_rules! sign1 {
    ($self:ident $op:ident) => {{
        let value = $self.pop_canonical();
        let value = $self.b.ins().$op(value);
        $self.push(value);
    }};
}

macro_rules! float1 {
    ($self:ident $op:ident) => {{
        let value = $self.pop();
        let value = $self.b.ins().$op(value);
        $self.push_raw(value);
    }};
    ($self:ident $ty:ident $op:ident) => {{
        let value = $self.pop_float_vector(types::$ty);
        let value = $self.b.ins().$op(value);
        $self.push_raw(value);
    }};
}

macro_rules! float2 {
    ($self:ident $op:ident) => {{
        let (a, b) = $self.pop2();
        let value = $self.b.ins().$op(a, b);
        $self.push_raw(value);
    }};
    ($self:ident $ty:ident $op:ident) => {{
        let (a, b) = $self.pop_float_vectors(types::$ty);
        let value = $self.b.ins().$op(a, b);
        $self.push_raw(value);
    }};
}

macro_rules! float_to {
    ($self:ident $ty:ident $op:ident) => {{
        let value = $self.pop();
        let value = $self.b.ins().$op(types::$ty, value);
        $self.push_raw(value);
    }};
}

macro_rules! vector1 {
    ($self:ident $ty:ident $op:ident) => {{
        let value = $self.pop_vector(types::$ty);
        let value = $self.b.ins().$op(value);
        $self.push(value);
    }};
}

macro_rules! vector2 {
    ($self:ident $ty:ident $op:ident) => {{
        let (a, b) = $self.pop_vectors(types::$ty);
        let value = $self.b.ins().$op(a, b);
        $self.push(value);
    }};
}

macro_rules! shift {
    ($self:ident $ty:ident $op:ident) => {{
        let distance = $self.pop();
        let value = $self.pop_vector(types::$ty);
        let value = $self.b.ins().$op(value, distance);
        $self.push(value);
    }};
}

macro_rules! convert {
    ($self:ident $from:ident $to:ident $op:ident) => {{
        let value = $self.pop_float_vector(types::$from);
        let value = $self.b.ins().$op(types::$to, value);
        $self.push(value);
    }};
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
            Instr::Call(func) => self.call(func, Kind::Call),
            Instr::CallIndirect(callee) => self.call_indirect(callee, Kind::Call),
            Instr::CallRef(ty) => self.call_ref(ty, Kind::Call),
            Instr::ReturnCall(func) => self.call(func, Kind::Tail),
            Instr::ReturnCallIndirect(callee) => self.call_indirect(callee, Kind::Tail),
            Instr::ReturnCallRef(ty) => self.call_ref(ty, Kind::Tail),

            Instr::Drop => {
                self.pop();
            }
            Instr::Select | Instr::SelectT(_) => self.select(),
            Instr::LocalGet(local) => self.local_get(local.index()),
            Instr::LocalSet(local) => self.local_set(local.index()),
            Instr::LocalTee(local) => self.local_tee(local.index()),
            Instr::GlobalGet(global) => self.global_get(global),
            Instr::GlobalSet(global) => self.global_set(global),
            Instr::I32Const(x) => {
                let value = self.b.ins().iconst(types::I32, i64::from(x.cast_unsigned()));
                self.push(value);
            }
            Instr::I64Const(x) => {
                let value = self.b.ins().iconst(types::I64, x);
                self.push(value);
            }
            Instr::F32Const(x) => {
                let value = self.b.ins().f32const(Ieee32::with_bits(x.0));
                self.push(value);
            }
            Instr::F64Const(x) => {
                let value = self.b.ins().f64const(Ieee64::with_bits(x.0));
                self.push(value);
            }

            Instr::RefNull(_) => {
                let value = self.b.ins().iconst(types::I64, 0);
                self.push(value);
            }
            Instr::RefIsNull | Instr::I32Eqz | Instr::I64Eqz => self.eqz(),
            Instr::RefFunc(func) => {
                let value = self.perform(Task::RefFunc, [func.0, 0], &[]);
                self.push(value);
            }
            Instr::RefAsNonNull => {
                let value = self.pop();
                self.b.ins().trapz(value, trap(TrapCode::NullReference));
                self.push(value);
            }
            Instr::TableGet(table) => self.table_get(table.0),
            Instr::TableSet(table) => self.table_set(table.0),
            Instr::TableSize(table) => self.table_size(table.0),
            Instr::TableGrow(table) => {
                let ty = self.table_address(table.0);
                self.bulk(Task::TableGrow, 2, [table.0, 0], Some(ty));
            }
            Instr::TableFill(table) => self.bulk(Task::TableFill, 3, [table.0, 0], None),
            Instr::TableCopy(tables) => self.bulk(Task::TableCopy, 3, [tables.dst.0, tables.src.0], None),
            Instr::TableInit(init) => self.bulk(Task::TableInit, 3, [init.elem.0, init.table.0], None),
            Instr::ElemDrop(elem) => self.bulk(Task::ElemDrop, 0, [elem.0, 0], None),
            Instr::MemorySize(memory) => self.memory_size(memory),
            Instr::MemoryGrow(memory) => self.memory_grow(memory),
            Instr::MemoryFill(memory) => self.bulk(Task::MemoryFill, 3, [memory.0, 0], None),
            Instr::MemoryCopy(memories) => {
                self.bulk(Task::MemoryCopy, 3, [memories.dst.0, memories.src.0], None);
            }
            Instr::MemoryInit(init) => self.bulk(Task::MemoryInit, 3, [init.data.0, init.memory.0], None),
            Instr::DataDrop(data) => self.bulk(Task::DataDrop, 0, [data.0, 0], None),

            Instr::I32Load(at) => self.load(at, types::I32),
            Instr::I64Load(at) => self.load(at, types::I64),
            Instr::F32Load(at) => self.load(at, types::F32),
            Instr::F64Load(at) => self.load(at, types::F64),
            Instr::I32Load8S(at) => self.load_extended(at, types::I8, types::I32, true),
            Instr::I32Load8U(at) => self.load_extended(at, types::I8, types::I32, false),
            Instr::I32Load16S(at) => self.load_extended(at, types::I16, types::I32, true),
            Instr::I32Load16U(at) => self.load_extended(at, types::I16, types::I32, false),
            Instr::I64Load8S(at) => self.load_extended(at, types::I8, types::I64, true),
            Instr::I64Load8U(at) => self.load_extended(at, types::I8, types::I64, false),
            Instr::I64Load16S(at) => self.load_extended(at, types::I16, types::I64, true),
            Instr::I64Load16U(at) => self.load_extended(at, types::I16, types::I64, false),
            Instr::I64Load32S(at) => self.load_extended(at, types::I32, types::I64, true),
            Instr::I64Load32U(at) => self.load_extended(at, types::I32, types::I64, false),
            Instr::I32Store(at)
            | Instr::I64Store(at)
            | Instr::F32Store(at)
            | Instr::F64Store(at)
            | Instr::V128Store(at) => self.store(at),
            Instr::I32Store8(at) | Instr::I64Store8(at) => self.store_narrow(at, types::I8),
            Instr::I32Store16(at) | Instr::I64Store16(at) => self.store_narrow(at, types::I16),
            Instr::I64Store32(at) => self.store_narrow(at, types::I32),

            Instr::I32Eq | Instr::I64Eq => self.icmp(IntCC::Equal),
            Instr::I32Ne | Instr::I64Ne => self.icmp(IntCC::NotEqual),
            Instr::I32LtS | Instr::I64LtS => self.icmp(IntCC::SignedLessThan),
            Instr::I32LtU | Instr::I64LtU => self.icmp(IntCC::UnsignedLessThan),
            Instr::I32GtS | Instr::I64GtS => self.icmp(IntCC::SignedGreaterThan),
            Instr::I32GtU | Instr::I64GtU => self.icmp(IntCC::UnsignedGreaterThan),
            Instr::I32LeS | Instr::I64LeS => self.icmp(IntCC::SignedLessThanOrEqual),
            Instr::I32LeU | Instr::I64LeU => self.icmp(IntCC::UnsignedLessThanOrEqual),
            Instr::I32GeS | Instr::I64GeS => self.icmp(IntCC::SignedGreaterThanOrEqual),
            Instr::I32GeU | Instr::I64GeU => self.icmp(IntCC::UnsignedGreaterThanOrEqual),
            Instr::F32Eq | Instr::F64Eq => self.fcmp(FloatCC::Equal),
            Instr::F32Ne | Instr::F64Ne => self.fcmp(FloatCC::NotEqual),
            Instr::F32Lt | Instr::F64Lt => self.fcmp(FloatCC::LessThan),
            Instr::F32Gt | Instr::F64Gt => self.fcmp(FloatCC::GreaterThan),
            Instr::F32Le | Instr::F64Le => self.fcmp(FloatCC::LessThanOrEqual),
            Instr::F32Ge | Instr::F64Ge => self.fcmp(FloatCC::GreaterThanOrEqual),
            Instr::I32Clz | Instr::I64Clz => scalar1!(self clz),
            Instr::I32Ctz | Instr::I64Ctz => scalar1!(self ctz),
            Instr::I32Popcnt | Instr::I64Popcnt => scalar1!(self popcnt),
            Instr::I32Add | Instr::I64Add => scalar2!(self iadd),
            Instr::I32Sub | Instr::I64Sub => scalar2!(self isub),
            Instr::I32Mul | Instr::I64Mul => scalar2!(self imul),
            Instr::I32DivS | Instr::I64DivS => scalar2!(self sdiv),
            Instr::I32DivU | Instr::I64DivU => scalar2!(self udiv),
            Instr::I32RemS | Instr::I64RemS => scalar2!(self srem),
            Instr::I32RemU | Instr::I64RemU => scalar2!(self urem),
            Instr::I32And | Instr::I64And => scalar2!(self band),
            Instr::I32Or | Instr::I64Or => scalar2!(self bor),
            Instr::I32Xor | Instr::I64Xor => scalar2!(self bxor),
            Instr::I32Shl | Instr::I64Shl => scalar2!(self ishl),
            Instr::I32ShrS | Instr::I64ShrS => scalar2!(self sshr),
            Instr::I32ShrU | Instr::I64ShrU => scalar2!(self ushr),
            Instr::I32Rotl | Instr::I64Rotl => scalar2!(self rotl),
            Instr::I32Rotr | Instr::I64Rotr => scalar2!(self rotr),
            Instr::F32Abs | Instr::F64Abs => sign1!(self fabs),
            Instr::F32Neg | Instr::F64Neg => sign1!(self fneg),
            Instr::F32Ceil | Instr::F64Ceil => float1!(self ceil),
            Instr::F32Floor | Instr::F64Floor => float1!(self floor),
            Instr::F32Trunc | Instr::F64Trunc => float1!(self trunc),
            Instr::F32Nearest | Instr::F64Nearest => float1!(self nearest),
            Instr::F32Sqrt | Instr::F64Sqrt => float1!(self sqrt),
            Instr::F32Add | Instr::F64Add => float2!(self fadd),
            Instr::F32Sub | Instr::F64Sub => float2!(self fsub),
            Instr::F32Mul | Instr::F64Mul => float2!(self fmul),
            Instr::F32Div | Instr::F64Div => float2!(self fdiv),
            Instr::F32Min | Instr::F64Min => float2!(self fmin),
            Instr::F32Max | Instr::F64Max => float2!(self fmax),
            Instr::F32Copysign | Instr::F64Copysign => self.copysign(),
            Instr::I32TruncF32S | Instr::I32TruncF64S => scalar_to!(self I32 fcvt_to_sint),
            Instr::I32TruncSatF32S | Instr::I32TruncSatF64S => scalar_to!(self I32 fcvt_to_sint_sat),
            Instr::I32TruncF32U | Instr::I32TruncF64U => scalar_to!(self I32 fcvt_to_uint),
            Instr::I32TruncSatF32U | Instr::I32TruncSatF64U => scalar_to!(self I32 fcvt_to_uint_sat),
            Instr::I64TruncF32S | Instr::I64TruncF64S => scalar_to!(self I64 fcvt_to_sint),
            Instr::I64TruncSatF32S | Instr::I64TruncSatF64S => scalar_to!(self I64 fcvt_to_sint_sat),
            Instr::I64TruncF32U | Instr::I64TruncF64U => scalar_to!(self I64 fcvt_to_uint),
            Instr::I64TruncSatF32U | Instr::I64TruncSatF64U => scalar_to!(self I64 fcvt_to_uint_sat),
            Instr::F32ConvertI32S | Instr::F32ConvertI64S => scalar_to!(self F32 fcvt_from_sint),
            Instr::F32ConvertI32U | Instr::F32ConvertI64U => scalar_to!(self F32 fcvt_from_uint),
            Instr::F64ConvertI32S | Instr::F64ConvertI64S => scalar_to!(self F64 fcvt_from_sint),
            Instr::F64ConvertI32U | Instr::F64ConvertI64U => scalar_to!(self F64 fcvt_from_uint),
            Instr::I32WrapI64 => scalar_to!(self I32 ireduce),
            Instr::I64ExtendI32S => scalar_to!(self I64 sextend),
            Instr::I64ExtendI32U => scalar_to!(self I64 uextend),
            Instr::F32DemoteF64 => float_to!(self F32 fdemote),
            Instr::F64PromoteF32 => float_to!(self F64 fpromote),
            Instr::I32ReinterpretF32 => self.reinterpret(types::I32),
            Instr::I64ReinterpretF64 => self.reinterpret(types::I64),
            Instr::F32ReinterpretI32 => self.reinterpret(types::F32),
            Instr::F64ReinterpretI64 => self.reinterpret(types::F64),
            Instr::I32Extend8S => self.extend_low(types::I8, types::I32),
            Instr::I32Extend16S => self.extend_low(types::I16, types::I32),
            Instr::I64Extend8S => self.extend_low(types::I8, types::I64),
            Instr::I64Extend16S => self.extend_low(types::I16, types::I64),
            Instr::I64Extend32S => self.extend_low(types::I32, types::I64),
            Instr::I64Add128 => self.wide_sum(false),
            Instr::I64Sub128 => self.wide_sum(true),
            Instr::I64MulWideS => self.wide_product(true),
            Instr::I64MulWideU => self.wide_product(false),

            Instr::V128Load(at) => self.load(at, types::I8X16),
            Instr::V128Load8x8S(at) => self.load_widened(at, types::I8, true),
            Instr::V128Load8x8U(at) => self.load_widened(at, types::I8, false),
            Instr::V128Load16x4S(at) => self.load_widened(at, types::I16, true),
            Instr::V128Load16x4U(at) => self.load_widened(at, types::I16, false),
            Instr::V128Load32x2S(at) => self.load_widened(at, types::I32, true),
            Instr::V128Load32x2U(at) => self.load_widened(at, types::I32, false),
            Instr::V128Load8Splat(at) => self.load_splat(at, types::I8, types::I8X16),
            Instr::V128Load16Splat(at) => self.load_splat(at, types::I16, types::I16X8),
            Instr::V128Load32Splat(at) => self.load_splat(at, types::I32, types::I32X4),
            Instr::V128Load64Splat(at) => self.load_splat(at, types::I64, types::I64X2),
            Instr::V128Const(x) => self.push_vector(x),
            Instr::I8x16Shuffle(lanes) => self.shuffle(lanes.0),
            Instr::I8x16Swizzle | Instr::I8x16RelaxedSwizzle => vector2!(self I8X16 swizzle),
            Instr::I8x16Splat => self.splat(types::I8, types::I8X16),
            Instr::I16x8Splat => self.splat(types::I16, types::I16X8),
            Instr::I32x4Splat => self.splat(types::I32, types::I32X4),
            Instr::I64x2Splat => self.splat(types::I64, types::I64X2),
            Instr::F32x4Splat => self.splat(types::F32, types::F32X4),
            Instr::F64x2Splat => self.splat(types::F64, types::F64X2),
            Instr::I8x16ExtractLaneS(lane) => self.extract_lane(types::I8X16, lane.0, true),
            Instr::I8x16ExtractLaneU(lane) => self.extract_lane(types::I8X16, lane.0, false),
            Instr::I8x16ReplaceLane(lane) => self.replace_lane(types::I8X16, lane.0),
            Instr::I16x8ExtractLaneS(lane) => self.extract_lane(types::I16X8, lane.0, true),
            Instr::I16x8ExtractLaneU(lane) => self.extract_lane(types::I16X8, lane.0, false),
            Instr::I16x8ReplaceLane(lane) => self.replace_lane(types::I16X8, lane.0),
            Instr::I32x4ExtractLane(lane) => self.extract_lane(types::I32X4, lane.0, false),
            Instr::I32x4ReplaceLane(lane) => self.replace_lane(types::I32X4, lane.0),
            Instr::I64x2ExtractLane(lane) => self.extract_lane(types::I64X2, lane.0, false),
            Instr::I64x2ReplaceLane(lane) => self.replace_lane(types::I64X2, lane.0),
            Instr::F32x4ExtractLane(lane) => self.extract_lane(types::F32X4, lane.0, false),
            Instr::F32x4ReplaceLane(lane) => self.replace_lane(types::F32X4, lane.0),
            Instr::F64x2ExtractLane(lane) => self.extract_lane(types::F64X2, lane.0, false),
            Instr::F64x2ReplaceLane(lane) => self.replace_lane(types::F64X2, lane.0),
            Instr::I8x16Eq => self.vector_icmp(IntCC::Equal, types::I8X16),
            Instr::I8x16Ne => self.vector_icmp(IntCC::NotEqual, types::I8X16),
            Instr::I8x16LtS => self.vector_icmp(IntCC::SignedLessThan, types::I8X16),
            Instr::I8x16LtU => self.vector_icmp(IntCC::UnsignedLessThan, types::I8X16),
            Instr::I8x16GtS => self.vector_icmp(IntCC::SignedGreaterThan, types::I8X16),
            Instr::I8x16GtU => self.vector_icmp(IntCC::UnsignedGreaterThan, types::I8X16),
            Instr::I8x16LeS => self.vector_icmp(IntCC::SignedLessThanOrEqual, types::I8X16),
            Instr::I8x16LeU => self.vector_icmp(IntCC::UnsignedLessThanOrEqual, types::I8X16),
            Instr::I8x16GeS => self.vector_icmp(IntCC::SignedGreaterThanOrEqual, types::I8X16),
            Instr::I8x16GeU => self.vector_icmp(IntCC::UnsignedGreaterThanOrEqual, types::I8X16),
            Instr::I16x8Eq => self.vector_icmp(IntCC::Equal, types::I16X8),
            Instr::I16x8Ne => self.vector_icmp(IntCC::NotEqual, types::I16X8),
            Instr::I16x8LtS => self.vector_icmp(IntCC::SignedLessThan, types::I16X8),
            Instr::I16x8LtU => self.vector_icmp(IntCC::UnsignedLessThan, types::I16X8),
            Instr::I16x8GtS => self.vector_icmp(IntCC::SignedGreaterThan, types::I16X8),
            Instr::I16x8GtU => self.vector_icmp(IntCC::UnsignedGreaterThan, types::I16X8),
            Instr::I16x8LeS => self.vector_icmp(IntCC::SignedLessThanOrEqual, types::I16X8),
            Instr::I16x8LeU => self.vector_icmp(IntCC::UnsignedLessThanOrEqual, types::I16X8),
            Instr::I16x8GeS => self.vector_icmp(IntCC::SignedGreaterThanOrEqual, types::I16X8),
            Instr::I16x8GeU => self.vector_icmp(IntCC::UnsignedGreaterThanOrEqual, types::I16X8),
            Instr::I32x4Eq => self.vector_icmp(IntCC::Equal, types::I32X4),
            Instr::I32x4Ne => self.vector_icmp(IntCC::NotEqual, types::I32X4),
            Instr::I32x4LtS => self.vector_icmp(IntCC::SignedLessThan, types::I32X4),
            Instr::I32x4LtU => self.vector_icmp(IntCC::UnsignedLessThan, types::I32X4),
            Instr::I32x4GtS => self.vector_icmp(IntCC::SignedGreaterThan, types::I32X4),
            Instr::I32x4GtU => self.vector_icmp(IntCC::UnsignedGreaterThan, types::I32X4),
            Instr::I32x4LeS => self.vector_icmp(IntCC::SignedLessThanOrEqual, types::I32X4),
            Instr::I32x4LeU => self.vector_icmp(IntCC::UnsignedLessThanOrEqual, types::I32X4),
            Instr::I32x4GeS => self.vector_icmp(IntCC::SignedGreaterThanOrEqual, types::I32X4),
            Instr::I32x4GeU => self.vector_icmp(IntCC::UnsignedGreaterThanOrEqual, types::I32X4),
            Instr::F32x4Eq => self.vector_fcmp(FloatCC::Equal, types::F32X4),
            Instr::F32x4Ne => self.vector_fcmp(FloatCC::NotEqual, types::F32X4),
            Instr::F32x4Lt => self.vector_fcmp(FloatCC::LessThan, types::F32X4),
            Instr::F32x4Gt => self.vector_fcmp(FloatCC::GreaterThan, types::F32X4),
            Instr::F32x4Le => self.vector_fcmp(FloatCC::LessThanOrEqual, types::F32X4),
            Instr::F32x4Ge => self.vector_fcmp(FloatCC::GreaterThanOrEqual, types::F32X4),
            Instr::F64x2Eq => self.vector_fcmp(FloatCC::Equal, types::F64X2),
            Instr::F64x2Ne => self.vector_fcmp(FloatCC::NotEqual, types::F64X2),
            Instr::F64x2Lt => self.vector_fcmp(FloatCC::LessThan, types::F64X2),
            Instr::F64x2Gt => self.vector_fcmp(FloatCC::GreaterThan, types::F64X2),
            Instr::F64x2Le => self.vector_fcmp(FloatCC::LessThanOrEqual, types::F64X2),
            Instr::F64x2Ge => self.vector_fcmp(FloatCC::GreaterThanOrEqual, types::F64X2),
            Instr::V128Not => vector1!(self I8X16 bnot),
            Instr::V128And => vector2!(self I8X16 band),
            Instr::V128Andnot => vector2!(self I8X16 band_not),
            Instr::V128Or => vector2!(self I8X16 bor),
            Instr::V128Xor => vector2!(self I8X16 bxor),
            Instr::V128Bitselect
            | Instr::I8x16RelaxedLaneselect
            | Instr::I16x8RelaxedLaneselect
            | Instr::I32x4RelaxedLaneselect
            | Instr::I64x2RelaxedLaneselect => self.bitselect(),
            Instr::V128AnyTrue => self.any_true(),
            Instr::V128Load8Lane(at) => self.load_lane(at.without_lane(), at.lane.0, types::I8X16),
            Instr::V128Load16Lane(at) => self.load_lane(at.without_lane(), at.lane.0, types::I16X8),
            Instr::V128Load32Lane(at) => self.load_lane(at.without_lane(), at.lane.0, types::I32X4),
            Instr::V128Load64Lane(at) => self.load_lane(at.without_lane(), at.lane.0, types::I64X2),
            Instr::V128Store8Lane(at) => self.store_lane(at.without_lane(), at.lane.0, types::I8X16),
            Instr::V128Store16Lane(at) => self.store_lane(at.without_lane(), at.lane.0, types::I16X8),
            Instr::V128Store32Lane(at) => self.store_lane(at.without_lane(), at.lane.0, types::I32X4),
            Instr::V128Store64Lane(at) => self.store_lane(at.without_lane(), at.lane.0, types::I64X2),
            Instr::V128Load32Zero(at) => self.load_zero(at, types::I32, types::I32X4),
            Instr::V128Load64Zero(at) => self.load_zero(at, types::I64, types::I64X2),
            Instr::F32x4DemoteF64x2Zero => float1!(self F64X2 fvdemote),
            Instr::F64x2PromoteLowF32x4 => float1!(self F32X4 fvpromote_low),
            Instr::I8x16Abs => vector1!(self I8X16 iabs),
            Instr::I8x16Neg => vector1!(self I8X16 ineg),
            Instr::I8x16Popcnt => vector1!(self I8X16 popcnt),
            Instr::I8x16AllTrue => self.all_true(types::I8X16),
            Instr::I8x16Bitmask => self.bitmask(types::I8X16),
            Instr::I8x16NarrowI16x8S => vector2!(self I16X8 snarrow),
            Instr::I8x16NarrowI16x8U => vector2!(self I16X8 unarrow),
            Instr::F32x4Ceil => float1!(self F32X4 ceil),
            Instr::F32x4Floor => float1!(self F32X4 floor),
            Instr::F32x4Trunc => float1!(self F32X4 trunc),
            Instr::F32x4Nearest => float1!(self F32X4 nearest),
            Instr::I8x16Shl => shift!(self I8X16 ishl),
            Instr::I8x16ShrS => shift!(self I8X16 sshr),
            Instr::I8x16ShrU => shift!(self I8X16 ushr),
            Instr::I8x16Add => vector2!(self I8X16 iadd),
            Instr::I8x16AddSatS => vector2!(self I8X16 sadd_sat),
            Instr::I8x16AddSatU => vector2!(self I8X16 uadd_sat),
            Instr::I8x16Sub => vector2!(self I8X16 isub),
            Instr::I8x16SubSatS => vector2!(self I8X16 ssub_sat),
            Instr::I8x16SubSatU => vector2!(self I8X16 usub_sat),
            Instr::F64x2Ceil => float1!(self F64X2 ceil),
            Instr::F64x2Floor => float1!(self F64X2 floor),
            Instr::I8x16MinS => vector2!(self I8X16 smin),
            Instr::I8x16MinU => vector2!(self I8X16 umin),
            Instr::I8x16MaxS => vector2!(self I8X16 smax),
            Instr::I8x16MaxU => vector2!(self I8X16 umax),
            Instr::F64x2Trunc => float1!(self F64X2 trunc),
            Instr::I8x16AvgrU => vector2!(self I8X16 avg_round),
            Instr::I16x8ExtaddPairwiseI8x16S => self.extended_sums(types::I8X16, true),
            Instr::I16x8ExtaddPairwiseI8x16U => self.extended_sums(types::I8X16, false),
            Instr::I32x4ExtaddPairwiseI16x8S => self.extended_sums(types::I16X8, true),
            Instr::I32x4ExtaddPairwiseI16x8U => self.extended_sums(types::I16X8, false),
            Instr::I16x8Abs => vector1!(self I16X8 iabs),
            Instr::I16x8Neg => vector1!(self I16X8 ineg),
            Instr::I16x8Q15mulrSatS | Instr::I16x8RelaxedQ15mulrS => vector2!(self I16X8 sqmul_round_sat),
            Instr::I16x8AllTrue => self.all_true(types::I16X8),
            Instr::I16x8Bitmask => self.bitmask(types::I16X8),
            Instr::I16x8NarrowI32x4S => vector2!(self I32X4 snarrow),
            Instr::I16x8NarrowI32x4U => vector2!(self I32X4 unarrow),
            Instr::I16x8ExtendLowI8x16S => self.extend_half(types::I8X16, false, true),
            Instr::I16x8ExtendHighI8x16S => self.extend_half(types::I8X16, true, true),
            Instr::I16x8ExtendLowI8x16U => self.extend_half(types::I8X16, false, false),
            Instr::I16x8ExtendHighI8x16U => self.extend_half(types::I8X16, true, false),
            Instr::I16x8Shl => shift!(self I16X8 ishl),
            Instr::I16x8ShrS => shift!(self I16X8 sshr),
            Instr::I16x8ShrU => shift!(self I16X8 ushr),
            Instr::I16x8Add => vector2!(self I16X8 iadd),
            Instr::I16x8AddSatS => vector2!(self I16X8 sadd_sat),
            Instr::I16x8AddSatU => vector2!(self I16X8 uadd_sat),
            Instr::I16x8Sub => vector2!(self I16X8 isub),
            Instr::I16x8SubSatS => vector2!(self I16X8 ssub_sat),
            Instr::I16x8SubSatU => vector2!(self I16X8 usub_sat),
            Instr::F64x2Nearest => float1!(self F64X2 nearest),
            Instr::I16x8Mul => vector2!(self I16X8 imul),
            Instr::I16x8MinS => vector2!(self I16X8 smin),
            Instr::I16x8MinU => vector2!(self I16X8 umin),
            Instr::I16x8MaxS => vector2!(self I16X8 smax),
            Instr::I16x8MaxU => vector2!(self I16X8 umax),
            Instr::I16x8AvgrU => vector2!(self I16X8 avg_round),
            Instr::I16x8ExtmulLowI8x16S => self.extended_product(types::I8X16, false, true),
            Instr::I16x8ExtmulHighI8x16S => self.extended_product(types::I8X16, true, true),
            Instr::I16x8ExtmulLowI8x16U => self.extended_product(types::I8X16, false, false),
            Instr::I16x8ExtmulHighI8x16U => self.extended_product(types::I8X16, true, false),
            Instr::I32x4Abs => vector1!(self I32X4 iabs),
            Instr::I32x4Neg => vector1!(self I32X4 ineg),
            Instr::I32x4AllTrue => self.all_true(types::I32X4),
            Instr::I32x4Bitmask => self.bitmask(types::I32X4),
            Instr::I32x4ExtendLowI16x8S => self.extend_half(types::I16X8, false, true),
            Instr::I32x4ExtendHighI16x8S => self.extend_half(types::I16X8, true, true),
            Instr::I32x4ExtendLowI16x8U => self.extend_half(types::I16X8, false, false),
            Instr::I32x4ExtendHighI16x8U => self.extend_half(types::I16X8, true, false),
            Instr::I32x4Shl => shift!(self I32X4 ishl),
            Instr::I32x4ShrS => shift!(self I32X4 sshr),
            Instr::I32x4ShrU => shift!(self I32X4 ushr),
            Instr::I32x4Add => vector2!(self I32X4 iadd),
            Instr::I32x4Sub => vector2!(self I32X4 isub),
            Instr::I32x4Mul => vector2!(self I32X4 imul),
            Instr::I32x4MinS => vector2!(self I32X4 smin),
            Instr::I32x4MinU => vector2!(self I32X4 umin),
            Instr::I32x4MaxS => vector2!(self I32X4 smax),
            Instr::I32x4MaxU => vector2!(self I32X4 umax),
            Instr::I32x4DotI16x8S => self.dot(),
            Instr::I32x4ExtmulLowI16x8S => self.extended_product(types::I16X8, false, true),
            Instr::I32x4ExtmulHighI16x8S => self.extended_product(types::I16X8, true, true),
            Instr::I32x4ExtmulLowI16x8U => self.extended_product(types::I16X8, false, false),
            Instr::I32x4ExtmulHighI16x8U => self.extended_product(types::I16X8, true, false),
            Instr::I64x2Abs => vector1!(self I64X2 iabs),
            Instr::I64x2Neg => vector1!(self I64X2 ineg),
            Instr::I64x2AllTrue => self.all_true(types::I64X2),
            Instr::I64x2Bitmask => self.bitmask(types::I64X2),
            Instr::I64x2ExtendLowI32x4S => self.extend_half(types::I32X4, false, true),
            Instr::I64x2ExtendHighI32x4S => self.extend_half(types::I32X4, true, true),
            Instr::I64x2ExtendLowI32x4U => self.extend_half(types::I32X4, false, false),
            Instr::I64x2ExtendHighI32x4U => self.extend_half(types::I32X4, true, false),
            Instr::I64x2Shl => shift!(self I64X2 ishl),
            Instr::I64x2ShrS => shift!(self I64X2 sshr),
            Instr::I64x2ShrU => shift!(self I64X2 ushr),
            Instr::I64x2Add => vector2!(self I64X2 iadd),
            Instr::I64x2Sub => vector2!(self I64X2 isub),
            Instr::I64x2Mul => vector2!(self I64X2 imul),
            Instr::I64x2Eq => self.vector_icmp(IntCC::Equal, types::I64X2),
            Instr::I64x2Ne => self.vector_icmp(IntCC::NotEqual, types::I64X2),
            Instr::I64x2LtS => self.vector_icmp(IntCC::SignedLessThan, types::I64X2),
            Instr::I64x2GtS => self.vector_icmp(IntCC::SignedGreaterThan, types::I64X2),
            Instr::I64x2LeS => self.vector_icmp(IntCC::SignedLessThanOrEqual, types::I64X2),
            Instr::I64x2GeS => self.vector_icmp(IntCC::SignedGreaterThanOrEqual, types::I64X2),
            Instr::I64x2ExtmulLowI32x4S => self.extended_product(types::I32X4, false, true),
            Instr::I64x2ExtmulHighI32x4S => self.extended_product(types::I32X4, true, true),
            Instr::I64x2ExtmulLowI32x4U => self.extended_product(types::I32X4, false, false),
            Instr::I64x2ExtmulHighI32x4U => self.extended_product(types::I32X4, true, false),
            Instr::F32x4Abs => vector1!(self F32X4 fabs),
            Instr::F32x4Neg => vector1!(self F32X4 fneg),
            Instr::F32x4Sqrt => float1!(self F32X4 sqrt),
            Instr::F32x4Add => float2!(self F32X4 fadd),
            Instr::F32x4Sub => float2!(self F32X4 fsub),
            Instr::F32x4Mul => float2!(self F32X4 fmul),
            Instr::F32x4Div => float2!(self F32X4 fdiv),
            Instr::F32x4Min | Instr::F32x4RelaxedMin => float2!(self F32X4 fmin),
            Instr::F32x4Max | Instr::F32x4RelaxedMax => float2!(self F32X4 fmax),
            Instr::F32x4Pmin => self.pick(types::F32X4, false),
            Instr::F32x4Pmax => self.pick(types::F32X4, true),
            Instr::F64x2Abs => vector1!(self F64X2 fabs),
            Instr::F64x2Neg => vector1!(self F64X2 fneg),
            Instr::F64x2Sqrt => float1!(self F64X2 sqrt),
            Instr::F64x2Add => float2!(self F64X2 fadd),
            Instr::F64x2Sub => float2!(self F64X2 fsub),
            Instr::F64x2Mul => float2!(self F64X2 fmul),
            Instr::F64x2Div => float2!(self F64X2 fdiv),
            Instr::F64x2Min | Instr::F64x2RelaxedMin => float2!(self F64X2 fmin),
            Instr::F64x2Max | Instr::F64x2RelaxedMax => float2!(self F64X2 fmax),
            Instr::F64x2Pmin => self.pick(types::F64X2, false),
            Instr::F64x2Pmax => self.pick(types::F64X2, true),
            Instr::I32x4TruncSatF32x4S | Instr::I32x4RelaxedTruncF32x4S => {
                convert!(self F32X4 I32X4 fcvt_to_sint_sat)
            }
            Instr::I32x4TruncSatF32x4U | Instr::I32x4RelaxedTruncF32x4U => {
                convert!(self F32X4 I32X4 fcvt_to_uint_sat)
            }
            Instr::F32x4ConvertI32x4S => convert!(self I32X4 F32X4 fcvt_from_sint),
            Instr::F32x4ConvertI32x4U => convert!(self I32X4 F32X4 fcvt_from_uint),
            Instr::I32x4TruncSatF64x2SZero | Instr::I32x4RelaxedTruncF64x2SZero => self.truncate_to_low(true),
            Instr::I32x4TruncSatF64x2UZero | Instr::I32x4RelaxedTruncF64x2UZero => {
                self.truncate_to_low(false)
            }
            Instr::F64x2ConvertLowI32x4S => self.convert_low(true),
            Instr::F64x2ConvertLowI32x4U => self.convert_low(false),
            Instr::F32x4RelaxedMadd => self.multiply_add(types::F32X4, false),
            Instr::F32x4RelaxedNmadd => self.multiply_add(types::F32X4, true),
            Instr::F64x2RelaxedMadd => self.multiply_add(types::F64X2, false),
            Instr::F64x2RelaxedNmadd => self.multiply_add(types::F64X2, true),
            Instr::I16x8RelaxedDotI8x16I7x16S => self.relaxed_dot_product(),
            Instr::I32x4RelaxedDotI8x16I7x16AddS => self.relaxed_dot_sum(),

            Instr::MemoryAtomicNotify(at) => self.wait(Task::Notify, at, 2),
            Instr::MemoryAtomicWait32(at) => self.wait(Task::Wait32, at, 3),
            Instr::MemoryAtomicWait64(at) => self.wait(Task::Wait64, at, 3),
            Instr::AtomicFence(_) => {
                self.b.ins().fence();
            }
            Instr::I32AtomicRmwAdd(at) => self.atomic_rmw(AtomicRmwOp::Add, at, types::I32, types::I32),
            Instr::I32AtomicRmw8AddU(at) => self.atomic_rmw(AtomicRmwOp::Add, at, types::I8, types::I32),
            Instr::I32AtomicRmw16AddU(at) => self.atomic_rmw(AtomicRmwOp::Add, at, types::I16, types::I32),
            Instr::I64AtomicRmwAdd(at) => self.atomic_rmw(AtomicRmwOp::Add, at, types::I64, types::I64),
            Instr::I64AtomicRmw8AddU(at) => self.atomic_rmw(AtomicRmwOp::Add, at, types::I8, types::I64),
            Instr::I64AtomicRmw16AddU(at) => self.atomic_rmw(AtomicRmwOp::Add, at, types::I16, types::I64),
            Instr::I64AtomicRmw32AddU(at) => self.atomic_rmw(AtomicRmwOp::Add, at, types::I32, types::I64),
            Instr::I32AtomicRmwSub(at) => self.atomic_rmw(AtomicRmwOp::Sub, at, types::I32, types::I32),
            Instr::I32AtomicRmw8SubU(at) => self.atomic_rmw(AtomicRmwOp::Sub, at, types::I8, types::I32),
            Instr::I32AtomicRmw16SubU(at) => self.atomic_rmw(AtomicRmwOp::Sub, at, types::I16, types::I32),
            Instr::I64AtomicRmwSub(at) => self.atomic_rmw(AtomicRmwOp::Sub, at, types::I64, types::I64),
            Instr::I64AtomicRmw8SubU(at) => self.atomic_rmw(AtomicRmwOp::Sub, at, types::I8, types::I64),
            Instr::I64AtomicRmw16SubU(at) => self.atomic_rmw(AtomicRmwOp::Sub, at, types::I16, types::I64),
            Instr::I64AtomicRmw32SubU(at) => self.atomic_rmw(AtomicRmwOp::Sub, at, types::I32, types::I64),
            Instr::I32AtomicRmwAnd(at) => self.atomic_rmw(AtomicRmwOp::And, at, types::I32, types::I32),
            Instr::I32AtomicRmw8AndU(at) => self.atomic_rmw(AtomicRmwOp::And, at, types::I8, types::I32),
            Instr::I32AtomicRmw16AndU(at) => self.atomic_rmw(AtomicRmwOp::And, at, types::I16, types::I32),
            Instr::I64AtomicRmwAnd(at) => self.atomic_rmw(AtomicRmwOp::And, at, types::I64, types::I64),
            Instr::I64AtomicRmw8AndU(at) => self.atomic_rmw(AtomicRmwOp::And, at, types::I8, types::I64),
            Instr::I64AtomicRmw16AndU(at) => self.atomic_rmw(AtomicRmwOp::And, at, types::I16, types::I64),
            Instr::I64AtomicRmw32AndU(at) => self.atomic_rmw(AtomicRmwOp::And, at, types::I32, types::I64),
            Instr::I32AtomicRmwOr(at) => self.atomic_rmw(AtomicRmwOp::Or, at, types::I32, types::I32),
            Instr::I32AtomicRmw8OrU(at) => self.atomic_rmw(AtomicRmwOp::Or, at, types::I8, types::I32),
            Instr::I32AtomicRmw16OrU(at) => self.atomic_rmw(AtomicRmwOp::Or, at, types::I16, types::I32),
            Instr::I64AtomicRmwOr(at) => self.atomic_rmw(AtomicRmwOp::Or, at, types::I64, types::I64),
            Instr::I64AtomicRmw8OrU(at) => self.atomic_rmw(AtomicRmwOp::Or, at, types::I8, types::I64),
            Instr::I64AtomicRmw16OrU(at) => self.atomic_rmw(AtomicRmwOp::Or, at, types::I16, types::I64),
            Instr::I64AtomicRmw32OrU(at) => self.atomic_rmw(AtomicRmwOp::Or, at, types::I32, types::I64),
            Instr::I32AtomicRmwXor(at) => self.atomic_rmw(AtomicRmwOp::Xor, at, types::I32, types::I32),
            Instr::I32AtomicRmw8XorU(at) => self.atomic_rmw(AtomicRmwOp::Xor, at, types::I8, types::I32),
            Instr::I32AtomicRmw16XorU(at) => self.atomic_rmw(AtomicRmwOp::Xor, at, types::I16, types::I32),
            Instr::I64AtomicRmwXor(at) => self.atomic_rmw(AtomicRmwOp::Xor, at, types::I64, types::I64),
            Instr::I64AtomicRmw8XorU(at) => self.atomic_rmw(AtomicRmwOp::Xor, at, types::I8, types::I64),
            Instr::I64AtomicRmw16XorU(at) => self.atomic_rmw(AtomicRmwOp::Xor, at, types::I16, types::I64),
            Instr::I64AtomicRmw32XorU(at) => self.atomic_rmw(AtomicRmwOp::Xor, at, types::I32, types::I64),
            Instr::I32AtomicRmwXchg(at) => self.atomic_rmw(AtomicRmwOp::Xchg, at, types::I32, types::I32),
            Instr::I32AtomicRmw8XchgU(at) => self.atomic_rmw(AtomicRmwOp::Xchg, at, types::I8, types::I32),
            Instr::I32AtomicRmw16XchgU(at) => self.atomic_rmw(AtomicRmwOp::Xchg, at, types::I16, types::I32),
            Instr::I64AtomicRmwXchg(at) => self.atomic_rmw(AtomicRmwOp::Xchg, at, types::I64, types::I64),
            Instr::I64AtomicRmw8XchgU(at) => self.atomic_rmw(AtomicRmwOp::Xchg, at, types::I8, types::I64),
            Instr::I64AtomicRmw16XchgU(at) => self.atomic_rmw(AtomicRmwOp::Xchg, at, types::I16, types::I64),
            Instr::I64AtomicRmw32XchgU(at) => self.atomic_rmw(AtomicRmwOp::Xchg, at, types::I32, types::I64),
            Instr::I32AtomicRmwCmpxchg(at) => self.compare_exchange(at, types::I32, types::I32),
            Instr::I32AtomicLoad(at) => self.atomic_load(at, types::I32, types::I32),
            Instr::I32AtomicRmw8CmpxchgU(at) => self.compare_exchange(at, types::I8, types::I32),
            Instr::I32AtomicLoad8U(at) => self.atomic_load(at, types::I8, types::I32),
            Instr::I32AtomicRmw16CmpxchgU(at) => self.compare_exchange(at, types::I16, types::I32),
            Instr::I32AtomicLoad16U(at) => self.atomic_load(at, types::I16, types::I32),
            Instr::I64AtomicRmwCmpxchg(at) => self.compare_exchange(at, types::I64, types::I64),
            Instr::I64AtomicLoad(at) => self.atomic_load(at, types::I64, types::I64),
            Instr::I64AtomicRmw8CmpxchgU(at) => self.compare_exchange(at, types::I8, types::I64),
            Instr::I64AtomicLoad8U(at) => self.atomic_load(at, types::I8, types::I64),
            Instr::I64AtomicRmw16CmpxchgU(at) => self.compare_exchange(at, types::I16, types::I64),
            Instr::I64AtomicLoad16U(at) => self.atomic_load(at, types::I16, types::I64),
            Instr::I64AtomicRmw32CmpxchgU(at) => self.compare_exchange(at, types::I32, types::I64),
            Instr::I64AtomicLoad32U(at) => self.atomic_load(at, types::I32, types::I64),
            Instr::I32AtomicStore(at) | Instr::I64AtomicStore32(at) => self.atomic_store(at, types::I32),
            Instr::I64AtomicStore(at) => self.atomic_store(at, types::I64),
            Instr::I32AtomicStore8(at) | Instr::I64AtomicStore8(at) => self.atomic_store(at, types::I8),
            Instr::I32AtomicStore16(at) | Instr::I64AtomicStore16(at) => self.atomic_store(at, types::I16),

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

    fn push_vector(&mut self, V128(bytes): V128) {
        let value = self.vector(bytes, types::I8X16);
        self.push(value);
    }

    fn relaxed_dot_product(&mut self) {
        let (a, b) = self.pop_vectors(types::I8X16);
        let value = self.relaxed_dot(a, b);
        self.push(value);
    }

    fn relaxed_dot_sum(&mut self) {
        let c = self.pop_vector(types::I32X4);
        let (a, b) = self.pop_vectors(types::I8X16);
        let products = self.relaxed_dot(a, b);
        let sums = self.pairwise_sum(products, true);
        let value = self.b.ins().iadd(sums, c);
        self.push(value);
    }
}

//! Calls. One within the module names its callee; any other goes through a `VmFunc`, which has code and context.

use core::mem::offset_of;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use wasmos_abi::TrapCode;
use wasmos_frontend::instr::CallIndirect;
use wasmos_frontend::types::{FuncIdx, TypeIdx};

use super::layout::{CALLER, Task};
use super::stubs;
use super::translate::{Region, Translator, trap};
use crate::vm::{NO_INSTANCE, TypeId, VmContext, VmFunc};

/// Whether a call comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Call,
    Tail,
}

impl Translator<'_> {
    pub(super) fn call(&mut self, func: FuncIdx, kind: Kind) {
        let Some(entry) = self.module.funcs.get(func.index()) else { unreachable!("validation has seen it") };
        if func.0 < self.module.n_imported_funcs {
            let imports = self.load_fixed(self.context, offset_of!(VmContext, imports) as i32);
            let callee = self.load_fixed(imports, func.0 as i32 * 8);
            return self.call_func(callee, entry.ty, kind);
        }
        let callee = self.callee(func, entry.ty);
        let args = self.args(self.context, entry.ty, kind);
        match kind {
            Kind::Call => {
                let call = self.b.ins().call(callee, &args);
                self.results(call);
            }
            Kind::Tail => {
                self.b.ins().return_call(callee, &args);
                self.live = false;
            }
        }
    }

    fn callee(&mut self, func: FuncIdx, ty: TypeIdx) -> ir::FuncRef {
        if let Some(known) = self.callees.get(&func) {
            return *known;
        }
        let signature = self.signature(ty);
        let made = self.import(stubs::FUNCTIONS, func.0, signature);
        self.callees.insert(func, made);
        made
    }

    /// Takes the arguments off the stack and puts what every callee has in front of them.
    fn args(&mut self, context: Value, ty: TypeIdx, kind: Kind) -> Vec<Value> {
        let n = self.env.func_type(ty).map_or(0, |ty| ty.params().len());
        let mut args = self.pop_settled(n);
        let left = if kind == Kind::Call { self.left } else { self.left_at_entry };
        args.splice(0..0, [context, left]);
        args
    }

    fn results(&mut self, call: ir::Inst) {
        let results = self.b.inst_results(call).to_vec();
        self.stack.extend(results);
    }

    /// Calls what a `VmFunc` says.
    fn call_func(&mut self, func: Value, ty: TypeIdx, kind: Kind) {
        let code = self.load_fixed(func, offset_of!(VmFunc, code) as i32);
        let context = self.load_fixed(func, offset_of!(VmFunc, context) as i32);
        let native = self.native();
        let flags = self.flags(Region::Context);
        self.b.ins().store(flags, self.context, native, CALLER);
        let signature = self.signature(ty);
        let mut args = self.args(context, ty, kind);
        if kind == Kind::Call {
            let call = self.b.ins().call_indirect(signature, code, &args);
            return self.results(call);
        }
        // A function of the host is called from the frame, so that it sees whose call it is.
        let instance = self.load_fixed(context, offset_of!(VmContext, instance) as i32);
        let is_host = self.b.ins().icmp_imm_s(IntCC::Equal, instance, NO_INSTANCE.cast_signed());
        let (host, guest) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(is_host, host, &[], guest, &[]);
        self.b.switch_to_block(guest);
        self.b.seal_block(guest);
        self.b.ins().return_call_indirect(signature, code, &args);
        self.b.switch_to_block(host);
        self.b.seal_block(host);
        args[1] = self.left;
        let call = self.b.ins().call_indirect(signature, code, &args);
        let results = self.b.inst_results(call).to_vec();
        self.b.ins().return_(&results);
        self.live = false;
    }

    fn native(&mut self) -> Value {
        self.load_fixed(self.context, offset_of!(VmContext, native) as i32)
    }

    pub(super) fn call_ref(&mut self, ty: TypeIdx, kind: Kind) {
        let func = self.pop();
        self.b.ins().trapz(func, trap(TrapCode::NullFunctionReference));
        self.call_func(func, ty, kind);
    }

    pub(super) fn call_indirect(&mut self, CallIndirect { ty, table }: CallIndirect, kind: Kind) {
        let index = self.pop();
        let at = self.element(table.0, index, TrapCode::UndefinedElement);
        let flags = self.flags(Region::Table);
        let func = self.b.ins().load(types::I64, flags, at, 0);
        self.b.ins().trapz(func, trap(TrapCode::UninitializedElement));
        self.check_type(func, ty);
        self.call_func(func, ty, kind);
    }

    /// Traps unless the function's type is the one named, or one that extends it.
    fn check_type(&mut self, func: Value, ty: TypeIdx) {
        let flags = ir::MemFlagsData::trusted().with_readonly().with_can_move();
        let ids = self.load_fixed(self.context, offset_of!(VmContext, type_ids) as i32);
        let displacement = ty.index() * size_of::<TypeId>();
        let wanted = self.b.ins().load(types::I32, flags, ids, displacement as i32);
        let id = self.b.ins().load(types::I32, flags, func, offset_of!(VmFunc, type_id) as i32);
        let differs = self.b.ins().icmp(IntCC::NotEqual, id, wanted);
        if self.module.types.get(ty.index()).is_some_and(|ty| ty.is_final) {
            self.b.ins().trapnz(differs, trap(TrapCode::IndirectCallType));
            return;
        }
        let (cold, on) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(cold);
        self.b.ins().brif(differs, cold, &[], on, &[]);
        self.b.switch_to_block(cold);
        self.b.seal_block(cold);
        let sub = self.b.ins().uextend(types::I64, id);
        let sup = self.b.ins().uextend(types::I64, wanted);
        let extends = self.perform(Task::IsSubtype, [0, 0], &[sub, sup]);
        self.b.ins().trapz(extends, trap(TrapCode::IndirectCallType));
        self.b.ins().jump(on, &[]);
        self.b.switch_to_block(on);
        self.b.seal_block(on);
    }
}

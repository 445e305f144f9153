//! What stands between native code and the host: thunks that call services, the way in, the way to a function of the
//! host.
//!
//! Each leaves the frame pointer behind, from which backtraces begin, stores the counter before it calls a service, and
//! reads it again afterwards: the service may have let the driver in.

use core::mem::offset_of;

use cranelift_codegen::ir::{
    AbiParam, ExtFuncData, ExternalName, Function, InstBuilder, MemFlagsData, SigRef, Signature,
    StackSlotData, StackSlotKind, Type, UserExternalName, UserFuncName, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use wasmos_frontend::types::{FuncType, ValType};

use super::abi::{clif_type, signature, words};
use super::layout::{FRAME, FUEL, Service};
use crate::vm::VmContext;

/// Namespaces of names: functions by their index, thunks by their number.
pub(super) const FUNCTIONS: u32 = 0;
pub(super) const THUNKS: u32 = 1;

/// A thunk that guests' functions call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub(super) enum Thunk {
    /// Context and cost: a test point that failed. Keeps all registers.
    Charge,
    /// Context, task, indices, three operands: what a [`super::layout::Task`] does.
    Perform,
    /// A test point that failed, of a stub that `patch` has made, which says what the cost is. Keeps all registers.
    ChargeHere,
    /// Jumps to the service that [`Self::ChargeHere`] calls, which has no context.
    Veneer,
}

impl Thunk {
    pub(super) const ALL: [Self; 4] = [Self::Charge, Self::Perform, Self::ChargeHere, Self::Veneer];

    pub(super) fn signature(self) -> Signature {
        match self {
            Self::Charge => words(CallConv::PreserveAll, 2, false),
            Self::Perform => words(CallConv::SystemV, 6, true),
            Self::ChargeHere => words(CallConv::PreserveAll, 0, false),
            Self::Veneer => words(CallConv::SystemV, 2, true),
        }
    }

    /// Builds it into `function`.
    pub(super) fn build(
        self,
        function: &mut Function,
        context: &mut FunctionBuilderContext,
        config: TargetFrontendConfig,
    ) {
        let signature = self.signature();
        let convention = CallConv::SystemV;
        let service = match self {
            Self::Charge => Service::Charge,
            Self::Perform => Service::Perform,
            Self::ChargeHere => return build_charge_here(function, context, config),
            Self::Veneer => unreachable!("it is written by hand"),
        };
        let words = words(convention, signature.params.len(), !signature.returns.is_empty());
        function.name = UserFuncName::user(THUNKS, self as u32);
        let mut stub = Stub::new(function, context, signature);
        let params = stub.params.clone();
        let words = stub.b.import_signature(words);
        let result = stub.call_service(service, words, params[0], &params);
        stub.b.ins().return_(&result);
        stub.finish(config);
    }
}

/// Hands frame pointer and counter to the service, and takes the counter from it.
fn build_charge_here(
    function: &mut Function,
    context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    function.name = UserFuncName::user(THUNKS, Thunk::ChargeHere as u32);
    let mut stub = Stub::new(function, context, Thunk::ChargeHere.signature());
    let signature = stub.b.import_signature(Thunk::Veneer.signature());
    let name = UserExternalName { namespace: THUNKS, index: Thunk::Veneer as u32 };
    let name = ExternalName::user(stub.b.func.declare_imported_user_function(name));
    let veneer = stub.b.import_function(ExtFuncData { name, signature, colocated: true, patchable: false });
    let frame = stub.b.ins().get_frame_pointer(types::I64);
    let fuel = stub.b.ins().get_pinned_reg(types::I64);
    let call = stub.b.ins().call(veneer, &[frame, fuel]);
    let fuel = stub.b.inst_results(call)[0];
    stub.b.ins().set_pinned_reg(fuel);
    stub.b.ins().return_(&[]);
    stub.finish(config);
}

/// A stub that is being built.
struct Stub<'a> {
    b: FunctionBuilder<'a>,
    params: Vec<Value>,
}

impl<'a> Stub<'a> {
    fn new(
        function: &'a mut Function,
        context: &'a mut FunctionBuilderContext,
        signature: Signature,
    ) -> Self {
        function.signature = signature;
        let mut b = FunctionBuilder::new(function, context);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        b.seal_block(entry);
        let params = b.block_params(entry).to_vec();
        Self { b, params }
    }

    fn native(&mut self, context: Value) -> Value {
        let flags = MemFlagsData::trusted().with_readonly();
        self.b.ins().load(types::I64, flags, context, offset_of!(VmContext, native) as i32)
    }

    /// Calls a service, with the counter and the frame where it finds them.
    fn call_service(
        &mut self,
        service: Service,
        signature: SigRef,
        context: Value,
        args: &[Value],
    ) -> Vec<Value> {
        let native = self.native(context);
        let flags = MemFlagsData::trusted();
        let frame = self.b.ins().get_frame_pointer(types::I64);
        self.b.ins().store(flags, frame, native, FRAME);
        let fuel = self.b.ins().get_pinned_reg(types::I64);
        self.b.ins().store(flags, fuel, native, FUEL);
        let code = self.b.ins().load(types::I64, flags, native, service.displacement());
        let call = self.b.ins().call_indirect(signature, code, args);
        let results = self.b.inst_results(call).to_vec();
        let fuel = self.b.ins().load(types::I64, flags, native, FUEL);
        self.b.ins().set_pinned_reg(fuel);
        results
    }

    /// Stores values as slots hold them.
    fn store_slots(&mut self, values: &[Value], types: &[ValType], base: Value) {
        let mut displacement = 0;
        for (value, ty) in values.iter().zip(types) {
            let wide = match clif_type(*ty) {
                types::I32 => self.b.ins().uextend(types::I64, *value),
                types::F32 => {
                    let bits = self.b.ins().bitcast(types::I32, MemFlagsData::new(), *value);
                    self.b.ins().uextend(types::I64, bits)
                }
                _ => *value,
            };
            self.b.ins().store(slot_flags(), wide, base, displacement);
            displacement += ty.slot_bytes() as i32;
        }
    }

    fn load_slots(&mut self, types: &[ValType], base: Value) -> Vec<Value> {
        let mut displacement = 0;
        let load = |ty: &ValType| {
            let ty: (Type, i32) = (clif_type(*ty), ty.slot_bytes() as i32);
            let value = self.b.ins().load(ty.0, slot_flags(), base, displacement);
            displacement += ty.1;
            value
        };
        types.iter().map(load).collect()
    }

    fn finish(self, config: TargetFrontendConfig) {
        self.b.finalize(config);
    }
}

/// Slots are aligned to 8 bytes, vectors too.
fn slot_flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap().with_endianness(cranelift_codegen::ir::Endianness::Little)
}

fn slot_bytes(types: &[ValType]) -> u32 {
    types.iter().map(|ty| ty.slot_bytes()).sum()
}

/// Builds the way in: `(context, code, slots, left)` by the host's convention. Arguments stand in the slots, and so do
/// the results afterwards. The counter's register is the host's before and after.
pub(super) fn build_entry(
    function: &mut Function,
    context: &mut FunctionBuilderContext,
    ty: &FuncType,
    config: TargetFrontendConfig,
) {
    let mut own = Signature::new(CallConv::SystemV);
    own.params.extend([AbiParam::new(types::I64); 4]);
    let mut stub = Stub::new(function, context, own);
    let [context, code, slots, left] = [0, 1, 2, 3].map(|index| stub.params[index]);
    let native = stub.native(context);
    let flags = MemFlagsData::trusted();
    let saved = stub.b.ins().get_pinned_reg(types::I64);
    let mut args = vec![context, left];
    args.extend(stub.load_slots(ty.params(), slots));
    let fuel = stub.b.ins().load(types::I64, flags, native, FUEL);
    stub.b.ins().set_pinned_reg(fuel);
    let callee = stub.b.import_signature(signature(ty));
    let call = stub.b.ins().call_indirect(callee, code, &args);
    let fuel = stub.b.ins().get_pinned_reg(types::I64);
    stub.b.ins().store(flags, fuel, native, FUEL);
    stub.b.ins().set_pinned_reg(saved);
    let results = stub.b.inst_results(call).to_vec();
    stub.store_slots(&results, ty.results(), slots);
    stub.b.ins().return_(&[]);
    stub.finish(config);
}

/// Builds what calls a function of the host, with the signature of a guest's: its context says which one it is.
pub(super) fn build_host_call(
    function: &mut Function,
    context: &mut FunctionBuilderContext,
    ty: &FuncType,
    config: TargetFrontendConfig,
) {
    let mut stub = Stub::new(function, context, signature(ty));
    let bytes = slot_bytes(ty.params()).max(slot_bytes(ty.results())).max(8);
    let slot = stub.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 4));
    let slots = stub.b.ins().stack_addr(types::I64, slot, 0);
    let params = stub.params.clone();
    stub.store_slots(&params[2..], ty.params(), slots);
    let service = stub.b.import_signature(words(CallConv::SystemV, 3, false));
    stub.call_service(Service::HostCall, service, params[0], &[params[0], slots, params[1]]);
    let results = stub.load_slots(ty.results(), slots);
    stub.b.ins().return_(&results);
    stub.finish(config);
}

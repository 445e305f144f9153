//! The state of a machine behind its front door: what handlers, activations and bulk operations work on.

use std::sync::Arc;

use wasmos_abi::TrapCode;
use wasmos_frontend::types::{FuncIdx, FuncType, GlobalType, ValType};

use crate::error::Error;
use crate::interp::{Cell, ModuleCode, Registers};
use crate::jit::{Native, VmHost};
use crate::vm::activation::Activation;
use crate::vm::arena::Arena;
use crate::vm::chunked::Chunked;
use crate::vm::fuel::Counter;
use crate::vm::memory::LinearMemory;
use crate::vm::observe::Watcher;
use crate::vm::stack::ValueStack;
use crate::vm::table::Table;
use crate::vm::{
    Bulk, FuncRef, GlobalId, InstanceId, MemoryId, Ref, TableId, TypeId, VmContext, VmFunc, VmGlobal,
    VmMemory, VmTable,
};

/// An instance: its module's code and what the module's indices stand for.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) code: Arc<ModuleCode>,
    /// The context, with the pointers to globals behind it.
    pub(crate) context: Box<[u64]>,
    /// What the context points at.
    pub(crate) _imports: Box<[*const VmFunc]>,
    pub(crate) _memory_pointers: Box<[*const VmMemory]>,
    pub(crate) _table_pointers: Box<[*const VmTable]>,
    pub(crate) imported_funcs: Box<[FuncRef]>,
    pub(crate) memories: Box<[MemoryId]>,
    pub(crate) tables: Box<[TableId]>,
    /// References to defined functions, made when they are asked for.
    pub(crate) funcs: Chunked<FuncRef>,
    pub(crate) dropped_data: Box<[bool]>,
    /// By element segment; `None` before it was handed over and after it was dropped.
    pub(crate) elements: Box<[Option<Box<[u64]>>]>,
}

impl Instance {
    pub(crate) fn context(&self) -> *const VmContext {
        self.context.as_ptr().cast()
    }

    /// Returns the bytes of a data segment, none if it was dropped.
    pub(crate) fn data(&self, index: u32) -> &[u8] {
        if self.dropped_data.get(index as usize).copied().unwrap_or(true) {
            return &[];
        }
        let module = self.code.module();
        module.data.get(index as usize).map_or(&[], |segment| segment.span.of(module.bytes()))
    }

    /// Returns the entries of an element segment, none if it was dropped.
    pub(crate) fn elements(&self, index: u32) -> &[u64] {
        self.elements.get(index as usize).and_then(Option::as_deref).unwrap_or(&[])
    }
}

/// A function of the host.
#[derive(Debug)]
pub(crate) struct HostFunc {
    /// The number by which the host knows it.
    pub(crate) host: u32,
    pub(crate) ty: FuncType,
    /// Whether results are references, which are checked.
    pub(crate) returns_refs: bool,
    pub(crate) _cell: Box<Cell>,
    /// What native code calls it with.
    pub(crate) _native: Option<Box<VmHost>>,
}

/// What `memory.atomic.wait` waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) timeout_ns: i64,
    pub(crate) memory: MemoryId,
    pub(crate) addr: u64,
}

/// The state of a machine. Contexts point at it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) counter: Counter,
    /// The registers of the topmost activation, as the guest left them.
    pub(crate) registers: Registers,
    pub(crate) trap: TrapCode,
    pub(crate) watcher: Watcher,
    /// The function whose frame did not fit: its index and instance.
    pub(crate) entering: Option<(FuncIdx, InstanceId)>,
    /// Why the function cannot run that was called.
    pub(crate) refusal: Option<Box<Error>>,
    /// How far a bulk operation of the topmost activation has come that left in between.
    pub(crate) bulk: Option<Bulk>,
    pub(crate) waiting: Waiting,
    pub(crate) wait_result: Option<u32>,
    pub(crate) memories: Vec<LinearMemory>,
    pub(crate) tables: Vec<Table>,
    pub(crate) globals: Arena<VmGlobal>,
    pub(crate) global_types: Vec<GlobalType>,
    pub(crate) funcs: Arena<VmFunc>,
    pub(crate) hosts: Vec<HostFunc>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) activations: Vec<Activation>,
    /// Made at the first call.
    pub(crate) stack: Option<ValueStack>,
    pub(crate) depth_limit: u32,
    pub(crate) memory_bytes: u64,
    /// What `memory_bytes` was at the most when a guest gave some of it back.
    pub(crate) memory_peak_bytes: u64,
    pub(crate) memory_limit_bytes: u64,
    pub(crate) table_limit: u64,
    /// The context of the host's functions and of the bottom of the stack.
    pub(crate) host_context: Box<VmContext>,
    pub(crate) no_memory: Box<VmMemory>,
    /// What a machine of the JIT has beyond that.
    pub(crate) native: Option<Box<Native>>,
}

impl State {
    pub(crate) fn instance(&self, id: InstanceId) -> &Instance {
        &self.instances[id.index()]
    }

    /// Returns the reference to a function of an instance, made at its first use.
    pub(crate) fn func(&mut self, id: InstanceId, func: FuncIdx) -> Option<FuncRef> {
        let instance = self.instances.get(id.index())?;
        if let Some(imported) = instance.imported_funcs.get(func.index()) {
            return Some(*imported);
        }
        let module = instance.code.module();
        let index = func.0.checked_sub(module.n_imported_funcs)? as usize;
        if let Some(known) = instance.funcs.get(index) {
            return Some(*known);
        }
        let cell = core::ptr::from_ref(instance.code.cell(func)?);
        let type_id = instance.code.type_id(module.funcs.get(func.index())?.ty)?;
        let mut made = VmFunc::new(cell, instance.context(), type_id, module.func_type(func)?);
        if let Some(native) = instance.code.native() {
            (made.code, made.enter) = native.entry(module, func);
        }
        let made = self.add_func(made);
        self.instances.get(id.index())?.funcs.get_or_init(index, || made).copied()
    }

    /// Returns the slot of a reference to a function.
    pub(crate) fn func_bits(&self, func: FuncRef) -> u64 {
        self.funcs.get(func.0).map_or(0, |func| core::ptr::from_ref(func) as u64)
    }

    /// Returns whether a slot may be seen by guest code as a reference (V4).
    pub(crate) fn is_reference(&self, bits: u64) -> bool {
        bits == 0 || Ref(bits).as_extern().is_some() || self.funcs.at(bits).is_some()
    }

    pub(crate) fn global(&self, id: GlobalId) -> &VmGlobal {
        match self.globals.get(id.0) {
            Some(global) => global,
            None => unreachable!("ids of globals come out of the machine"),
        }
    }
}

impl VmFunc {
    pub(crate) fn new(cell: *const Cell, context: *const VmContext, type_id: TypeId, ty: &FuncType) -> Self {
        let slots = |types: &[ValType]| types.iter().map(|ty| ty.slot_bytes() / 8).sum::<u32>();
        let has_refs = ty.params().iter().chain(ty.results()).any(|ty| ty.is_ref());
        Self {
            cell,
            context,
            type_id,
            index: 0,
            n_params: slots(ty.params()),
            n_results: slots(ty.results()),
            has_refs,
            code: core::ptr::null(),
            enter: core::ptr::null(),
        }
    }
}

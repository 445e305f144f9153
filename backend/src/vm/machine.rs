//! The machine: what a store has, behind a safe front door.

use core::ptr::NonNull;
use std::sync::Arc;

use wasmos_abi::TrapCode;
use wasmos_frontend::types::{
    DataIdx, ElemIdx, FuncIdx, FuncType, GlobalType, MemIdx, MemoryType, TableIdx, TableType,
};

use crate::interp::{Cell, ModuleCode, Registers};
use crate::jit::{Bounds, Native};
use crate::vm::arena::Arena;
use crate::vm::chunked::Chunked;
use crate::vm::fuel::{Counter, HostFuel};
use crate::vm::memory::{LinearMemory, MemoryError};
use crate::vm::observe::Watcher;
use crate::vm::state::{HostFunc, Instance, State, Waiting};
use crate::vm::table::{Table, TableLimit};
use crate::vm::{
    Fuel, FuncRef, GlobalId, InstanceId, MemoryId, NO_INSTANCE, Ref, TableId, TypeId, VmContext, VmFunc,
    VmGlobal, VmMemory, VmTable,
};

/// Limits of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineConfig {
    /// Call depth in bytes, as promise P6 counts them; at most [`MAX_STACK_BYTES`], which stands for more.
    pub stack_bytes: u32,
    /// Sum of all memories, and 8 bytes for each element of a table or of an element segment.
    pub memory_limit_bytes: u64,
    /// Elements of one table.
    pub table_limit: u64,
    /// What runs guest code. All modules of a machine are of one tier.
    pub tier: Tier,
}

/// What runs guest code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// The interpreter.
    #[default]
    Interpreter,
    /// Native code, with memories as its accesses expect them.
    Jit(Bounds),
}

/// Most bytes of call depth. A frame costs 32 of them at least and may overdraw the counter by 1,000 units until a test
/// point: those of all frames must fit its 31 bits, else fuel could be gained by returning.
pub const MAX_STACK_BYTES: u32 = 32 << 20;

impl Default for MachineConfig {
    fn default() -> Self {
        Self {
            stack_bytes: 1 << 20,
            memory_limit_bytes: u64::MAX,
            table_limit: u64::MAX,
            tier: Tier::Interpreter,
        }
    }
}

/// What the indices of a module stand for: of functions the imported ones, else whole index spaces.
#[derive(Clone, Debug, Default)]
pub struct Spaces {
    /// The imported functions.
    pub funcs: Vec<FuncRef>,
    /// All tables.
    pub tables: Vec<TableId>,
    /// All memories.
    pub memories: Vec<MemoryId>,
    /// All globals.
    pub globals: Vec<GlobalId>,
}

/// Where a function comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The host, by its number.
    Host(u32),
    /// An instance, by the index in its space.
    Wasm(InstanceId, FuncIdx),
}

/// What a store has: memories, tables, globals, instances, a value stack, fuel, and the runs on it.
///
/// Methods that take an id or an index panic if it is not of this machine, or not in its space.
#[derive(Debug)]
pub struct Machine {
    /// From a box. Contexts point at it.
    state: NonNull<State>,
}

// SAFETY: V9. Everything that the state points at belongs to it, but for code, which threads share.
unsafe impl Send for Machine {}

impl Drop for Machine {
    fn drop(&mut self) {
        if self.state().native.as_ref().is_some_and(|native| native.is_answered()) {
            // J5. Frames of its guest lie below those that drop it.
            std::process::abort();
        }
        // SAFETY: V3. It was made from a box, and no guest runs while the machine is dropped.
        drop(unsafe { Box::from_raw(self.state.as_ptr()) });
    }
}

impl Machine {
    /// Makes a machine without instances.
    #[must_use]
    pub fn new(config: MachineConfig) -> Self {
        let no_memory = Box::new(VmMemory { base: NonNull::dangling().as_ptr(), len_bytes: 0 });
        let host_context = Box::new(VmContext {
            memory0: &raw const *no_memory,
            state: core::ptr::null_mut(),
            memories: core::ptr::null(),
            tables: core::ptr::null(),
            imports: core::ptr::null(),
            instance: NO_INSTANCE,
            native: core::ptr::null_mut(),
            type_ids: core::ptr::null(),
            base0: no_memory.base,
        });
        let state = State {
            counter: Counter::new(),
            registers: Registers::none(),
            trap: TrapCode::Unreachable,
            watcher: Watcher::default(),
            entering: None,
            refusal: None,
            bulk: None,
            waiting: Waiting { timeout_ns: 0, memory: MemoryId(0), addr: 0 },
            wait_result: None,
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Arena::new(),
            global_types: Vec::new(),
            funcs: Arena::new(),
            hosts: Vec::new(),
            instances: Vec::new(),
            activations: Vec::new(),
            stack: None,
            depth_limit: config.stack_bytes.min(MAX_STACK_BYTES),
            memory_bytes: 0,
            memory_peak_bytes: 0,
            memory_limit_bytes: config.memory_limit_bytes,
            table_limit: config.table_limit,
            host_context,
            no_memory,
            native: match config.tier {
                Tier::Interpreter => None,
                Tier::Jit(bounds) => Some(Native::new(bounds, config.stack_bytes.min(MAX_STACK_BYTES))),
            },
        };
        let mut machine = Self { state: NonNull::from(Box::leak(Box::new(state))) };
        let address = machine.state.as_ptr();
        let state = machine.state_mut();
        state.host_context.state = address;
        state.host_context.native = state.native_vm();
        machine
    }

    /// Returns whether guests are native code.
    #[inline]
    pub(crate) fn is_native(&self) -> bool {
        self.state().native.is_some()
    }

    #[inline]
    pub(crate) const fn state_ptr(&self) -> *mut State {
        self.state.as_ptr()
    }

    #[inline]
    pub(crate) fn state(&self) -> &State {
        // SAFETY: V3, V9. The state lives as long as the machine, and no guest runs while `self` is borrowed.
        unsafe { self.state.as_ref() }
    }

    #[inline]
    pub(crate) fn state_mut(&mut self) -> &mut State {
        // SAFETY: V3, V9. As above; the borrow is exclusive.
        unsafe { self.state.as_mut() }
    }

    /// Adds a memory of its least size.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn add_memory(&mut self, ty: MemoryType) -> Result<MemoryId, MemoryError> {
        let state = self.state_mut();
        let left = state.memory_limit_bytes.saturating_sub(state.memory_bytes);
        let guarded = state.native.as_ref().is_some_and(|native| native.bounds.is_guarded());
        let memory = LinearMemory::new(ty, left, guarded)?;
        state.count_memory(memory.len_bytes() as u64);
        state.memories.push(memory);
        Ok(MemoryId(count(state.memories.len()) - 1))
    }

    /// Returns a memory.
    #[must_use]
    pub fn memory(&self, id: MemoryId) -> &LinearMemory {
        &self.state().memories[id.index()]
    }

    /// Returns the bytes of a memory, to be written.
    #[must_use]
    pub fn memory_bytes_mut(&mut self, id: MemoryId) -> &mut [u8] {
        self.state_mut().memories[id.index()].bytes_mut()
    }

    /// Returns the bytes of a memory, to be written, and the fuel beside them.
    #[must_use]
    pub fn memory_and_fuel(&mut self, id: MemoryId) -> (&mut [u8], HostFuel<'_>) {
        let state = self.state_mut();
        (state.memories[id.index()].bytes_mut(), HostFuel { counter: &mut state.counter })
    }

    /// Returns the fuel while a function of the host runs.
    #[must_use]
    pub fn host_fuel(&mut self) -> HostFuel<'_> {
        HostFuel { counter: &mut self.state_mut().counter }
    }

    /// Grows a memory and returns its size before, in pages; `None` if its type or the limit forbids it.
    pub fn grow_memory(&mut self, id: MemoryId, delta_pages: u64) -> Option<u64> {
        self.state_mut().grow_memory(id, delta_pages)
    }

    /// Returns what counts towards the limit on memory, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.state().memory_bytes
    }

    /// Returns the most that [`Machine::memory_bytes`] has been while a guest ran.
    #[must_use]
    pub fn memory_peak_bytes(&self) -> u64 {
        self.state().memory_peak_bytes.max(self.state().memory_bytes)
    }

    /// Adds a table of its least size.
    ///
    /// # Errors
    /// [`TableLimit`].
    pub fn add_table(&mut self, ty: TableType, init: Ref) -> Result<TableId, TableLimit> {
        let state = self.state_mut();
        state.check(init);
        let left = state.memory_limit_bytes.saturating_sub(state.memory_bytes) / 8;
        if ty.limits.min > left {
            return Err(TableLimit { min: ty.limits.min, limit: left });
        }
        let table = Table::new(ty, init.bits(), state.table_limit)?;
        state.count_memory(table.len() as u64 * 8);
        state.tables.push(table);
        Ok(TableId(count(state.tables.len()) - 1))
    }

    /// Returns a table.
    #[must_use]
    pub fn table(&self, id: TableId) -> &Table {
        &self.state().tables[id.index()]
    }

    /// Returns an element of a table; `None` out of bounds.
    #[must_use]
    pub fn table_get(&self, id: TableId, index: u64) -> Option<Ref> {
        let index = usize::try_from(index).ok()?;
        self.table(id).elements().get(index).copied().map(Ref)
    }

    /// Sets an element of a table; `None` out of bounds.
    pub fn table_set(&mut self, id: TableId, index: u64, value: Ref) -> Option<()> {
        let state = self.state_mut();
        state.check(value);
        let index = usize::try_from(index).ok()?;
        *state.tables[id.index()].elements_mut().get_mut(index)? = value.bits();
        Some(())
    }

    /// Grows a table and returns its length before; `None` if its type or a limit forbids it.
    pub fn grow_table(&mut self, id: TableId, delta: u64, init: Ref) -> Option<u64> {
        let state = self.state_mut();
        state.check(init);
        state.grow_table(id, delta, init.bits())
    }

    /// Adds a global. A value of one slot has 0 in the second.
    pub fn add_global(&mut self, ty: GlobalType, value: [u64; 2]) -> GlobalId {
        let state = self.state_mut();
        state.check_value(ty, value);
        state.global_types.push(ty);
        GlobalId(state.globals.push(VmGlobal(value.into())))
    }

    /// Returns the value of a global.
    #[must_use]
    pub fn global(&self, id: GlobalId) -> [u64; 2] {
        // SAFETY: V9. No guest runs while `self` is borrowed.
        unsafe { *self.state().global(id).0.get() }
    }

    /// Sets a global, which need not be mutable.
    pub fn set_global(&mut self, id: GlobalId, value: [u64; 2]) {
        let state = self.state_mut();
        state.check_value(state.global_types[id.index()], value);
        // SAFETY: V9. As above; the borrow is exclusive.
        unsafe { *state.global(id).0.get() = value }
    }

    /// Adds a function of the host. Calling it leaves the run with [`crate::vm::Exit::HostCall`], or is answered by a
    /// [`crate::vm::Driver`].
    pub fn add_host_func(&mut self, type_id: TypeId, ty: FuncType, host: u32) -> FuncRef {
        let state = self.state_mut();
        let mut func = VmFunc::new(core::ptr::null(), &raw const *state.host_context, type_id, &ty);
        let (n_params, n_results) = (func.n_params, func.n_results);
        let cell = Cell::host(count(state.hosts.len()), n_params, n_results);
        func.cell = &raw const *cell;
        let returns_refs = ty.results().iter().any(|ty| ty.is_ref());
        let native = state.native_host(&mut func, host, &ty);
        let func = state.add_func(func);
        state.resolve_host(func, &ty);
        state.hosts.push(HostFunc { host, ty, returns_refs, _cell: cell, _native: native });
        func
    }

    /// Adds an instance of a module. Segments are not copied, and `start` is not called: that is the driver's.
    ///
    /// # Panics
    /// If the spaces are not as long as the module's, or the code is not for the machine's tier.
    pub fn add_instance(&mut self, code: Arc<ModuleCode>, spaces: Spaces) -> InstanceId {
        let address = self.state.as_ptr();
        let state = self.state_mut();
        let module = code.module().clone();
        let lengths = [spaces.funcs.len(), spaces.tables.len(), spaces.memories.len(), spaces.globals.len()];
        let wanted = [
            module.n_imported_funcs as usize,
            module.tables.len(),
            module.memories.len(),
            module.globals.len(),
        ];
        assert_eq!(lengths, wanted, "functions, tables, memories, globals");
        let id = InstanceId::new(count(state.instances.len()));
        state.add_native_code(&code, id);
        let imports: Box<[*const VmFunc]> =
            spaces.funcs.iter().map(|func| state.func_bits(*func) as *const VmFunc).collect();
        let memories: Box<[*const VmMemory]> =
            spaces.memories.iter().map(|id| state.memories[id.index()].vm()).collect();
        let tables: Box<[*const VmTable]> =
            spaces.tables.iter().map(|id| state.tables[id.index()].vm()).collect();
        let context = VmContext {
            memory0: memories.first().copied().unwrap_or(&raw const *state.no_memory),
            state: address,
            memories: memories.as_ptr(),
            tables: tables.as_ptr(),
            imports: imports.as_ptr(),
            instance: id.index() as u64,
            native: state.native_vm(),
            type_ids: code.type_ids().as_ptr(),
            base0: match spaces.memories.first() {
                Some(id) => state.memories[id.index()].bytes().as_ptr(),
                None => state.no_memory.base,
            },
        };
        let globals: Vec<u64> =
            spaces.globals.iter().map(|id| &raw const *state.global(*id) as u64).collect();
        state.instances.push(Instance {
            context: context_words(context, &globals),
            funcs: Chunked::new(module.bodies.len()),
            dropped_data: vec![false; module.data.len()].into(),
            elements: core::iter::repeat_with(|| None).take(module.elements.len()).collect(),
            code,
            _imports: imports,
            _memory_pointers: memories,
            _table_pointers: tables,
            imported_funcs: spaces.funcs.into(),
            memories: spaces.memories.into(),
            tables: spaces.tables.into(),
        });
        id
    }

    /// Returns a function of an instance.
    ///
    /// # Panics
    /// If there is no such function.
    pub fn func(&mut self, instance: InstanceId, func: FuncIdx) -> FuncRef {
        match self.state_mut().func(instance, func) {
            Some(func) => func,
            None => panic!("no function {func} in the instance"),
        }
    }

    /// Returns the reference to a function.
    #[must_use]
    pub fn func_as_ref(&self, func: FuncRef) -> Ref {
        Ref(self.state().func_bits(func))
    }

    /// Returns the function that a reference refers to; `None` for null and for what is the host's.
    #[must_use]
    pub fn ref_as_func(&self, reference: Ref) -> Option<FuncRef> {
        self.state().funcs.at(reference.bits()).map(|func| FuncRef(func.index))
    }

    /// Returns a slot as a reference; `None` if it is none of this machine.
    #[must_use]
    pub fn ref_from_bits(&self, bits: u64) -> Option<Ref> {
        self.state().is_reference(bits).then_some(Ref(bits))
    }

    /// Returns the identity of a function's type.
    #[must_use]
    pub fn func_type_id(&self, func: FuncRef) -> TypeId {
        self.state().func_entry(func).type_id
    }

    /// Returns the type of a function.
    #[must_use]
    pub fn func_type(&self, func: FuncRef) -> &FuncType {
        self.state().func_type(func)
    }

    /// Returns where a function comes from.
    #[must_use]
    pub fn func_origin(&self, func: FuncRef) -> Origin {
        self.state().origin(func)
    }

    /// Marks a data segment as dropped: it has no bytes from now on.
    pub fn drop_data(&mut self, instance: InstanceId, data: DataIdx) {
        self.state_mut().drop_data(instance, data.0);
    }

    /// Drops an element segment: it has no entries from now on.
    pub fn drop_elem(&mut self, instance: InstanceId, elem: ElemIdx) {
        self.state_mut().drop_elements(instance, elem.0);
    }

    /// Hands over the entries of an element segment, which is empty before.
    pub fn set_elements(&mut self, instance: InstanceId, elem: ElemIdx, entries: Vec<Ref>) {
        let state = self.state_mut();
        entries.iter().for_each(|entry| state.check(*entry));
        state.set_elements(instance, elem.0, entries.into_iter().map(Ref::bits).collect());
    }

    /// Does what `memory.init` does, without fuel. Operands are destination, source and length, in bytes.
    ///
    /// # Errors
    /// [`TrapCode::MemoryOutOfBounds`]; nothing is written then.
    pub fn init_memory(
        &mut self,
        instance: InstanceId,
        data: DataIdx,
        memory: MemIdx,
        operands: [u64; 3],
    ) -> Result<(), TrapCode> {
        self.state_mut().init_memory(instance, [data.0, memory.0], operands)
    }

    /// Does what `table.init` does, without fuel. Operands are destination, source and length, in elements.
    ///
    /// # Errors
    /// [`TrapCode::TableOutOfBounds`]; nothing is written then.
    pub fn init_table(
        &mut self,
        instance: InstanceId,
        elem: ElemIdx,
        table: TableIdx,
        operands: [u64; 3],
    ) -> Result<(), TrapCode> {
        self.state_mut().init_table(instance, [elem.0, table.0], operands)
    }

    /// Returns the fuel that was used, and the limit.
    #[must_use]
    #[inline]
    pub fn fuel(&self) -> Fuel {
        self.state().counter.fuel
    }

    /// Sets the limit on fuel, `u64::MAX` for none.
    pub fn set_fuel_limit(&mut self, limit: u64) {
        self.state_mut().counter.fuel.limit = limit;
    }

    /// Charges what a function of the host costs; returns whether there was enough, else nothing is charged.
    pub fn charge(&mut self, units: u64) -> bool {
        self.state_mut().counter.surcharge(units)
    }
}

impl State {
    pub(crate) fn add_func(&mut self, func: VmFunc) -> FuncRef {
        let index = self.funcs.push(func);
        if let Some(func) = self.funcs.get_mut(index) {
            func.index = index;
        }
        FuncRef(index)
    }

    pub(crate) fn func_entry(&self, func: FuncRef) -> &VmFunc {
        match self.funcs.get(func.0) {
            Some(entry) => entry,
            None => panic!("a function of another machine"),
        }
    }

    pub(crate) fn origin(&self, func: FuncRef) -> Origin {
        let entry = self.func_entry(func);
        // SAFETY: V3, V6. Context and cell live as long as the machine.
        let (instance, index) = unsafe { ((*entry.context).instance, (*entry.cell).func) };
        match u32::try_from(instance) {
            Ok(instance) => Origin::Wasm(InstanceId::new(instance), FuncIdx(index)),
            Err(_) => Origin::Host(self.hosts[index as usize].host),
        }
    }

    pub(crate) fn func_type(&self, func: FuncRef) -> &FuncType {
        let entry = self.func_entry(func);
        // SAFETY: V3, V6. Context and cell live as long as the machine.
        let (instance, index) = unsafe { ((*entry.context).instance, (*entry.cell).func) };
        match u32::try_from(instance) {
            Ok(instance) => {
                match self.instance(InstanceId::new(instance)).code.module().func_type(FuncIdx(index)) {
                    Some(ty) => ty,
                    None => unreachable!("validation has seen the function's type"),
                }
            }
            Err(_) => &self.hosts[index as usize].ty,
        }
    }

    /// Refuses what is no reference of this machine (V4).
    fn check(&self, reference: Ref) {
        assert!(self.is_reference(reference.bits()), "a reference of another machine");
    }

    fn check_value(&self, ty: GlobalType, value: [u64; 2]) {
        if ty.value.is_ref() {
            self.check(Ref(value[0]));
        }
    }
}

/// Lays a context out as words, with the pointers to globals behind it.
fn context_words(context: VmContext, globals: &[u64]) -> Box<[u64]> {
    let n_words = VmContext::global_offset(globals.len()) / 8;
    let mut words = vec![0; n_words].into_boxed_slice();
    words[VmContext::global_offset(0) / 8..].copy_from_slice(globals);
    // SAFETY: V3. The words are as large and as aligned as a context, and behind it.
    unsafe { words.as_mut_ptr().cast::<VmContext>().write(context) }
    words
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

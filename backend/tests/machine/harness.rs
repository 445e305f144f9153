//! What runtime does for tests of the machine alone: a module of text becomes an instance without imports, or with
//! functions of the host.
#![allow(clippy::unwrap_used, reason = "in tests, as the configuration of the lints says")]

use std::sync::Arc;

use wasmos_abi::TrapCode;
use wasmos_backend::Error;
use wasmos_backend::interp::ModuleCode;
use wasmos_backend::vm::{
    Exit, FuncRef, InstanceId, Machine, MachineConfig, MemoryId, Ref, Spaces, TableId, TypeId,
};
use wasmos_frontend::code::ElementEntry;
use wasmos_frontend::module::{ConstExpr, ExternIdx, ImportType, SegmentMode};
use wasmos_frontend::opcode::Instr;
use wasmos_frontend::types::{DataIdx, ElemIdx, FuncIdx, MemIdx, TableIdx};
use wasmos_frontend::{LazyModule, Module};

pub(crate) struct Guest {
    pub(crate) machine: Machine,
    pub(crate) module: LazyModule,
    pub(crate) instance: InstanceId,
    memory: Option<MemoryId>,
    table: Option<TableId>,
}

/// How a call ended, and what it used.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    Returned(Vec<u64>),
    Trapped(TrapCode, Vec<u32>),
}

pub(crate) fn code(wat: &str) -> Arc<ModuleCode> {
    code_of(&wat::parse_str(wat).unwrap())
}

pub(crate) fn code_of(bytes: &[u8]) -> Arc<ModuleCode> {
    try_code_of(bytes).unwrap()
}

pub(crate) fn try_code_of(bytes: &[u8]) -> Result<Arc<ModuleCode>, Error> {
    let module: Module = wasmos_frontend::decode(bytes.to_vec()).unwrap();
    let valid = wasmos_frontend::validate(module).unwrap();
    let ids = (0..valid.types.len() as u32)
        .map(|index| TypeId(valid.canonical_type(wasmos_frontend::types::TypeIdx(index)).0))
        .collect();
    crate::tier::make(valid, ids).map(Arc::new)
}

impl Guest {
    pub(crate) fn new(wat: &str) -> Self {
        Self::with(&code(wat), MachineConfig::default())
    }

    /// Makes an instance; imported functions become the host's, numbered from 0; other imports are made fresh.
    pub(crate) fn with(code: &Arc<ModuleCode>, config: MachineConfig) -> Self {
        let mut machine = Machine::new(MachineConfig { tier: crate::tier::TIER, ..config });
        let module = code.module().clone();
        let mut funcs = Vec::new();
        for import in &module.imports {
            if let ImportType::Func(ty) = import.ty {
                let id = TypeId(module.canonical_type(ty).0);
                let ty = module.types[ty.index()].func().unwrap().clone();
                funcs.push(machine.add_host_func(id, ty, funcs.len() as u32));
            }
        }
        let (instance, spaces) = instantiate_with(&mut machine, code, funcs);
        let (memory, table) = (spaces.memories.first().copied(), spaces.tables.first().copied());
        Self { machine, module, instance, memory, table }
    }

    /// The same machine, with another instance to call.
    pub(crate) fn at(self, code: &Arc<ModuleCode>, instance: InstanceId) -> Self {
        Self { module: code.module().clone(), instance, ..self }
    }

    pub(crate) fn func(&mut self, name: &str) -> FuncRef {
        let Some(ExternIdx::Func(func)) = self.module.export(name).map(|export| export.item) else {
            panic!("no function {name}")
        };
        self.machine.func(self.instance, func)
    }

    /// Calls with slices of a size; functions of the host answer with what `host` makes of their arguments.
    pub(crate) fn call_host(
        &mut self,
        name: &str,
        args: &[u64],
        slice: u64,
        mut host: impl FnMut(&mut Machine, u32, &[u64]) -> Vec<u64>,
    ) -> End {
        let func = self.func(name);
        self.machine.start(func, args).unwrap();
        let end = drive(&mut self.machine, slice, &mut host);
        self.machine.abandon();
        end
    }

    pub(crate) fn call(&mut self, name: &str, args: &[u64]) -> End {
        self.call_host(name, args, u64::MAX, |_, _, _| Vec::new())
    }

    /// The single result.
    #[track_caller]
    pub(crate) fn get(&mut self, name: &str, args: &[u64]) -> u64 {
        match self.call(name, args) {
            End::Returned(results) => results[0],
            end => panic!("{name}: {end:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn trap(&mut self, name: &str, args: &[u64]) -> TrapCode {
        match self.call(name, args) {
            End::Trapped(code, _) => code,
            end => panic!("{name}: {end:?}"),
        }
    }

    /// The first memory that was added to the machine.
    pub(crate) fn memory0(&self) -> MemoryId {
        self.memory.unwrap()
    }

    /// The first table that was added to the machine.
    pub(crate) fn table0(&self) -> TableId {
        self.table.unwrap()
    }

    pub(crate) fn used(&self) -> u64 {
        self.machine.fuel().used
    }
}

/// Resumes the topmost activation until it ends.
pub(crate) fn drive(
    machine: &mut Machine,
    slice: u64,
    host: &mut impl FnMut(&mut Machine, u32, &[u64]) -> Vec<u64>,
) -> End {
    loop {
        match machine.resume(slice) {
            Exit::Returned => return End::Returned(machine.results().to_vec()),
            Exit::Trap(code) => {
                let offsets = machine.backtrace().frames.iter().map(|frame| frame.offset).collect();
                return End::Trapped(code, offsets);
            }
            Exit::Slice | Exit::Poll => {}
            Exit::HostCall { host: number, .. } => {
                let args = machine.args().to_vec();
                let results = host(machine, number, &args);
                machine.results_mut().copy_from_slice(&results);
            }
            exit => panic!("{exit:?}"),
        }
    }
}

pub(crate) fn instantiate(machine: &mut Machine, code: &Arc<ModuleCode>, funcs: Vec<FuncRef>) -> InstanceId {
    instantiate_with(machine, code, funcs).0
}

fn instantiate_with(
    machine: &mut Machine,
    code: &Arc<ModuleCode>,
    funcs: Vec<FuncRef>,
) -> (InstanceId, Spaces) {
    let module = code.module().clone();
    let mut spaces = Spaces { funcs, ..Spaces::default() };
    spaces.memories = module.memories.iter().map(|memory| machine.add_memory(memory.ty).unwrap()).collect();
    spaces.tables =
        module.tables.iter().map(|table| machine.add_table(table.ty, Ref::NULL).unwrap()).collect();
    // References to functions need the instance, so globals that hold some are set afterwards.
    spaces.globals = module.globals.iter().map(|global| machine.add_global(global.ty, [0; 2])).collect();
    let globals = spaces.globals.clone();
    let instance = machine.add_instance(Arc::clone(code), spaces.clone());
    for (global, id) in module.globals.iter().zip(&globals) {
        if let Some(init) = global.init {
            let value = constant(machine, &module, instance, init);
            machine.set_global(*id, value);
        }
    }
    for (index, segment) in module.elements.iter().enumerate() {
        let entries: Vec<_> = module
            .element_entries(segment)
            .map(|entry| match entry {
                ElementEntry::Func(func) => {
                    let func = machine.func(instance, func);
                    machine.func_as_ref(func)
                }
                ElementEntry::Expr(expr) => {
                    let bits = constant(machine, &module, instance, expr)[0];
                    machine.ref_from_bits(bits).unwrap()
                }
            })
            .collect();
        let (index, len) = (ElemIdx(index as u32), entries.len() as u64);
        machine.set_elements(instance, index, entries);
        if let SegmentMode::Active { target, offset } = segment.mode {
            let at = constant(machine, &module, instance, offset)[0];
            machine.init_table(instance, index, TableIdx(target.0), [at, 0, len]).unwrap();
            machine.drop_elem(instance, index);
        }
    }
    for (index, segment) in module.data.iter().enumerate() {
        if let SegmentMode::Active { target, offset } = segment.mode {
            let (at, index) = (constant(machine, &module, instance, offset)[0], DataIdx(index as u32));
            let len = u64::from(segment.span.len_bytes());
            machine.init_memory(instance, index, MemIdx(target.0), [at, 0, len]).unwrap();
            machine.drop_data(instance, index);
        }
    }
    (instance, spaces)
}

fn constant(machine: &mut Machine, module: &LazyModule, instance: InstanceId, expr: ConstExpr) -> [u64; 2] {
    match module.const_expr(expr).next().unwrap().1 {
        Instr::I32Const(x) => [u64::from(x as u32), 0],
        Instr::I64Const(x) => [x as u64, 0],
        Instr::F32Const(x) => [u64::from(x.0), 0],
        Instr::F64Const(x) => [x.0, 0],
        Instr::RefFunc(FuncIdx(func)) => {
            let func = machine.func(instance, FuncIdx(func));
            [machine.func_as_ref(func).bits(), 0]
        }
        Instr::RefNull(_) => [0; 2],
        other => panic!("{other}"),
    }
}

//! Instantiation: imports are matched, memories made, segments copied, the start function run.
//!
//! Source: core 3.0, "Instantiation". What a failed instantiation has written stays written, as the specification says,
//! but nothing of the instance can be reached.

use wasmos_abi::TrapCode;
use wasmos_backend::vm::{InstanceId, Ref, Spaces};
use wasmos_frontend::code::ElementEntry;
use wasmos_frontend::module::{ConstExpr, Import, ImportType, SegmentMode};
use wasmos_frontend::opcode::Instr;
use wasmos_frontend::types::{DataIdx, ElemIdx, GlobalType, Limits, MemoryType, TableType};

use crate::error::{Error, LinkError, LinkErrorKind};
use crate::func::Func;
use crate::host::{HostFailure, HostFunc};
use crate::instance::{Extern, Instance};
use crate::linker::{Definition, Linker, UnknownImports};
use crate::module::Module;
use crate::outcome::{Outcome, Trap};
use crate::store::{InstanceData, Store, StoreInner};
use crate::value::Val;

pub(crate) fn instantiate<T>(
    linker: &Linker<T>,
    store: &mut Store<T>,
    module: &Module,
) -> Result<Instance, Error> {
    if !module.engine().same(store.engine()) {
        return Err(Error::WrongType {
            wanted: "module of the store's engine".into(),
            found: "another's".into(),
        });
    }
    let imports = resolve(linker, store, module)?;
    store.inner.start_clock();
    let id = store.inner.make(module, imports)?;
    let instance = Instance { store: store.inner.id, id };
    store.inner.copy_elements(module, id)?;
    store.inner.copy_data(module, id)?;
    if let Some(start) = module.decoded().start {
        let func = Func { store: store.inner.id, func: store.inner.machine.func(id, start.func) };
        match func.call(store, &[])? {
            Outcome::Returned(_) => {}
            outcome => return Err(outcome.into()),
        }
    }
    Ok(instance)
}

/// Finds what each import stands for.
fn resolve<T>(linker: &Linker<T>, store: &mut Store<T>, module: &Module) -> Result<Vec<Extern>, Error> {
    let mut found = Vec::with_capacity(module.decoded().imports.len());
    let mut definitions = Vec::with_capacity(found.capacity());
    // Refusals come before anything is added to the store.
    for (from, name, import) in module.imports() {
        let definition = linker.get(from, name);
        definitions.push(definition);
        if let Some(Definition::Host(func)) = definition
            && let Some(capability) = func.capability.filter(|wanted| !store.gate().grants.contains(*wanted))
        {
            return Err(refused(module, import, LinkErrorKind::Denied(capability)));
        }
        let stands_in =
            linker.unknown_imports != UnknownImports::Refuse && matches!(import.ty, ImportType::Func(_));
        if definition.is_none() && !stands_in {
            return Err(refused(module, import, LinkErrorKind::Unknown));
        }
    }
    for ((_, _, import), definition) in module.imports().zip(definitions) {
        let item = match definition {
            Some(Definition::Extern(item)) => *item,
            Some(Definition::Host(func)) => {
                let func = store.add_host_func(func.clone())?;
                Extern::Func(Func { store: store.inner.id, func })
            }
            None => stand_in(linker, store, module, import)?,
        };
        if !store.inner.import_matches(module, import, item) {
            let kind = LinkErrorKind::Incompatible { found: item.describe(&store.inner) };
            return Err(refused(module, import, kind));
        }
        found.push(item);
    }
    Ok(found)
}

fn refused(module: &Module, import: &Import, kind: LinkErrorKind) -> Error {
    let valid = module.decoded();
    let wanted = match import.ty {
        ImportType::Func(index) => module.engine().func_type(module.type_idx(index)).to_string(),
        ImportType::Table(ty) => format!("(table {ty})"),
        ImportType::Memory(ty) => format!("(memory {ty})"),
        ImportType::Global(ty) => format!("(global {ty})"),
        ImportType::Tag(index) => format!("(tag {index})"),
    };
    let (from, name) = (valid.text(import.module).to_owned(), valid.text(import.name).to_owned());
    LinkError { module: from, name, wanted, kind }.into()
}

/// Makes the function that stands for an unknown one.
fn stand_in<T>(
    linker: &Linker<T>,
    store: &mut Store<T>,
    module: &Module,
    import: &Import,
) -> Result<Extern, Error> {
    let ImportType::Func(index) = import.ty else {
        return Err(refused(module, import, LinkErrorKind::Unknown));
    };
    let ty = module.engine().func_type(module.type_idx(index));
    let (from, name) = (module.decoded().text(import.module), module.decoded().text(import.name));
    let traps = linker.unknown_imports == UnknownImports::Trap;
    let func = HostFunc::dynamic(from, name, ty, move |_, _, _| {
        if traps { Err(HostFailure::Trap(TrapCode::Unreachable)) } else { Ok(()) }
    });
    Ok(Extern::Func(Func { store: store.inner.id, func: store.add_host_func(func.into())? }))
}

/// Returns whether limits that something has are within those that are wanted.
const fn limits_match(has: Limits, wants: Limits) -> bool {
    has.min >= wants.min
        && match (has.max, wants.max) {
            (_, None) => true,
            (Some(has), Some(wants)) => has <= wants,
            (None, Some(_)) => false,
        }
}

fn memory_matches(has: MemoryType, wants: MemoryType) -> bool {
    limits_match(has.limits, wants.limits)
        && has.address == wants.address
        && has.shared == wants.shared
        && has.page_size_log2 == wants.page_size_log2
}

impl StoreInner {
    /// Source: core 3.0, "Import Matching".
    fn import_matches(&self, module: &Module, import: &Import, item: Extern) -> bool {
        match (import.ty, item) {
            (ImportType::Func(index), Extern::Func(func)) => {
                self.check(func.store);
                let found = wasmos_frontend::types::TypeIdx(self.machine.func_type_id(func.func).0);
                self.engine.extends(found, module.type_idx(index))
            }
            (ImportType::Memory(wants), Extern::Memory(memory)) => memory_matches(memory.ty_in(self), wants),
            (ImportType::Table(wants), Extern::Table(table)) => {
                self.table_matches(module, table.ty_in(self), wants)
            }
            (ImportType::Global(wants), Extern::Global(global)) => {
                self.global_matches(module, global.ty_in(self), wants)
            }
            _ => false,
        }
    }

    fn table_matches(&self, module: &Module, has: TableType, wants: TableType) -> bool {
        let element = module.map(wants.element);
        limits_match(has.limits, wants.limits)
            && has.address == wants.address
            && self.engine.matches(has.element, element)
            && self.engine.matches(element, has.element)
    }

    fn global_matches(&self, module: &Module, has: GlobalType, wants: GlobalType) -> bool {
        let value = module.map(wants.value);
        has.mutable == wants.mutable
            && self.engine.matches(has.value, value)
            && (!has.mutable || self.engine.matches(value, has.value))
    }

    /// Makes the instance with its own memories, tables and globals.
    fn make(&mut self, module: &Module, imports: Vec<Extern>) -> Result<InstanceId, Error> {
        let valid = module.decoded();
        let mut spaces = Spaces::default();
        for item in imports {
            match item {
                Extern::Func(func) => spaces.funcs.push(func.func),
                Extern::Table(table) => spaces.tables.push(table.id),
                Extern::Memory(memory) => spaces.memories.push(memory.id),
                Extern::Global(global) => spaces.globals.push(global.id),
            }
        }
        for memory in valid.memories.iter().skip(valid.n_imported_memories as usize) {
            spaces.memories.push(self.add_memory(memory.ty)?);
        }
        // Constant expressions refer to functions of the instance, so that tables and globals come after it exists,
        // with null and zero until then.
        for table in valid.tables.iter().skip(valid.n_imported_tables as usize) {
            let ty = TableType { element: module.map(table.ty.element), ..table.ty };
            spaces.tables.push(self.add_table(ty, Ref::NULL)?);
        }
        for global in valid.globals.iter().skip(valid.n_imported_globals as usize) {
            let ty = GlobalType { value: module.map(global.ty.value), ..global.ty };
            spaces.globals.push(self.add_global(ty, [0; 2]));
        }
        let data = InstanceData {
            module: module.clone(),
            tables: spaces.tables.clone(),
            memories: spaces.memories.clone(),
            globals: spaces.globals.clone(),
        };
        let id = self.machine.add_instance(self.code_of(module), spaces);
        self.instances.push(data);
        self.init_globals_and_tables(module, id)?;
        Ok(id)
    }

    /// Ends an instantiation that somebody stops or whose time is up.
    fn look(&self) -> Result<(), Error> {
        self.interrupted().map_or(Ok(()), |outcome| Err(outcome.into()))
    }

    fn init_globals_and_tables(&mut self, module: &Module, id: InstanceId) -> Result<(), Error> {
        let valid = module.decoded();
        // A global reads those before it.
        for (index, global) in valid.globals.iter().enumerate() {
            if let Some(init) = global.init {
                let value = self.evaluate(module, id, init);
                let global = self.instance(id).globals[index];
                self.machine.set_global(global, value);
            }
        }
        for (index, table) in valid.tables.iter().enumerate() {
            if let Some(init) = table.init {
                self.look()?;
                let value = self.evaluate_ref(module, id, init);
                let table = self.instance(id).tables[index];
                // A new table holds nulls.
                let len = if value == Ref::NULL { 0 } else { self.machine.table(table).len() as u64 };
                for element in 0..len {
                    self.machine.table_set(table, element, value);
                }
            }
        }
        Ok(())
    }

    /// Returns the slots of the value of a constant expression of a module that has been validated.
    fn evaluate(&mut self, module: &Module, id: InstanceId, expr: ConstExpr) -> [u64; 2] {
        // Nearly every expression is one instruction, and there are modules with tens of thousands: the top of the stack
        // stands apart, so that it needs no allocation.
        let (mut top, mut stack): (_, Vec<[u64; 2]>) = (None, Vec::new());
        for (_, instr) in module.decoded().const_expr(expr) {
            let value = match instr {
                Instr::I32Const(value) => [u64::from(value as u32), 0],
                Instr::I64Const(value) => [value as u64, 0],
                Instr::F32Const(value) => [u64::from(value.0), 0],
                Instr::F64Const(value) => [value.0, 0],
                Instr::V128Const(value) => Val::V128(u128::from_le_bytes(value.0)).to_slots(self),
                Instr::RefNull(_) => [Ref::NULL.bits(), 0],
                Instr::RefFunc(func) => {
                    let func = self.machine.func(id, func);
                    [self.machine.func_as_ref(func).bits(), 0]
                }
                Instr::GlobalGet(index) => {
                    let global = self.instance(id).globals[index.index()];
                    self.machine.global(global)
                }
                Instr::End => break,
                other => {
                    let (b, a): ([u64; 2], _) =
                        (top.take().unwrap_or_default(), stack.pop().unwrap_or_default());
                    [arithmetic(&other, a[0], b[0]), 0]
                }
            };
            stack.extend(top.replace(value));
        }
        top.unwrap_or_default()
    }

    fn evaluate_ref(&mut self, module: &Module, id: InstanceId, expr: ConstExpr) -> Ref {
        let [bits, _] = self.evaluate(module, id, expr);
        self.machine.ref_from_bits(bits).unwrap_or(Ref::NULL)
    }

    fn copy_elements(&mut self, module: &Module, id: InstanceId) -> Result<(), Error> {
        let valid = module.decoded();
        for (index, segment) in valid.elements.iter().enumerate() {
            let index = ElemIdx(u32::try_from(index).unwrap_or(u32::MAX));
            self.look()?;
            // What is passive stays in memory until the guest drops it.
            if segment.mode == SegmentMode::Passive {
                self.admit(u128::from(segment.count) * 8)?;
            }
            let mut refs = Vec::new();
            // Eight bytes for each of the module's: more than the module justifies by itself.
            refs.try_reserve_exact(segment.count as usize)
                .map_err(|error| Error::Resources(error.to_string()))?;
            for entry in valid.element_entries(segment) {
                refs.push(match entry {
                    ElementEntry::Func(func) => {
                        let func = self.machine.func(id, func);
                        self.machine.func_as_ref(func)
                    }
                    ElementEntry::Expr(expr) => self.evaluate_ref(module, id, expr),
                });
            }
            let len = refs.len() as u64;
            self.machine.set_elements(id, index, refs);
            match segment.mode {
                SegmentMode::Active { target, offset } => {
                    let [dst, _] = self.evaluate(module, id, offset);
                    let copied = self.machine.init_table(id, index, target, [dst, 0, len]);
                    copied.map_err(|code| segment_trap(code, segment.offset))?;
                    self.machine.drop_elem(id, index);
                }
                SegmentMode::Declarative => self.machine.drop_elem(id, index),
                SegmentMode::Passive => {}
            }
        }
        Ok(())
    }

    fn copy_data(&mut self, module: &Module, id: InstanceId) -> Result<(), Error> {
        for (index, segment) in module.decoded().data.iter().enumerate() {
            self.look()?;
            if let SegmentMode::Active { target, offset } = segment.mode {
                let index = DataIdx(u32::try_from(index).unwrap_or(u32::MAX));
                let [dst, _] = self.evaluate(module, id, offset);
                let len = u64::from(segment.span.len_bytes());
                let copied = self.machine.init_memory(id, index, target, [dst, 0, len]);
                copied.map_err(|code| segment_trap(code, segment.offset))?;
                self.machine.drop_data(id, index);
            }
        }
        Ok(())
    }
}

/// A trap of a segment is in no function.
fn segment_trap(code: TrapCode, offset: u32) -> Error {
    Outcome::Trapped(Box::new(Trap { code, offset, backtrace: Vec::new(), left_out: 0 })).into()
}

/// The arithmetic of extended constant expressions.
const fn arithmetic(instr: &Instr<'_>, a: u64, b: u64) -> u64 {
    let (a32, b32) = (a as u32, b as u32);
    match instr {
        Instr::I32Add => a32.wrapping_add(b32) as u64,
        Instr::I32Sub => a32.wrapping_sub(b32) as u64,
        Instr::I32Mul => a32.wrapping_mul(b32) as u64,
        Instr::I64Add => a.wrapping_add(b),
        Instr::I64Sub => a.wrapping_sub(b),
        Instr::I64Mul => a.wrapping_mul(b),
        // Validation lets no other instruction pass; those of gc are refused before a module is instantiated.
        _ => 0,
    }
}

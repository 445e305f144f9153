//! [`Module`] to [`LazyModule`] to [`ValidModule`]: the rules of the module here, bodies and expressions in `validate/`.
//!
//! Source: core 3.0, "Modules" of validation. Every check is linear in the bytes, or charged against a budget that is.

mod const_expr;
mod fast;
mod func;
mod gc;
mod proof;
mod special;
pub(crate) mod types;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::code::ElementEntry;
use crate::error::{Error, ErrorKind, IndexSpace, Result};
use crate::features::{Feature, Features};
use crate::limits;
use crate::module::{
    ConstExpr, DataSegment, ElementSegment, Export, ExternIdx, ImportType, Memory, Module, SectionId,
    SegmentMode, Table,
};
use crate::types::{AddressType, FuncIdx, Limits, MemoryType, TableType, TypeIdx, ValType};
use crate::validate::func::FuncValidator;
pub use crate::validate::proof::{FrameCost, LazyModule, ValidBody, ValidModule};
use crate::validate::types::CanonicalTypes;

/// What is known of the module when bodies are looked at.
#[derive(Debug)]
pub(crate) struct Context {
    types: CanonicalTypes,
    /// A bit by function: whether `ref.func` may name it in a body.
    declared: Vec<u64>,
    comparisons: Comparisons,
}

/// What is counted against [`limits::COMPARISONS`], for errors.
const COMPARISONS: &str = "comparisons of types, budget exceeded";

/// Comparisons of types beyond what the lengths of bodies allow: what all bodies share.
#[derive(Debug, Default)]
pub(crate) struct Comparisons(AtomicU64);

impl From<u64> for Comparisons {
    fn from(spent: u64) -> Self {
        Self(spent.into())
    }
}

impl Comparisons {
    fn spend(&self, comparisons: u64) {
        if comparisons > 0 {
            self.0.fetch_add(comparisons, Ordering::Relaxed);
        }
    }

    fn spent(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn are_used_up(&self) -> bool {
        self.spent() > limits::COMPARISONS
    }
}

impl Context {
    fn declare(&mut self, func: FuncIdx) {
        if let Some(word) = self.declared.get_mut(func.index() / 64) {
            *word |= 1 << (func.0 % 64);
        }
    }

    fn is_declared(&self, func: FuncIdx) -> bool {
        self.declared.get(func.index() / 64).is_some_and(|word| word >> (func.0 % 64) & 1 != 0)
    }
}

/// Checks every rule of validation; bodies in parallel, with the same first error whatever the thread count.
///
/// ```
/// let module = wasmos_frontend::decode(b"\0asm\x01\0\0\0".to_vec())?;
/// let valid = wasmos_frontend::validate(module)?;
/// assert!(valid.exports.is_empty());
/// # Ok::<(), wasmos_frontend::Error>(())
/// ```
///
/// # Errors
/// The first rule of the module that is broken, in the order of the sections; else the error of the first function
/// whose body breaks a rule.
pub fn validate(module: Module) -> Result<ValidModule> {
    validate_lazily(module)?.validate()
}

/// Checks every rule of validation but those of bodies, which are checked when they are asked for.
///
/// # Errors
/// The first rule of the module that is broken, in the order of the sections.
pub fn validate_lazily(module: Module) -> Result<LazyModule> {
    let types = CanonicalTypes::build(&module)?;
    let declared = vec![0; module.funcs.len().div_ceil(64)];
    let mut cx = Context { types, declared, comparisons: Comparisons::default() };
    check_index_spaces(&module)?;
    let used = check_expressions(&module, &mut cx)?;
    Ok(LazyModule::new(module, cx, used))
}

fn unknown(space: IndexSpace, index: u32, len: usize) -> ErrorKind {
    ErrorKind::UnknownIndex { space, index, len: u32::try_from(len).unwrap_or(u32::MAX) }
}

/// Everything that needs no expression: types of imports, functions, tables, memories, tags, globals; start.
fn check_index_spaces(module: &Module) -> Result<()> {
    for import in &module.imports {
        let context = SectionId::Import.context();
        match import.ty {
            ImportType::Func(ty) => check_func_type(module, ty, import.offset, context)?,
            ImportType::Tag(ty) => check_tag(module, ty, import.offset, context)?,
            ImportType::Global(ty) => check_val_type(module, ty.value, import.offset, context)?,
            ImportType::Table(_) | ImportType::Memory(_) => {}
        }
    }
    for func in module.funcs.iter().skip(module.n_imported_funcs as usize) {
        check_func_type(module, func.ty, func.offset, SectionId::Function.context())?;
    }
    module.tables.iter().try_for_each(|table| check_table(module, table))?;
    module.memories.iter().try_for_each(check_memory)?;
    if let Some(second) = module.memories.get(1)
        && !module.features.contains(Feature::MultiMemory)
    {
        return Err(disabled(Feature::MultiMemory, second.offset, SectionId::Memory.context()));
    }
    if let Some(second) = module.tables.get(1)
        && !module.features.contains(Feature::ReferenceTypes)
    {
        return Err(disabled(Feature::ReferenceTypes, second.offset, SectionId::Table.context()));
    }
    for tag in module.tags.iter().skip(module.n_imported_tags as usize) {
        check_tag(module, tag.ty, tag.offset, SectionId::Tag.context())?;
    }
    for global in module.globals.iter().skip(module.n_imported_globals as usize) {
        check_val_type(module, global.ty.value, global.offset, SectionId::Global.context())?;
    }
    check_start(module)
}

fn disabled(feature: Feature, offset: u32, context: &'static str) -> Error {
    Error::new(ErrorKind::FeatureDisabled(feature), offset as usize, context)
}

fn check_func_type(module: &Module, index: TypeIdx, offset: u32, context: &'static str) -> Result<()> {
    let kind = match module.types.get(index.index()) {
        Some(ty) if ty.func().is_some() => return Ok(()),
        Some(_) => ErrorKind::WrongCompositeType { index: index.0, wanted: "function" },
        None => unknown(IndexSpace::Type, index.0, module.types.len()),
    };
    Err(Error::new(kind, offset as usize, context))
}

fn check_tag(module: &Module, index: TypeIdx, offset: u32, context: &'static str) -> Result<()> {
    check_func_type(module, index, offset, context)?;
    let results = module.types.get(index.index()).and_then(|ty| ty.func()).map_or(0, |ty| ty.results().len());
    if results == 0 {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TagResults, offset as usize, context))
}

fn check_val_type(module: &Module, ty: ValType, offset: u32, context: &'static str) -> Result<()> {
    match ty.concrete() {
        Some(index) if index.index() >= module.types.len() => {
            Err(Error::new(unknown(IndexSpace::Type, index.0, module.types.len()), offset as usize, context))
        }
        _ => Ok(()),
    }
}

fn check_limits(limits: Limits) -> core::result::Result<(), ErrorKind> {
    match limits.max {
        Some(max) if limits.min > max => Err(ErrorKind::LimitsOrder { min: limits.min, max }),
        _ => Ok(()),
    }
}

fn check_table(module: &Module, table: &Table) -> Result<()> {
    let context = SectionId::Table.context();
    check_val_type(module, table.ty.element, table.offset, context)?;
    check_table_size(&table.ty).map_err(|kind| Error::new(kind, table.offset as usize, context))
}

fn check_memory(memory: &Memory) -> Result<()> {
    let error = |kind| Error::new(kind, memory.offset as usize, SectionId::Memory.context());
    check_memory_type(&memory.ty).map_err(error)
}

/// Checks the size of a table, whose elements are of a type that is known to be valid.
///
/// # Errors
/// What validation says of it (3.0, "table types").
pub fn check_table_size(ty: &TableType) -> core::result::Result<(), ErrorKind> {
    check_limits(ty.limits)?;
    let elements = ty.limits.max.unwrap_or(ty.limits.min);
    if ty.address == AddressType::I32 && elements > u64::from(u32::MAX) {
        return Err(ErrorKind::TableTooLarge { elements });
    }
    Ok(())
}

/// Checks a memory type.
///
/// # Errors
/// What validation says of it (3.0, "memory types").
pub fn check_memory_type(ty: &MemoryType) -> core::result::Result<(), ErrorKind> {
    let (address_space, page_size_log2) = match ty.address {
        AddressType::I32 => (limits::MEMORY32_PAGES, ty.page_size_log2),
        AddressType::I64 => (limits::MEMORY64_PAGES, ty.page_size_log2),
    };
    let most = match (page_size_log2, ty.address) {
        (16, _) => address_space,
        (0, AddressType::I32) => u64::from(u32::MAX),
        (0, AddressType::I64) => u64::MAX,
        _ => return Err(ErrorKind::InvalidPageSize { page_size_log2 }),
    };
    check_limits(ty.limits)?;
    let pages = ty.limits.max.unwrap_or(ty.limits.min);
    if pages > most {
        return Err(ErrorKind::MemoryTooLarge { pages, page_size_log2 });
    }
    if ty.shared && ty.limits.max.is_none() {
        return Err(ErrorKind::SharedWithoutMaximum);
    }
    Ok(())
}

fn check_start(module: &Module) -> Result<()> {
    let Some(start) = module.start else { return Ok(()) };
    let kind = match module.func_type(start.func) {
        Some(ty) if ty.params().is_empty() && ty.results().is_empty() => return Ok(()),
        Some(_) => ErrorKind::StartType,
        None => unknown(IndexSpace::Function, start.func.0, module.funcs.len()),
    };
    Err(Error::new(kind, start.offset as usize, SectionId::Start.context()))
}

/// Constant expressions, exports and segments: they also decide which functions `ref.func` may name in a body.
/// Returns the features that their instructions arrived with.
fn check_expressions(module: &Module, cx: &mut Context) -> Result<Features> {
    let mut declared = Vec::new();
    let used = {
        let validator = FuncValidator::new(module, cx, &cx.comparisons);
        let mut check = ConstChecker { module, validator, declared: &mut declared, used: Features::mvp() };
        for table in &module.tables {
            check.table(table)?;
        }
        for (index, global) in module.globals.iter().enumerate() {
            if let Some(init) = global.init {
                check.expr(init, global.ty.value, index)?;
            }
        }
        check_exports(module, check.declared)?;
        module.elements.iter().try_for_each(|segment| check.element(segment))?;
        module.data.iter().try_for_each(|segment| check.data(segment))?;
        check.used
    };
    declared.into_iter().for_each(|func| cx.declare(func));
    Ok(used)
}

struct ConstChecker<'m, 'd> {
    module: &'m Module,
    validator: FuncValidator<'m>,
    declared: &'d mut Vec<FuncIdx>,
    used: Features,
}

impl<'m> ConstChecker<'m, '_> {
    fn expr(&mut self, expr: ConstExpr, ty: ValType, n_globals: usize) -> Result<()> {
        self.validator.const_expr(expr, ty, n_globals, |func| self.declared.push(func))?;
        self.used = self.used.union(self.validator.used);
        Ok(())
    }

    /// An expression that may read every global.
    fn late_expr(&mut self, expr: ConstExpr, ty: ValType) -> Result<()> {
        self.expr(expr, ty, self.module.globals.len())
    }

    /// A table's elements are null without an initialiser, which may read imported globals only: tables come first.
    fn table(&mut self, table: &Table) -> Result<()> {
        match table.init {
            Some(init) => self.expr(init, table.ty.element, self.module.n_imported_globals as usize),
            None if table.ty.element.is_defaultable() || self.is_imported(table) => Ok(()),
            None => {
                let kind = ErrorKind::UninitializedTable { element: table.ty.element };
                Err(Error::new(kind, table.offset as usize, SectionId::Table.context()))
            }
        }
    }

    fn is_imported(&self, table: &Table) -> bool {
        let imported = self.module.tables.get(..self.module.n_imported_tables as usize).unwrap_or(&[]);
        imported.last().is_some_and(|last| table.offset <= last.offset)
    }

    fn element(&mut self, segment: &'m ElementSegment) -> Result<()> {
        let context = SectionId::Element.context();
        let error = |kind| Err(Error::new(kind, segment.offset as usize, context));
        check_val_type(self.module, segment.ty, segment.offset, context)?;
        if let SegmentMode::Active { target, offset } = segment.mode {
            let Some(table) = self.module.tables.get(target.index()) else {
                return error(unknown(IndexSpace::Table, target.0, self.module.tables.len()));
            };
            if !self.validator.matcher.val(segment.ty, table.ty.element) {
                let what = "the segment's entries do not match the table's elements";
                return error(ErrorKind::IncompatibleTypes { what });
            }
            self.late_expr(offset, table.ty.address.val())?;
        }
        for entry in self.module.element_entries(segment) {
            match entry {
                ElementEntry::Func(func) if func.index() >= self.module.funcs.len() => {
                    return error(unknown(IndexSpace::Function, func.0, self.module.funcs.len()));
                }
                ElementEntry::Func(func) => self.declared.push(func),
                ElementEntry::Expr(expr) => self.late_expr(expr, segment.ty)?,
            }
        }
        Ok(())
    }

    fn data(&mut self, segment: &DataSegment) -> Result<()> {
        let SegmentMode::Active { target, offset } = segment.mode else { return Ok(()) };
        match self.module.memories.get(target.index()) {
            Some(memory) => self.late_expr(offset, memory.ty.address.val()),
            None => {
                let kind = unknown(IndexSpace::Memory, target.0, self.module.memories.len());
                Err(Error::new(kind, segment.offset as usize, SectionId::Data.context()))
            }
        }
    }
}

fn check_exports(module: &Module, declared: &mut Vec<FuncIdx>) -> Result<()> {
    // The hash is keyed at random, so that names cannot be made to collide.
    let mut names = HashSet::with_capacity(module.exports.len());
    for (index, export) in module.exports.iter().enumerate() {
        check_export(module, export)?;
        if !names.insert(module.text(export.name)) {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let offset = export.name.0.start as usize;
            return Err(Error::new(
                ErrorKind::DuplicateExport { index },
                offset,
                SectionId::Export.context(),
            ));
        }
        if let ExternIdx::Func(func) = export.item {
            declared.push(func);
        }
    }
    Ok(())
}

fn check_export(module: &Module, export: &Export) -> Result<()> {
    let context = SectionId::Export.context();
    let (space, len) = match export.item {
        ExternIdx::Func(_) => (IndexSpace::Function, module.funcs.len()),
        ExternIdx::Table(_) => (IndexSpace::Table, module.tables.len()),
        ExternIdx::Memory(_) => (IndexSpace::Memory, module.memories.len()),
        ExternIdx::Global(_) => (IndexSpace::Global, module.globals.len()),
        ExternIdx::Tag(_) => (IndexSpace::Tag, module.tags.len()),
    };
    let index = export.item.index();
    if index as usize >= len {
        return Err(Error::new(unknown(space, index, len), export.offset as usize, context));
    }
    if let ExternIdx::Global(global) = export.item
        && module.globals.get(global.index()).is_some_and(|global| global.ty.mutable)
        && !module.features.contains(Feature::MutableGlobal)
    {
        return Err(disabled(Feature::MutableGlobal, export.offset, context));
    }
    Ok(())
}

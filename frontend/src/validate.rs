//! [`Module`] to [`ValidModule`]: the rules of the module here, bodies and expressions in `validate/`.
//!
//! Source: core 3.0, "Modules" of validation. Every check is linear in the bytes, or charged against a budget that is.

mod const_expr;
mod fast;
mod func;
mod gc;
mod special;
pub(crate) mod types;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::code::ElementEntry;
use crate::error::{Error, ErrorKind, IndexSpace, Result};
use crate::features::{Feature, Features};
use crate::limits;
use crate::module::{
    Body, ConstExpr, DataSegment, ElementSegment, Export, ExternIdx, ImportType, Memory, Module, SectionId,
    SegmentMode, Table,
};
use crate::types::{AddressType, FuncIdx, Limits, TypeIdx, ValType};
use crate::validate::func::FuncValidator;
use crate::validate::types::{CanonicalTypes, Matcher};

/// A module that keeps every rule of validation.
#[derive(Debug)]
pub struct ValidModule {
    module: Module,
    types: CanonicalTypes,
    bodies: Bodies,
}

/// What validation has found out about bodies.
#[derive(Debug)]
struct Bodies {
    frame_costs: Vec<FrameCost>,
    used: Features,
}

impl core::ops::Deref for ValidModule {
    type Target = Module;

    fn deref(&self) -> &Module {
        &self.module
    }
}

impl ValidModule {
    /// Returns what a frame of a defined function costs; nothing for an imported one.
    #[must_use]
    pub fn frame_cost(&self, func: FuncIdx) -> FrameCost {
        let index = func.0.checked_sub(self.module.n_imported_funcs);
        index.and_then(|index| self.bodies.frame_costs.get(index as usize)).copied().unwrap_or_default()
    }

    /// Returns the features that the instructions in bodies arrived with, [`Feature::Mvp`] always among them.
    #[must_use]
    pub fn instructions_used(&self) -> Features {
        self.bodies.used
    }

    /// Returns the first type of the module that is equal to the one at `index`.
    #[must_use]
    pub fn canonical_type(&self, index: TypeIdx) -> TypeIdx {
        self.types.canonical(index)
    }

    /// Returns whether a value of type `sub` may stand where `sup` is expected; both are types of this module.
    #[must_use]
    pub fn matches(&self, sub: ValType, sup: ValType) -> bool {
        Matcher { types: &self.module.types, canonical: &self.types }.val(sub, sup)
    }
}

/// What a frame of a function costs of the limit on call depth, in bytes (promise P6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCost(u32);

impl FrameCost {
    /// A frame without calls costs nothing up to this size.
    const FREE_BYTES: u64 = 1024;
    const FIXED_BYTES: u64 = 32;
    const SLOT_BYTES: u64 = 8;

    fn new(slots: u64, has_call: bool) -> Self {
        let bytes = Self::FIXED_BYTES + Self::SLOT_BYTES * slots;
        if !has_call && bytes <= Self::FREE_BYTES {
            return Self(0);
        }
        Self(u32::try_from(bytes).unwrap_or(u32::MAX))
    }

    /// Returns the cost in bytes.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        self.0
    }
}

/// What is known of the module when bodies are looked at.
#[derive(Debug)]
pub(crate) struct Context {
    types: CanonicalTypes,
    /// A bit by function: whether `ref.func` may name it in a body.
    declared: Vec<u64>,
    /// Comparisons of types beyond what the lengths of bodies allow.
    comparisons: AtomicU64,
}

impl Context {
    /// Takes comparisons from what all bodies share, and returns how many have been taken.
    fn spend_comparisons(&self, comparisons: u64) -> u64 {
        self.comparisons.fetch_add(comparisons, Ordering::Relaxed).saturating_add(comparisons)
    }

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
    let types = CanonicalTypes::build(&module)?;
    let declared = vec![0; module.funcs.len().div_ceil(64)];
    let mut cx = Context { types, declared, comparisons: AtomicU64::new(0) };
    check_index_spaces(&module)?;
    check_expressions(&module, &mut cx)?;
    let bodies = check_bodies(&module, &cx)?;
    Ok(ValidModule { module, types: cx.types, bodies })
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
    let error = |kind| Err(Error::new(kind, table.offset as usize, context));
    if let Err(kind) = check_limits(table.ty.limits) {
        return error(kind);
    }
    let elements = table.ty.limits.max.unwrap_or(table.ty.limits.min);
    if table.ty.address == AddressType::I32 && elements > u64::from(u32::MAX) {
        return error(ErrorKind::TableTooLarge { elements });
    }
    Ok(())
}

fn check_memory(memory: &Memory) -> Result<()> {
    let ty = memory.ty;
    let error = |kind| Err(Error::new(kind, memory.offset as usize, SectionId::Memory.context()));
    let (address_space, page_size_log2) = match ty.address {
        AddressType::I32 => (limits::MEMORY32_PAGES, ty.page_size_log2),
        AddressType::I64 => (limits::MEMORY64_PAGES, ty.page_size_log2),
    };
    let most = match (page_size_log2, ty.address) {
        (16, _) => address_space,
        (0, AddressType::I32) => u64::from(u32::MAX),
        (0, AddressType::I64) => u64::MAX,
        _ => return error(ErrorKind::InvalidPageSize { page_size_log2 }),
    };
    if let Err(kind) = check_limits(ty.limits) {
        return error(kind);
    }
    let pages = ty.limits.max.unwrap_or(ty.limits.min);
    if pages > most {
        return error(ErrorKind::MemoryTooLarge { pages, page_size_log2 });
    }
    if ty.shared && ty.limits.max.is_none() {
        return error(ErrorKind::SharedWithoutMaximum);
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
fn check_expressions(module: &Module, cx: &mut Context) -> Result<()> {
    let mut declared = Vec::new();
    {
        let mut check =
            ConstChecker { module, validator: FuncValidator::new(module, cx), declared: &mut declared };
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
    }
    declared.into_iter().for_each(|func| cx.declare(func));
    Ok(())
}

struct ConstChecker<'m, 'd> {
    module: &'m Module,
    validator: FuncValidator<'m>,
    declared: &'d mut Vec<FuncIdx>,
}

impl<'m> ConstChecker<'m, '_> {
    fn expr(&mut self, expr: ConstExpr, ty: ValType, n_globals: usize) -> Result<()> {
        self.validator.const_expr(expr, ty, n_globals, |func| self.declared.push(func))
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

/// How many bodies one thread takes at a time.
const BODIES_AT_ONCE: usize = 64;
/// Below this many bytes of code, handing bodies to other threads costs more than validating them.
const PARALLEL_BYTES: u32 = 64 * 1024;

fn check_bodies(module: &Module, cx: &Context) -> Result<Bodies> {
    let code = module.sections.iter().find(|section| section.id == SectionId::Code);
    if code.is_none_or(|section| section.content.len_bytes() < PARALLEL_BYTES)
        || rayon::current_num_threads() == 1
    {
        return check_chunk(&mut FuncValidator::new(module, cx), 0, &module.bodies);
    }
    let before = cx.comparisons.load(Ordering::Relaxed);
    // Chunks behind one that has failed need not be looked at; those before it must, since theirs is the first error.
    let failed = AtomicUsize::new(usize::MAX);
    let chunks: Vec<Result<Bodies>> = module
        .bodies
        .par_chunks(BODIES_AT_ONCE)
        .enumerate()
        // Without it a thread keeps what it has begun, and the last large bodies are validated by one alone.
        .with_max_len(1)
        .map_init(
            || FuncValidator::new(module, cx),
            |validator, (chunk, bodies)| {
                if chunk > failed.load(Ordering::Relaxed) {
                    return Ok(Bodies { frame_costs: Vec::new(), used: Features::mvp() });
                }
                let result = check_chunk(validator, chunk * BODIES_AT_ONCE, bodies);
                if result.is_err() {
                    failed.fetch_min(chunk, Ordering::Relaxed);
                }
                result
            },
        )
        .collect();
    if cx.comparisons.load(Ordering::Relaxed) > limits::COMPARISONS {
        // Which body meets the end of what is shared depends on the threads; in order it is always the same one.
        cx.comparisons.store(before, Ordering::Relaxed);
        return check_chunk(&mut FuncValidator::new(module, cx), 0, &module.bodies);
    }
    let mut all = Bodies { frame_costs: Vec::with_capacity(module.bodies.len()), used: Features::mvp() };
    for chunk in chunks {
        let chunk = chunk?;
        all.frame_costs.extend(chunk.frame_costs);
        all.used = all.used.union(chunk.used);
    }
    Ok(all)
}

fn check_chunk(validator: &mut FuncValidator<'_>, first: usize, bodies: &[Body]) -> Result<Bodies> {
    let module = validator.module;
    let mut frame_costs = Vec::with_capacity(bodies.len());
    for (index, body) in bodies.iter().enumerate() {
        let func = module.defined_func(first + index);
        let cost = validator.body(func, *body).map_err(|error| {
            let name = module.func_name(func).map(str::to_owned);
            error.in_function(func, name)
        })?;
        frame_costs.push(cost);
    }
    Ok(Bodies { frame_costs, used: validator.used })
}

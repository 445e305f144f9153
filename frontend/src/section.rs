//! Bytes to [`Module`]: the preamble and every section, in one pass without recursion.
//!
//! Source: core 3.0, "Modules" of the binary format. Bodies are measured, not read; what they hold is checked by
//! `validate`. Nothing here decides validity.

use std::sync::OnceLock;

use crate::error::{Error, ErrorKind, Foreign, Result};
use crate::features::{Feature, Features};
use crate::instr::Immediate;
use crate::limits;
use crate::module::{
    Body, ConstExpr, CustomSection, DataSegment, ElementItems, ElementSegment, Export, ExternIdx, Func,
    Global, Import, ImportType, Memory, Module, Section, SectionId, SegmentMode, Span, Start, Table, Tag,
};
use crate::opcode::Instr;
use crate::reader::Reader;
use crate::types::{
    FuncIdx, GlobalIdx, GlobalType, HeapType, MemIdx, MemoryType, RefType, SubType, TableIdx, TableType,
    TagIdx, TypeIdx, ValType,
};

const MAGIC: [u8; 4] = *b"\0asm";
const VERSION: u32 = 1;
/// Version and layer of a component (component model, "Binary").
const COMPONENT: u32 = 0x0001_000d;
const PREAMBLE: &str = "the preamble";
const HEADER: &str = "a section's header";
const END: &str = "the end of the module";

/// Decodes a module with all features on.
///
/// ```
/// let module = wasmos_frontend::decode(b"\0asm\x01\0\0\0".to_vec())?;
/// assert!(module.sections.is_empty());
/// # Ok::<(), wasmos_frontend::Error>(())
/// ```
///
/// # Errors
/// An [`Error`] of class malformed, unsupported or limit, with the offset at which reading stopped.
pub fn decode(bytes: impl Into<Vec<u8>>) -> Result<Module> {
    decode_with(bytes, Features::all())
}

/// Decodes a module of which only `features` are allowed; validation obeys the same set.
///
/// # Errors
/// As [`decode`], and [`ErrorKind::FeatureDisabled`].
pub fn decode_with(bytes: impl Into<Vec<u8>>, features: Features) -> Result<Module> {
    let bytes = bytes.into();
    let len = bytes.len() as u64;
    if len > limits::MODULE_BYTES {
        let kind = ErrorKind::TooLarge { what: "module", len, limit: limits::MODULE_BYTES };
        return Err(Error::new(kind, 0, PREAMBLE));
    }
    let mut module = empty(Vec::new(), features);
    let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut r = Reader::new(&bytes, Span { start: 0, end }, features, PREAMBLE);
    read_preamble(&mut r, &bytes)?;
    let mut r = r.sub(Span { start: r.offset32(), end }, HEADER);
    read_sections(&mut r, &mut module)?;
    finish(&module, &r.sub(Span { start: end, end }, END))?;
    module.bytes = bytes;
    Ok(module)
}

const fn empty(bytes: Vec<u8>, features: Features) -> Module {
    Module {
        bytes,
        names: OnceLock::new(),
        features,
        sections: Vec::new(),
        types: Vec::new(),
        rec_group_ends: Vec::new(),
        imports: Vec::new(),
        funcs: Vec::new(),
        n_imported_funcs: 0,
        tables: Vec::new(),
        n_imported_tables: 0,
        memories: Vec::new(),
        n_imported_memories: 0,
        tags: Vec::new(),
        n_imported_tags: 0,
        globals: Vec::new(),
        n_imported_globals: 0,
        exports: Vec::new(),
        start: None,
        elements: Vec::new(),
        data_count: None,
        bodies: Vec::new(),
        data: Vec::new(),
        customs: Vec::new(),
    }
}

fn read_preamble(r: &mut Reader<'_>, bytes: &[u8]) -> Result<()> {
    if !bytes.is_empty() && bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) {
        return Err(r.error_at(ErrorKind::UnexpectedEnd, bytes.len()));
    }
    if !bytes.starts_with(&MAGIC) {
        return Err(r.error(ErrorKind::NotAModule(foreign(bytes))));
    }
    r.array::<4>()?;
    let offset = r.offset();
    match u32::from_le_bytes(r.array()?) {
        VERSION => Ok(()),
        COMPONENT => Err(r.error_at(ErrorKind::NotAModule(Foreign::Component), offset)),
        version => Err(r.error_at(ErrorKind::UnknownVersion { version }, offset)),
    }
}

/// Says what a file is that does not begin like a module.
fn foreign(bytes: &[u8]) -> Foreign {
    const SIGNATURES: [(&[u8], Foreign); 11] = [
        (b"\x1f\x8b", Foreign::Gzip),
        (b"\x28\xb5\x2f\xfd", Foreign::Zstd),
        (b"PK\x03\x04", Foreign::Zip),
        (b"\x7fELF", Foreign::Elf),
        (b"MZ", Foreign::Pe),
        (b"\xcf\xfa\xed\xfe", Foreign::MachO),
        (b"\xce\xfa\xed\xfe", Foreign::MachO),
        (b"\xca\xfe\xba\xbe", Foreign::MachO),
        (b"%PDF", Foreign::Pdf),
        (b"BC\xc0\xde", Foreign::LlvmBitcode),
        (b"\xde\xc0\x17\x0b", Foreign::LlvmBitcode),
    ];
    if bytes.is_empty() {
        return Foreign::Empty;
    }
    if let Some(row) = SIGNATURES.iter().find(|row| bytes.starts_with(row.0)) {
        return row.1;
    }
    let head = bytes.get(..512).unwrap_or(bytes);
    let is_printable = head.iter().all(|byte| *byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r'));
    // The last character may have been cut.
    let is_utf8 = core::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    let is_text = is_printable && is_utf8;
    match (is_text, head.trim_ascii_start().first()) {
        (true, Some(b'(' | b';')) => Foreign::WasmText,
        (true, _) => Foreign::Text,
        (false, _) => Foreign::Unknown,
    }
}

fn read_sections(r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    let mut last: Option<(usize, SectionId)> = None;
    while !r.is_empty() {
        let offset = r.offset();
        let byte = r.byte()?;
        let Some(id) = SectionId::from_id(byte) else {
            return Err(r.error_at(ErrorKind::UnknownSection { id: byte }, offset));
        };
        let len = r.var_u32()?;
        let content = r.skip(len)?;
        check_total(r, "sections", module.sections.len() + 1, limits::SECTIONS)?;
        let section = Section { id, offset: u32::try_from(offset).unwrap_or(u32::MAX), content };
        module.sections.push(section);
        let mut content = r.sub(content, id.context());
        if id == SectionId::Custom {
            read_custom(&mut content, section, module)?;
            continue;
        }
        let place = SectionId::ORDER.iter().position(|other| *other == id);
        if let (Some(place), Some((last_place, after))) = (place, last)
            && place <= last_place
        {
            return Err(content.error_at(ErrorKind::SectionOrder { section: id, after }, offset));
        }
        last = place.map(|place| (place, id));
        read_section(id, &mut content, module)?;
        content.finish()?;
    }
    Ok(())
}

fn read_section(id: SectionId, r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    match id {
        SectionId::Custom => Ok(()),
        SectionId::Type => read_types(r, module),
        SectionId::Import => read_imports(r, module),
        SectionId::Function => read_functions(r, module),
        SectionId::Table => read_tables(r, module),
        SectionId::Memory => read_memories(r, module),
        SectionId::Tag => read_tags(r, module),
        SectionId::Global => read_globals(r, module),
        SectionId::Export => {
            module.exports = r.vector("exports", limits::EXPORTS, 3, read_export)?;
            Ok(())
        }
        SectionId::Start => {
            let offset = r.offset32();
            module.start = Some(Start { func: FuncIdx::read(r)?, offset });
            Ok(())
        }
        SectionId::Element => {
            module.elements = r.vector("element segments", limits::ELEMENT_SEGMENTS, 2, read_element)?;
            Ok(())
        }
        SectionId::DataCount => {
            r.require(Feature::BulkMemory, r.offset())?;
            module.data_count = Some(r.count("data segments", limits::DATA_SEGMENTS)?);
            Ok(())
        }
        SectionId::Code => read_code(r, module),
        SectionId::Data => read_data(r, module),
    }
}

/// A custom section without a readable name is malformed; anything behind the name is not ours to refuse.
fn read_custom(r: &mut Reader<'_>, section: Section, module: &mut Module) -> Result<()> {
    let name = r.name()?;
    let content = Span { start: r.offset32(), end: section.content.end };
    module.customs.push(CustomSection { name, offset: section.offset, content });
    Ok(())
}

fn read_types(r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    let groups = r.count("types", limits::TYPES)?;
    let hint = groups.min(r.left() / 3) as usize;
    module.types.reserve(hint);
    module.rec_group_ends.reserve(hint);
    for _ in 0..groups {
        let offset = r.offset();
        let members = if r.peek() == Some(0x4e) {
            r.require(Feature::Gc, offset)?;
            r.byte()?;
            r.count("types", limits::TYPES)?
        } else {
            1
        };
        let total = module.types.len() as u64 + u64::from(members);
        if total > u64::from(limits::TYPES) {
            let kind = ErrorKind::TooMany { what: "types", count: total, limit: limits::TYPES.into() };
            return Err(r.error_at(kind, offset));
        }
        for _ in 0..members {
            module.types.push(SubType::read(r)?);
        }
        // The limit above keeps the length in 32 bits.
        module.rec_group_ends.push(u32::try_from(total).unwrap_or(u32::MAX));
    }
    Ok(())
}

/// Refuses an index space that would hold more than `limit` items.
fn check_total(r: &Reader<'_>, what: &'static str, len: usize, limit: u32) -> Result<()> {
    if len as u64 > u64::from(limit) {
        return Err(r.error(ErrorKind::TooMany { what, count: len as u64, limit: limit.into() }));
    }
    Ok(())
}

fn read_imports(r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    module.imports = r.vector("imports", limits::IMPORTS, 4, |r| {
        let import = read_import(r)?;
        let offset = import.offset;
        match import.ty {
            ImportType::Func(ty) => module.funcs.push(Func { ty, offset }),
            ImportType::Table(ty) => module.tables.push(Table { ty, init: None, offset }),
            ImportType::Memory(ty) => module.memories.push(Memory { ty, offset }),
            ImportType::Global(ty) => module.globals.push(Global { ty, init: None, offset }),
            ImportType::Tag(ty) => module.tags.push(Tag { ty, offset }),
        }
        check_total(r, "tables", module.tables.len(), limits::TABLES)?;
        check_total(r, "memories", module.memories.len(), limits::MEMORIES)?;
        Ok(import)
    })?;
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    module.n_imported_funcs = count(module.funcs.len());
    module.n_imported_tables = count(module.tables.len());
    module.n_imported_memories = count(module.memories.len());
    module.n_imported_globals = count(module.globals.len());
    module.n_imported_tags = count(module.tags.len());
    Ok(())
}

fn read_import(r: &mut Reader<'_>) -> Result<Import> {
    let (from, name) = (r.name()?, r.name()?);
    let kind_offset = r.offset();
    let kind = r.byte()?;
    let offset = r.offset32();
    let ty = match kind {
        0 => ImportType::Func(TypeIdx::read(r)?),
        1 => ImportType::Table(TableType::read(r)?),
        2 => ImportType::Memory(MemoryType::read(r)?),
        3 => {
            let ty = GlobalType::read(r)?;
            if ty.mutable {
                r.require(Feature::MutableGlobal, offset as usize)?;
            }
            ImportType::Global(ty)
        }
        4 => ImportType::Tag(read_tag(r)?),
        0x20 => {
            let kind = ErrorKind::Unsupported { what: "an exact function import (custom descriptors)" };
            return Err(r.error_at(kind, kind_offset));
        }
        0x7e | 0x7f if name.0.len_bytes() == 0 => {
            let kind = ErrorKind::Unsupported { what: "a group of imports (compact import section)" };
            return Err(r.error_at(kind, kind_offset));
        }
        byte => return Err(r.error_at(ErrorKind::MalformedByte { what: "import kind", byte }, kind_offset)),
    };
    Ok(Import { module: from, name, ty, offset })
}

fn read_tag(r: &mut Reader<'_>) -> Result<TypeIdx> {
    let offset = r.offset();
    if !r.features().contains(Feature::LegacyExceptions) {
        r.require(Feature::Exceptions, offset)?;
    }
    match r.byte()? {
        0 => TypeIdx::read(r),
        byte => Err(r.error_at(ErrorKind::MalformedByte { what: "tag attribute", byte }, offset)),
    }
}

fn read_functions(r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    let defined = r.vector("functions", limits::FUNCTIONS, 1, |r| {
        let offset = r.offset32();
        Ok(Func { ty: TypeIdx::read(r)?, offset })
    })?;
    module.funcs.extend(defined);
    check_total(r, "functions", module.funcs.len(), limits::FUNCTIONS)
}

fn read_tables(r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    let defined = r.vector("tables", limits::TABLES, 3, |r| {
        let start = r.offset();
        if r.peek() != Some(0x40) {
            return Ok(Table { offset: r.offset32(), ty: TableType::read(r)?, init: None });
        }
        r.require(Feature::FunctionReferences, start)?;
        r.byte()?;
        let zero = r.offset();
        match r.byte()? {
            0 => {}
            byte => return Err(r.error_at(ErrorKind::ZeroByteExpected { byte }, zero)),
        }
        Ok(Table { offset: r.offset32(), ty: TableType::read(r)?, init: Some(read_const_expr(r)?) })
    })?;
    module.tables.extend(defined);
    check_total(r, "tables", module.tables.len(), limits::TABLES)
}

fn read_memories(r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    let defined = r.vector("memories", limits::MEMORIES, 2, |r| {
        Ok(Memory { offset: r.offset32(), ty: MemoryType::read(r)? })
    })?;
    module.memories.extend(defined);
    check_total(r, "memories", module.memories.len(), limits::MEMORIES)
}

fn read_tags(r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    let defined =
        r.vector("tags", limits::TAGS, 2, |r| Ok(Tag { offset: r.offset32() + 1, ty: read_tag(r)? }))?;
    module.tags.extend(defined);
    check_total(r, "tags", module.tags.len(), limits::TAGS)
}

fn read_globals(r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    let defined = r.vector("globals", limits::GLOBALS, 3, |r| {
        Ok(Global { offset: r.offset32(), ty: GlobalType::read(r)?, init: Some(read_const_expr(r)?) })
    })?;
    module.globals.extend(defined);
    check_total(r, "globals", module.globals.len(), limits::GLOBALS)
}

/// Passes over a constant expression. Its instructions are judged by `validate`; blocks, which are never
/// constant, are only counted so that the right `end` is found.
fn read_const_expr(r: &mut Reader<'_>) -> Result<ConstExpr> {
    let start = r.offset32();
    let mut open = 1_u32;
    while open > 0 {
        match Instr::read(r)? {
            Instr::Block(_) | Instr::Loop(_) | Instr::If(_) | Instr::Try(_) | Instr::TryTable(_) => open += 1,
            Instr::End | Instr::Delegate(_) => open -= 1,
            _ => {}
        }
    }
    Ok(ConstExpr(Span { start, end: r.offset32() }))
}

fn read_export(r: &mut Reader<'_>) -> Result<Export> {
    let name = r.name()?;
    let kind_offset = r.offset();
    let kind = r.byte()?;
    let offset = r.offset32();
    let index = r.var_u32()?;
    let item = match kind {
        0 => ExternIdx::Func(FuncIdx(index)),
        1 => ExternIdx::Table(TableIdx(index)),
        2 => ExternIdx::Memory(MemIdx(index)),
        3 => ExternIdx::Global(GlobalIdx(index)),
        4 => ExternIdx::Tag(TagIdx(index)),
        byte => return Err(r.error_at(ErrorKind::MalformedByte { what: "export kind", byte }, kind_offset)),
    };
    Ok(Export { name, item, offset })
}

/// The flags: bit 0 passive or declarative, bit 1 an explicit table (or declarative), bit 2 expressions.
fn read_element(r: &mut Reader<'_>) -> Result<ElementSegment> {
    let offset = r.offset();
    let flags = r.var_u32()?;
    if flags > 7 {
        let byte = u8::try_from(flags).unwrap_or(u8::MAX);
        return Err(r.error_at(ErrorKind::MalformedByte { what: "elements segment kind", byte }, offset));
    }
    if flags != 0 {
        r.require(Feature::BulkMemory, offset)?;
    }
    let (inactive, explicit, expressions) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
    let mode = if !inactive {
        let target = if explicit { TableIdx::read(r)? } else { TableIdx(0) };
        SegmentMode::Active { target, offset: read_const_expr(r)? }
    } else if explicit {
        SegmentMode::Declarative
    } else {
        SegmentMode::Passive
    };
    let has_type = inactive || explicit;
    let (items, ty) = if expressions {
        let ty = if has_type { ValType::reference(RefType::read(r)?) } else { ValType::FUNCREF };
        (ElementItems::Expressions, ty)
    } else {
        if has_type {
            read_element_kind(r)?;
        }
        (ElementItems::Functions, ValType::reference(RefType { nullable: false, heap: HeapType::Func }))
    };
    let count = r.count("element entries", limits::ELEMENT_ENTRIES)?;
    let start = r.offset32();
    for _ in 0..count {
        match items {
            ElementItems::Functions => {
                r.var_u32()?;
            }
            ElementItems::Expressions => {
                read_const_expr(r)?;
            }
        }
    }
    let span = Span { start, end: r.offset32() };
    Ok(ElementSegment { mode, ty, items, count, span, offset: u32::try_from(offset).unwrap_or(u32::MAX) })
}

fn read_element_kind(r: &mut Reader<'_>) -> Result<()> {
    let offset = r.offset();
    match r.byte()? {
        0 => Ok(()),
        byte => Err(r.error_at(ErrorKind::MalformedByte { what: "element kind", byte }, offset)),
    }
}

fn read_code(r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    let functions = n_defined_funcs(module);
    let offset = r.offset();
    let bodies = r.count("functions", limits::FUNCTIONS)?;
    if bodies != functions {
        return Err(r.error_at(ErrorKind::FunctionBodyCount { functions, bodies }, offset));
    }
    module.bodies.reserve(bodies.min(r.left() / 3) as usize);
    for _ in 0..bodies {
        let offset = r.offset();
        let len = r.var_u32()?;
        if len > limits::BODY_BYTES {
            let limit = u64::from(limits::BODY_BYTES);
            let kind = ErrorKind::TooLarge { what: "function body", len: len.into(), limit };
            return Err(r.error_at(kind, offset));
        }
        module.bodies.push(Body(r.skip(len)?));
    }
    Ok(())
}

fn n_defined_funcs(module: &Module) -> u32 {
    u32::try_from(module.funcs.len()).unwrap_or(u32::MAX) - module.n_imported_funcs
}

fn read_data(r: &mut Reader<'_>, module: &mut Module) -> Result<()> {
    let offset = r.offset();
    module.data = r.vector("data segments", limits::DATA_SEGMENTS, 2, |r| {
        let offset = r.offset();
        let flags = r.var_u32()?;
        if flags != 0 {
            r.require(Feature::BulkMemory, offset)?;
        }
        let mode = match flags {
            0 => SegmentMode::Active { target: MemIdx(0), offset: read_const_expr(r)? },
            1 => SegmentMode::Passive,
            // An index since bulk-memory, whatever its length; only instructions had a zero byte before multi-memory.
            2 => SegmentMode::Active { target: MemIdx(r.var_u32()?), offset: read_const_expr(r)? },
            _ => {
                let byte = u8::try_from(flags).unwrap_or(u8::MAX);
                return Err(r.error_at(ErrorKind::MalformedByte { what: "data segment kind", byte }, offset));
            }
        };
        let len = r.var_u32()?;
        let span = r.skip(len)?;
        Ok(DataSegment { mode, span, offset: u32::try_from(offset).unwrap_or(u32::MAX) })
    })?;
    check_data_count(r, module, offset)
}

fn check_data_count(r: &Reader<'_>, module: &Module, offset: usize) -> Result<()> {
    let segments = u32::try_from(module.data.len()).unwrap_or(u32::MAX);
    match module.data_count {
        Some(declared) if declared != segments => {
            Err(r.error_at(ErrorKind::DataCountMismatch { declared, segments }, offset))
        }
        _ => Ok(()),
    }
}

/// What only the end of the module shows: a code or data section that was announced and did not come.
fn finish(module: &Module, r: &Reader<'_>) -> Result<()> {
    let (functions, bodies) =
        (n_defined_funcs(module), u32::try_from(module.bodies.len()).unwrap_or(u32::MAX));
    if functions != bodies {
        return Err(r.error(ErrorKind::FunctionBodyCount { functions, bodies }));
    }
    check_data_count(r, module, r.offset())
}

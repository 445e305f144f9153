//! The definitions of a module in the order of its sections.

use std::fmt;
use std::io;

use wasmos_frontend::Module;
use wasmos_frontend::code::ElementEntry;
use wasmos_frontend::module::{
    ConstExpr, DataSegment, ElementItems, ElementSegment, ExternIdx, Import, ImportType, SectionId,
    SegmentMode,
};
use wasmos_frontend::opcode::Instr;
use wasmos_frontend::types::{MemIdx, SubType};

use crate::output::{Escaped, Quoted};
use crate::print::Printer;

/// How many bytes of a data segment stand on a line.
const DATA_BYTES: usize = 16;
/// How many entries of an element segment stand on a line.
const ELEMENT_ENTRIES: usize = 16;

impl Printer<'_> {
    /// Writes the whole module.
    pub(super) fn module(&mut self) -> io::Result<()> {
        let module = self.module;
        self.line(0, 0, "(module")?;
        let mut customs = module.customs.iter();
        for section in &module.sections {
            match section.id {
                SectionId::Custom => {
                    let Some(custom) = customs.next() else { continue };
                    let (name, len) = (Escaped::new(module.text(custom.name)), custom.content.len_bytes());
                    self.line(custom.offset, 1, format_args!(";; custom section \"{name}\", {len} bytes"))?;
                }
                SectionId::Type => self.types()?,
                SectionId::Import => module.imports.iter().try_for_each(|import| self.import(import, 1))?,
                SectionId::Table => self.tables()?,
                SectionId::Memory => self.memories()?,
                SectionId::Tag => self.tags()?,
                SectionId::Global => self.globals()?,
                SectionId::Export => self.exports()?,
                SectionId::Start => {
                    if let Some(start) = module.start {
                        self.line(start.offset, 1, format_args!("(start {})", start.func))?;
                    }
                }
                SectionId::Element => self.elements()?,
                SectionId::Code => {
                    for (position, body) in module.bodies.iter().enumerate() {
                        self.defined(module.defined_func(position), *body, 1)?;
                    }
                }
                SectionId::Data => self.data()?,
                // Both are written where functions and data are.
                SectionId::Function | SectionId::DataCount => {}
            }
        }
        self.line(u32::try_from(module.bytes().len()).unwrap_or(u32::MAX), 0, ")")
    }

    fn types(&mut self) -> io::Result<()> {
        let module = self.module;
        let mut start = 0;
        for end in &module.rec_group_ends {
            let end = *end as usize;
            let group = module.types.get(start..end).unwrap_or_default();
            // A group of one need not be written as one: it is the same group.
            let is_group = group.len() != 1;
            let offset = group.first().map_or_else(|| self.end_of_types(start), |ty| ty.offset);
            if is_group {
                self.line(offset, 1, "(rec")?;
            }
            for (index, ty) in (start..).zip(group) {
                let depth = if is_group { 2 } else { 1 };
                self.line(ty.offset, depth, format_args!("(type (;{index};) {})", SubTypeText(ty)))?;
            }
            if is_group {
                self.line(offset, 1, ")")?;
            }
            start = end;
        }
        Ok(())
    }

    /// An empty group has no type to take the offset of: the one before it has.
    fn end_of_types(&self, start: usize) -> u32 {
        start.checked_sub(1).and_then(|before| self.module.types.get(before)).map_or(0, |ty| ty.offset)
    }

    pub(super) fn import(&mut self, import: &Import, depth: usize) -> io::Result<()> {
        let module = self.module;
        let names = (Quoted(module.text(import.module)), Quoted(module.text(import.name)));
        let head = format_args!("(import {} {} ", names.0, names.1).to_string();
        match &import.ty {
            ImportType::Func(ty) => {
                self.line(import.offset, depth, format_args!("{head}(func (type {ty})))"))
            }
            ImportType::Table(ty) => self.line(import.offset, depth, format_args!("{head}(table {ty}))")),
            ImportType::Memory(ty) => self.line(import.offset, depth, format_args!("{head}(memory {ty}))")),
            ImportType::Global(ty) => self.line(import.offset, depth, format_args!("{head}(global {ty}))")),
            ImportType::Tag(ty) => self.line(import.offset, depth, format_args!("{head}(tag (type {ty})))")),
        }
    }

    fn tables(&mut self) -> io::Result<()> {
        let module = self.module;
        for (index, table) in module.tables.iter().enumerate().skip(module.n_imported_tables as usize) {
            let init = table.init.map_or_else(String::new, |expr| ConstText { module, expr }.to_string());
            self.line(table.offset, 1, format_args!("(table (;{index};) {}{init})", table.ty))?;
        }
        Ok(())
    }

    fn memories(&mut self) -> io::Result<()> {
        let module = self.module;
        for (index, memory) in module.memories.iter().enumerate().skip(module.n_imported_memories as usize) {
            self.line(memory.offset, 1, format_args!("(memory (;{index};) {})", memory.ty))?;
        }
        Ok(())
    }

    fn tags(&mut self) -> io::Result<()> {
        let module = self.module;
        for (index, tag) in module.tags.iter().enumerate().skip(module.n_imported_tags as usize) {
            self.line(tag.offset, 1, format_args!("(tag (;{index};) (type {}))", tag.ty))?;
        }
        Ok(())
    }

    fn globals(&mut self) -> io::Result<()> {
        let module = self.module;
        for (index, global) in module.globals.iter().enumerate().skip(module.n_imported_globals as usize) {
            let init = global.init.map_or_else(String::new, |expr| ConstText { module, expr }.to_string());
            self.line(global.offset, 1, format_args!("(global (;{index};) {}{init})", global.ty))?;
        }
        Ok(())
    }

    fn exports(&mut self) -> io::Result<()> {
        let module = self.module;
        for export in &module.exports {
            let (name, index) = (Quoted(module.text(export.name)), export.item.index());
            let word = match export.item {
                ExternIdx::Func(_) => "func",
                other => other.kind().noun(),
            };
            self.line(export.offset, 1, format_args!("(export {name} ({word} {index}))"))?;
        }
        Ok(())
    }

    fn elements(&mut self) -> io::Result<()> {
        let module = self.module;
        for (index, segment) in module.elements.iter().enumerate() {
            self.line(segment.offset, 1, format_args!("(elem (;{index};){}", self.element_head(segment)))?;
            let mut entries = module.element_entries(segment);
            loop {
                let entries: Vec<_> = entries.by_ref().take(ELEMENT_ENTRIES).collect();
                if entries.is_empty() {
                    break;
                }
                self.line(segment.span.start, 2, EntriesText { module, entries: &entries })?;
            }
            self.line(segment.span.end, 1, ")")?;
        }
        Ok(())
    }

    fn element_head(&self, segment: &ElementSegment) -> String {
        let mode = match segment.mode {
            SegmentMode::Active { target, offset } if self.names_table(segment.offset) => {
                format!(" (table {target}){}", self.offset_text(offset))
            }
            SegmentMode::Active { offset, .. } => self.offset_text(offset),
            SegmentMode::Passive => String::new(),
            SegmentMode::Declarative => " declare".into(),
        };
        match segment.items {
            ElementItems::Functions => format!("{mode} func"),
            ElementItems::Expressions => format!("{mode} {}", segment.ty),
        }
    }

    fn data(&mut self) -> io::Result<()> {
        let module = self.module;
        for (index, segment) in module.data.iter().enumerate() {
            let mode = match segment.mode {
                SegmentMode::Active { target: MemIdx(0), offset } => self.offset_text(offset),
                SegmentMode::Active { target, offset } => {
                    format!(" (memory {target}){}", self.offset_text(offset))
                }
                _ => String::new(),
            };
            self.line(segment.offset, 1, format_args!("(data (;{index};){mode}"))?;
            self.data_bytes(segment)?;
            self.line(segment.span.end, 1, ")")?;
        }
        Ok(())
    }

    fn data_bytes(&mut self, segment: &DataSegment) -> io::Result<()> {
        let lines = segment.span.of(self.module.bytes()).chunks(DATA_BYTES);
        for (offset, bytes) in (segment.span.start..).step_by(DATA_BYTES).zip(lines) {
            self.line(offset, 2, format_args!("\"{}\"", Bytes(bytes)))?;
        }
        Ok(())
    }

    /// Returns whether the active element segment at `offset` names its table, which is 0 otherwise: bit 1 of its
    /// flags (core 3.0, "Element Section").
    fn names_table(&self, offset: u32) -> bool {
        self.module.bytes().get(offset as usize).is_some_and(|flags| flags & 2 != 0)
    }

    fn offset_text(&self, offset: ConstExpr) -> String {
        format!(" (offset{})", ConstText { module: self.module, expr: offset })
    }
}

/// A type with its place in the hierarchy, which goes without saying for a final one without a supertype.
struct SubTypeText<'a>(&'a SubType);

impl fmt::Display for SubTypeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ty = self.0;
        if ty.is_final && ty.supertype.is_none() {
            return ty.composite.fmt(f);
        }
        f.write_str(if ty.is_final { "(sub final " } else { "(sub " })?;
        if let Some(index) = ty.supertype {
            write!(f, "{index} ")?;
        }
        write!(f, "{})", ty.composite)
    }
}

/// The instructions of a constant expression, without the final `end`, each behind a space.
struct ConstText<'a> {
    module: &'a Module,
    expr: ConstExpr,
}

impl fmt::Display for ConstText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut instrs = self.module.const_expr(self.expr);
        let mut open = 0_u32;
        while let Ok(Some((_, instr))) = instrs.try_next() {
            match instr {
                Instr::End if open == 0 => return Ok(()),
                Instr::End => open -= 1,
                Instr::Block(_) | Instr::Loop(_) | Instr::If(_) | Instr::Try(_) | Instr::TryTable(_) => {
                    open += 1
                }
                _ => {}
            }
            write!(f, " {instr}")?;
        }
        Ok(())
    }
}

/// Entries of an element segment.
struct EntriesText<'a> {
    module: &'a Module,
    entries: &'a [ElementEntry],
}

impl fmt::Display for EntriesText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, entry) in self.entries.iter().enumerate() {
            let space = if at > 0 { " " } else { "" };
            match entry {
                ElementEntry::Func(func) => write!(f, "{space}{func}")?,
                ElementEntry::Expr(expr) => {
                    write!(f, "{space}(item{})", ConstText { module: self.module, expr: *expr })?;
                }
            }
        }
        Ok(())
    }
}

/// Bytes in a string of the text format: what ASCII can print is printed.
struct Bytes<'a>(&'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
                b' '..=b'~' => write!(f, "{}", char::from(*byte))?,
                _ => write!(f, "\\{byte:02x}")?,
            }
        }
        Ok(())
    }
}

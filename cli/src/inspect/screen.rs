//! The screen of `inspect`: what a person sees first, within 80 columns; `--all` cuts nothing.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::inspect::report::{Memory, Report, Unreadable};
use crate::output::{Escaped, columns, counted, fit, grouped};

/// Width of the screen.
const WIDTH: usize = 80;
/// How many entries of a list are shown.
const SHOWN: usize = 10;
/// How many sections are shown: all that are no custom ones, and those of a usual module.
const SECTIONS_SHOWN: usize = 30;

/// Writes the report of a module.
pub(crate) struct Screen<'a> {
    out: &'a mut dyn Write,
    all: bool,
}

impl<'a> Screen<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, all: bool) -> Self {
        Self { out, all }
    }

    /// Shows everything; `name` is the file's, escaped.
    pub(crate) fn show(&mut self, name: &str, report: &Report<'_>) -> io::Result<()> {
        self.line(name)?;
        self.line(&format!("WebAssembly module, {}", counted(report.size_bytes as u64, "byte")))?;
        self.line(&format!("sha256 {}", report.sha256))?;
        if let Some(name) = report.names.as_ref().and_then(|names| names.module) {
            self.line(&format!("module name {}", Escaped::new(name)))?;
        }
        self.sections(report)?;
        self.features(report)?;
        self.imports(report)?;
        self.exports(report)?;
        self.memories_and_tables(report)?;
        self.globals_and_tags(report)?;
        self.functions(report)?;
        self.types(report)?;
        self.segments(report)?;
        self.names(report)?;
        self.customs(report)?;
        self.warnings(report)
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        let line = line.trim_end();
        if self.all { writeln!(self.out, "{line}") } else { writeln!(self.out, "{}", fit(line, WIDTH)) }
    }

    fn title(&mut self, title: &str) -> io::Result<()> {
        writeln!(self.out)?;
        self.line(title)
    }

    /// Shows a list, cut unless all is asked for; nothing at all if it is empty.
    fn list(&mut self, title: &str, lines: impl ExactSizeIterator<Item = String>) -> io::Result<()> {
        self.list_of(title, SHOWN, lines)
    }

    fn list_of(
        &mut self,
        title: &str,
        shown: usize,
        lines: impl ExactSizeIterator<Item = String>,
    ) -> io::Result<()> {
        if lines.len() == 0 {
            return Ok(());
        }
        self.title(&format!("{title} ({})", grouped(lines.len() as u64)))?;
        self.entries(shown, lines)
    }

    /// Shows `shown` entries, or all.
    fn entries(&mut self, shown: usize, lines: impl ExactSizeIterator<Item = String>) -> io::Result<()> {
        // A list is not cut for the sake of one line: the line that says so takes as much room.
        let cut = !self.all && lines.len() > shown + 1;
        let shown = if cut { shown } else { lines.len() };
        let more = lines.len() - shown;
        for line in lines.take(shown) {
            self.line(&format!("  {line}"))?;
        }
        if more > 0 {
            self.line(&format!("  … {} more (--all shows them)", grouped(more as u64)))?;
        }
        Ok(())
    }

    /// Shows words that are escaped, as many on a line as fit.
    fn words(&mut self, title: &str, words: impl Iterator<Item = String>) -> io::Result<()> {
        let words: Vec<_> = words.collect();
        if words.is_empty() {
            return Ok(());
        }
        self.title(title)?;
        let mut line = String::new();
        for (at, word) in words.iter().enumerate() {
            let comma = if at + 1 < words.len() { "," } else { "" };
            if !line.is_empty() && columns(&line) + columns(word) + 4 > WIDTH {
                self.line(&format!("  {line}"))?;
                line.clear();
            }
            let space = if line.is_empty() { "" } else { " " };
            line = format!("{line}{space}{word}{comma}");
        }
        self.line(&format!("  {line}"))
    }

    fn sections(&mut self, report: &Report<'_>) -> io::Result<()> {
        let mut customs = report.customs.customs.iter();
        let lines = report.sections.iter().map(|section| {
            let name = section.name;
            // Custom sections stand in both lists in the same order.
            let what = if section.id == 0 {
                customs.next().map_or_else(String::new, |custom| Escaped::new(custom.name).to_string())
            } else {
                items(report, section.id)
            };
            let (offset, bytes) = (section.offset, grouped(section.content_bytes.into()));
            format!("{name:<10}  {offset:#010x}  {bytes:>13} bytes  {what}")
        });
        self.list_of("Sections", SECTIONS_SHOWN, lines)
    }

    fn features(&mut self, report: &Report<'_>) -> io::Result<()> {
        if report.features.is_empty() {
            self.title("Features used")?;
            return self.line("  none beyond the first release");
        }
        self.words("Features used", report.features.iter().map(|name| (*name).to_owned()))
    }

    fn imports(&mut self, report: &Report<'_>) -> io::Result<()> {
        let lines = report.imports.iter().map(|import| {
            let (kind, index) = (import.kind, import.index);
            let (module, name) = (Escaped::new(import.module), Escaped::new(import.name));
            let ty = import.r#type.map_or_else(|| UNKNOWN_TYPE.to_owned(), |ty| ty.to_string());
            format!("{kind} {index}  {module}.{name}  {ty}")
        });
        self.list("Imports", lines)
    }

    fn exports(&mut self, report: &Report<'_>) -> io::Result<()> {
        let imported: Vec<_> = (report.imports.iter())
            .filter(|import| import.kind == "function")
            .map(|import| import.type_index)
            .collect();
        let types: Vec<_> =
            imported.into_iter().chain(report.functions.iter().map(|function| function.type_index)).collect();
        let lines = report.exports.iter().map(|export| {
            let (kind, index, name) = (export.kind, export.index, Escaped::new(export.name));
            let ty = types.get(index as usize).copied().flatten();
            let ty = if kind == "function" { type_text(report, ty) } else { String::new() };
            format!("{kind} {index}  {name}  {ty}")
        });
        self.list("Exports", lines)
    }

    fn memories_and_tables(&mut self, report: &Report<'_>) -> io::Result<()> {
        let lines = report
            .memories
            .iter()
            .map(|memory| format!("{}  {}{}", memory.index, imported(memory.imported), memory_text(memory)));
        self.list("Memories", lines)?;
        let lines = report.tables.iter().map(|table| {
            let max = table.max.map_or("no maximum".into(), |max| format!("at most {}", grouped(max)));
            let address = if table.address == "i64" { ", 64-bit indices" } else { "" };
            let (min, element) = (grouped(table.min), &table.element);
            format!(
                "{}  {}{min} elements of {element}, {max}{address}",
                table.index,
                imported(table.imported)
            )
        });
        self.list("Tables", lines)
    }

    fn globals_and_tags(&mut self, report: &Report<'_>) -> io::Result<()> {
        let lines = report.globals.iter().map(|global| {
            let mutable = if global.mutable { "mutable " } else { "" };
            format!("{}  {}{mutable}{}", global.index, imported(global.imported), global.r#type)
        });
        self.list("Globals", lines)?;
        let lines = report.tags.iter().map(|tag| {
            let ty = type_text(report, Some(tag.type_index));
            format!("{}  {}{ty}", tag.index, imported(tag.imported))
        });
        self.list("Tags", lines)
    }

    fn functions(&mut self, report: &Report<'_>) -> io::Result<()> {
        let code = &report.code;
        if code.functions == 0 && code.imported_functions == 0 {
            return Ok(());
        }
        let (defined, imported) = (grouped(code.functions as u64), grouped(code.imported_functions.into()));
        self.title(&format!("Functions ({defined} defined, {imported} imported)"))?;
        if let Some(start) = report.start {
            self.line(&format!("  function {start} is the start function"))?;
        }
        if code.functions == 0 {
            return Ok(());
        }
        let bytes = counted(code.body_bytes, "byte");
        let (instructions, depth) =
            (counted(code.instructions, "instruction"), grouped(code.max_depth.into()));
        self.line(&format!("  {bytes} of bodies, {instructions}, depth of nesting {depth}"))?;
        if let Some(Unreadable { function, offset, message }) = &code.first_unreadable {
            let bodies = counted(code.unreadable_bodies.into(), "body");
            self.line(&format!("  {bodies} left out of instructions and depth: cannot be read"))?;
            self.line(&format!("  function {function}, offset {offset:#x}: {message}"))?;
        }
        self.line("  The biggest first:")?;
        let mut by_size: Vec<_> = report.functions.iter().collect();
        by_size.sort_by_key(|function| core::cmp::Reverse(function.body_bytes));
        let exports = report.exports.iter().rev().filter(|export| export.kind == "function");
        let exports: HashMap<_, _> = exports.map(|export| (export.index, export.name)).collect();
        let lines = by_size.into_iter().map(|function| {
            let (index, offset, bytes) =
                (function.index, function.offset, grouped(function.body_bytes.into()));
            let name = function.name.or_else(|| exports.get(&index).copied());
            let name = name.map_or_else(String::new, |name| format!("  <{}>", Escaped::new(name)));
            format!(
                "{index:>7}  {offset:#010x}  {bytes:>9} bytes{name}  {}",
                type_text(report, function.type_index)
            )
        });
        self.entries(SHOWN, lines)
    }

    fn types(&mut self, report: &Report<'_>) -> io::Result<()> {
        let lines = report.types.iter().map(|ty| {
            let open = if ty.r#final { "" } else { "open " };
            let extends = ty.supertype.map_or_else(String::new, |index| format!("extends {index} "));
            format!("{}  {open}{extends}{}", ty.index, ty.text)
        });
        self.list("Types", lines)
    }

    fn segments(&mut self, report: &Report<'_>) -> io::Result<()> {
        let lines = report.elements.iter().map(|segment| {
            let target = segment.table.map_or_else(String::new, |table| format!(", table {table}"));
            let (index, mode, ty) = (segment.index, segment.mode, &segment.r#type);
            format!("{index}  {mode}{target}, {} of {ty}", counted(segment.count.into(), "entry"))
        });
        self.list("Element segments", lines)?;
        let lines = report.data.iter().map(|segment| {
            let target = segment.memory.map_or_else(String::new, |memory| format!(", memory {memory}"));
            let bytes = counted(segment.bytes.into(), "byte");
            format!("{}  {}{target}, {bytes} at {:#010x}", segment.index, segment.mode, segment.offset)
        });
        self.list("Data segments", lines)
    }

    fn names(&mut self, report: &Report<'_>) -> io::Result<()> {
        let Some(names) = &report.names else { return Ok(()) };
        let counts = [
            (names.functions, "function"),
            (names.locals, "local"),
            (names.labels, "label"),
            (names.types, "type"),
            (names.tables, "table"),
            (names.memories, "memory"),
            (names.globals, "global"),
            (names.elements, "element segment"),
            (names.data, "data segment"),
            (names.fields, "field"),
            (names.tags, "tag"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        self.words("Names in the name section", counts.map(|(count, noun)| counted(*count as u64, noun)))
    }

    fn customs(&mut self, report: &Report<'_>) -> io::Result<()> {
        let customs = &report.customs;
        let values = customs.producers.iter().flat_map(|field| {
            field.values.iter().map(move |value| {
                let (field, name) = (Escaped::new(field.field), Escaped::new(value.name));
                format!("{field}: {name} {}", Escaped::new(value.version)).trim_end().to_owned()
            })
        });
        self.list("Producers", values.collect::<Vec<_>>().into_iter())?;
        let features = customs
            .target_features
            .iter()
            .map(|feature| Escaped::new(&format!("{}{}", feature.prefix, feature.name)).to_string());
        self.words("Target features", features)?;
        if let Some(dylink) = &customs.dylink {
            self.title("Dynamic linking")?;
            let memory = dylink.memory_bytes.zip(dylink.table_slots);
            if let Some((bytes, slots)) = memory {
                let (bytes, slots) = (counted(bytes.into(), "byte"), counted(slots.into(), "table slot"));
                self.line(&format!("  needs {bytes} of memory and {slots}"))?;
            }
            self.entries(SHOWN, dylink.needed.iter().map(|name| format!("needs {}", Escaped::new(name))))?;
        }
        if let Some(url) = customs.source_mapping_url {
            self.title("Source map")?;
            self.line(&format!("  {}", Escaped::new(url)))?;
        }
        if let Some(hints) = customs.branch_hints {
            self.title("Branch hints")?;
            self.line(&format!("  {}", counted(hints as u64, "branch hint")))?;
        }
        Ok(())
    }

    fn warnings(&mut self, report: &Report<'_>) -> io::Result<()> {
        let lines =
            report.warnings.iter().map(|warning| format!("{:#010x}  {}", warning.offset, warning.message));
        self.list("Warnings", lines)
    }
}

/// Says how many items a section has.
fn items(report: &Report<'_>, id: u8) -> String {
    let (count, noun) = match id {
        1 => (report.types.len(), "type"),
        2 => (report.imports.len(), "import"),
        3 | 10 => (report.code.functions, "function"),
        4 => (report.tables.iter().filter(|table| !table.imported).count(), "table"),
        5 => (report.memories.iter().filter(|memory| !memory.imported).count(), "memory"),
        6 => (report.globals.iter().filter(|global| !global.imported).count(), "global"),
        7 => (report.exports.len(), "export"),
        9 => (report.elements.len(), "segment"),
        11 | 12 => (report.data.len(), "segment"),
        13 => (report.tags.iter().filter(|tag| !tag.imported).count(), "tag"),
        _ => return String::new(),
    };
    counted(count as u64, noun)
}

const fn imported(imported: bool) -> &'static str {
    if imported { "imported, " } else { "" }
}

const UNKNOWN_TYPE: &str = "(unknown type)";

fn type_text(report: &Report<'_>, index: Option<u32>) -> String {
    let ty = index.and_then(|index| report.types.get(index as usize));
    ty.map_or_else(|| UNKNOWN_TYPE.to_owned(), |ty| ty.text.to_string())
}

fn memory_text(memory: &Memory) -> String {
    let pages = |pages: u64| match memory.page_bytes.and_then(|bytes| bytes.checked_mul(pages)) {
        Some(bytes) => format!("{} ({})", counted(pages, "page"), size(bytes)),
        None => counted(pages, "page"),
    };
    let max = memory.max_pages.map_or("no maximum".into(), |max| format!("at most {}", pages(max)));
    let address = if memory.address == "i64" { ", 64-bit addresses" } else { "" };
    let shared = if memory.shared { ", shared" } else { "" };
    format!("{}, {max}{address}{shared}", pages(memory.min_pages))
}

/// Returns a size in the largest unit that it is a whole number of.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let whole = units.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    whole.map_or_else(|| counted(bytes, "byte"), |(unit, name)| format!("{} {name}", grouped(bytes / unit)))
}

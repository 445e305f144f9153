//! Where a module comes from: language and tools, what its names say, and whether they can be believed.

use std::collections::HashSet;

use wasmos_frontend::ValidModule;
use wasmos_frontend::custom::Custom;
use wasmos_frontend::module::{ExternIdx, ExternKind, SectionId};
use wasmos_frontend::types::FuncIdx;

use crate::data::DataFacts;

/// Values that are kept of a field, and characters of one.
const KEPT: usize = 32;
const TEXT: usize = 120;

/// A claim of the `producers` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// `language`, `processed-by` or `sdk`: untrusted text.
    pub field: String,
    /// Name and version: untrusted text.
    pub value: String,
}

/// Something in names or sections that should not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// What.
    pub what: &'static str,
    /// Absolute offset.
    pub at: u32,
    /// The text, if it is one: untrusted.
    pub text: Option<String>,
}

/// Where a module comes from.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// What the `producers` section claims.
    pub claims: Vec<Claim>,
    /// The language that is likeliest, by claims, names and data in this order; empty if nothing says.
    pub language: &'static str,
    /// The language by names and data alone.
    pub language_by_content: &'static str,
    /// The allocator.
    pub allocator: &'static str,
    /// Whether functions have names.
    pub has_names: bool,
    /// Whether there is DWARF.
    pub has_dwarf: bool,
    /// Where a source map is: untrusted text.
    pub source_map: Option<(u32, String)>,
    /// Sections that are broken without making the module invalid.
    pub broken: Vec<Oddity>,
    /// Names that lie.
    pub lies: Vec<Oddity>,
    /// Functions of the C library that cannot be used safely, by name.
    pub dangerous: Vec<(FuncIdx, &'static str)>,
}

impl Provenance {
    /// Reads names and custom sections.
    #[must_use]
    pub fn of(module: &ValidModule, data: &DataFacts) -> Self {
        let mut facts = Self { has_names: !module.names().funcs.is_empty(), ..Self::default() };
        facts.read_customs(module);
        facts.broken = broken(module);
        facts.lies = lies(module);
        facts.dangerous = dangerous(module);
        facts.language_by_content = by_content(module, data);
        facts.language = facts.claimed().unwrap_or(facts.language_by_content);
        facts.allocator = allocator(module, data);
        facts
    }

    fn read_customs(&mut self, module: &ValidModule) {
        for section in module.customs.iter().take(1_000) {
            match module.custom(section) {
                Custom::Producers(fields) => {
                    for field in fields {
                        for (name, version) in field.values.iter().take(KEPT) {
                            let value = format!("{} {}", module.text(*name), module.text(*version));
                            self.claims.push(Claim {
                                field: cut(module.text(field.name)),
                                value: cut(value.trim_end()),
                            });
                        }
                    }
                }
                Custom::Debug => self.has_dwarf = true,
                Custom::SourceMappingUrl(url) => {
                    self.source_map = Some((section.offset, cut(module.text(url))));
                }
                _ => {}
            }
        }
        self.claims.truncate(KEPT);
    }

    /// Returns the language that the `producers` section claims, if it is one that content can tell too.
    #[must_use]
    pub fn claimed(&self) -> Option<&'static str> {
        let languages = self.claims.iter().filter(|claim| claim.field == "language");
        languages.into_iter().find_map(|claim| {
            let value = claim.value.to_ascii_lowercase();
            LANGUAGES.iter().find(|(word, _)| value.starts_with(word)).map(|(_, language)| *language)
        })
    }
}

/// First words of a claim, and the language.
const LANGUAGES: [(&str, &str); 9] = [
    ("rust", "Rust"),
    ("c++", "C++"),
    ("c_plus_plus", "C++"),
    ("c", "C"),
    ("go", "Go"),
    ("zig", "Zig"),
    ("swift", "Swift"),
    ("assemblyscript", "AssemblyScript"),
    ("dart", "Dart"),
];

fn cut(text: &str) -> String {
    text.chars().take(TEXT).collect()
}

fn by_content(module: &ValidModule, data: &DataFacts) -> &'static str {
    let has = |mark: &str| data.marks.contains(&mark);
    let imports = |wanted: &str| module.imports.iter().take(1_000).any(|it| module.text(it.module) == wanted);
    if imports("gojs") || imports("go") || has("Go") {
        return "Go";
    }
    if imports("dart2wasm") {
        return "Dart";
    }
    for (mark, language) in [
        ("AssemblyScript", "AssemblyScript"),
        ("Rust", "Rust"),
        ("C++", "C++"),
        ("Zig", "Zig"),
        ("TinyGo", "Go"),
    ] {
        if has(mark) {
            return language;
        }
    }
    if has("dlmalloc") || has("Emscripten") { "C" } else { "" }
}

fn allocator(module: &ValidModule, data: &DataFacts) -> &'static str {
    let exports = |wanted: &str| module.exports.iter().take(10_000).any(|it| module.text(it.name) == wanted);
    let marks = [("dlmalloc", "dlmalloc"), ("Boehm GC", "Boehm GC"), ("Go", "Go runtime")];
    if let Some((_, name)) = marks.iter().find(|(mark, _)| data.marks.contains(mark)) {
        return name;
    }
    if exports("__retain") || exports("__pin") || exports("__alloc") {
        return "AssemblyScript runtime";
    }
    let named = |wanted: &str| {
        let funcs = module.names().funcs.iter().take(100_000);
        funcs.map(|entry| module.text(entry.name)).any(|name| name.contains(wanted))
    };
    let names = [("emmalloc", "emmalloc"), ("wee_alloc", "wee_alloc"), ("dlmalloc", "dlmalloc")];
    names.iter().find(|(word, _)| named(word)).map_or("", |(_, name)| name)
}

fn broken(module: &ValidModule) -> Vec<Oddity> {
    let warnings = module.warnings().into_iter();
    let mut broken: Vec<Oddity> =
        warnings.map(|warning| Oddity { what: warning.what, at: warning.offset, text: None }).collect();
    let mut seen = HashSet::new();
    for section in module.customs.iter().take(10_000) {
        let name = module.text(section.name);
        // Relocations and coverage come in many parts by design.
        let is_many =
            name.starts_with("reloc") || name.starts_with(".debug") || name.starts_with("component-type");
        if !seen.insert(name) && !is_many {
            broken.push(Oddity {
                what: "a custom section stands twice",
                at: section.offset,
                text: Some(cut(name)),
            });
        }
    }
    broken.extend(padded_sizes(module));
    broken.truncate(KEPT);
    broken
}

/// Sections that no linker pads, whose size is written in more bytes than it needs.
fn padded_sizes(module: &ValidModule) -> impl Iterator<Item = Oddity> {
    let sections = module.sections.iter().take(1_000).filter(|section| {
        let size_bytes = section.content.start.saturating_sub(section.offset + 1);
        let len = section.content.len_bytes();
        let needed = (u32::BITS - len.leading_zeros()).div_ceil(7).max(1);
        matches!(section.id, SectionId::Start | SectionId::DataCount)
            && size_bytes > needed
            && size_bytes != 5
    });
    sections.map(|section| Oddity {
        what: "the size of a section is longer than it needs to be",
        at: section.offset,
        text: None,
    })
}

/// Characters that make a name look like another one.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{61c}')
}

fn lies(module: &ValidModule) -> Vec<Oddity> {
    let mut lies = Vec::new();
    let exports = module.exports.iter().map(|export| (export.name, export.offset));
    // A global may be imported by any text: strings are imported so.
    let imports = module.imports.iter().filter(|import| import.ty.kind() != ExternKind::Global);
    let imports = imports.map(|import| (import.name, import.offset));
    let funcs = module.names().funcs.iter().map(|entry| (entry.name, entry.name.0.start));
    for (name, at) in exports.chain(imports).chain(funcs) {
        let text = module.text(name);
        if text.contains(deceives) {
            lies.push(Oddity {
                what: "a name with characters that cannot be seen",
                at,
                text: Some(cut(text)),
            });
        }
        if lies.len() >= KEPT {
            break;
        }
    }
    lies.extend(false_imports(module));
    lies.truncate(KEPT);
    lies
}

/// Defined functions that call themselves by the name of an import of another function.
fn false_imports(module: &ValidModule) -> impl Iterator<Item = Oddity> {
    let imports = module.imports.iter().map(|import| module.text(import.name));
    // A short name is no disguise.
    let imports: HashSet<&str> = imports.filter(|name| name.len() > 3).take(10_000).collect();
    let names = module.names().funcs.iter().filter(|entry| entry.index >= module.n_imported_funcs);
    let system = ["proc_exit", "path_open", "sock_send", "fd_write", "fd_read", "sock_recv", "random_get"];
    names
        .filter(move |entry| {
            let name = module.text(entry.name);
            imports.contains(name) && system.contains(&name)
        })
        .map(|entry| Oddity {
            what: "a function has the name of a system call that is imported too",
            at: entry.name.0.start,
            text: Some(cut(module.text(entry.name))),
        })
        .take(KEPT)
}

/// Functions of the C library whose use cannot be made safe, where names tell.
fn dangerous(module: &ValidModule) -> Vec<(FuncIdx, &'static str)> {
    const NAMES: [&str; 3] = ["gets", "strcpy", "sprintf"];
    let named = module.names().funcs.iter().take(1_000_000);
    let named = named.map(|entry| (FuncIdx(entry.index), module.text(entry.name)));
    let exported = module.exports.iter().filter_map(|export| match export.item {
        ExternIdx::Func(func) => Some((func, module.text(export.name))),
        _ => None,
    });
    let mut found: Vec<_> = named
        .chain(exported)
        .filter_map(|(func, name)| {
            Some((func, *NAMES.iter().find(|known| **known == name.trim_start_matches('$'))?))
        })
        .take(KEPT)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::module;

    fn provenance(text: &str) -> Provenance {
        let module = module(text);
        Provenance::of(&module, &DataFacts::of(&module))
    }

    #[test]
    fn content_speaks_where_claims_are_silent() {
        let facts = provenance(r#"(module (memory 1) (data "called `Option::unwrap()` on a `None` value"))"#);
        assert_eq!((facts.claimed(), facts.language), (None, "Rust"));
        let facts = provenance(
            r#"(module (memory 1) (data "called `Option::unwrap()`") (@producers (language "C" "11")))"#,
        );
        assert_eq!((facts.claimed(), facts.language, facts.language_by_content), (Some("C"), "C", "Rust"));
    }

    #[test]
    fn names_with_characters_that_cannot_be_seen_are_lies() {
        let facts = provenance(r#"(module (func (export "good\u{202e}lave")) (func (export "plain-ü")))"#);
        assert_eq!(facts.lies.len(), 1);
        let facts = provenance(
            r#"(module (import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
                 (func $fd_write) (func $other))"#,
        );
        assert!(facts.lies.iter().any(|lie| lie.what.contains("system call")));
    }

    #[test]
    fn a_custom_section_twice_is_odd() {
        let facts = provenance(r#"(module (@custom "x" "1") (@custom "y" "1") (@custom "x" "2"))"#);
        assert_eq!(facts.broken.len(), 1);
    }

    #[test]
    fn dangerous_functions_are_known_by_name_alone() {
        let facts = provenance("(module (func $gets) (func $fgets) (func $sprintf))");
        let names: Vec<_> = facts.dangerous.iter().map(|(_, name)| *name).collect();
        assert_eq!(names, ["gets", "sprintf"]);
    }
}

//! Custom sections that the frontend understands: `name` in all its parts, `producers`, `target_features`,
//! `dylink.0`, branch hints, `sourceMappingURL`; `.debug_*` and `.dep-v0` are kept as ranges.
//!
//! A custom section that is broken never makes a module invalid (core 3.0, "Custom Sections"): what could be read
//! is kept, and the place where reading stopped becomes a [`Warning`].

use crate::error::Result;
use crate::features::Features;
use crate::limits;
use crate::module::{CustomSection, Module, Name, Span, Warning};
use crate::reader::Reader;
use crate::types::FuncIdx;

/// What a list of a custom section may hold; its bytes bound it further.
const ENTRIES: u32 = limits::NAME_ENTRIES;
/// How many warnings a module gives rise to.
const WARNINGS: usize = 100;

/// A name given to an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameEntry {
    /// The index that is named.
    pub index: u32,
    /// Its name.
    pub name: Name,
}

/// A name given to an index within another, e.g. to a local of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndirectNameEntry {
    /// The outer index, e.g. of the function.
    pub outer: u32,
    /// The inner index, e.g. of the local.
    pub index: u32,
    /// The name.
    pub name: Name,
}

/// The name section. Lists are sorted by index; of two names for one index the first is kept.
#[derive(Debug, Default)]
pub struct Names {
    /// The module's own name.
    pub module: Option<Name>,
    /// Functions.
    pub funcs: Vec<NameEntry>,
    /// Locals by function.
    pub locals: Vec<IndirectNameEntry>,
    /// Labels by function.
    pub labels: Vec<IndirectNameEntry>,
    /// Types.
    pub types: Vec<NameEntry>,
    /// Tables.
    pub tables: Vec<NameEntry>,
    /// Memories.
    pub memories: Vec<NameEntry>,
    /// Globals.
    pub globals: Vec<NameEntry>,
    /// Element segments.
    pub elements: Vec<NameEntry>,
    /// Data segments.
    pub data: Vec<NameEntry>,
    /// Fields by type.
    pub fields: Vec<IndirectNameEntry>,
    /// Tags.
    pub tags: Vec<NameEntry>,
    /// Where reading stopped, and why.
    pub warnings: Vec<Warning>,
    /// How many more entries are read.
    left: u32,
}

impl Names {
    /// Decodes the first section called `name`; a further one is a warning.
    pub(crate) fn of(module: &Module) -> Self {
        let mut names = Self { left: limits::NAME_ENTRIES, ..Self::default() };
        let mut sections = module.customs_named("name");
        if let Some(section) = sections.next() {
            let mut r = reader(module, section, "the name section");
            let result = names.read(&mut r);
            names.warn_on(result, "the name section is broken; what follows in it is ignored");
        }
        names.warnings.extend(
            sections
                .take(WARNINGS)
                .map(|again| Warning { what: "the name section is repeated", offset: again.offset }),
        );
        names
    }

    /// Returns a function's name.
    #[must_use]
    pub fn func(&self, func: FuncIdx) -> Option<Name> {
        lookup(&self.funcs, func.0)
    }

    fn warn_on(&mut self, result: Result<()>, what: &'static str) {
        if let Err(error) = result {
            self.warnings.push(Warning { what, offset: error.offset });
        }
    }

    fn read(&mut self, r: &mut Reader<'_>) -> Result<()> {
        while !r.is_empty() {
            let id = r.byte()?;
            let len = r.var_u32()?;
            let span = r.skip(len)?;
            let mut sub = r.sub(span, r.context());
            if let Err(error) = self.read_subsection(id, &mut sub) {
                self.sort();
                return Err(error);
            }
        }
        self.sort();
        Ok(())
    }

    fn sort(&mut self) {
        for list in self.flat_lists() {
            list.sort_by_key(|entry| entry.index);
            list.dedup_by_key(|entry| entry.index);
        }
        for list in [&mut self.locals, &mut self.labels, &mut self.fields] {
            list.sort_by_key(|entry| (entry.outer, entry.index));
            list.dedup_by_key(|entry| (entry.outer, entry.index));
        }
    }

    fn flat_lists(&mut self) -> [&mut Vec<NameEntry>; 8] {
        [
            &mut self.funcs,
            &mut self.types,
            &mut self.tables,
            &mut self.memories,
            &mut self.globals,
            &mut self.elements,
            &mut self.data,
            &mut self.tags,
        ]
    }

    /// The numbers are those of core 3.0, "Name Section", and of the extended-name-section proposal.
    fn read_subsection(&mut self, id: u8, r: &mut Reader<'_>) -> Result<()> {
        match id {
            0 => {
                self.module = Some(r.name()?);
                Ok(())
            }
            1 => read_map(r, &mut self.funcs, &mut self.left),
            2 => read_indirect_map(r, &mut self.locals, &mut self.left),
            3 => read_indirect_map(r, &mut self.labels, &mut self.left),
            4 => read_map(r, &mut self.types, &mut self.left),
            5 => read_map(r, &mut self.tables, &mut self.left),
            6 => read_map(r, &mut self.memories, &mut self.left),
            7 => read_map(r, &mut self.globals, &mut self.left),
            8 => read_map(r, &mut self.elements, &mut self.left),
            9 => read_map(r, &mut self.data, &mut self.left),
            10 => read_indirect_map(r, &mut self.fields, &mut self.left),
            11 => read_map(r, &mut self.tags, &mut self.left),
            // An unknown part is passed over: the section is open to extension.
            _ => Ok(()),
        }
    }
}

fn lookup(list: &[NameEntry], index: u32) -> Option<Name> {
    let at = list.binary_search_by_key(&index, |entry| entry.index).ok()?;
    list.get(at).map(|entry| entry.name)
}

/// Reads the length of a list of names and takes it from what is left for all.
fn count_names(r: &mut Reader<'_>, left: &mut u32) -> Result<u32> {
    let count = r.count("names", *left)?;
    *left -= count;
    Ok(count)
}

fn read_map(r: &mut Reader<'_>, list: &mut Vec<NameEntry>, left: &mut u32) -> Result<()> {
    let count = count_names(r, left)?;
    list.reserve(count.min(r.left() / 2) as usize);
    for _ in 0..count {
        list.push(NameEntry { index: r.var_u32()?, name: r.name()? });
    }
    Ok(())
}

fn read_indirect_map(r: &mut Reader<'_>, list: &mut Vec<IndirectNameEntry>, left: &mut u32) -> Result<()> {
    for _ in 0..count_names(r, left)? {
        let outer = r.var_u32()?;
        for _ in 0..count_names(r, left)? {
            list.push(IndirectNameEntry { outer, index: r.var_u32()?, name: r.name()? });
        }
    }
    Ok(())
}

fn reader<'a>(module: &'a Module, section: &CustomSection, context: &'static str) -> Reader<'a> {
    Reader::new(module.bytes(), section.content, Features::all(), context)
}

/// What the bytes of a known custom section say.
#[derive(Debug)]
pub enum Custom {
    /// `name`: see [`Module::names`].
    Name,
    /// `producers`: who made the module.
    Producers(Vec<ProducersField>),
    /// `target_features`: what the module needs of its engine.
    TargetFeatures(Vec<TargetFeature>),
    /// `dylink.0`: how the module is to be linked at run time.
    Dylink(Dylink),
    /// `metadata.code.branch_hint`.
    BranchHints(Vec<BranchHint>),
    /// `sourceMappingURL`: where the source map is.
    SourceMappingUrl(Name),
    /// `.debug_*`: DWARF, kept as a range.
    Debug,
    /// `.dep-v0`: a compressed list of dependencies, kept as a range.
    Dependencies,
    /// Any other section.
    Unknown,
    /// A known section whose bytes break off.
    Broken(Warning),
}

/// A field of the `producers` section, e.g. `language`.
#[derive(Debug, PartialEq, Eq)]
pub struct ProducersField {
    /// What the values are: `language`, `processed-by` or `sdk`.
    pub name: Name,
    /// Name and version of each.
    pub values: Vec<(Name, Name)>,
}

/// An entry of the `target_features` section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetFeature {
    /// `+` used, `-` must not be linked, `=` required.
    pub prefix: u8,
    /// The toolchain's name of the feature.
    pub name: Name,
}

/// The `dylink.0` section.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dylink {
    /// Bytes of memory that the module needs, their alignment (log2), table slots and their alignment.
    pub memory: Option<[u32; 4]>,
    /// Libraries that must be loaded before.
    pub needed: Vec<Name>,
}

/// A branch that the producer holds likely or unlikely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchHint {
    /// The function.
    pub func: FuncIdx,
    /// Offset of the branch from the start of the function's body, in bytes.
    pub offset: u32,
    /// Whether the branch is taken.
    pub taken: bool,
}

impl Module {
    /// Returns what is broken without making the module invalid: in the name section and the other known
    /// custom sections; the first hundred.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let customs = self.customs.iter().filter_map(|section| match self.custom(section) {
            Custom::Broken(warning) => Some(warning),
            _ => None,
        });
        self.names().warnings.iter().copied().chain(customs).take(WARNINGS).collect()
    }

    /// Yields the custom sections with that name.
    pub fn customs_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a CustomSection> {
        self.customs.iter().filter(move |section| self.text(section.name) == name)
    }

    /// Decodes a custom section.
    #[must_use]
    pub fn custom(&self, section: &CustomSection) -> Custom {
        let name = self.text(section.name);
        let mut r = reader(self, section, "a custom section");
        let result = match name {
            "name" => Ok(Custom::Name),
            "producers" => read_producers(&mut r).map(Custom::Producers),
            "target_features" => read_target_features(&mut r).map(Custom::TargetFeatures),
            "dylink.0" => read_dylink(&mut r).map(Custom::Dylink),
            "metadata.code.branch_hint" => read_branch_hints(&mut r).map(Custom::BranchHints),
            "sourceMappingURL" => r.name().map(Custom::SourceMappingUrl),
            ".dep-v0" => Ok(Custom::Dependencies),
            name if name.starts_with(".debug_") => Ok(Custom::Debug),
            _ => Ok(Custom::Unknown),
        };
        result.unwrap_or_else(|error| {
            Custom::Broken(Warning { what: "a custom section is broken and ignored", offset: error.offset })
        })
    }
}

/// Source: tool-conventions, `ProducersSection.md`.
fn read_producers(r: &mut Reader<'_>) -> Result<Vec<ProducersField>> {
    r.vector("producers fields", ENTRIES, 2, |r| {
        let name = r.name()?;
        let values = r.vector("producers values", ENTRIES, 2, |r| Ok((r.name()?, r.name()?)))?;
        Ok(ProducersField { name, values })
    })
}

/// Source: tool-conventions, `Linking.md`, "Target Features Section".
fn read_target_features(r: &mut Reader<'_>) -> Result<Vec<TargetFeature>> {
    r.vector("target features", ENTRIES, 2, |r| Ok(TargetFeature { prefix: r.byte()?, name: r.name()? }))
}

/// Source: tool-conventions, `DynamicLinking.md`.
fn read_dylink(r: &mut Reader<'_>) -> Result<Dylink> {
    let mut dylink = Dylink::default();
    while !r.is_empty() {
        let id = r.byte()?;
        let len = r.var_u32()?;
        let span = r.skip(len)?;
        let mut sub = r.sub(span, r.context());
        match id {
            1 => dylink.memory = Some([sub.var_u32()?, sub.var_u32()?, sub.var_u32()?, sub.var_u32()?]),
            2 => dylink.needed = sub.vector("needed libraries", ENTRIES, 1, Reader::name)?,
            _ => {}
        }
    }
    Ok(dylink)
}

/// Source: the branch-hinting proposal, "Custom section".
fn read_branch_hints(r: &mut Reader<'_>) -> Result<Vec<BranchHint>> {
    let mut hints = Vec::new();
    for _ in 0..r.count("branch hints", ENTRIES)? {
        let func = FuncIdx(r.var_u32()?);
        for _ in 0..r.count("branch hints", ENTRIES)? {
            let offset = r.var_u32()?;
            let len = r.var_u32()?;
            let value: Span = r.skip(len)?;
            hints.push(BranchHint { func, offset, taken: r.since(value.start as usize).first() == Some(&1) });
        }
    }
    Ok(hints)
}

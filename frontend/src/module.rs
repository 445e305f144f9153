//! A decoded module: plain data, indices and ranges of bytes; nothing here has been validated.
//!
//! Bodies, constant expressions and element entries stay bytes: a [`Span`] each.

use core::fmt;

use crate::custom::Names;
use crate::features::Features;
use crate::types::{
    DataIdx, ElemIdx, FuncIdx, FuncType, GlobalIdx, GlobalType, MemIdx, MemoryType, SubType, TableIdx,
    TableType, TagIdx, TypeIdx, ValType,
};

/// A range of absolute byte offsets in the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Returns the length in bytes.
    #[inline]
    #[must_use]
    pub const fn len_bytes(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Returns the bytes of the span in `module`, empty if they are not there.
    #[inline]
    #[must_use]
    pub fn of(self, module: &[u8]) -> &[u8] {
        module.get(self.start as usize..self.end as usize).unwrap_or(&[])
    }
}

/// A name: where its bytes are, known to be UTF-8. [`Module::text`] gives the text, which is untrusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name(pub Span);

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the specification's")]
#[repr(u8)]
pub enum SectionId {
    Custom = 0,
    Type = 1,
    Import = 2,
    Function = 3,
    Table = 4,
    Memory = 5,
    Global = 6,
    Export = 7,
    Start = 8,
    Element = 9,
    Code = 10,
    Data = 11,
    DataCount = 12,
    Tag = 13,
}

impl SectionId {
    /// The sections in the order that the binary format prescribes; custom sections stand anywhere.
    pub const ORDER: [Self; 13] = [
        Self::Type,
        Self::Import,
        Self::Function,
        Self::Table,
        Self::Memory,
        Self::Tag,
        Self::Global,
        Self::Export,
        Self::Start,
        Self::Element,
        Self::DataCount,
        Self::Code,
        Self::Data,
    ];

    /// Returns the section of an id.
    #[must_use]
    pub fn from_id(id: u8) -> Option<Self> {
        [Self::Custom].into_iter().chain(Self::ORDER).find(|section| *section as u8 == id)
    }

    /// Returns the name, e.g. `data count`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::Type => "type",
            Self::Import => "import",
            Self::Function => "function",
            Self::Table => "table",
            Self::Memory => "memory",
            Self::Global => "global",
            Self::Export => "export",
            Self::Start => "start",
            Self::Element => "element",
            Self::Code => "code",
            Self::Data => "data",
            Self::DataCount => "data count",
            Self::Tag => "tag",
        }
    }

    /// Returns what is being read, for errors.
    #[must_use]
    pub const fn context(self) -> &'static str {
        match self {
            Self::Custom => "a custom section",
            Self::Type => "the type section",
            Self::Import => "the import section",
            Self::Function => "the function section",
            Self::Table => "the table section",
            Self::Memory => "the memory section",
            Self::Global => "the global section",
            Self::Export => "the export section",
            Self::Start => "the start section",
            Self::Element => "the element section",
            Self::Code => "the code section",
            Self::Data => "the data section",
            Self::DataCount => "the data count section",
            Self::Tag => "the tag section",
        }
    }
}

impl fmt::Display for SectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A section as it lies in the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it holds.
    pub id: SectionId,
    /// Absolute offset of the id byte.
    pub offset: u32,
    /// The content, behind id and size.
    pub content: Span,
}

/// A custom section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustomSection {
    /// Its name.
    pub name: Name,
    /// Absolute offset of the id byte.
    pub offset: u32,
    /// The bytes behind the name.
    pub content: Span,
}

/// Something in a module that is broken without making it invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What is broken.
    pub what: &'static str,
    /// Absolute byte offset.
    pub offset: u32,
}

/// What is imported or exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum ExternKind {
    Func,
    Table,
    Memory,
    Global,
    Tag,
}

impl ExternKind {
    /// Returns the noun, e.g. `function`.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Func => "function",
            Self::Table => "table",
            Self::Memory => "memory",
            Self::Global => "global",
            Self::Tag => "tag",
        }
    }
}

/// The type of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum ImportType {
    Func(TypeIdx),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    Tag(TypeIdx),
}

impl ImportType {
    /// Returns what is imported.
    #[must_use]
    pub const fn kind(&self) -> ExternKind {
        match self {
            Self::Func(_) => ExternKind::Func,
            Self::Table(_) => ExternKind::Table,
            Self::Memory(_) => ExternKind::Memory,
            Self::Global(_) => ExternKind::Global,
            Self::Tag(_) => ExternKind::Tag,
        }
    }
}

/// An import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Import {
    /// Name of the module that is asked.
    pub module: Name,
    /// Name of the thing there.
    pub name: Name,
    /// Its type.
    pub ty: ImportType,
    /// Absolute offset of the type.
    pub offset: u32,
}

/// A constant expression: its bytes, the final `end` included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConstExpr(pub Span);

/// A function, imported or defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Func {
    /// Its type.
    pub ty: TypeIdx,
    /// Absolute offset of the type index.
    pub offset: u32,
}

/// A table, imported or defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its type.
    pub ty: TableType,
    /// Value of its elements at instantiation; null without it.
    pub init: Option<ConstExpr>,
    /// Absolute offset of the type.
    pub offset: u32,
}

/// A memory, imported or defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Its type.
    pub ty: MemoryType,
    /// Absolute offset of the type.
    pub offset: u32,
}

/// A global, imported or defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Global {
    /// Its type.
    pub ty: GlobalType,
    /// Its value at instantiation; `None` exactly for an imported one.
    pub init: Option<ConstExpr>,
    /// Absolute offset of the type.
    pub offset: u32,
}

/// A tag, imported or defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The type of the exception's values, as parameters.
    pub ty: TypeIdx,
    /// Absolute offset of the type index.
    pub offset: u32,
}

/// What an export stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum ExternIdx {
    Func(FuncIdx),
    Table(TableIdx),
    Memory(MemIdx),
    Global(GlobalIdx),
    Tag(TagIdx),
}

impl ExternIdx {
    /// Returns what is exported.
    #[must_use]
    pub const fn kind(self) -> ExternKind {
        match self {
            Self::Func(_) => ExternKind::Func,
            Self::Table(_) => ExternKind::Table,
            Self::Memory(_) => ExternKind::Memory,
            Self::Global(_) => ExternKind::Global,
            Self::Tag(_) => ExternKind::Tag,
        }
    }

    /// Returns the index in its space.
    #[must_use]
    pub const fn index(self) -> u32 {
        match self {
            Self::Func(FuncIdx(index))
            | Self::Table(TableIdx(index))
            | Self::Memory(MemIdx(index))
            | Self::Global(GlobalIdx(index))
            | Self::Tag(TagIdx(index)) => index,
        }
    }
}

/// An export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: Name,
    /// What it stands for.
    pub item: ExternIdx,
    /// Absolute offset of the index.
    pub offset: u32,
}

/// The start function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Its index.
    pub func: FuncIdx,
    /// Absolute offset of the index.
    pub offset: u32,
}

/// When a segment is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentMode<Target> {
    /// At instantiation, to an offset in a table or memory.
    Active {
        /// Where to.
        target: Target,
        /// Index of the first element or byte there.
        offset: ConstExpr,
    },
    /// By `table.init` or `memory.init`.
    Passive,
    /// Never: an element segment that declares function references.
    Declarative,
}

/// How the entries of an element segment are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementItems {
    /// Function indices in LEB128.
    Functions,
    /// Constant expressions.
    Expressions,
}

/// An element segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementSegment {
    /// When it is copied.
    pub mode: SegmentMode<TableIdx>,
    /// Type of the entries, a reference type.
    pub ty: ValType,
    /// How the entries are written.
    pub items: ElementItems,
    /// How many entries there are.
    pub count: u32,
    /// The bytes of the entries.
    pub span: Span,
    /// Absolute offset of the segment.
    pub offset: u32,
}

/// A data segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSegment {
    /// When it is copied.
    pub mode: SegmentMode<MemIdx>,
    /// Its bytes.
    pub span: Span,
    /// Absolute offset of the segment.
    pub offset: u32,
}

/// The body of a defined function: locals and instructions, without the size in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body(pub Span);

/// A decoded module. It owns its bytes; everything else refers to them.
///
/// Index spaces list imported items first, as the specification numbers them.
#[derive(Debug)]
pub struct Module {
    pub(crate) bytes: Vec<u8>,
    pub(crate) names: std::sync::OnceLock<Names>,
    /// The features that it was decoded with, which validation obeys too.
    pub features: Features,
    /// All sections in order.
    pub sections: Vec<Section>,
    /// Types in order.
    pub types: Vec<SubType>,
    /// Ends of the recursive groups: the index one past each group's last type.
    pub rec_group_ends: Vec<u32>,
    /// Imports in order.
    pub imports: Vec<Import>,
    /// All functions.
    pub funcs: Vec<Func>,
    /// How many of [`Module::funcs`] are imported.
    pub n_imported_funcs: u32,
    /// All tables.
    pub tables: Vec<Table>,
    /// How many of [`Module::tables`] are imported.
    pub n_imported_tables: u32,
    /// All memories.
    pub memories: Vec<Memory>,
    /// How many of [`Module::memories`] are imported.
    pub n_imported_memories: u32,
    /// All tags.
    pub tags: Vec<Tag>,
    /// How many of [`Module::tags`] are imported.
    pub n_imported_tags: u32,
    /// All globals.
    pub globals: Vec<Global>,
    /// How many of [`Module::globals`] are imported.
    pub n_imported_globals: u32,
    /// Exports in order.
    pub exports: Vec<Export>,
    /// The start function.
    pub start: Option<Start>,
    /// Element segments in order.
    pub elements: Vec<ElementSegment>,
    /// What the data count section says.
    pub data_count: Option<u32>,
    /// Bodies of the defined functions in order.
    pub bodies: Vec<Body>,
    /// Data segments in order.
    pub data: Vec<DataSegment>,
    /// Custom sections in order.
    pub customs: Vec<CustomSection>,
}

impl Module {
    /// Returns the bytes that the module was decoded from.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the text of a name of this module: untrusted, to be escaped wherever it is shown.
    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        core::str::from_utf8(name.0.of(&self.bytes)).unwrap_or_default()
    }

    /// Returns the type of a function; `None` if there is no such function, or its type is no function type.
    #[inline]
    #[must_use]
    pub fn func_type(&self, func: FuncIdx) -> Option<&FuncType> {
        self.types.get(self.funcs.get(func.index())?.ty.index())?.func()
    }

    /// Returns the body of a function; `None` for an imported one.
    #[must_use]
    pub fn body(&self, func: FuncIdx) -> Option<Body> {
        self.bodies.get(func.0.checked_sub(self.n_imported_funcs)? as usize).copied()
    }

    /// Returns the index of the defined function whose body is at `position` in [`Module::bodies`].
    #[must_use]
    pub fn defined_func(&self, position: usize) -> FuncIdx {
        FuncIdx(self.n_imported_funcs.saturating_add(u32::try_from(position).unwrap_or(u32::MAX)))
    }

    /// Returns the name section's names, decoded at the first call; empty without such a section.
    #[must_use]
    pub fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::of(self))
    }

    /// Returns a function's name in the name section: untrusted text.
    #[must_use]
    pub fn func_name(&self, func: FuncIdx) -> Option<&str> {
        self.names().func(func).map(|name| self.text(name))
    }

    /// Returns the export with that name.
    #[must_use]
    pub fn export(&self, name: &str) -> Option<&Export> {
        self.exports.iter().find(|export| self.text(export.name) == name)
    }

    /// Returns the data segment at an index.
    #[must_use]
    pub fn data_segment(&self, index: DataIdx) -> Option<&DataSegment> {
        self.data.get(index.index())
    }

    /// Returns the element segment at an index.
    #[must_use]
    pub fn element_segment(&self, index: ElemIdx) -> Option<&ElementSegment> {
        self.elements.get(index.index())
    }
}

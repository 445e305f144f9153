//! What `inspect` says, as plain data: the screen shows it, `--json` serialises it. The keys are a contract, which
//! `keys.txt` documents and a test compares with what is written.

mod customs;

use std::fmt;
use std::path::Path;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use wasmos_frontend::Module;
use wasmos_frontend::module::{self, ExternKind, ImportType, SegmentMode};
use wasmos_frontend::types::{
    AddressType, CompositeType, FuncIdx, GlobalType, MemoryType, SubType, TableType, ValType,
};

use crate::inspect::facts::Facts;
use crate::inspect::report::customs::{Customs, NameCounts, Warning};

/// The text of `wasmos help json`.
pub(crate) const KEYS: &str = include_str!("keys.txt");

/// The whole answer.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) schema_version: u32,
    pub(crate) file: String,
    pub(crate) size_bytes: usize,
    pub(crate) sha256: String,
    pub(crate) sections: Vec<Section>,
    pub(crate) types: Vec<Type<'a>>,
    pub(crate) imports: Vec<Import<'a>>,
    pub(crate) exports: Vec<Export<'a>>,
    pub(crate) functions: Vec<Function<'a>>,
    pub(crate) code: Code,
    pub(crate) tables: Vec<Table>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) globals: Vec<Global>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) start: Option<u32>,
    pub(crate) elements: Vec<Element>,
    pub(crate) data: Vec<Data>,
    pub(crate) features: Vec<&'static str>,
    #[serde(flatten)]
    pub(crate) customs: Customs<'a>,
    pub(crate) names: Option<NameCounts<'a>>,
    pub(crate) warnings: Vec<Warning>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: &Path, facts: &'a Facts) -> Self {
        let module = &facts.module;
        Self {
            schema_version: 1,
            file: file.to_string_lossy().into_owned(),
            size_bytes: module.bytes().len(),
            sha256: sha256(module.bytes()),
            sections: sections(module),
            types: types(module),
            imports: imports(module),
            exports: exports(module),
            functions: functions(module),
            code: Code::new(facts),
            tables: tables(module),
            memories: memories(module),
            globals: globals(module),
            tags: tags(module),
            start: module.start.map(|start| start.func.0),
            elements: elements(module),
            data: data(module),
            features: facts.features_beyond_mvp().map(wasmos_frontend::Feature::name).collect(),
            customs: Customs::new(module),
            names: NameCounts::new(module),
            warnings: customs::warnings(module),
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Serialize)]
pub(crate) struct Section {
    pub(crate) id: u8,
    pub(crate) name: &'static str,
    pub(crate) offset: u32,
    pub(crate) content_offset: u32,
    pub(crate) content_bytes: u32,
}

fn sections(module: &Module) -> Vec<Section> {
    let sections = module.sections.iter().map(|section| Section {
        id: section.id as u8,
        name: section.id.name(),
        offset: section.offset,
        content_offset: section.content.start,
        content_bytes: section.content.len_bytes(),
    });
    sections.collect()
}

#[derive(Serialize)]
pub(crate) struct Type<'a> {
    pub(crate) index: usize,
    pub(crate) group: usize,
    pub(crate) kind: &'static str,
    pub(crate) r#final: bool,
    pub(crate) supertype: Option<u32>,
    pub(crate) text: TypeText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) params: Option<TypeList<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) results: Option<TypeList<'a>>,
}

/// A type that becomes text when it is shown: a million imports of one long type would not fit in memory as texts.
#[derive(Clone, Copy)]
pub(crate) enum TypeText<'a> {
    Composite(&'a CompositeType),
    /// A long one, which the list of types shows once.
    Index(u32),
    Table(&'a TableType),
    Memory(&'a MemoryType),
    Global(&'a GlobalType),
}

impl fmt::Display for TypeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Composite(ty) => ty.fmt(f),
            Self::Index(index) => write!(f, "(type {index})"),
            Self::Table(ty) => ty.fmt(f),
            Self::Memory(ty) => ty.fmt(f),
            Self::Global(ty) => ty.fmt(f),
        }
    }
}

impl Serialize for TypeText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Types that become texts when they are shown.
#[derive(Clone, Copy)]
pub(crate) struct TypeList<'a>(&'a [ValType]);

impl Serialize for TypeList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

fn types(module: &Module) -> Vec<Type<'_>> {
    let one = |(index, ty)| type_at(module, index, ty);
    module.types.iter().enumerate().map(one).collect()
}

fn type_at<'a>(module: &Module, index: usize, ty: &'a SubType) -> Type<'a> {
    Type {
        index,
        group: module.rec_group_ends.partition_point(|end| *end as usize <= index),
        kind: match &ty.composite {
            CompositeType::Func(_) => "func",
            CompositeType::Struct(_) => "struct",
            CompositeType::Array(_) => "array",
        },
        r#final: ty.is_final,
        supertype: ty.supertype.map(|index| index.0),
        text: TypeText::Composite(&ty.composite),
        params: ty.func().map(|ty| TypeList(ty.params())),
        results: ty.func().map(|ty| TypeList(ty.results())),
    }
}

#[derive(Serialize)]
pub(crate) struct Import<'a> {
    pub(crate) module: &'a str,
    pub(crate) name: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) index: u32,
    /// `None` if the index of the type is out of range.
    pub(crate) r#type: Option<TypeText<'a>>,
    pub(crate) type_index: Option<u32>,
}

fn imports(module: &Module) -> Vec<Import<'_>> {
    indexed_imports(module)
        .map(|(index, import)| Import {
            module: module.text(import.module),
            name: module.text(import.name),
            kind: import.ty.kind().noun(),
            index,
            r#type: import_type(module, &import.ty),
            type_index: match import.ty {
                ImportType::Func(ty) | ImportType::Tag(ty) => Some(ty.0),
                _ => None,
            },
        })
        .collect()
}

const _: () = assert!(ExternKind::Tag as usize == 4, "the last of five index spaces");

/// Yields the imports, each with its index in its index space.
fn indexed_imports(module: &Module) -> impl Iterator<Item = (u32, &module::Import)> {
    let mut next = [0_u32; 5];
    module.imports.iter().map(move |import| {
        let next = &mut next[import.ty.kind() as usize];
        *next += 1;
        (*next - 1, import)
    })
}

/// How many parameters and results an import's type is written out with.
const WRITTEN_OUT: usize = 32;

/// Returns the type of an import; `None` if its index is out of range.
fn import_type<'a>(module: &'a Module, ty: &'a ImportType) -> Option<TypeText<'a>> {
    Some(match ty {
        ImportType::Func(index) | ImportType::Tag(index) => {
            let ty = module.types.get(index.index())?;
            let n_types = ty.func().map_or(0, |func| func.params().len() + func.results().len());
            if n_types > WRITTEN_OUT { TypeText::Index(index.0) } else { TypeText::Composite(&ty.composite) }
        }
        ImportType::Table(ty) => TypeText::Table(ty),
        ImportType::Memory(ty) => TypeText::Memory(ty),
        ImportType::Global(ty) => TypeText::Global(ty),
    })
}

#[derive(Serialize)]
pub(crate) struct Export<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) index: u32,
}

fn exports(module: &Module) -> Vec<Export<'_>> {
    let exports = module.exports.iter().map(|export| Export {
        name: module.text(export.name),
        kind: export.item.kind().noun(),
        index: export.item.index(),
    });
    exports.collect()
}

#[derive(Serialize)]
pub(crate) struct Function<'a> {
    pub(crate) index: u32,
    pub(crate) name: Option<&'a str>,
    pub(crate) type_index: Option<u32>,
    pub(crate) offset: u32,
    pub(crate) body_bytes: u32,
}

fn functions(module: &Module) -> Vec<Function<'_>> {
    let one = |(position, body): (usize, &module::Body)| {
        let index = module.defined_func(position);
        Function {
            index: index.0,
            name: module.func_name(index),
            type_index: module.funcs.get(index.index()).map(|func| func.ty.0),
            offset: body.0.start,
            body_bytes: body.0.len_bytes(),
        }
    };
    module.bodies.iter().enumerate().map(one).collect()
}

#[derive(Serialize)]
pub(crate) struct Code {
    pub(crate) functions: usize,
    pub(crate) imported_functions: u32,
    pub(crate) body_bytes: u64,
    pub(crate) instructions: u64,
    pub(crate) max_depth: u32,
    pub(crate) biggest_body: Option<BiggestBody>,
    pub(crate) unreadable_bodies: u32,
    pub(crate) first_unreadable: Option<Unreadable>,
}

#[derive(Serialize)]
pub(crate) struct Unreadable {
    pub(crate) function: u32,
    pub(crate) offset: u32,
    pub(crate) message: String,
}

#[derive(Serialize)]
pub(crate) struct BiggestBody {
    pub(crate) function: u32,
    pub(crate) body_bytes: u32,
}

impl Code {
    fn new(facts: &Facts) -> Self {
        let biggest = |(FuncIdx(function), body_bytes)| BiggestBody { function, body_bytes };
        Self {
            functions: facts.module.bodies.len(),
            imported_functions: facts.module.n_imported_funcs,
            body_bytes: facts.body_bytes(),
            instructions: facts.instructions,
            max_depth: facts.max_depth,
            biggest_body: facts.biggest_body.map(biggest),
            unreadable_bodies: facts.n_unreadable,
            first_unreadable: facts.unreadable.as_ref().map(|(FuncIdx(function), error)| Unreadable {
                function: *function,
                offset: error.offset,
                message: error.kind.to_string(),
            }),
        }
    }
}

const fn address(ty: AddressType) -> &'static str {
    match ty {
        AddressType::I32 => "i32",
        AddressType::I64 => "i64",
    }
}

#[derive(Serialize)]
pub(crate) struct Table {
    pub(crate) index: usize,
    pub(crate) imported: bool,
    pub(crate) r#type: String,
    pub(crate) address: &'static str,
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
    pub(crate) element: String,
}

fn tables(module: &Module) -> Vec<Table> {
    let one = |(index, table): (usize, &module::Table)| Table {
        index,
        imported: index < module.n_imported_tables as usize,
        r#type: table.ty.to_string(),
        address: address(table.ty.address),
        min: table.ty.limits.min,
        max: table.ty.limits.max,
        element: table.ty.element.to_string(),
    };
    module.tables.iter().enumerate().map(one).collect()
}

#[derive(Serialize)]
pub(crate) struct Memory {
    pub(crate) index: usize,
    pub(crate) imported: bool,
    pub(crate) r#type: String,
    pub(crate) address: &'static str,
    pub(crate) min_pages: u64,
    pub(crate) max_pages: Option<u64>,
    pub(crate) shared: bool,
    /// `None` for a page size that no memory can have.
    pub(crate) page_bytes: Option<u64>,
}

fn memories(module: &Module) -> Vec<Memory> {
    let one = |(index, memory): (usize, &module::Memory)| Memory {
        index,
        imported: index < module.n_imported_memories as usize,
        r#type: memory.ty.to_string(),
        address: address(memory.ty.address),
        min_pages: memory.ty.limits.min,
        max_pages: memory.ty.limits.max,
        shared: memory.ty.shared,
        page_bytes: 1_u64.checked_shl(memory.ty.page_size_log2),
    };
    module.memories.iter().enumerate().map(one).collect()
}

#[derive(Serialize)]
pub(crate) struct Global {
    pub(crate) index: usize,
    pub(crate) imported: bool,
    pub(crate) r#type: String,
    pub(crate) mutable: bool,
}

fn globals(module: &Module) -> Vec<Global> {
    let one = |(index, global): (usize, &module::Global)| Global {
        index,
        imported: global.init.is_none(),
        r#type: global.ty.value.to_string(),
        mutable: global.ty.mutable,
    };
    module.globals.iter().enumerate().map(one).collect()
}

#[derive(Serialize)]
pub(crate) struct Tag {
    pub(crate) index: usize,
    pub(crate) imported: bool,
    pub(crate) type_index: u32,
}

fn tags(module: &Module) -> Vec<Tag> {
    let one = |(index, tag): (usize, &module::Tag)| Tag {
        index,
        imported: index < module.n_imported_tags as usize,
        type_index: tag.ty.0,
    };
    module.tags.iter().enumerate().map(one).collect()
}

#[derive(Serialize)]
pub(crate) struct Element {
    pub(crate) index: usize,
    pub(crate) mode: &'static str,
    pub(crate) table: Option<u32>,
    pub(crate) r#type: String,
    pub(crate) count: u32,
    pub(crate) offset: u32,
    pub(crate) entries_bytes: u32,
}

fn elements(module: &Module) -> Vec<Element> {
    let one = |(index, segment): (usize, &module::ElementSegment)| Element {
        index,
        mode: mode(&segment.mode),
        table: target(&segment.mode).map(|table| table.0),
        r#type: segment.ty.to_string(),
        count: segment.count,
        offset: segment.offset,
        entries_bytes: segment.span.len_bytes(),
    };
    module.elements.iter().enumerate().map(one).collect()
}

const fn mode<Target>(mode: &SegmentMode<Target>) -> &'static str {
    match mode {
        SegmentMode::Active { .. } => "active",
        SegmentMode::Passive => "passive",
        SegmentMode::Declarative => "declarative",
    }
}

const fn target<Target: Copy>(mode: &SegmentMode<Target>) -> Option<Target> {
    match mode {
        SegmentMode::Active { target, .. } => Some(*target),
        _ => None,
    }
}

#[derive(Serialize)]
pub(crate) struct Data {
    pub(crate) index: usize,
    pub(crate) mode: &'static str,
    pub(crate) memory: Option<u32>,
    pub(crate) offset: u32,
    pub(crate) bytes: u32,
}

fn data(module: &Module) -> Vec<Data> {
    let one = |(index, segment): (usize, &module::DataSegment)| Data {
        index,
        mode: mode(&segment.mode),
        memory: target(&segment.mode).map(|memory| memory.0),
        offset: segment.offset,
        bytes: segment.span.len_bytes(),
    };
    module.data.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Each key that is written is documented, and each key that is documented is written.
    #[test]
    fn the_keys_are_those_that_the_help_lists() {
        let text = r#"(module $m (type (struct)) (import "a" "b" (func)) (table 1 funcref) (memory 1)
            (global i32 (i32.const 0)) (tag) (func $f (export "e")) (start 0) (elem func) (data "")
            (@custom "producers" "\01\03sdk\01\01a\01b") (@custom "target_features" "\01+\01x")
            (@custom "dylink.0" "\01\04\01\02\03\04\02\03\01\01a") (@custom "sourceMappingURL" "\01u")
            (@custom "metadata.code.branch_hint" "\00") (@custom "dylink.0" "\ff\ff\ff"))"#;
        let facts = Facts::of(crate::input::assemble(text).expect("the text is well-formed"));
        let mut facts = facts.expect("the module is well-formed");
        let error = wasmos_frontend::decode(Vec::new()).expect_err("nothing is no module");
        facts.unreadable = Some((FuncIdx(0), error));
        let report = serde_json::to_value(Report::new(Path::new("x"), &facts)).expect("it is JSON");
        let mut keys = Vec::new();
        add_keys(&report, &mut keys);
        for key in &keys {
            assert!(words(KEYS).any(|word| word == key), "`{key}` is not documented");
        }
        let documented = KEYS.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        for key in documented.filter(|key| !key.is_empty()) {
            assert!(keys.iter().any(|written| written == key), "`{key}` is not written");
        }
    }

    fn words(text: &str) -> impl Iterator<Item = &str> {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
    }

    fn add_keys(value: &Value, keys: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                keys.push(key.clone());
                add_keys(value, keys);
            }),
            Value::Array(items) => items.iter().for_each(|item| add_keys(item, keys)),
            _ => {}
        }
    }
}

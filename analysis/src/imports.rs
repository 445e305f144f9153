//! The audit of imports: what each lets the guest do, and whether code that can run asks for it.

use std::collections::HashMap;
use std::sync::LazyLock;

use wasmos_abi::Capability;
use wasmos_abi::imports::{KnownImport, Type, known};
use wasmos_abi::platforms::{self, Class, Judged};
use wasmos_frontend::ValidModule;
use wasmos_frontend::module::{ExternKind, Import, ImportType};
use wasmos_frontend::types::{FuncIdx, FuncType, ValType};

use crate::callgraph::CallGraph;
use crate::functions::{Arg, Call, FuncFacts, Target};

/// How an import came by its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A run can link it: name and type are those of a row of `abi::imports`.
    Linked,
    /// A platform's table has its name.
    Platform,
    /// A word in its name.
    Guess,
    /// Nothing.
    None,
}

/// An import, judged by name and type.
#[derive(Clone, Debug)]
pub struct ImportFacts {
    /// Position in the module's imports.
    pub position: usize,
    /// The module that is asked: untrusted text.
    pub module: String,
    /// The name there: untrusted text.
    pub name: String,
    /// What it is.
    pub kind: ExternKind,
    /// Its type, as text.
    pub ty: String,
    /// What it allows.
    pub class: Class,
    /// How that is known.
    pub source: Source,
    /// The platform that has it.
    pub platform: Option<&'static str>,
    /// What a run must grant for it; `None` if a run does not link it.
    pub capability: Option<Capability>,
    /// What it takes besides, as it may be called: who opens a file may open it for writing.
    pub also: Option<Capability>,
    /// The function, if it is one.
    pub func: Option<FuncIdx>,
    /// Whether code that can run calls it, or the host can be handed it. Other things than functions always are.
    pub reachable: bool,
    /// Absolute offset.
    pub offset: u32,
}

/// What the imports are together.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Each import, in order.
    pub imports: Vec<ImportFacts>,
    /// Whether names are too short to say anything.
    pub is_minified: bool,
    /// By function: its import.
    by_func: Vec<usize>,
}

/// Characters of a name that are kept.
const NAME: usize = 512;

/// By module and name: the rows of `abi::imports`.
static KNOWN: LazyLock<HashMap<(&str, &str), KnownImport>> =
    LazyLock::new(|| known().map(|it| ((it.module, it.name), it)).collect());

impl Audit {
    /// Judges every import; `functions` are the bodies' facts.
    #[must_use]
    pub fn of(module: &ValidModule, graph: &CallGraph, functions: &[FuncFacts]) -> Self {
        let mut audit = Self::default();
        for (position, import) in module.imports.iter().enumerate() {
            let func = match import.ty {
                ImportType::Func(_) => {
                    audit.by_func.push(position);
                    Some(FuncIdx(u32::try_from(audit.by_func.len() - 1).unwrap_or(u32::MAX)))
                }
                _ => None,
            };
            let mut import = facts(module, graph, position, import, func);
            if import.name == "path_open" && import.capability.is_some() && import.reachable {
                import.note_writing(graph, functions);
            }
            audit.imports.push(import);
        }
        audit.is_minified = is_minified(&audit.imports);
        audit
    }

    /// Returns the import that a function is.
    #[must_use]
    pub fn of_func(&self, func: FuncIdx) -> Option<&ImportFacts> {
        self.imports.get(*self.by_func.get(func.index())?)
    }

    /// Yields the imports of a class that code can reach.
    pub fn reachable(&self, class: Class) -> impl Iterator<Item = &ImportFacts> {
        self.imports.iter().filter(move |import| import.reachable && import.class == class)
    }
}

impl ImportFacts {
    /// `path_open` reads, unless some call of it may create, cut or write: rights and flags say so. Source: the witx document
    /// `wasi_snapshot_preview1`.
    fn note_writing(&mut self, graph: &CallGraph, functions: &[FuncFacts]) {
        const CREATE_OR_CUT: u64 = 1 | 1 << 3;
        const FD_WRITE: u64 = 1 << 6;
        let Some(func) = self.func else { return };
        let calls = functions.iter().flat_map(|body| &body.calls);
        let mut calls = calls.filter(|call| call.target == Target::Func(func));
        let reads = |call: &Call| match *call.args {
            [Arg::Constant(flags), Arg::Constant(rights), ..] => {
                flags & CREATE_OR_CUT == 0 && rights & FD_WRITE == 0
            }
            _ => false,
        };
        if !graph.is_called_directly_only(func) || !calls.all(reads) {
            (self.also, self.class) = (Some(Capability::FsWrite), Class::FileWrite);
        }
    }
}

/// More than ten imports, and four characters of a name on average: the definition of the study that counted them.
fn is_minified(imports: &[ImportFacts]) -> bool {
    let n_chars: usize = imports.iter().map(|import| import.name.chars().count()).sum();
    imports.len() > 10 && n_chars <= imports.len() * 4
}

fn facts(
    module: &ValidModule,
    graph: &CallGraph,
    position: usize,
    import: &Import,
    func: Option<FuncIdx>,
) -> ImportFacts {
    let (asked, name) = (module.text(import.module), module.text(import.name));
    let row = KNOWN.get(&(asked, name)).filter(|_| func.is_some());
    let linked = row.filter(|row| func.is_some_and(|func| has_type(module, func, row)));
    // WASI by another type is WASI as a toolchain rewrote it: no run links it, and it is what its name says.
    let rewritten = row.filter(|_| asked.starts_with("wasi_"));
    let rewritten = rewritten
        .map(|row| Judged { platform: platform_of(asked), class: platforms::class_of(row.capability) });
    let judged = rewritten.or_else(|| platforms::judge(asked, name));
    let (class, source, platform) = match (linked, judged) {
        (Some(row), _) => (platforms::class_of(row.capability), Source::Linked, Some(platform_of(asked))),
        (None, Some(judged)) => (judged.class, Source::Platform, Some(judged.platform)),
        (None, None) if func.is_none() => (Class::Memory, Source::None, None),
        (None, None) => match platforms::guess(name) {
            Some(class) => (class, Source::Guess, None),
            None => (Class::Unknown, Source::None, None),
        },
    };
    ImportFacts {
        position,
        module: asked.chars().take(NAME).collect(),
        name: name.chars().take(NAME).collect(),
        kind: import.ty.kind(),
        ty: type_text(module, import),
        class,
        source,
        platform,
        capability: linked.map(|row| row.capability),
        also: None,
        func,
        reachable: func.is_none_or(|func| graph.is_reachable(func)),
        offset: import.offset,
    }
}

fn platform_of(module: &str) -> &'static str {
    if module.starts_with("wasi_") { "WASI preview 1" } else { "wasmos" }
}

fn has_type(module: &ValidModule, func: FuncIdx, row: &KnownImport) -> bool {
    let val = |ty: &Type| match ty {
        Type::I32 => ValType::I32,
        Type::I64 => ValType::I64,
        Type::F32 => ValType::F32,
        Type::F64 => ValType::F64,
    };
    let is = |types: &[ValType], row: &[Type]| types.iter().copied().eq(row.iter().map(val));
    module.func_type(func).is_some_and(|ty| is(ty.params(), row.params) && is(ty.results(), row.results))
}

/// Types that are written out in full.
const TYPE_LEN: usize = 64;

fn type_text(module: &ValidModule, import: &Import) -> String {
    match import.ty {
        ImportType::Func(ty) | ImportType::Tag(ty) => {
            let func = module.types.get(ty.index()).and_then(|ty| ty.func());
            func.map_or_else(String::new, func_text)
        }
        ImportType::Memory(ty) => format!("(memory {ty})"),
        ImportType::Table(ty) => format!("(table {} {})", ty.limits, ty.element),
        ImportType::Global(ty) => {
            let mutable = if ty.mutable { "mut " } else { "" };
            format!("(global {mutable}{})", ty.value)
        }
    }
}

fn func_text(ty: &FuncType) -> String {
    if ty.params().len() + ty.results().len() > TYPE_LEN {
        return format!("(func with {} parameters and {} results)", ty.params().len(), ty.results().len());
    }
    ty.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::functions;
    use crate::tables::Tables;
    use crate::testing::module;

    fn audit(text: &str) -> Vec<(String, Class, Source, bool)> {
        let module = module(text);
        let functions = functions(&module);
        let graph = CallGraph::build(&module, &functions, &Tables::find(&module, &functions));
        let audit = Audit::of(&module, &graph, &functions);
        audit.imports.into_iter().map(|it| (it.name, it.class, it.source, it.reachable)).collect()
    }

    #[test]
    fn declared_is_not_used() {
        let found = audit(
            r#"(module (import "env" "emscripten_run_script" (func $eval (param i32)))
                 (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                 (func (export "f") (call $exit (i32.const 0)))
                 (func $dead (call $eval (i32.const 0))))"#,
        );
        assert_eq!(
            found,
            [
                ("emscripten_run_script".into(), Class::Eval, Source::Platform, false),
                ("proc_exit".into(), Class::Exit, Source::Linked, true),
            ]
        );
    }

    #[test]
    fn who_opens_a_file_may_write_unless_the_call_says_otherwise() {
        let found = |flags: &str, rights: &str| {
            let module = module(&format!(
                r#"(module (import "wasi_snapshot_preview1" "path_open"
                     (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
                     (func (export "f") (param i64) (result i32)
                       (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4)
                         (i32.const {flags}) ({rights}) (i64.const 0) (i32.const 0) (i32.const 8))))"#
            ));
            let functions = functions(&module);
            let graph = CallGraph::build(&module, &functions, &Tables::find(&module, &functions));
            Audit::of(&module, &graph, &functions).imports[0].also
        };
        assert_eq!(found("2", "i64.const 2"), None);
        assert_eq!(found("1", "i64.const 2"), Some(Capability::FsWrite));
        assert_eq!(found("0", "i64.const 66"), Some(Capability::FsWrite));
        assert_eq!(found("0", "local.get 0"), Some(Capability::FsWrite));
    }

    #[test]
    fn a_name_with_another_type_is_not_what_a_run_links() {
        let found = audit(
            r#"(module (import "env" "log" (func (param i32 i32))) (import "env" "log" (func (param f64))))"#,
        );
        assert_eq!(found[0].2, Source::Linked);
        assert_eq!((found[1].1, found[1].2), (Class::Unknown, Source::None));
    }
}

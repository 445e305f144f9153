//! What tables hold, as far as the module alone decides it, and who else can change it.

use std::collections::BTreeSet;

use wasmos_frontend::ValidModule;
use wasmos_frontend::code::ElementEntry;
use wasmos_frontend::module::{ConstExpr, ElementSegment, ExternIdx, SegmentMode};
use wasmos_frontend::opcode::Instr;
use wasmos_frontend::types::{FuncIdx, GlobalIdx, TableIdx};

use crate::functions::{FuncFacts, TableUse};

/// Entries of tables whose place is followed: beyond them a table is known by its functions alone.
const ENTRIES: u64 = 1 << 20;

/// What is known of a table.
#[derive(Clone, Debug, Default)]
pub struct TableFacts {
    /// Whether it is imported.
    pub imported: bool,
    /// Whether it is exported.
    pub exported: bool,
    /// Whether the module writes it; its offset says where first.
    pub written_at: Option<u32>,
    /// Its entries by index, if nobody but active segments with known offsets sets them.
    pub entries: Option<Vec<Option<FuncIdx>>>,
    /// The functions that the module's active segments and its own value put there, without repetition.
    pub funcs: Vec<FuncIdx>,
}

impl TableFacts {
    /// Returns whether the host can reach the table and change it.
    #[must_use]
    pub const fn is_host_visible(&self) -> bool {
        self.imported || self.exported
    }

    /// Returns whether only the active segments decide what it holds.
    #[must_use]
    pub const fn is_fixed(&self) -> bool {
        !self.is_host_visible() && self.written_at.is_none()
    }
}

/// What is known of all tables.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// By index.
    pub tables: Vec<TableFacts>,
    /// By element segment: the functions in it.
    pub segments: Vec<Vec<FuncIdx>>,
    /// Functions that something may refer to at run time: by a segment, a global, or code. Without repetition.
    pub address_taken: Vec<FuncIdx>,
    /// Functions that the value of a global refers to.
    pub in_globals: Vec<FuncIdx>,
}

impl Tables {
    /// Finds what tables hold.
    #[must_use]
    pub fn find(module: &ValidModule, functions: &[FuncFacts]) -> Self {
        let mut tables: Vec<TableFacts> = (0..module.tables.len()).map(|at| initial(module, at)).collect();
        for export in &module.exports {
            if let ExternIdx::Table(table) = export.item
                && let Some(table) = tables.get_mut(table.index())
            {
                table.exported = true;
            }
        }
        note_uses(&mut tables, functions);
        let segments: Vec<Vec<FuncIdx>> =
            module.elements.iter().map(|segment| funcs_of(module, segment)).collect();
        for segment in &module.elements {
            place(module, &mut tables, segment);
        }
        for table in &mut tables {
            table.funcs.sort_unstable();
            table.funcs.dedup();
            if !table.is_fixed() {
                table.entries = None;
            }
        }
        let in_globals: Vec<FuncIdx> = module
            .globals
            .iter()
            .filter_map(|global| global.init)
            .flat_map(|init| refs_in(module, init))
            .collect();
        let mut taken: BTreeSet<FuncIdx> = segments.iter().flatten().copied().collect();
        taken.extend(&in_globals);
        taken.extend(tables.iter().flat_map(|table| &table.funcs));
        taken.extend(functions.iter().flat_map(|func| &func.refs));
        Self { tables, segments, address_taken: taken.into_iter().collect(), in_globals }
    }
}

fn initial(module: &ValidModule, at: usize) -> TableFacts {
    let table = &module.tables[at];
    let mut facts = TableFacts { imported: at < module.n_imported_tables as usize, ..TableFacts::default() };
    facts.funcs = table.init.map(|init| refs_in(module, init)).unwrap_or_default();
    // Entries with a value of their own are all alike, and not followed by index.
    if facts.funcs.is_empty() {
        facts.entries = Some(Vec::new());
    }
    facts
}

fn note_uses(tables: &mut [TableFacts], functions: &[FuncFacts]) {
    for func in functions {
        // A body that was not looked at may write any table.
        if func.is_skipped {
            tables.iter_mut().for_each(|table| table.written_at = table.written_at.or(Some(0)));
        }
        for (at, used) in &func.tables {
            if let TableUse::Write(table) = used
                && let Some(table) = tables.get_mut(table.index())
            {
                table.written_at = table.written_at.or(Some(*at));
            }
        }
    }
}

fn funcs_of(module: &ValidModule, segment: &ElementSegment) -> Vec<FuncIdx> {
    let entries = module.element_entries(segment);
    let mut funcs: Vec<FuncIdx> = entries
        .flat_map(|entry| match entry {
            ElementEntry::Func(func) => vec![func],
            ElementEntry::Expr(expr) => refs_in(module, expr),
        })
        .collect();
    funcs.sort_unstable();
    funcs.dedup();
    funcs
}

/// Puts an active segment into its table.
fn place(module: &ValidModule, tables: &mut [TableFacts], segment: &ElementSegment) {
    let SegmentMode::Active { target, offset } = segment.mode else { return };
    let TableIdx(target) = target;
    let Some(table) = tables.get_mut(target as usize) else { return };
    let start = constant(module, offset);
    let end =
        start.and_then(|start| start.checked_add(u64::from(segment.count))).filter(|end| *end <= ENTRIES);
    let place = start
        .zip(end)
        .and_then(|(start, end)| Some((usize::try_from(start).ok()?, usize::try_from(end).ok()?)));
    match (&mut table.entries, place) {
        (Some(entries), Some((_, end))) => entries.resize(entries.len().max(end), None),
        (entries, _) => *entries = None,
    }
    for (at, entry) in module.element_entries(segment).enumerate() {
        let func = match entry {
            ElementEntry::Func(func) => Some(func),
            ElementEntry::Expr(expr) => {
                let refs = refs_in(module, expr);
                // A `global.get` is an entry that is not followed.
                if refs.is_empty() && !is_null(module, expr) {
                    table.entries = None;
                }
                refs.first().copied()
            }
        };
        table.funcs.extend(func);
        if let (Some(entries), Some((start, _))) = (&mut table.entries, place)
            && let Some(slot) = entries.get_mut(start + at)
        {
            *slot = func;
        }
    }
}

fn refs_in(module: &ValidModule, expr: ConstExpr) -> Vec<FuncIdx> {
    let refs = module.const_expr(expr).filter_map(|(_, instr)| match instr {
        Instr::RefFunc(func) => Some(func),
        _ => None,
    });
    refs.collect()
}

fn is_null(module: &ValidModule, expr: ConstExpr) -> bool {
    matches!(module.const_expr(expr).next(), Some((_, Instr::RefNull(_))))
}

/// Evaluates a constant expression of integers; `None` where the host decides.
#[must_use]
pub fn constant(module: &ValidModule, expr: ConstExpr) -> Option<u64> {
    // A global's value may name an earlier global; the chain is as long as the module makes it.
    let mut expr = expr;
    for _ in 0..64 {
        match constant_or_global(module, expr)? {
            Evaluated::Value(value) => return Some(value),
            Evaluated::Global(global) => {
                expr = module.globals.get(global.index()).filter(|global| !global.ty.mutable)?.init?;
            }
        }
    }
    None
}

enum Evaluated {
    Value(u64),
    Global(GlobalIdx),
}

fn constant_or_global(module: &ValidModule, expr: ConstExpr) -> Option<Evaluated> {
    let mut stack: Vec<u64> = Vec::new();
    for (_, instr) in module.const_expr(expr) {
        match instr {
            Instr::I32Const(value) => stack.push(u64::from(value as u32)),
            Instr::I64Const(value) => stack.push(value as u64),
            // Alone it can be followed; within arithmetic it is left.
            Instr::GlobalGet(global) if stack.is_empty() => {
                let alone = module.const_expr(expr).count() == 2;
                return alone.then_some(Evaluated::Global(global));
            }
            Instr::End => return stack.pop().filter(|_| stack.is_empty()).map(Evaluated::Value),
            Instr::I32Add | Instr::I32Sub | Instr::I32Mul | Instr::I64Add | Instr::I64Sub | Instr::I64Mul => {
                let (b, a) = (stack.pop()?, stack.pop()?);
                stack.push(crate::fold::binary(instr.op(), a, b)?);
            }
            _ => return None,
        }
    }
    None
}

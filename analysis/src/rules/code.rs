//! C: code that hides what it does, or that others can change.

use std::collections::HashMap;

use wasmos_frontend::types::{FuncIdx, HeapType, ValType};

use crate::callgraph::Reason;
use crate::facts::Facts;
use crate::finding::{Confidence, Grade, Place};
use crate::functions::Target;
use crate::policy::Policy;
use crate::rules::Found;
use crate::shapes::ShapeKind;

/// A table of functions: not one of the embedder's own objects.
fn holds_functions(element: ValType) -> bool {
    let heap = element.as_ref_type().map(|ty| ty.heap);
    matches!(heap, Some(HeapType::Func | HeapType::NoFunc | HeapType::Concrete(_)))
}

fn written(facts: &Facts<'_>) -> impl Iterator<Item = (u32, u32)> {
    let tables = facts.module.tables.iter().zip(&facts.tables.tables).enumerate();
    tables.filter_map(|(at, (table, known))| {
        let offset = known.written_at.filter(|_| holds_functions(table.ty.element))?;
        Some((u32::try_from(at).unwrap_or(u32::MAX), offset))
    })
}

pub(super) fn host_table(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let n_calls = facts.graph.indirect.iter().filter(|call| call.reason == Reason::HostMutable).count();
    if n_calls == 0 {
        return;
    }
    let is_written = written(facts).next().is_some();
    let grade = if is_written { Grade::Warning } else { Grade::Info };
    let message = if is_written {
        "the host and the module can both change a table that the module calls through"
    } else {
        "the host can change a table that the module calls through"
    };
    let evidence = vec![format!("{n_calls} indirect calls")];
    found.add(grade, Confidence::High, Place::MODULE, message, evidence);
}

/// Compilers make such calls direct; the most that was seen in published modules is 16 of 718.
pub(super) fn constant_indices(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let (mut n, mut n_constant, mut first) = (0_usize, 0_usize, None);
    for (func, call) in facts.calls() {
        if let Target::Table { is_literal, .. } = &call.target {
            n += 1;
            if *is_literal && !is_trampoline(facts, func) {
                n_constant += 1;
                first = first.or(Some((func, call.at)));
            }
        }
    }
    if let Some((func, at)) = first.filter(|_| n_constant >= 20 && n_constant * 4 >= n) {
        let message = format!("{n_constant} of {n} indirect calls have a constant index");
        found.add(Grade::Warning, Confidence::High, Place::in_func(func, at), message, Vec::new());
    }
}

/// An entry that does nothing but call: so components are linked.
fn is_trampoline(facts: &Facts<'_>, func: FuncIdx) -> bool {
    let position = func.0.checked_sub(facts.module.n_imported_funcs);
    let body = position.and_then(|position| facts.functions.get(position as usize));
    let n_params = facts.module.func_type(func).map_or(0, |ty| ty.params().len() as u64);
    let is_short = body.is_some_and(|body| body.contents.mix.total <= n_params + 3);
    is_short && facts.graph.roots.binary_search(&func).is_ok()
}

pub(super) fn table_writes(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (table, offset) in written(facts) {
        let message = format!("table {table} is written while the module runs");
        found.add(Grade::Warning, Confidence::High, Place::at(offset), message, Vec::new());
    }
}

pub(super) fn classes(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    // Calls through one class share its targets, which are counted once.
    let mut sizes = HashMap::new();
    for call in &facts.graph.indirect {
        sizes.entry(call.vertex()).or_insert_with(|| facts.graph.n_targets(call));
    }
    let calls = facts.graph.indirect.iter().map(|call| (sizes[&call.vertex()], call));
    let most = calls.max_by_key(|(n, call)| (*n, u32::MAX - call.at));
    if let Some((n, call)) = most.filter(|(n, _)| *n > 1) {
        let message =
            format!("{} indirect calls; the widest reaches {n} functions", facts.graph.indirect.len());
        found.add(Grade::Info, Confidence::High, Place::in_func(call.caller, call.at), message, Vec::new());
    }
}

pub(super) fn interpreter(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (func, shape) in facts.shapes() {
        if let ShapeKind::Dispatch { n_labels } = shape.kind {
            let message = format!("a loop goes one of {n_labels} ways by a byte of memory");
            found.add(Grade::Info, Confidence::Medium, Place::in_func(func, shape.at), message, Vec::new());
        }
    }
}

/// Parsers by state machine have the shape too, one or two in a module; an obfuscator leaves it everywhere.
pub(super) fn flattened(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    const LARGE: u32 = 6;
    let is_it = |kind: &ShapeKind| matches!(kind, ShapeKind::Flattened { .. });
    let n = facts.shapes().filter(|(_, shape)| is_it(&shape.kind)).count();
    let n_large = facts.reachable().filter(|(_, body)| body.n_blocks >= LARGE).count();
    let grade = if n * 5 >= n_large { Grade::Warning } else { Grade::Info };
    for (func, shape) in facts.shapes() {
        if let ShapeKind::Flattened { n_targets, n_constants } = shape.kind {
            let message =
                format!("{n_targets} blocks are ordered by a local that is assigned {n_constants} constants");
            found.add(grade, Confidence::Medium, Place::in_func(func, shape.at), message, Vec::new());
        }
    }
}

pub(super) fn opaque(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    const MANY: usize = 8;
    for (func, body) in facts.reachable() {
        let mut constant = body.shapes.iter().filter(|shape| shape.kind == ShapeKind::ConstantCondition);
        let first = constant.next();
        let n = constant.count() + 1;
        if let Some(first) = first.filter(|_| n >= MANY) {
            let message = format!("{n} conditions are always the same");
            found.add(Grade::Warning, Confidence::High, Place::in_func(func, first.at), message, Vec::new());
        }
    }
}

pub(super) fn dead(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let dead = facts.functions.iter().enumerate().filter_map(|(at, body)| {
        let func = facts.module.defined_func(at);
        (!facts.graph.is_reachable(func)).then_some((func, body))
    });
    let dead: Vec<_> = dead.collect();
    if let Some((first, _)) = dead.first() {
        let share = dead.len() * 100 / facts.functions.len().max(1);
        let message = format!("{} functions cannot be reached ({share} % of all)", dead.len());
        let at = facts.module.body(*first).map_or(0, |body| body.0.start);
        found.add(Grade::Info, Confidence::High, Place::in_func(*first, at), message, Vec::new());
    }
}

/// At most 16 short functions, called often, and hardly an access to memory outside of them.
pub(super) fn masked_memory(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let masked = facts.shapes_of(|kind| *kind == ShapeKind::MaskedAccess);
    let mut helpers: Vec<_> = masked.map(|(func, shape)| (func, shape.at)).collect();
    helpers.sort_unstable();
    let is_helper = |func| helpers.binary_search_by_key(&func, |(func, _)| *func).is_ok();
    let raw = facts.reachable().filter(|(func, _)| !is_helper(*func));
    let raw: u64 = raw.map(|(_, body)| body.contents.mix.loads + body.contents.mix.stores).sum();
    let calls =
        facts.calls().filter(|(_, call)| matches!(call.target, Target::Func(func) if is_helper(func)));
    let n_calls = calls.count() as u64;
    if let Some((func, at)) = helpers.first()
        && helpers.len() <= 16
        && n_calls >= 20
        && raw * 10 <= n_calls
    {
        let message =
            format!("{n_calls} accesses go through {} short functions that mix a global in", helpers.len());
        let evidence = vec![format!("{raw} accesses do not")];
        found.add(Grade::Warning, Confidence::Medium, Place::in_func(*func, *at), message, evidence);
    }
}

pub(super) fn stack_strings(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (func, body) in facts.reachable() {
        for string in &body.stack_strings {
            let message = format!("{} stores put text together", string.n_stores);
            let text = String::from_utf8_lossy(&string.bytes).trim_end_matches('\0').to_owned();
            found.add(Grade::Info, Confidence::High, Place::in_func(func, string.at), message, vec![text]);
        }
    }
}

pub(super) fn minified(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    if facts.audit.is_minified {
        let message = "the names of imports have four characters and less on average";
        found.add(Grade::Info, Confidence::High, Place::MODULE, message, Vec::new());
    }
}

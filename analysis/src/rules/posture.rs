//! M: how well a module is protected against its own mistakes.

use wasmos_abi::platforms::Class;
use wasmos_frontend::module::ExternIdx;
use wasmos_frontend::types::FuncIdx;

use crate::facts::Facts;
use crate::finding::{Confidence, Grade, Place};
use crate::functions::{Arg, Index, Target};
use crate::policy::Policy;
use crate::rules::Found;
use crate::shapes::ShapeKind;

pub(super) fn stack_pointer(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    if let Some(pointer) = facts.stack_pointer {
        let share = u64::from(pointer.n_users) * 100 / (facts.functions.len() as u64).max(1);
        let message = format!("global {} is the stack pointer of {share} % of the functions", pointer.global);
        found.add(Grade::Info, Confidence::Medium, Place::MODULE, message, Vec::new());
    }
}

pub(super) fn no_canary(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let Some(pointer) = facts.stack_pointer.filter(|pointer| pointer.n_frames > 0) else { return };
    let has_canary = facts.shapes_of(|kind| *kind == ShapeKind::Canary).next().is_some();
    if !has_canary {
        let message =
            format!("{} functions keep more than 16 bytes on the stack in memory", pointer.n_frames);
        found.add(Grade::Info, Confidence::Medium, Place::MODULE, message, Vec::new());
    }
}

pub(super) fn writable_constants(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let reads_text = [
        Class::Eval,
        Class::Reflection,
        Class::DynamicCode,
        Class::FileRead,
        Class::FileWrite,
        Class::Process,
    ];
    let import = reads_text.iter().find_map(|class| facts.audit.reachable(*class).next());
    if let Some(import) = import.filter(|_| facts.data.n_texts > 0) {
        let message = format!("text in memory reaches the host's {} functions", import.class);
        let evidence = vec![format!("{}.{}", import.module, import.name)];
        found.add(Grade::Info, Confidence::Medium, Place::at(import.offset), message, evidence);
    }
}

pub(super) fn exported_state(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for export in &facts.module.exports {
        let message = match export.item {
            ExternIdx::Global(global) if facts.stack_pointer.is_some_and(|it| it.global == global) => {
                "the stack pointer is exported"
            }
            ExternIdx::Table(_) => "a table is exported",
            _ => continue,
        };
        found.add(Grade::Info, Confidence::High, Place::at(export.offset), message, Vec::new());
    }
}

pub(super) fn allocator(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let name = facts.provenance.allocator;
    if !name.is_empty() {
        found.add(Grade::Info, Confidence::Medium, Place::MODULE, format!("allocator: {name}"), Vec::new());
    }
}

/// Position of the format among the arguments of `sprintf`.
const FORMAT: usize = 1;

pub(super) fn dangerous_functions(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (caller, call) in facts.calls() {
        let Target::Func(callee) = call.target else { continue };
        let Ok(at) = facts.provenance.dangerous.binary_search_by_key(&callee, |(func, _)| *func) else {
            continue;
        };
        let name = facts.provenance.dangerous[at].1;
        let grade = match name {
            "gets" => Grade::Warning,
            "sprintf" if !has_constant_format(facts, callee, &call.args) => Grade::Warning,
            "strcpy" => Grade::Info,
            _ => continue,
        };
        let message = format!("a call of `{name}`");
        found.add(grade, Confidence::Medium, Place::in_func(caller, call.at), message, Vec::new());
    }
}

fn has_constant_format(facts: &Facts<'_>, callee: FuncIdx, args: &[Arg]) -> bool {
    let n_params = facts.module.func_type(callee).map_or(0, |ty| ty.params().len());
    let first = n_params.saturating_sub(args.len());
    let format = FORMAT.checked_sub(first).and_then(|at| args.get(at));
    matches!(format, Some(Arg::Constant(_)))
}

pub(super) fn tainted_index(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (func, call) in facts.calls() {
        let Target::Table { index, .. } = &call.target else { continue };
        // A pointer to a function comes back from the host it was handed to: in C that is a callback. What the host returns
        // was never ours.
        let (grade, message) = match index {
            Index::Param(_) if facts.graph.roots.binary_search(&func).is_ok() => {
                (Grade::Info, "an argument of an exported function indexes a table")
            }
            Index::Result(callee) if callee.0 < facts.module.n_imported_funcs => {
                (Grade::Warning, "a result of the host indexes a table")
            }
            _ => continue,
        };
        found.add(grade, Confidence::Medium, Place::in_func(func, call.at), message, Vec::new());
    }
}

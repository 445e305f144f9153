//! L: what a module can use up.

use wasmos_abi::platforms::Class;
use wasmos_frontend::module::ExternIdx;

use crate::facts::Facts;
use crate::finding::{Confidence, Grade, Place};
use crate::policy::Policy;
use crate::rules::Found;
use crate::shapes::ShapeKind;

pub(super) fn endless(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (func, shape) in facts.shapes() {
        if let ShapeKind::EndlessLoop { calls, inevitable } = shape.kind {
            let is_entry = facts.graph.roots.binary_search(&func).is_ok();
            // What is called may end the run; compilers leave idle tails behind calls that never return.
            let grade = if inevitable && is_entry && !calls { Grade::Warning } else { Grade::Info };
            let message = match grade {
                Grade::Info => "a loop that nothing leaves",
                _ => "every call of this entry ends up in a loop that nothing leaves",
            };
            found.add(grade, Confidence::High, Place::in_func(func, shape.at), message, Vec::new());
        }
    }
}

pub(super) fn host_decides(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (func, shape) in facts.shapes_of(|kind| *kind == ShapeKind::HostLoop) {
        let message = "a loop ends only when a result of the host or memory that it does not write says so";
        found.add(Grade::Info, Confidence::Medium, Place::in_func(func, shape.at), message, Vec::new());
    }
}

pub(super) fn growth(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (func, shape) in facts.shapes_of(|kind| *kind == ShapeKind::GrowInLoop) {
        let place = Place::in_func(func, shape.at);
        found.add(Grade::Warning, Confidence::High, place, "`memory.grow` in a loop", Vec::new());
    }
}

pub(super) fn no_maximum(facts: &Facts<'_>, policy: &Policy, found: &mut Found) {
    for memory in &facts.module.memories {
        let limits = memory.ty.limits;
        let message = match limits.max {
            None => format!("a memory of {} has no maximum", pages(limits.min)),
            Some(_) if limits.min > policy.max_pages => format!("a memory begins with {}", pages(limits.min)),
            Some(_) => continue,
        };
        found.add(Grade::Info, Confidence::High, Place::at(memory.offset), message, Vec::new());
    }
}

/// Loops around `write` are part of every C library, so that writing is worth knowing, and sending or starting a warning.
pub(super) fn host_calls(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (func, call, import) in facts.host_calls().filter(|(_, call, _)| call.in_unbounded_loop) {
        let grade = match import.class {
            Class::Network | Class::Process | Class::Eval | Class::DynamicCode => Grade::Warning,
            Class::FileWrite | Class::Stdio | Class::Output => Grade::Info,
            _ => continue,
        };
        let message = format!("a host call of class {} in a loop without a known bound", import.class);
        let evidence = vec![format!("{}.{}", import.module, import.name)];
        found.add(grade, Confidence::Medium, Place::in_func(func, call.at), message, evidence);
    }
}

pub(super) fn recursion(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let recursive: Vec<_> = facts.reachable().filter(|(func, _)| facts.graph.is_recursive(*func)).collect();
    if let Some((func, _)) = recursive.first() {
        let message = format!("{} functions may call themselves", recursive.len());
        let place = Place::in_func(*func, start(facts, *func));
        found.add(Grade::Info, Confidence::Medium, place, message, Vec::new());
    }
}

fn start(facts: &Facts<'_>, func: wasmos_frontend::types::FuncIdx) -> u32 {
    facts.module.body(func).map_or(0, |body| body.0.start)
}

pub(super) fn bound(facts: &Facts<'_>, policy: &Policy, found: &mut Found) {
    for export in &facts.module.exports {
        let ExternIdx::Func(func) = export.item else { continue };
        let bound = facts.bounds.get(func.index()).and_then(crate::cost::Bound::constant);
        if let Some(bound) = bound.filter(|bound| *bound > policy.max_fuel) {
            let message =
                format!("a call may use {bound} units of fuel; the policy allows {}", policy.max_fuel);
            let place = Place::in_func(func, start(facts, func));
            found.add(Grade::Warning, Confidence::High, place, message, Vec::new());
        }
    }
}

/// Calls that use up what the host shares among its guests.
const SHARED: [&str; 8] = [
    "poll_oneoff",
    "random_get",
    "sched_yield",
    "path_open",
    "path_create_directory",
    "path_symlink",
    "path_link",
    "fd_allocate",
];

pub(super) fn isolation(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (func, call, import) in facts.host_calls().filter(|(_, call, _)| call.in_unbounded_loop) {
        if import.capability.is_some() && SHARED.contains(&&*import.name) {
            let message = "a loop without a known bound uses what the host shares among its guests";
            let evidence = vec![format!("{}.{}", import.module, import.name)];
            found.add(Grade::Warning, Confidence::Medium, Place::in_func(func, call.at), message, evidence);
        }
    }
}
fn pages(n: u64) -> String {
    if n == 1 { "1 page".to_owned() } else { format!("{n} pages") }
}

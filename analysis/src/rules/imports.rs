//! I: what the host would let a module do. An import alone is never Severe: that takes a second fact beside it.

use wasmos_abi::platforms::Class;

use crate::facts::Facts;
use crate::finding::{Confidence, Grade, Place};
use crate::imports::{ImportFacts, Source};
use crate::policy::Policy;
use crate::rules::Found;

pub(super) fn eval(facts: &Facts<'_>, policy: &Policy, found: &mut Found) {
    classes(
        facts,
        policy,
        found,
        &[Class::Eval, Class::Reflection],
        "the host runs text as code, or whatever it is told to call",
    );
}

pub(super) fn dynamic_code(facts: &Facts<'_>, policy: &Policy, found: &mut Found) {
    classes(facts, policy, found, &[Class::DynamicCode], "the host loads code at run time");
}

pub(super) fn network(facts: &Facts<'_>, policy: &Policy, found: &mut Found) {
    classes(facts, policy, found, &[Class::Network], "the host talks to other machines");
}

pub(super) fn file_write(facts: &Facts<'_>, policy: &Policy, found: &mut Found) {
    classes(facts, policy, found, &[Class::FileWrite], "the host changes files");
}

pub(super) fn process(facts: &Facts<'_>, policy: &Policy, found: &mut Found) {
    classes(facts, policy, found, &[Class::Process], "the host starts, signals or inspects processes");
}

fn classes(facts: &Facts<'_>, policy: &Policy, found: &mut Found, wanted: &[Class], message: &str) {
    for import in facts.audit.imports.iter().filter(|import| wanted.contains(&import.class)) {
        if let Some(grade) = grade(facts, policy, import) {
            let confidence = confidence(facts, import);
            let evidence = vec![describe(import)];
            let message =
                if import.reachable { message.to_owned() } else { format!("declared, not used: {message}") };
            found.add(grade, confidence, Place::at(import.offset), message, evidence);
        }
    }
}

fn describe(import: &ImportFacts) -> String {
    format!("{}.{} {}", import.module, import.name, import.ty)
}

fn grade(facts: &Facts<'_>, policy: &Policy, import: &ImportFacts) -> Option<Grade> {
    if policy.denies(&import.module, &import.name) {
        return Some(if import.reachable { Grade::Severe } else { Grade::Warning });
    }
    if policy.allows(&import.module, &import.name) {
        return None;
    }
    // What WASI offers is what the sandbox withholds unless it is granted.
    let is_standard = import.source == Source::Linked || import.platform == Some("WASI 0.2");
    if !import.reachable || is_standard || import.class == Class::FileWrite {
        return Some(Grade::Info);
    }
    let runs_code = matches!(import.class, Class::Eval | Class::DynamicCode | Class::Process);
    Some(if runs_code && has_payload(facts) { Grade::Severe } else { Grade::Warning })
}

/// Code in the data, or data that is packed and a loop that unpacks.
fn has_payload(facts: &Facts<'_>) -> bool {
    facts.data.files.iter().any(|file| file.is_code) || super::data::packed_segments(facts).next().is_some()
}

fn confidence(facts: &Facts<'_>, import: &ImportFacts) -> Confidence {
    match import.source {
        Source::Linked | Source::Platform => Confidence::High,
        _ if facts.audit.is_minified => Confidence::Low,
        _ => Confidence::Medium,
    }
}

/// In `env`, and under minified names, the embedder's own functions are the rule; another module that nobody knows is worth
/// a look.
pub(super) fn unknown(facts: &Facts<'_>, policy: &Policy, found: &mut Found) {
    for import in &facts.audit.imports {
        let denied = policy.denies(&import.module, &import.name) && import.class == Class::Unknown;
        let is_unknown = import.class == Class::Unknown && !policy.allows(&import.module, &import.name);
        if !denied && !is_unknown {
            continue;
        }
        let is_usual =
            import.module == "env" || facts.audit.is_minified || import.module.chars().count() <= 1;
        let (grade, confidence) = match (denied, import.reachable, is_usual) {
            (true, true, _) => (Grade::Severe, Confidence::High),
            (true, false, _) | (_, true, false) => (Grade::Warning, Confidence::Medium),
            _ => (Grade::Info, Confidence::Low),
        };
        let message = "a function of the host of which nothing is known";
        found.add(grade, confidence, Place::at(import.offset), message, vec![describe(import)]);
    }
}

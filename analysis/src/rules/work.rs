//! W: work that the user did not ask for.

use crate::data::{IndicatorKind, is_mining_word};
use crate::facts::Facts;
use crate::finding::{Confidence, Grade, Place};
use crate::mix::Family;
use crate::policy::Policy;
use crate::rules::Found;
use crate::shapes::ShapeKind;

/// Points of the composite signal from which it is Severe, and from which it is Warning.
const SEVERE: u32 = 4;
const WARNING: u32 = 2;

/// Weights and thresholds: 34 miners and 74 published modules that are none.
pub(super) fn proof_of_work(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let (mix, constants) = (&facts.mix, &facts.constants);
    let families: Vec<_> = Family::ALL.into_iter().filter(|family| facts.has_family(*family)).collect();
    let names: Vec<_> = families.iter().map(|family| family.name()).collect();
    let share = |part: u64| if mix.alu == 0 { 0.0 } else { part as f64 / mix.alu as f64 };
    let (hash_like, xor) = (share(mix.hash_like_alu), share(mix.xor));
    let signals = [
        (3, constants.scratchpad_mask.is_some(), "the mask of a CryptoNight scratch pad".to_owned()),
        (2, families.len() >= 2, format!("constants of {}", names.join(", "))),
        (
            2,
            hash_like >= 0.25,
            format!("{:.0} % of arithmetic in functions like a hash's inside", hash_like * 100.0),
        ),
        (1, xor >= 0.10, format!("{:.0} % of arithmetic is xor", xor * 100.0)),
        // Alone it stands in a third of all modules.
        (
            1,
            constants.rounds && constants.scratchpad_mask.is_some(),
            "the number of rounds of CryptoNight".to_owned(),
        ),
    ];
    let sum: u32 = signals.iter().filter(|(_, holds, _)| *holds).map(|(weight, ..)| weight).sum();
    let evidence = signals.into_iter().filter(|(_, holds, _)| *holds);
    let evidence: Vec<_> = evidence.map(|(weight, _, what)| format!("{what} (+{weight})")).collect();
    let place = Place::at(constants.scratchpad_mask.unwrap_or(0));
    // Tables of algorithms stand in every large library; without code that hashes they are worth knowing, no more.
    let hashes = hash_like >= 0.25 || xor >= 0.10;
    if sum >= SEVERE && hashes && constants.scratchpad_mask.is_some() {
        let message = "code that can run looks like the inside of a proof of work";
        found.add(Grade::Severe, Confidence::High, place, message, evidence);
    } else if sum >= WARNING && (hashes || families.len() >= 2) {
        let (grade, confidence) =
            if hashes { (Grade::Warning, Confidence::Medium) } else { (Grade::Info, Confidence::Low) };
        found.add(grade, confidence, place, "code that can run is heavy with hashing", evidence);
    }
}

pub(super) fn block_loop(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (func, shape) in facts.shapes() {
        if let ShapeKind::BlockLoop { block_bytes } = shape.kind {
            let message = format!("a loop takes {block_bytes} bytes of its input in each round");
            found.add(Grade::Info, Confidence::Medium, Place::in_func(func, shape.at), message, Vec::new());
        }
    }
}

pub(super) fn unrolled(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for (func, body) in facts.reachable() {
        if let Some(it) = body.contents.unrolled {
            let message = format!("{} instructions stand {} times in a row", it.period, it.times);
            found.add(Grade::Info, Confidence::Medium, Place::in_func(func, it.at), message, Vec::new());
        }
    }
}

pub(super) fn vocabulary(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let mut add = |place, text: &str| {
        let message = "words of miners";
        found.add(Grade::Warning, Confidence::Medium, place, message, vec![text.to_owned()]);
    };
    facts.data.mining.iter().for_each(|text| add(Place::at(text.at), &text.text));
    for indicator in &facts.data.indicators {
        if matches!(indicator.kind, IndicatorKind::Pool | IndicatorKind::Wallet) {
            add(Place::at(indicator.text.at), &indicator.text.text);
        }
    }
    let module = facts.module;
    let exports = module.exports.iter().map(|export| (export.offset, module.text(export.name)));
    let imports = module.imports.iter().map(|import| (import.offset, module.text(import.name)));
    for (at, name) in exports.chain(imports).filter(|(_, name)| is_mining_word(name)).take(20) {
        let name: String = name.chars().take(100).collect();
        add(Place::at(at), &name);
    }
}

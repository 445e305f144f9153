//! D and X: what data, names and sections say.

use crate::data::{IndicatorKind, SegmentFacts};
use crate::facts::Facts;
use crate::finding::{Confidence, Grade, Place};
use crate::policy::Policy;
use crate::rules::Found;
use crate::shapes::ShapeKind;

pub(super) fn secrets(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for secret in &facts.data.secrets {
        let message = format!("data has the form of {}", secret.what);
        let evidence = vec![secret.masked.clone()];
        found.add(Grade::Warning, Confidence::Medium, Place::at(secret.at), message, evidence);
    }
}

pub(super) fn indicators(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for indicator in &facts.data.indicators {
        if !matches!(indicator.kind, IndicatorKind::Pool | IndicatorKind::Wallet) {
            let message = format!("data has the form of a {}", indicator.kind.noun());
            let place = Place::at(indicator.text.at);
            found.add(Grade::Info, Confidence::Medium, place, message, vec![indicator.text.text.clone()]);
        }
    }
    if let Some((at, url)) = facts.provenance.source_map.as_ref().filter(|(_, url)| url.contains("://")) {
        let message = "a source map lies elsewhere";
        found.add(Grade::Info, Confidence::High, Place::at(*at), message, vec![url.clone()]);
    }
}

/// What is packed or encrypted is as random as chance: neither less, as code and tables are, nor more, as permutations are.
/// For `n` random bytes the entropy is 8 − 255 / (2 n ln 2) bits on average (Miller, 1955), with a deviation of
/// √(255 / 2) / (n ln 2), which follows from the chi-squared distribution with 255 degrees of freedom.
fn is_random(segment: &SegmentFacts) -> bool {
    let n_nats = f64::from(segment.len_bytes) * std::f64::consts::LN_2;
    let expected = 8.0 - 127.5 / n_nats;
    (segment.entropy - expected).abs() < 4.0 * 127.5_f64.sqrt() / n_nats
}

/// Segments that look packed. Tables of ciphers are as random as ciphertext, so that a module which has them is not judged
/// by entropy.
pub(super) fn packed_segments<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = &'f SegmentFacts> {
    let decodes = facts.shapes_of(|kind| *kind == ShapeKind::DecodeLoop).next().is_some();
    let has_tables = !facts.data.families.is_empty();
    let segments =
        facts.data.segments.iter().filter(|segment| is_random(segment) && !segment.has_known_format);
    segments.filter(move |_| decodes && !has_tables)
}

pub(super) fn packed(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for segment in packed_segments(facts) {
        let message = format!(
            "{} bytes of {:.2} bits each, without a known format, and a loop that decodes",
            segment.len_bytes, segment.entropy
        );
        found.add(Grade::Warning, Confidence::Medium, Place::at(segment.at), message, Vec::new());
    }
}

pub(super) fn embedded(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for file in &facts.data.files {
        let grade = if file.is_code { Grade::Warning } else { Grade::Info };
        let message = format!("a file of the format {}", file.format);
        found.add(grade, Confidence::High, Place::at(file.at), message, Vec::new());
    }
}

pub(super) fn odd_sections(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for odd in &facts.provenance.broken {
        found.add(
            Grade::Info,
            Confidence::High,
            Place::at(odd.at),
            odd.what,
            odd.text.iter().cloned().collect(),
        );
    }
}

/// C and C++ are often one, and a runtime in C stands below many languages.
pub(super) fn mismatch(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let provenance = &facts.provenance;
    let Some(claimed) = provenance.claimed() else { return };
    let content = provenance.language_by_content;
    let agrees = content.is_empty() || matches!(content, "C" | "C++") || content == claimed;
    let is_named = provenance.claims.iter().any(|claim| claim.value.starts_with(content));
    if !agrees && !is_named {
        let message =
            format!("it says that it was written in {claimed}, and its content is that of {content}");
        found.add(Grade::Info, Confidence::Medium, Place::MODULE, message, Vec::new());
    }
}

pub(super) fn lies(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    for lie in &facts.provenance.lies {
        let evidence = lie.text.iter().cloned().collect();
        found.add(Grade::Warning, Confidence::High, Place::at(lie.at), lie.what, evidence);
    }
}

pub(super) fn debug_info(facts: &Facts<'_>, _: &Policy, found: &mut Found) {
    let provenance = &facts.provenance;
    let what = match (provenance.has_names, provenance.has_dwarf) {
        (_, true) => "debug information is there: paths and source lines",
        (true, false) => "names of functions are there",
        (false, false) => return,
    };
    found.add(Grade::Info, Confidence::High, Place::MODULE, what, Vec::new());
}

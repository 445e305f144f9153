//! Modules inside of a module's data: found by their first bytes, followed section by section to their end, judged as the one
//! around them is.
//!
//! The bytes of all levels together are at most those of the outermost module for each level, and the levels are few: a
//! module that is inside of one that was taken is looked for there alone.

use wasmos_frontend::ValidModule;

use crate::data::EmbeddedFile;
use crate::facts::Facts;
use crate::finding::Grade;
use crate::policy::Policy;
use crate::report::Report;
use crate::risk::Verdict;

/// How deep modules are looked for in one another.
const DEPTH: u32 = 3;
/// How many are judged of one module.
const MODULES: usize = 16;
/// The longest that is judged, in bytes.
const BYTES: usize = 64 << 20;
/// The name of the format in [`EmbeddedFile`].
const FORMAT: &str = "WebAssembly";

/// A module inside of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// Absolute offset in the module around it.
    pub at: u32,
    /// Its length in bytes.
    pub len_bytes: u64,
    /// What came of it.
    pub judged: Judged,
}

/// What came of an embedded module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It was judged.
    Done {
        /// Its SHA-256, in hexadecimal.
        sha256: String,
        /// Its verdict.
        verdict: Verdict,
        /// Its score.
        score: u32,
        /// The rules that grade it higher than info.
        rules: Vec<&'static str>,
    },
    /// It is malformed, or invalid.
    Refused,
    /// It stands too deep, is too long, or there are too many.
    OverBudget,
}

impl Judged {
    /// Says it.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Done { verdict, score, rules, .. } => {
                let rules = if rules.is_empty() { String::new() } else { format!(": {}", rules.join(" ")) };
                format!("judged by itself it is {verdict}, score {score}{rules}")
            }
            Self::Refused => "no engine takes it as it is".to_owned(),
            Self::OverBudget => "not looked at: budget exceeded".to_owned(),
        }
    }
}

/// Judges the modules in the data of a module that stands `depth` levels deep itself.
pub(crate) fn judge(
    module: &ValidModule,
    files: &[EmbeddedFile],
    policy: &Policy,
    depth: u32,
) -> Vec<Embedded> {
    let mut all = Vec::new();
    let (mut behind, mut n_judged) = (0, 0);
    for file in files.iter().filter(|file| file.format == FORMAT) {
        if file.at < behind {
            continue;
        }
        let segment = module.data.iter().find(|it| (it.span.start..it.span.end).contains(&file.at));
        let Some(segment) = segment else { continue };
        let bytes = module.bytes().get(file.at as usize..segment.span.end as usize).unwrap_or_default();
        let bytes = bytes.get(..len(bytes)).unwrap_or(bytes);
        let is_over = depth >= DEPTH || n_judged >= MODULES || bytes.len() > BYTES;
        let judged = if is_over { Judged::OverBudget } else { judge_one(bytes, policy, depth + 1) };
        n_judged += 1;
        if matches!(judged, Judged::Done { .. }) {
            behind = file.at.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        all.push(Embedded { at: file.at, len_bytes: bytes.len() as u64, judged });
    }
    all
}

fn judge_one(bytes: &[u8], policy: &Policy, depth: u32) -> Judged {
    let module = wasmos_frontend::decode(bytes).and_then(wasmos_frontend::validate);
    let Ok(module) = module else { return Judged::Refused };
    let report = Report::at_depth(&Facts::find(&module), policy, depth);
    let mut rules: Vec<_> =
        report.findings.iter().filter(|it| it.grade > Grade::Info).map(|it| it.rule).collect();
    rules.dedup();
    Judged::Done { sha256: report.sha256, verdict: report.verdict, score: report.score.total, rules }
}

/// Returns how far sections follow one another from the beginning of a module: behind it the data goes on.
fn len(bytes: &[u8]) -> usize {
    let mut at = 8;
    while let Some((id, len, header)) = section(bytes, at) {
        let end = at.saturating_add(header).saturating_add(len);
        // A custom section has a name at least: zeros behind a module are none.
        if id > 13 || (id == 0 && len == 0) || end > bytes.len() {
            break;
        }
        at = end;
    }
    at.min(bytes.len())
}

/// Reads the id of a section, the length of its content, and the length of both.
fn section(bytes: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let id = *bytes.get(at)?;
    let (mut len, mut shift) = (0_usize, 0);
    for (n, byte) in bytes.get(at + 1..)?.iter().take(5).enumerate() {
        len |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some((id, len, n + 2));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataFacts;
    use crate::testing::module;

    fn holding(inner: &[u8]) -> Vec<u8> {
        let escaped: String = inner.iter().map(|byte| format!("\\{byte:02x}")).collect();
        wat::parse_str(format!("(module (memory 1) (data (i32.const 0) \"text {escaped}\\00\\00\\00\"))"))
            .unwrap()
    }

    fn judged(bytes: &[u8]) -> Vec<(u64, String)> {
        let module = wasmos_frontend::decode(bytes).and_then(wasmos_frontend::validate).unwrap();
        let found = judge(&module, &DataFacts::of(&module).files, &Policy::default(), 0);
        found.into_iter().map(|it| (it.len_bytes, it.judged.sentence())).collect()
    }

    #[test]
    fn a_module_in_data_is_judged_to_its_last_section() {
        let inner = module("(module (func (export \"f\") (loop $l (br $l))))").bytes().to_vec();
        let found = judged(&holding(&inner));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, inner.len() as u64);
        assert!(found[0].1.starts_with("judged by itself it is warning, score 8: L001"), "{}", found[0].1);
    }

    #[test]
    fn modules_in_one_another_are_judged_to_a_depth_and_each_once() {
        let mut bytes = module("(module (memory 1 1))").bytes().to_vec();
        for _ in 0..6 {
            bytes = holding(&bytes);
        }
        let found = judged(&bytes);
        assert_eq!(found.len(), 1, "{found:?}");
        let broken = holding(b"\0asm\x01\0\0\0\x01\x01\x05");
        assert_eq!(judged(&broken)[0].1, "no engine takes it as it is");
    }
}

//! The report: everything that is said about a module, as plain data. The same bytes, policy and version give the same
//! report.

use sha2::{Digest as _, Sha256};
use wasmos_frontend::ValidModule;
use wasmos_frontend::module::ExternIdx;
use wasmos_frontend::types::FuncIdx;

use crate::cost::Bound;
use crate::data::DataFacts;
use crate::embedded::{self, Embedded};
use crate::facts::Facts;
use crate::finding::Finding;
use crate::imports::ImportFacts;
use crate::lines::source_lines;
use crate::mix::FuncHash;
use crate::policy::Policy;
use crate::profile::Profile;
use crate::provenance::Provenance;
use crate::risk::{Score, Verdict, verdict};
use crate::rules::{RULES, Rule, ask};

/// Grows whenever a rule, a threshold or a weight changes: it is part of the verdict's id.
pub const RULES_VERSION: u32 = 1;

/// How much of the module was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Functions with a body.
    pub n_funcs: u32,
    /// Of them, those that the host can make run.
    pub n_reachable: u32,
    /// Of them, those whose body was too long to be looked at.
    pub n_skipped: u32,
    /// Indirect calls.
    pub n_indirect: u32,
    /// Of them, those whose callees the host can change.
    pub n_host_mutable: u32,
    /// Functions whose fuel has a bound.
    pub n_bounded: u32,
}

impl Coverage {
    /// Returns whether everything was looked at.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.n_skipped == 0
    }
}

/// The bound of an exported function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The function.
    pub func: FuncIdx,
    /// The name of its export: untrusted text.
    pub export: String,
    /// The bound of its fuel.
    pub bound: Bound,
}

/// A function in the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuncReport {
    /// The function.
    pub func: FuncIdx,
    /// Its name, if it has one: untrusted text.
    pub name: Option<String>,
    /// Absolute offset of its body.
    pub offset: u32,
    /// Bytes of its body.
    pub len_bytes: u32,
    /// Its normalised hash.
    pub hash: FuncHash,
    /// Whether the host can make it run.
    pub reachable: bool,
    /// Blocks of its graph.
    pub n_blocks: u32,
    /// Loops.
    pub n_loops: u32,
    /// Calls.
    pub n_calls: u32,
}

/// Everything that is said about a module.
#[derive(Clone, Debug)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// The score.
    pub score: Score,
    /// Names the verdict: a hash of the module, the policy and the rules.
    pub verdict_id: String,
    /// The module's SHA-256, in hexadecimal.
    pub sha256: String,
    /// The module's length in bytes.
    pub len_bytes: u64,
    /// What the rules say, in their order.
    pub findings: Vec<Finding>,
    /// Every import.
    pub imports: Vec<ImportFacts>,
    /// What the module must be given.
    pub profile: Profile,
    /// Bounds of what is exported, the first thousand.
    pub cost: Vec<Cost>,
    /// Functions that findings are in, and the largest.
    pub functions: Vec<FuncReport>,
    /// Data.
    pub data: DataFacts,
    /// Modules in the data, in their order.
    pub embedded: Vec<Embedded>,
    /// Names and sections.
    pub provenance: Provenance,
    /// How much was looked at.
    pub coverage: Coverage,
}

/// Exports whose cost is kept; functions that are kept for their size.
const COSTS: usize = 1_000;
const LARGEST: usize = 100;
/// Characters of a name that are kept.
const NAME: usize = 200;

/// Says what a module is and what it could do.
///
/// ```
/// let module = wasmos_frontend::decode(b"\0asm\x01\0\0\0".to_vec())?;
/// let module = wasmos_frontend::validate(module)?;
/// let report = wasmos_analysis::analyze(&module, &wasmos_analysis::Policy::default());
/// assert_eq!(report.verdict, wasmos_analysis::Verdict::Ok);
/// # Ok::<(), wasmos_frontend::Error>(())
/// ```
#[must_use]
pub fn analyze(module: &ValidModule, policy: &Policy) -> Report {
    Report::of(&Facts::find(module), policy)
}

impl Report {
    /// Judges facts.
    #[must_use]
    pub fn of(facts: &Facts<'_>, policy: &Policy) -> Self {
        Self::at_depth(facts, policy, 0)
    }

    /// Judges facts of a module that stands so many levels deep in others.
    pub(crate) fn at_depth(facts: &Facts<'_>, policy: &Policy, depth: u32) -> Self {
        let module = facts.module;
        let sha256 = hex(&Sha256::digest(module.bytes()));
        let mut findings = ask(facts, policy);
        let embedded = embedded::judge(module, &facts.data.files, policy, depth);
        describe(&mut findings, &embedded);
        if depth == 0 && facts.provenance.has_dwarf {
            find_lines(module, &mut findings);
        }
        let score = Score::of(&findings, |finding| {
            rule(finding.rule).map_or(crate::finding::Category::Posture, |rule| rule.category)
        });
        let coverage = coverage(facts);
        Self {
            verdict: verdict(&findings, &score, coverage.is_complete()),
            score,
            verdict_id: verdict_id(&sha256, policy),
            len_bytes: module.bytes().len() as u64,
            imports: facts.audit.imports.clone(),
            profile: Profile::of(&facts.audit, &sha256),
            cost: costs(facts),
            functions: functions(facts, &findings),
            data: facts.data.clone(),
            embedded,
            provenance: facts.provenance.clone(),
            coverage,
            findings,
            sha256,
        }
    }
}

/// Tells at the findings of embedded files what came of those that are modules.
fn describe(findings: &mut [Finding], embedded: &[Embedded]) {
    for finding in findings.iter_mut().filter(|finding| finding.rule == "D004") {
        if let Some(it) = embedded.iter().find(|it| it.at == finding.place.offset) {
            finding.evidence.push(format!("{} bytes; {}", it.len_bytes, it.judged.sentence()));
        }
    }
}

fn find_lines(module: &ValidModule, findings: &mut [Finding]) {
    let offsets: Vec<u32> = findings.iter().map(|finding| finding.place.offset).collect();
    for (finding, line) in findings.iter_mut().zip(source_lines(module, &offsets)) {
        finding.source = line.filter(|_| finding.place.func.is_some());
    }
}

/// Returns the rule of an id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// Writes bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the id of the verdict on a module, by its SHA-256 in hexadecimal, under a policy: what the verdict depends on.
#[must_use]
pub fn verdict_id(sha256: &str, policy: &Policy) -> String {
    let text = format!("wasmos {} rules {RULES_VERSION} {sha256} {policy:?}", env!("CARGO_PKG_VERSION"));
    hex(&Sha256::digest(text.as_bytes())[..16])
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn coverage(facts: &Facts<'_>) -> Coverage {
    let host_mutable = crate::callgraph::Reason::HostMutable;
    let first = facts.module.n_imported_funcs as usize;
    Coverage {
        n_funcs: count(facts.functions.len()),
        n_reachable: count(facts.reachable().count()),
        n_skipped: count(facts.functions.iter().filter(|body| body.is_skipped).count()),
        n_indirect: count(facts.graph.indirect.len()),
        n_host_mutable: count(facts.graph.indirect.iter().filter(|call| call.reason == host_mutable).count()),
        n_bounded: count(
            facts.bounds.iter().skip(first).filter(|bound| matches!(bound, Bound::Fuel { .. })).count(),
        ),
    }
}

fn costs(facts: &Facts<'_>) -> Vec<Cost> {
    let exports = facts.module.exports.iter().filter_map(|export| match export.item {
        ExternIdx::Func(func) => Some((func, facts.module.text(export.name))),
        _ => None,
    });
    let costs = exports.take(COSTS).filter_map(|(func, name)| {
        let bound = facts.bounds.get(func.index())?.clone();
        Some(Cost { func, export: name.chars().take(NAME).collect(), bound })
    });
    costs.collect()
}

/// Returns the functions that findings are in, and the largest ones.
fn functions(facts: &Facts<'_>, findings: &[Finding]) -> Vec<FuncReport> {
    let module = facts.module;
    let mut order: Vec<usize> = (0..module.bodies.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(module.bodies[*at].0.len_bytes()), *at));
    order.truncate(LARGEST);
    let named = findings.iter().filter_map(|finding| {
        let position = finding.place.func?.0.checked_sub(module.n_imported_funcs)?;
        Some(position as usize)
    });
    order.extend(named);
    order.sort_unstable();
    order.dedup();
    let reports = order.into_iter().filter_map(|at| {
        let (body, found) = (module.bodies.get(at)?, facts.functions.get(at)?);
        let func = module.defined_func(at);
        Some(FuncReport {
            func,
            name: module.func_name(func).map(|name| name.chars().take(NAME).collect()),
            offset: body.0.start,
            len_bytes: body.0.len_bytes(),
            hash: found.contents.hash,
            reachable: facts.graph.is_reachable(func),
            n_blocks: found.n_blocks,
            n_loops: found.n_loops,
            n_calls: count(found.calls.len()),
        })
    });
    reports.collect()
}

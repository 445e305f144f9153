//! What runs the module: code of an artifact, of the cache, or just compiled, and the interpreter for what is not compiled.

use wasmos_frontend::LazyModule;
use wasmos_runtime::{
    Artifact, Authentic, Backend, Cache, Config, Engine, Error, JitOptions, Module, Preparation, Prepared,
};

use crate::args::{self, RunArgs};
use crate::code::{self, Compiling};
use crate::exit::Exit;
use crate::output::Escaped;
use crate::problem::Problem;

/// A module that is ready, its engine, and what is to be said about it.
pub(super) struct Made {
    pub(super) engine: Engine,
    pub(super) module: Module,
    pub(super) notices: Vec<String>,
}

impl Made {
    /// Returns whether native code runs it.
    pub(super) fn is_native(&self) -> bool {
        matches!(self.engine.backend(), Backend::Jit(_))
    }
}

/// What was compiled before, as far as it can be used.
struct Before {
    artifact: Option<Authentic>,
    cache: Option<Cache>,
    notices: Vec<String>,
}

impl Before {
    /// Opens what the command line allows. Without a key of the installation nothing is believed.
    fn find(args: &RunArgs, artifact: Option<Artifact>) -> Self {
        let mut before = Self { artifact: None, cache: None, notices: Vec::new() };
        if artifact.is_none() && args.code.no_cache {
            return before;
        }
        let key = match code::key() {
            Ok(key) => key,
            Err(sentence) => {
                before.notices.push(format!("no code that was compiled before is used: {sentence}"));
                return before;
            }
        };
        match artifact.map(|artifact| artifact.authenticate(&key)) {
            None => {}
            Some(Ok(artifact)) => before.artifact = Some(artifact),
            Some(Err((refusal, _))) => {
                before.notices.push(format!("the artifact is not used: {refusal}; its module is compiled"));
            }
        }
        if !args.code.no_cache {
            match code::cache(args.code.cache_dir.as_deref(), key) {
                Ok(cache) => before.cache = Some(cache),
                Err(sentence) => before.notices.push(format!("nothing is cached: {sentence}")),
            }
        }
        before
    }
}

/// Makes the module ready. What the JIT refuses goes to the interpreter, with a notice.
pub(super) fn make_module(
    args: &RunArgs,
    valid: LazyModule,
    artifact: Option<Artifact>,
    file: &str,
) -> Result<Made, Problem> {
    let is_artifact = artifact.is_some();
    if args.tier.tier(is_artifact) == args::Backend::Interp {
        return interpreted(valid, file, Vec::new());
    }
    if let Some(unseen) = unseen(args) {
        return interpreted(valid, file, vec![format!("{unseen}; the interpreter runs it")]);
    }
    let Before { artifact, cache, mut notices } = Before::find(args, artifact);
    let settings = artifact.as_ref().map(|artifact| artifact.settings().options());
    let engine = engine(args, is_artifact, settings);
    let bar = Compiling::new(!args.quiet);
    let progress = |done, of| bar.update(done, of);
    let preparation = Preparation {
        artifact,
        cache: cache.as_ref(),
        timeout: args.code.timeout(),
        progress: Some(&progress),
    };
    let prepared = Module::prepare_with(&engine, valid.clone(), preparation);
    drop(bar);
    match prepared {
        Ok(Prepared { module, notices: more, .. }) => {
            notices.extend(more.iter().map(|notice| Escaped::new(&notice.to_string()).to_string()));
            Ok(Made { engine, module, notices })
        }
        Err(Error::Unsupported(error)) if error.is_of_jit() => {
            let nothing = if args.tier.is_both() { ", so that nothing is compared" } else { "" };
            let why = Escaped::new(&error.to_string()).to_string();
            notices.push(format!("{why}{nothing}; the interpreter runs it"));
            interpreted(valid, file, notices)
        }
        Err(error) => Err(unsupported(file, &error)),
    }
}

/// Says what is to be watched that native code does not tell of. Where both tiers run, the interpreter is watched.
fn unseen(args: &RunArgs) -> Option<&'static str> {
    match (args.tier.is_both(), args.trace, &args.report) {
        (true, _, _) => None,
        (false, Some(args::Trace::Calls), _) => {
            Some("`--trace calls`: native code does not tell of its calls")
        }
        (false, _, Some(_)) => Some("`--report`: native code does not tell of its blocks"),
        (false, _, None) => None,
    }
}

fn engine(args: &RunArgs, is_artifact: bool, settings: Option<JitOptions>) -> Engine {
    let backend: Backend = args.tier.backend(Some(&args.nan), is_artifact, settings);
    Engine::new(Config { backend, ..Config::default() })
}

pub(super) fn interpreted(valid: LazyModule, file: &str, notices: Vec<String>) -> Result<Made, Problem> {
    let engine = Engine::default();
    let module = Module::from_valid(&engine, valid).map_err(|error| unsupported(file, &error))?;
    Ok(Made { engine, module, notices })
}

fn unsupported(file: &str, error: &Error) -> Problem {
    Problem::new(Exit::Refused, file, format!("unsupported: {}", Escaped::new(&error.to_string())))
}

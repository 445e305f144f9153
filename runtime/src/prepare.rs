//! Making a module ready: of an artifact, from a cache, or by compiling it within a budget.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use wasmos_backend::jit::artifact::{self, Authentic, ModuleHash, Refusal};
use wasmos_backend::jit::{Options, Progress};
use wasmos_frontend::LazyModule;

use crate::cache::Cache;
use crate::engine::{Backend, Engine};
use crate::error::Error;
use crate::module::Module;

/// What making a module ready may use. The interpreter uses nothing of it.
#[derive(Default)]
pub struct Preparation<'a> {
    /// Code that has been compiled before, perhaps for this module.
    pub artifact: Option<Authentic>,
    /// Where code may be found, and is kept.
    pub cache: Option<&'a Cache>,
    /// How long compiling may take; without end if there is none.
    pub timeout: Option<Duration>,
    /// Is told, on any thread, how many functions have been compiled, and of how many.
    pub progress: Option<&'a (dyn Fn(usize, usize) + Sync)>,
}

/// Where a module's code came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is translated when it is called.
    Interpreter,
    /// It has just been compiled.
    Compiled,
    /// It was in the cache.
    Cache,
    /// It was in the artifact.
    Artifact,
}

/// What was not as it should be, and was done without.
#[derive(Debug, thiserror::Error)]
pub enum Notice {
    /// The artifact is not used.
    #[error("the artifact is not used: {0}")]
    Artifact(Refusal),
    /// What is in the cache is not used.
    #[error("the code in the cache is not used: {0}")]
    Cached(Refusal),
    /// The cache could not be read.
    #[error("the cache cannot be read: {0}")]
    CacheRead(std::io::Error),
    /// The cache could not be written.
    #[error("the cache cannot be written: {0}")]
    CacheWrite(std::io::Error),
}

/// A module that is ready, and how that came about.
#[derive(Debug)]
pub struct Prepared {
    /// The module.
    pub module: Module,
    /// Where its code came from.
    pub source: Source,
    /// What was not as it should be.
    pub notices: Vec<Notice>,
}

impl Module {
    /// Makes a validated module ready, by what `preparation` has.
    ///
    /// # Errors
    /// [`Error::Unsupported`], also if compiling takes longer than it may.
    pub fn prepare_with(
        engine: &Engine,
        valid: impl Into<LazyModule>,
        preparation: Preparation<'_>,
    ) -> Result<Prepared, Error> {
        let decoded = valid.into();
        let Backend::Jit(options) = engine.backend() else {
            let module = Self::from_valid(engine, decoded)?;
            return Ok(Prepared { module, source: Source::Interpreter, notices: Vec::new() });
        };
        let Preparation { artifact, cache, timeout, progress } = preparation;
        let hashed = artifact.is_some() || cache.is_some();
        let hash = hashed.then(|| artifact::hash_module(decoded.bytes()));
        let mut attempt = Attempt { engine, decoded, options, notices: Vec::new() };
        if let (Some(artifact), Some(hash)) = (artifact, &hash)
            && let Some(module) = attempt.load(artifact, hash, Notice::Artifact)?
        {
            return Ok(attempt.done(module, Source::Artifact));
        }
        if let (Some(cache), Some(hash)) = (cache, &hash) {
            let name = artifact::name(hash, options).map_err(Error::Unsupported)?;
            if let Some(module) = attempt.find(cache, &name, hash)? {
                return Ok(attempt.done(module, Source::Cache));
            }
            let module = attempt.compile(timeout, progress)?;
            let kept = module.artifact(cache.key(), false)?.unwrap_or_default();
            if let Err(error) = cache.put(&name, &kept) {
                attempt.notices.push(Notice::CacheWrite(error));
            }
            return Ok(attempt.done(module, Source::Compiled));
        }
        let module = attempt.compile(timeout, progress)?;
        Ok(attempt.done(module, Source::Compiled))
    }
}

/// A module on its way.
struct Attempt<'e> {
    engine: &'e Engine,
    decoded: LazyModule,
    options: Options,
    notices: Vec<Notice>,
}

impl Attempt<'_> {
    fn done(self, module: Module, source: Source) -> Prepared {
        Prepared { module, source, notices: self.notices }
    }

    /// Uses code that was compiled before; `None` if it is not for this.
    fn load(
        &mut self,
        code: Authentic,
        hash: &ModuleHash,
        notice: fn(Refusal) -> Notice,
    ) -> Result<Option<Module>, Error> {
        match Module::load(self.engine, self.decoded.clone(), (code, hash), self.options)? {
            Ok(module) => Ok(Some(module)),
            Err(refusal) => {
                self.notices.push(notice(refusal));
                Ok(None)
            }
        }
    }

    fn find(&mut self, cache: &Cache, name: &str, hash: &ModuleHash) -> Result<Option<Module>, Error> {
        let found = match cache.get(name) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.notices.push(Notice::CacheRead(error));
                return Ok(None);
            }
        };
        match found.authenticate(cache.key()) {
            Ok(code) => self.load(code, hash, Notice::Cached),
            Err((refusal, _)) => {
                self.notices.push(Notice::Cached(refusal));
                Ok(None)
            }
        }
    }

    fn compile(
        &self,
        timeout: Option<Duration>,
        progress: Option<&(dyn Fn(usize, usize) + Sync)>,
    ) -> Result<Module, Error> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let watch = |now: Progress| {
            if let Some(progress) = progress {
                progress(now.functions, now.of);
            }
            match deadline {
                Some(deadline) if Instant::now() >= deadline => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        };
        Module::compile(self.engine, self.decoded.clone(), self.options, &watch)
    }
}

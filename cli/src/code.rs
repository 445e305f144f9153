//! Native code that was compiled before: the installation's key, the cache, the progress of compiling.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use etcetera::BaseStrategy;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wasmos_runtime::cache::{CACHE_BYTES, installation_key};
use wasmos_runtime::{Cache, MacKey};

use crate::output::Escaped;

/// The name of the folder below those of the system's conventions.
const FOLDER: &str = "wasmos";
/// How long compiling stays silent.
const PATIENCE: Duration = Duration::from_millis(500);
const TEMPLATE: &str = "compiling {wide_bar} {pos} of {len} functions";

/// Returns the key by which this installation knows its artifacts; it is made if there is none.
///
/// # Errors
/// A sentence, escaped.
pub(crate) fn key() -> Result<MacKey, String> {
    let path = folder(|base| base.data_dir())?.join("key");
    installation_key(&path).map_err(|error| format!("the key {}: {error}", shown(&path)))
}

/// Opens the cache in `folder`, or in the user's.
///
/// # Errors
/// A sentence, escaped.
pub(crate) fn cache(own: Option<&Path>, key: MacKey) -> Result<Cache, String> {
    let folder = match own {
        Some(own) => own.to_owned(),
        None => folder(|base| base.cache_dir())?,
    };
    Cache::open(&folder, key, CACHE_BYTES).map_err(|error| format!("the cache {}: {error}", shown(&folder)))
}

/// Returns the folder of what can be found again, if the user has one.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    folder(|base| base.cache_dir()).ok()
}

fn folder(of: impl FnOnce(&dyn Folders) -> PathBuf) -> Result<PathBuf, String> {
    let base = etcetera::choose_base_strategy().map_err(|error| error.to_string())?;
    Ok(of(&base).join(FOLDER))
}

/// What is asked of the system's conventions.
trait Folders {
    fn cache_dir(&self) -> PathBuf;
    fn data_dir(&self) -> PathBuf;
}

impl<T: BaseStrategy> Folders for T {
    fn cache_dir(&self) -> PathBuf {
        BaseStrategy::cache_dir(self)
    }

    fn data_dir(&self) -> PathBuf {
        BaseStrategy::data_dir(self)
    }
}

fn shown(path: &Path) -> String {
    Escaped::new(&path.to_string_lossy()).to_string()
}

/// A bar on a terminal, for what takes long to compile.
pub(crate) struct Compiling {
    bar: ProgressBar,
    begin: Instant,
}

impl Compiling {
    /// Makes a bar that appears on stderr if that is a terminal.
    pub(crate) fn new(is_wanted: bool) -> Self {
        let target = match is_wanted && io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        Self::to(target)
    }

    fn to(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template(TEMPLATE);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, begin: Instant::now() }
    }

    /// Says how many functions are done. Threads may overtake each other by a few.
    pub(crate) fn update(&self, done: usize, of: usize) {
        if !self.bar.is_hidden() && self.begin.elapsed() >= PATIENCE {
            self.bar.set_length(of as u64);
            self.bar.set_position(done as u64);
        }
    }
}

impl Drop for Compiling {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    #[test]
    fn the_bar_comes_late_and_goes_at_the_end() {
        let term = InMemoryTerm::new(4, 60);
        let mut bar = Compiling::to(ProgressDrawTarget::term_like(Box::new(term.clone())));
        bar.update(1, 8);
        assert_eq!(term.contents(), "");
        bar.begin -= PATIENCE;
        bar.update(2, 8);
        let shown = term.contents();
        assert!(shown.starts_with("compiling ") && shown.ends_with(" 2 of 8 functions"), "{shown}");
        drop(bar);
        assert_eq!(term.contents(), "");
    }
}

//! What a guest is given, said before it runs.

use std::io;
use std::path::{Path, PathBuf};

use super::WasiCtx;
use super::clock::ClockSource;
use super::random::RandomSource;
use super::stdio::{Output, Stdin};

/// What a guest may do in a directory of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// It reads.
    #[default]
    ReadOnly,
    /// It reads and writes.
    ReadWrite,
    /// It reads the host's files and writes into memory; the host's files never change. See
    /// [`WasiCtx::changes`] and [`WasiCtx::save_changes`].
    Overlay,
}

/// Why something could not be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An argument or an environment variable holds a NUL, which would end it in the guest.
    #[error("{what} holds a NUL byte")]
    Nul {
        /// What it is.
        what: &'static str,
    },
    /// Arguments, environment variables or directories are more than 32 bits count.
    #[error("arguments, environment variables or directories are more than 32 bits count")]
    TooMuch,
    /// The name of an environment variable is empty or holds `=`.
    #[error("{name:?} is no name of an environment variable")]
    EnvName {
        /// The name.
        name: String,
    },
    /// A directory of the host cannot be opened.
    #[error("cannot open the directory {}: {error}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the host said.
        error: io::Error,
    },
    /// A guest's name for a directory is empty, too long or holds a NUL.
    #[error("{name:?} is no name of a directory")]
    GuestName {
        /// The name.
        name: String,
    },
    /// Two directories have one name.
    #[error("two directories are given as {name:?}")]
    GuestTwice {
        /// The name.
        name: String,
    },
}

/// A directory that is given.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) guest: String,
    pub(crate) host: Option<(PathBuf, Access)>,
}

/// Collects what a guest is given. Without more it has no arguments, no environment, null streams, no directory, the
/// virtual clock and seeded random bytes.
#[derive(Debug, Default)]
pub struct WasiBuilder {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: Stdin,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) dirs: Vec<Given>,
    pub(crate) clock: ClockSource,
    pub(crate) random: RandomSource,
}

impl WasiBuilder {
    /// Adds an argument. The first is the program's own name.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable, or changes it. The host's environment is never inherited.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.env.retain(|(known, _)| *known != name);
        self.env.push((name, value));
        self
    }

    /// Says what the guest reads.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.stdin = stdin;
        self
    }

    /// Says where the guest's output goes.
    #[must_use]
    pub fn stdout(mut self, stdout: Output) -> Self {
        self.stdout = stdout;
        self
    }

    /// Says where the guest's error output goes.
    #[must_use]
    pub fn stderr(mut self, stderr: Output) -> Self {
        self.stderr = stderr;
        self
    }

    /// Gives a directory of the host; the guest sees it under the name `guest`, e.g. `/data`.
    #[must_use]
    pub fn dir(mut self, host: impl AsRef<Path>, guest: impl Into<String>, access: Access) -> Self {
        let host = Some((host.as_ref().to_owned(), access));
        self.dirs.push(Given { guest: guest.into(), host });
        self
    }

    /// Gives an empty directory in memory.
    #[must_use]
    pub fn memory_dir(mut self, guest: impl Into<String>) -> Self {
        self.dirs.push(Given { guest: guest.into(), host: None });
        self
    }

    /// Says where the time comes from.
    #[must_use]
    pub const fn clock(mut self, clock: ClockSource) -> Self {
        self.clock = clock;
        self
    }

    /// Says where random bytes come from.
    #[must_use]
    pub const fn random(mut self, random: RandomSource) -> Self {
        self.random = random;
        self
    }

    /// Opens the directories and makes the state of a run.
    ///
    /// # Errors
    /// The first thing that cannot be given.
    pub fn build(self) -> Result<WasiCtx, BuildError> {
        WasiCtx::new(self)
    }
}

//! WASI preview 1 and the snapshot before it (`wasi_unstable`): what command-line programs ask of their host.
//!
//! A guest has what a [`WasiBuilder`] gave it and nothing else: arguments, environment variables, three streams,
//! directories. Its clock is virtual and its random bytes are seeded unless somebody says otherwise, so that a run
//! repeats.
//!
//! Where the witx documents are silent, it behaves as wasmtime does, with these decisions of its own:
//!
//! - A pointer outside memory is answered by `fault`; nothing traps. Nothing has to be aligned.
//! - A path that leads out of its directory is `notcapable`, a change in a directory that is read only `rofs`, a socket
//!   `notsock` or `badf`; each leaves an [`crate::events::EventKind::Violation`].
//! - Rights are kept and enforced. A right that is asked for but not inherited is left out; a right that was given up
//!   never comes back.
//! - Directories of the host hold regular files, directories and symbolic links. Anything else in them is `notcapable`.
//! - Directories are listed in the order of names. Names of the host that are no UTF-8 are not listed.
//! - Under the virtual clock a stream is always ready, a sleep ends at once and counts against the timeout.
//!
//! ```
//! use wasmos_runtime::wasi::{self, OutputBuffer, Output, WasiCtx};
//! use wasmos_runtime::{Engine, Linker, Module, Outcome, Store};
//!
//! let engine = Engine::default();
//! let module = Module::new(&engine, wat::parse_str(
//!     r#"(module
//!          (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
//!          (memory 1)
//!          (data (i32.const 0) "\08\00\00\00\03\00\00\00hi\n")
//!          (func (export "_start") (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#,
//! )?)?;
//! let mut linker = Linker::new(&engine);
//! wasi::add_to_linker(&mut linker, |ctx| ctx)?;
//! let stdout = OutputBuffer::default();
//! let ctx = WasiCtx::builder().arg("hello").stdout(Output::Buffer(stdout.clone())).build()?;
//! let mut store = Store::new(&engine, ctx);
//! let instance = linker.instantiate(&mut store, &module)?;
//! let start = instance.get_func(&mut store, "_start").ok_or("no _start")?;
//! assert_eq!(start.call(&mut store, &[])?, Outcome::Returned(Vec::new()));
//! assert_eq!(stdout.contents(), b"hi\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod abi;
mod builder;
mod clock;
mod descriptor;
mod fd;
mod fs;
mod functions;
mod guest;
#[cfg(unix)]
mod hostdir;
mod memfs;
mod path;
mod paths;
mod poll;
mod random;
mod save;
mod stdio;
mod stream;
mod system;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use builder::{Access, BuildError, WasiBuilder};
pub use clock::ClockSource;
pub use functions::{Get, add_to_linker};
pub use memfs::{Change, ChangeKind, FileKind};
pub use random::RandomSource;
pub use save::Saved;
pub use stdio::{Output, OutputBuffer, Stdin};

use abi::rights;
use builder::Given;
use clock::Clocks;
use descriptor::{Descriptor, Descriptors, Object};
use fs::FileSystem;
pub(crate) use guest::RunState;
use memfs::{MemFs, Space};
use random::Random;
use stream::Streams;
use system::Strings;

/// The state of a run's WASI: what is open, and what was given.
pub struct WasiCtx {
    args: Strings,
    environ: Strings,
    clocks: Clocks,
    random: Random,
    streams: Streams,
    descriptors: Descriptors,
    mounts: Vec<Mount>,
    /// What all files in memory, and listings, take of their quota.
    space: Arc<Space>,
}

/// A directory that was given.
struct Mount {
    fs: Box<dyn FileSystem>,
    guest: Box<str>,
}

/// A run may go on in another thread.
const _: fn() = || {
    fn sendable<T: Send>() {}
    sendable::<WasiCtx>();
};

impl fmt::Debug for WasiCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mounts: Vec<_> = self.mounts.iter().map(|mount| &mount.guest).collect();
        f.debug_struct("WasiCtx").field("mounts", &mounts).finish_non_exhaustive()
    }
}

impl Default for WasiCtx {
    /// Gives nothing.
    fn default() -> Self {
        match WasiBuilder::default().build() {
            Ok(ctx) => ctx,
            Err(error) => unreachable!("nothing was given, so nothing can be missing: {error}"),
        }
    }
}

impl WasiCtx {
    /// Begins to say what is given.
    #[must_use]
    pub fn builder() -> WasiBuilder {
        WasiBuilder::default()
    }

    fn new(builder: WasiBuilder) -> Result<Self, BuildError> {
        let WasiBuilder { args, env, stdin, stdout, stderr, dirs, clock, random } = builder;
        if args.iter().any(|arg| arg.contains('\0')) {
            return Err(BuildError::Nul { what: "an argument" });
        }
        let pairs = env.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
        let strings =
            |strings: &[String]| Strings::new(strings.iter().map(String::as_str)).ok_or(BuildError::TooMuch);
        let mut ctx = Self {
            args: strings(&args)?,
            environ: strings(&pairs)?,
            clocks: Clocks::new(clock),
            random: Random::new(random),
            streams: Streams::new(stdin, stdout, stderr),
            descriptors: Descriptors::default(),
            mounts: Vec::new(),
            space: Arc::default(),
        };
        ctx.descriptors.add(Descriptor::stream(Object::Stdin, rights::FD_READ));
        ctx.descriptors.add(Descriptor::stream(Object::Stdout, rights::FD_WRITE));
        ctx.descriptors.add(Descriptor::stream(Object::Stderr, rights::FD_WRITE));
        dirs.into_iter().try_for_each(|dir| ctx.mount(dir))?;
        Ok(ctx)
    }

    fn mount(&mut self, Given { guest, host }: Given) -> Result<(), BuildError> {
        if guest.is_empty() || guest.contains('\0') || guest.len() > 4_096 {
            return Err(BuildError::GuestName { name: guest });
        }
        if self.mounts.iter().any(|mount| *mount.guest == *guest) {
            return Err(BuildError::GuestTwice { name: guest });
        }
        // Directories in memory tell themselves apart by their device.
        let number = u32::try_from(self.mounts.len()).map_err(|_| BuildError::TooMuch)?;
        let fs: Box<dyn FileSystem> = match host {
            None => Box::new(MemFs::new(number, self.space.clone())),
            Some((path, access)) => open_host(&path, access, number, &self.space)
                .map_err(|error| BuildError::Directory { path, error })?,
        };
        self.descriptors.add(Descriptor::given(number, fs.root(), &guest));
        self.mounts.push(Mount { fs, guest: guest.into() });
        Ok(())
    }
}

#[cfg(unix)]
fn open_host(
    path: &Path,
    access: Access,
    number: u32,
    space: &Arc<Space>,
) -> std::io::Result<Box<dyn FileSystem>> {
    let host = hostdir::HostDir::open(path, access == Access::ReadWrite)?;
    Ok(match access {
        Access::Overlay => Box::new(MemFs::over(number, space.clone(), host)),
        Access::ReadOnly | Access::ReadWrite => Box::new(host),
    })
}

#[cfg(not(unix))]
fn open_host(_: &Path, _: Access, _: u32, _: &Arc<Space>) -> std::io::Result<Box<dyn FileSystem>> {
    let why = "directories of the host are given on Unix systems only";
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, why))
}

/// Joins an environment variable as the guest gets it.
fn pair((name, value): &(String, String)) -> Result<String, BuildError> {
    if name.contains('\0') || value.contains('\0') {
        return Err(BuildError::Nul { what: "an environment variable" });
    }
    if name.is_empty() || name.contains('=') {
        return Err(BuildError::EnvName { name: name.clone() });
    }
    Ok(format!("{name}={value}"))
}

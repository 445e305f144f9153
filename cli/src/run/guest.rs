//! What a guest of the command line is given, as the runtime wants it. Whatever cannot be given is said before anything
//! runs.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;

use wasmos_runtime::native::{Native, Sensors};
use wasmos_runtime::wasi::{BuildError, ClockSource, Output, RandomSource, Stdin, WasiCtx};

use crate::args::{self, GuestArgs, RunArgs};
use crate::exit::Exit;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};
use crate::run::progress::Progress;
use crate::run::terminal::{self, Filter};

/// The state behind everything that is linked.
#[derive(Default)]
pub(super) struct Host {
    pub(super) native: Native,
    pub(super) wasi: WasiCtx,
}

/// The standard streams of a guest.
pub(super) struct Streams {
    pub(super) stdin: Stdin,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
}

impl Streams {
    /// Returns the streams of wasmos itself.
    pub(super) fn of_the_host(args: &RunArgs, progress: &Progress) -> Self {
        Self {
            stdin: stdin(args),
            stdout: output(&args.guest, Stream::Out, progress),
            stderr: output(&args.guest, Stream::Err, progress),
        }
    }
}

/// Makes the state behind WASI; `guest_args` is what stands behind the guest's own name.
pub(super) fn wasi(args: &RunArgs, guest_args: &[OsString], streams: Streams) -> Result<WasiCtx, Problem> {
    let guest = &args.guest;
    check_save(guest)?;
    let mut builder = WasiCtx::builder()
        .arg(argv0(args))
        .stdin(streams.stdin)
        .stdout(streams.stdout)
        .stderr(streams.stderr);
    for (at, arg) in guest_args.iter().enumerate() {
        let Some(arg) = arg.to_str() else {
            let shown = arg.to_string_lossy();
            let sentence = format!("argument {} is not UTF-8: {}", at + 1, Escaped::new(&shown));
            return Err(Problem::new(Exit::Usage, &file_name(args.file()), sentence));
        };
        builder = builder.arg(arg);
    }
    for variable in &guest.env {
        builder = builder.env(&variable.name, &variable.value);
    }
    for dir in &guest.dirs {
        builder = builder.dir(&dir.host, &dir.guest, dir.access);
    }
    for name in &guest.memfs {
        builder = builder.memory_dir(name);
    }
    if guest.clock == args::Clock::Real {
        builder = builder.clock(ClockSource::real());
    }
    builder = builder.random(match guest.random {
        args::Random::Seeded => RandomSource::Seeded(args.seed),
        args::Random::Real => RandomSource::Real,
    });
    builder.build().map_err(|error| not_given(&error))
}

pub(super) fn sensors(args: &RunArgs) -> Sensors {
    let fixed = args.sensors.iter().map(|sensor| (sensor.id, sensor.value)).collect();
    Sensors::Seeded { seed: args.seed, fixed }
}

/// The name that the guest sees itself under: that of the file, without its folder.
fn argv0(args: &RunArgs) -> String {
    match &args.guest.argv0 {
        Some(name) => name.clone(),
        None => args.file().file_name().unwrap_or_default().to_string_lossy().into_owned(),
    }
}

fn stdin(args: &RunArgs) -> Stdin {
    // Where the module itself came from there is nothing left to read.
    match args.guest.stdin {
        args::Stdin::Inherit if args.file() != Path::new("-") => Stdin::Inherit,
        _ => Stdin::Null,
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

/// What goes to a terminal is filtered; what goes elsewhere is the guest's, byte by byte.
fn output(args: &GuestArgs, stream: Stream, progress: &Progress) -> Output {
    let is_terminal = match stream {
        Stream::Out => io::stdout().is_terminal(),
        Stream::Err => io::stderr().is_terminal(),
    };
    if !is_terminal {
        return Output::Inherit;
    }
    let writer: Box<dyn io::Write + Send> = match stream {
        Stream::Out => Box::new(io::stdout()),
        Stream::Err => Box::new(io::stderr()),
    };
    let writer = terminal::Clearing::new(writer, progress.clone());
    match args.raw {
        true => Output::Writer { writer: Box::new(writer), terminal: true },
        // A guest that thought it wrote to a terminal would send escapes that are not let through.
        false => Output::Writer { writer: Box::new(Filter::new(writer)), terminal: false },
    }
}

/// Says what is wrong with `--save-overlay` while nothing has run that would have to be saved.
fn check_save(args: &GuestArgs) -> Result<(), Problem> {
    let Some(path) = &args.save_overlay else { return Ok(()) };
    let problem = |sentence: String| Problem::new(Exit::Usage, &file_name(path), sentence);
    let is_overlay = |dir: &args::Dir| dir.access == wasmos_runtime::wasi::Access::Overlay;
    if args.memfs.is_empty() && !args.dirs.iter().any(is_overlay) {
        return Err(problem("there is nothing that could be saved".into())
            .help("`--dir HOST::GUEST:overlay` or `--memfs GUEST` keeps what the guest writes"));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => Err(problem("it is no directory to save into".into())),
        Ok(_) => Ok(()),
        Err(_) if parent.is_dir() => Ok(()),
        Err(error) => Err(problem(format!("cannot be made: {error}"))),
    }
}

fn not_given(error: &BuildError) -> Problem {
    let problem = |place: &str, sentence: String| Problem::new(Exit::Usage, place, sentence);
    match error {
        BuildError::Directory { path, error } => {
            let name = file_name(path);
            let sentence = format!("cannot be given as a directory: {error}");
            problem(&name, sentence).help("`--dir HOST::GUEST` names a directory that exists")
        }
        BuildError::GuestTwice { name } => {
            let sentence = format!("two directories are given as `{}`", Escaped::new(name));
            problem("wasmos", sentence).help("`--dir HOST::GUEST` gives one another name")
        }
        error => problem("wasmos", Escaped::new(&error.to_string()).to_string()),
    }
}

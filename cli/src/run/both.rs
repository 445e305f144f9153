//! `--backend both`: the interpreter runs the module and is shown, then the JIT runs it in an equal world, and what can
//! be seen of the two is compared (promise P7).

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};
use wasmos_runtime::events::Event;
use wasmos_runtime::wasi::{Access, FileKind, Output, Stdin};
use wasmos_runtime::{Outcome, StopHandle};

use crate::args::{self, RunArgs};
use crate::exit::Exit;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};
use crate::run::guest::Streams;
use crate::run::messages::Failed;
use crate::run::report::{change_name, guest_path};
use crate::run::{Made, Part, Ran, Session};
use crate::tiers::{self, Log, Observation};

/// Most bytes of standard input, which both runs read from memory.
const MAX_STDIN_BYTES: u64 = 1 << 30;
/// Most bytes of it that a reproducer holds.
const MAX_KEPT_BYTES: usize = 1 << 20;

/// The custom sections of a reproducer.
const SECTION: &str = "wasmos.reproducer";
const STDIN_SECTION: &str = "wasmos.stdin";

/// Two runs of which everything is decided.
pub(super) struct Both {
    interp: Session,
    jit: Session,
    command_line: Vec<String>,
    stdin: Arc<[u8]>,
}

impl Both {
    pub(super) fn prepare(
        args: &RunArgs,
        file: &str,
        [interp, jit]: [Made; 2],
        command_line: &[OsString],
    ) -> Result<Self, Problem> {
        refuse_unequal_worlds(args)?;
        let stdin: Arc<[u8]> = read_stdin(args, &interp)?.into();
        let prepare = |made, part: fn(Seen) -> Part| {
            Session::prepare(args, file.to_owned(), made, part(Seen::new(stdin.clone())))
        };
        let (interp, jit) = (prepare(interp, Part::First)?, prepare(jit, Part::Second)?);
        let command_line = command_line.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        Ok(Self { interp, jit, command_line, stdin })
    }

    /// Returns the run that is shown.
    pub(super) const fn shown(&mut self) -> &mut Session {
        &mut self.interp
    }

    pub(super) fn run(
        mut self,
        args: &RunArgs,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> io::Result<Exit> {
        let ran = self.interp.execute();
        let compared = match is_cut_off(&ran) {
            Some(why) => Compared::Not(why),
            None => self.compare(&ran),
        };
        self.interp.finish(args, ran, Some(&compared), (out, err))
    }

    /// Runs the other tier and looks for differences.
    fn compare(&mut self, ran: &Ran) -> Compared {
        let other = self.jit.execute();
        if let Some(why) = is_cut_off(&other) {
            return Compared::Not(why);
        }
        let seen = [self.interp.observe(ran), self.jit.observe(&other)];
        let module = self.interp.module.decoded().bytes();
        Compared::new(&seen, other.elapsed, module, |differences| {
            Reproducer { command_line: &self.command_line, differences }.bytes(module, &self.stdin)
        })
    }
}

/// Refuses what would not be the same for the second run.
fn refuse_unequal_worlds(args: &RunArgs) -> Result<(), Problem> {
    let problem = |flag: &str, help: &str| {
        let sentence = format!("`{flag}` cannot be the same for the two runs of `--backend both`");
        Err(Problem::new(Exit::Usage, "wasmos", sentence).help(help))
    };
    if args.guest.clock == args::Clock::Real {
        return problem("--clock real", "the virtual clock repeats");
    }
    if args.guest.random == args::Random::Real {
        return problem("--random real", "random bytes that are seeded repeat");
    }
    match args.guest.dirs.iter().find(|dir| dir.access == Access::ReadWrite) {
        Some(dir) => {
            let flag = format!("--dir {}:rw", file_name(&dir.host));
            problem(&flag, "an `:overlay` keeps what each of them writes in memory")
        }
        None => Ok(()),
    }
}

/// Reads the standard input, if the guest can.
fn read_stdin(args: &RunArgs, made: &Made) -> Result<Vec<u8>, Problem> {
    let reads = |(from, name, _): (&str, &str, _)| {
        from.starts_with("wasi") && matches!(name, "fd_read" | "fd_pread" | "poll_oneoff")
    };
    let is_null = args.guest.stdin == args::Stdin::Null || args.file() == Path::new("-");
    if is_null || !made.module.imports().any(reads) {
        return Ok(Vec::new());
    }
    let problem = |sentence: String| Problem::new(Exit::Usage, "stdin", sentence);
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(MAX_STDIN_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| problem(format!("cannot read: {error}")))?;
    if bytes.len() as u64 > MAX_STDIN_BYTES {
        return Err(problem("it is longer than the 1 GiB that two runs can be given".into()));
    }
    Ok(bytes)
}

/// Says why a run cannot be compared: when the time is up is not the guest's choice.
fn is_cut_off(ran: &Ran) -> Option<&'static str> {
    match &ran.result {
        Ok(Outcome::Deadline) => Some("the time was up"),
        Ok(Outcome::Stopped) => Some("it was stopped"),
        _ => None,
    }
}

/// What is kept of a run to be compared. Clones are of the same run.
#[derive(Clone)]
pub(super) struct Seen(Arc<Inner>);

struct Inner {
    stdin: Arc<[u8]>,
    log: Mutex<Log>,
    out: Mutex<Written>,
    err: Mutex<Written>,
    failed: Failed,
    stop: OnceLock<StopHandle>,
}

/// What was written to a stream.
#[derive(Default)]
struct Written {
    len_bytes: u64,
    digest: Sha256,
}

impl Seen {
    fn new(stdin: Arc<[u8]>) -> Self {
        Self(Arc::new(Inner {
            stdin,
            log: Mutex::default(),
            out: Mutex::default(),
            err: Mutex::default(),
            failed: Failed::default(),
            stop: OnceLock::new(),
        }))
    }

    pub(super) fn event(&self, event: &Event) {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner).add(event);
    }

    /// Returns what becomes of output that nobody can read, which ends the run.
    pub(super) fn failed(&self, stop: StopHandle) -> Failed {
        self.0.stop.get_or_init(|| stop);
        self.0.failed.clone()
    }

    /// Returns streams that go where those of wasmos itself go, if they are shown, and are kept in mind.
    pub(super) fn streams(&self, host: Streams, is_shown: bool) -> Streams {
        let tee = |output: Output, inherited: fn() -> Box<dyn Write + Send>, part| {
            let (writer, terminal) = match output {
                Output::Writer { writer, terminal } => (writer, terminal),
                _ => (inherited(), false),
            };
            let to = is_shown.then_some(writer);
            Output::Writer { writer: Box::new(Tee { to, seen: self.clone(), part }), terminal }
        };
        Streams {
            stdin: Stdin::Bytes(self.0.stdin.to_vec()),
            stdout: tee(host.stdout, || Box::new(io::stdout()), |inner| &inner.out),
            stderr: tee(host.stderr, || Box::new(io::stderr()), |inner| &inner.err),
        }
    }

    fn add_to(&self, seen: &mut Observation) {
        for (name, stream) in [("stdout", &self.0.out), ("stderr", &self.0.err)] {
            let stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            let digest = tiers::hex_of(stream.digest.clone());
            seen.add(name, format!("{} bytes, {digest}", stream.len_bytes));
        }
        seen.add_log(&self.0.log.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Output of a guest: kept in mind, and shown if it goes anywhere.
struct Tee {
    to: Option<Box<dyn Write + Send>>,
    seen: Seen,
    part: fn(&Inner) -> &Mutex<Written>,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = (self.part)(&self.seen.0).lock().unwrap_or_else(PoisonError::into_inner);
        written.len_bytes += bytes.len() as u64;
        written.digest.update(bytes);
        if let Some(to) = &mut self.to
            && let Err(error) = to.write_all(bytes).and_then(|()| to.flush())
        {
            // The guest must not see what the other run's guest cannot see.
            self.to = None;
            self.seen.0.failed.set(error);
            self.seen.0.stop.get().into_iter().for_each(StopHandle::stop);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Session {
    /// Collects what can be seen of the run.
    fn observe(&mut self, ran: &Ran) -> Observation {
        let mut seen = Observation::default();
        match &ran.result {
            Ok(outcome) => seen.add_outcome(outcome),
            Err(error) => seen.add("outcome", error),
        }
        seen.add("instructions", self.store.instructions());
        seen.add("fuel", self.store.fuel_used());
        seen.add("memory peak", self.store.memory_peak_bytes());
        seen.add("host calls", self.store.gate().host_calls());
        if let Some(instance) = ran.instance {
            seen.add_exports(instance, &mut self.store);
        }
        for change in self.store.data_mut().wasi.changes() {
            let mut digest = Sha256::new();
            let what = match change.file {
                FileKind::File { len_bytes } => {
                    let wasi = &mut self.store.data_mut().wasi;
                    let read = wasi.read_changed(&change, &mut |bytes| digest.update(bytes));
                    let problem = read.err().map(|error| error.to_string()).unwrap_or_default();
                    format!("{len_bytes} bytes, {}{problem}", tiers::hex_of(digest))
                }
                kind => format!("{kind:?}"),
            };
            let path = guest_path(&change);
            let name = format!("file `{}` {}", path.escape_debug(), change_name(change.kind));
            seen.add(name, what);
        }
        if let Some(kept) = &self.seen {
            kept.add_to(&mut seen);
        }
        seen
    }
}

/// What a comparison came to.
#[derive(Debug)]
pub(super) enum Compared {
    /// The tiers came to the same, the second one in this time.
    Same(Duration),
    /// They did not; and where a reproducer is.
    Differ { differences: Vec<String>, reproducer: io::Result<PathBuf> },
    /// They could not be compared.
    Not(&'static str),
}

impl Compared {
    /// Compares two runs, of which the second took `elapsed`. A difference leaves a reproducer in the working directory, or
    /// where temporary files go.
    fn new(
        seen: &[Observation; 2],
        elapsed: Duration,
        module: &[u8],
        reproducer: impl FnOnce(&[String]) -> Vec<u8>,
    ) -> Self {
        let differ = Self::in_folder(Path::new(""), seen, module, reproducer);
        differ.unwrap_or(Self::Same(elapsed))
    }

    fn in_folder(
        folder: &Path,
        [interp, jit]: &[Observation; 2],
        module: &[u8],
        reproducer: impl FnOnce(&[String]) -> Vec<u8>,
    ) -> Option<Self> {
        let differences = tiers::differences(interp, jit);
        if differences.is_empty() {
            return None;
        }
        let bytes = reproducer(&differences);
        let name = format!("wasmos-differ-{}.wasm", &tiers::hex(module)[..16]);
        let (here, elsewhere) = (folder.join(&name), std::env::temp_dir().join(&name));
        let reproducer = fs::write(&here, &bytes)
            .map(|()| here)
            .or_else(|_| fs::write(&elsewhere, &bytes).map(|()| elsewhere));
        Some(Self::Differ { differences, reproducer })
    }

    pub(super) const fn is_done(&self) -> bool {
        !matches!(self, Self::Not(_))
    }

    pub(super) fn differences(&self) -> &[String] {
        match self {
            Self::Differ { differences, .. } => differences,
            _ => &[],
        }
    }

    pub(super) fn write(&self, file: &str, quiet: bool, err: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Same(_) if quiet => Ok(()),
            Self::Same(jit) => {
                writeln!(err, "  {:13}interp and jit agree; the jit took {jit:.1?}", "tiers")
            }
            Self::Not(why) => {
                writeln!(err, "{file}: note: {why}, so that the tiers are not compared")
            }
            Self::Differ { differences, reproducer } => {
                let sentence = "internal: interp and jit differ: please report it";
                let problem = Problem::new(Exit::Internal, file, sentence);
                let problem = differences
                    .iter()
                    .fold(problem, |problem, line| problem.note(Escaped::new(line).to_string()));
                let place = match reproducer {
                    Ok(path) => format!("reproducer: {}", file_name(path)),
                    Err(error) => format!("the reproducer cannot be written: {error}"),
                };
                problem.note(place).write(err)
            }
        }
    }
}

/// What a reproducer says in its custom section, as JSON. Directories of the host are not in it.
#[derive(Serialize)]
struct Reproducer<'a> {
    command_line: &'a [String],
    differences: &'a [String],
}

/// The same, with what follows from the program and its input.
#[derive(Serialize)]
struct Said<'a> {
    version: &'static str,
    #[serde(flatten)]
    reproducer: &'a Reproducer<'a>,
    stdin_bytes: usize,
    stdin_sha256: String,
}

impl Reproducer<'_> {
    /// Returns the module with what it was run with behind it, as custom sections: it runs as before, and its offsets
    /// are the same.
    fn bytes(&self, module: &[u8], stdin: &[u8]) -> Vec<u8> {
        let mut bytes = module.to_vec();
        let said = Said {
            version: env!("CARGO_PKG_VERSION"),
            reproducer: self,
            stdin_bytes: stdin.len(),
            stdin_sha256: tiers::hex(stdin),
        };
        custom_section(&mut bytes, SECTION, &serde_json::to_vec(&said).unwrap_or_default());
        if !stdin.is_empty() && stdin.len() <= MAX_KEPT_BYTES {
            custom_section(&mut bytes, STDIN_SECTION, stdin);
        }
        bytes
    }
}

fn custom_section(bytes: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut content = Vec::new();
    leb128(&mut content, name.len());
    content.extend_from_slice(name.as_bytes());
    content.extend_from_slice(data);
    bytes.push(0);
    leb128(bytes, content.len());
    bytes.extend_from_slice(&content);
}

fn leb128(bytes: &mut Vec<u8>, mut value: usize) {
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two observations that differ, as no pair of runs should be.
    fn unequal() -> [Observation; 2] {
        [7, 8].map(|fuel| {
            let mut seen = Observation::default();
            seen.add("outcome", "returned");
            seen.add("fuel", fuel);
            seen
        })
    }

    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn tiers_that_agree_leave_nothing_behind() {
        let [seen, _] = unequal();
        let compared = Compared::new(&[seen.clone(), seen], Duration::ZERO, MODULE, |_| unreachable!());
        assert!(matches!(compared, Compared::Same(_)) && compared.is_done());
        assert_eq!(compared.differences(), [] as [String; 0]);
    }

    #[test]
    fn a_difference_is_told_and_leaves_a_module_that_runs_as_before() {
        let folder = tempfile::tempdir().expect("there is room");
        let command_line = ["wasmos".to_owned(), "run".to_owned()];
        let compared = Compared::in_folder(folder.path(), &unequal(), MODULE, |differences| {
            Reproducer { command_line: &command_line, differences }.bytes(MODULE, b"input")
        });
        let Some(Compared::Differ { differences, reproducer }) = &compared else { panic!("{compared:?}") };
        assert_eq!(differences, &["fuel: interp 7, jit 8"]);
        let path = reproducer.as_ref().expect("it is written");
        let bytes = fs::read(path).expect("it is there");
        let module = wasmos_frontend::decode(bytes.as_slice()).expect("a module");
        let sections: Vec<_> = module.customs.iter().map(|custom| module.text(custom.name)).collect();
        assert_eq!(sections, [SECTION, STDIN_SECTION]);
        assert!(bytes.starts_with(MODULE));
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(r#""command_line":["wasmos","run"]"#) && text.ends_with("input"), "{text}");

        let mut shown = Vec::new();
        compared.expect("it differs").write("x.wasm", true, &mut shown).expect("a vector takes every byte");
        let shown = String::from_utf8(shown).expect("it is UTF-8");
        assert!(
            shown.starts_with("x.wasm: error: internal: interp and jit differ: please report it\n  fuel: interp 7, jit 8\n  reproducer: "),
            "{shown}"
        );
    }
}

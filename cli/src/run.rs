//! `wasmos run`: what a module does, within limits.

mod config;
mod entry;
mod grants;
mod guest;
mod interrupt;
mod link;
mod messages;
mod observe;
mod progress;
mod report;
mod save;
mod screen;
mod terminal;
mod value;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use wasmos_frontend::{Features, LazyModule, ValidModule};
use wasmos_runtime::native::{self, Native};
use wasmos_runtime::{Config, Engine, Error, Func, Linker, Module, Outcome, Step, Store, Val, Watch, wasi};

use crate::args::{self, Backend, RunArgs, Stdin};
use crate::exit::Exit;
use crate::input::Input;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};
use crate::run::entry::Entry;
use crate::run::guest::Host;
use crate::run::messages::Failed;
use crate::run::observe::{EventFile, Observer, Trace};
use crate::run::progress::Progress;
pub(crate) use crate::run::report::KEYS;
use crate::run::report::{Ending, MAX_EVENTS, Report};
use crate::run::save::Written;

/// Units of fuel between two updates of the line of progress.
const SLICE: u64 = 20_000_000;

pub(crate) fn run(
    args: RunArgs,
    command_line: &[OsString],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Exit> {
    let prepared = match &args.config {
        Some(path) => config::apply(path, command_line),
        None => Ok(args),
    };
    match prepared.and_then(|args| Session::prepare(&args).map(|session| (session, args))) {
        Ok((session, args)) => session.run(&args, out, err),
        Err(problem) => refuse(&problem, err),
    }
}

fn refuse(problem: &Problem, err: &mut dyn Write) -> io::Result<Exit> {
    problem.write(err)?;
    Ok(problem.exit)
}

/// A run of which everything is decided that can be, before guest code runs.
struct Session {
    /// The file's name, escaped.
    file: String,
    module: Module,
    /// Why the interpreter runs it although the JIT was asked for.
    notice: Option<String>,
    entry: Entry,
    store: Store<Host>,
    linker: Linker<Host>,
    failed: Failed,
    progress: Progress,
    /// Where the JSON goes if not to stderr.
    json: Option<File>,
    events: Option<EventFile>,
}

impl Session {
    fn prepare(args: &RunArgs) -> Result<Self, Problem> {
        let (module, origin) = Input::read(args.file())?.decode(Features::all())?;
        let valid = wasmos_frontend::validate(module).map_err(|error| origin.refuse(&error))?;
        let file = origin.name;
        let Made { engine, module, notice } = make_module(args, valid, &file)?;
        let entry = Entry::choose(&file, &module, args.invoke.as_deref(), args.guest_args())?;
        let progress = Progress::new(!args.quiet && !waits_for_a_person(args, &module));
        let guest_args = if entry.takes_args { args.guest_args() } else { &[] };
        let wasi = guest::wasi(args, guest_args, &progress)?;
        let grants = grants::grants(&args.guest)?;
        let internal = |error: Error| internal(&file, &error);
        let mut linker = Linker::new(&engine);
        native::add_to_linker(&mut linker, |host: &mut Host| &mut host.native).map_err(internal)?;
        wasi::add_to_linker(&mut linker, |host: &mut Host| &mut host.wasi).map_err(internal)?;
        linker.unknown_imports = args.unknown_imports.into();
        let host = Host { native: Native::default(), wasi };
        let mut store = Store::with_limits(&engine, host, args.limits()).map_err(internal)?;
        store.gate_mut().grants = grants;
        let failed = Failed::default();
        let sink = messages::sink(store.stop_handle(), failed.clone(), progress.clone());
        store.data_mut().native = Native { sensors: guest::sensors(args), sink: Some(sink) };
        if args.json.is_some() {
            store.gate_mut().remember(MAX_EVENTS);
        }
        interrupt::stop_on_interrupt(store.stop_handle()).map_err(|error| {
            Problem::new(Exit::Internal, &file, format!("cannot listen to signals: {error}"))
        })?;
        // Nothing is written before everything else is known to be right.
        let json = args.json.as_ref().and_then(Option::as_deref).map(create).transpose()?;
        let events = args.events.as_deref().map(create).transpose()?.map(EventFile::new);
        let trace = args.trace.map(|_| Trace::new(progress.clone(), store.stop_handle(), failed.clone()));
        if let (Some(args::Trace::Calls), Some(trace)) = (args.trace, trace.clone()) {
            store.observe(Watch::Calls, move |_, at| trace.call(at));
        }
        if trace.is_some() || events.is_some() {
            let (stop, failed) = (store.stop_handle(), failed.clone());
            let observer = Observer { trace, file: events.clone(), stop, failed };
            store.gate_mut().observe(Box::new(move |event| observer.see(event)));
        }
        Ok(Self { file, module, notice, entry, store, linker, failed, progress, json, events })
    }

    fn run(mut self, args: &RunArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
        if let Some(notice) = &self.notice {
            writeln!(err, "{}: note: {notice}; the interpreter runs it", self.file)?;
        }
        let begin = Instant::now();
        let Ran { what, result } = self.execute();
        let elapsed = begin.elapsed();
        self.progress.end();
        let (ending, problem) = match result {
            Ok(outcome) => (Ending::Ran(outcome), None),
            Err(error) => match self.not_run(&error) {
                (Some(ending), problem) => (ending, Some(problem)),
                (None, problem) => return refuse(&problem, err),
            },
        };
        let limits = args.limits();
        let into = args.guest.save_overlay.as_deref();
        let (written, unsaved) = Written::collect(&mut self.store.data_mut().wasi, into);
        let backend = match self.store.engine().backend() {
            wasmos_runtime::Backend::Interpreter => Backend::Interp,
            wasmos_runtime::Backend::Jit(_) => Backend::Jit,
        };
        let report = Report::new(&ending, &self.store, backend, &limits, elapsed, &written.changes);
        if let Some(file) = &mut self.json {
            crate::output::json(file, &report)?;
        }
        if let Some(events) = &self.events {
            events.finish(self.store.fuel_used())?;
        }
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if let Ending::Ran(Outcome::Returned(values)) = &ending {
            values.iter().try_for_each(|val| writeln!(out, "{}", value::show(val)))?;
        }
        // On a terminal the results stand in front of the report.
        out.flush()?;
        match (&ending, &problem) {
            (_, Some(problem)) => problem.write(err)?,
            (Ending::Ran(outcome), None) if !args.quiet => {
                let names = (self.file.as_str(), what.as_str());
                screen::write(err, names, outcome, &self.store, &report, (&limits, &written))?;
            }
            _ => {}
        }
        if let Some(problem) = &unsaved {
            problem.write(err)?;
        }
        if args.json == Some(None) {
            crate::output::json(err, &report)?;
        }
        // What was asked for and not done must not look like success.
        Ok(match (ending.exit(), unsaved) {
            (Exit::Fine, Some(problem)) => problem.exit,
            (exit, _) => exit,
        })
    }

    /// Instantiates the module and runs what was chosen.
    fn execute(&mut self) -> Ran {
        let Self { module, entry, store, linker, progress, .. } = self;
        let mut what = "instantiation".to_owned();
        let result = linker.instantiate(store, module).and_then(|instance| {
            let mut call = |name: &str, params: &[_]| {
                what = format!("`{}`", Escaped::new(name));
                let missing = || Error::NoExport { kind: "function", name: name.into() };
                let func = instance.get_func(store, name).ok_or_else(missing)?;
                drive(func, store, params, progress)
            };
            if entry.initialize {
                match call("_initialize", &[])? {
                    Outcome::Returned(_) => {}
                    outcome => return Ok(outcome),
                }
            }
            call(&entry.name, &entry.params)
        });
        // A start function or a segment may have ended it.
        let result = match result {
            Err(Error::Guest(outcome)) => Ok(*outcome),
            result => result,
        };
        Ran { what, result }
    }

    /// Says why guest code did not come to an outcome; without an ending it is no fault of the guest's.
    fn not_run(&self, error: &Error) -> (Option<Ending>, Problem) {
        match error {
            Error::Link(error) => (Some(Ending::Unlinked), link::refused(&self.file, error)),
            Error::Limit { quota, needed } => {
                let ending = Ending::Refused(*quota);
                let problem = Problem::new(ending.exit(), &self.file, screen::needed(*quota, *needed));
                (Some(ending), problem.help(screen::quota_help(*quota)))
            }
            error => (None, internal(&self.file, error)),
        }
    }
}

/// A module that is ready, and its engine.
struct Made {
    engine: Engine,
    module: Module,
    notice: Option<String>,
}

/// Makes the module ready. What the JIT refuses goes to the interpreter, with a notice.
fn make_module(args: &RunArgs, valid: ValidModule, file: &str) -> Result<Made, Problem> {
    let backend = args.backend();
    if args.trace == Some(args::Trace::Calls) && backend != wasmos_runtime::Backend::Interpreter {
        let sentence = "native code does not tell of its calls";
        return Err(
            Problem::new(Exit::Usage, file, sentence).help("`--trace calls` wants `--backend interp`")
        );
    }
    let valid = LazyModule::from(valid);
    let engine = Engine::new(Config { backend, ..Config::default() });
    match Module::from_valid(&engine, valid.clone()) {
        Ok(module) => Ok(Made { engine, module, notice: None }),
        Err(Error::Unsupported(error)) if error.is_of_jit() => {
            let engine = Engine::default();
            let module = Module::from_valid(&engine, valid).map_err(|error| unsupported(file, &error))?;
            Ok(Made { engine, module, notice: Some(Escaped::new(&error.to_string()).to_string()) })
        }
        Err(error) => Err(unsupported(file, &error)),
    }
}

/// What ran last, as messages call it, and what came of it.
struct Ran {
    what: String,
    result: Result<Outcome, Error>,
}

/// Runs a function to its end, in slices where somebody watches.
fn drive(func: Func, store: &mut Store<Host>, params: &[Val], progress: &Progress) -> Result<Outcome, Error> {
    let mut run = func.start(store, params)?;
    while progress.is_shown() {
        if let Step::Done(outcome) = run.resume(store, SLICE)? {
            return Ok(outcome);
        }
        progress.update(store.instructions(), store.memory_bytes());
    }
    run.finish(store)
}

/// Whether the guest may ask somebody at a terminal, who would type into the line of progress.
fn waits_for_a_person(args: &RunArgs, module: &Module) -> bool {
    let reads = |(from, name, _): (&str, &str, _)| {
        from.starts_with("wasi") && matches!(name, "fd_read" | "poll_oneoff")
    };
    args.guest.stdin == Stdin::Inherit && io::stdin().is_terminal() && module.imports().any(reads)
}

fn create(path: &Path) -> Result<File, Problem> {
    File::create(path)
        .map_err(|error| Problem::new(Exit::Usage, &file_name(path), format!("cannot write: {error}")))
}

fn unsupported(file: &str, error: &Error) -> Problem {
    Problem::new(Exit::Refused, file, format!("unsupported: {}", Escaped::new(&error.to_string())))
}

fn internal(file: &str, error: &Error) -> Problem {
    Problem::new(Exit::Internal, file, format!("internal: {}", Escaped::new(&error.to_string())))
}

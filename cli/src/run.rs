//! `wasmos run`: what a module does, within limits.

mod both;
mod code;
mod config;
mod entry;
mod gate;
mod grants;
mod guest;
mod interrupt;
mod link;
mod messages;
mod observe;
mod page;
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
use std::time::{Duration, Instant};

use wasmos_frontend::{Features, LazyModule, ValidModule};
use wasmos_runtime::native::{self, Native};
use wasmos_runtime::{Error, Func, Instance, Linker, Module, Outcome, Step, Store, Val, Watch, wasi};

use crate::args::{self, Backend, RunArgs, Stdin};
use crate::exit::Exit;
use crate::input::Input;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};
use crate::run::both::{Both, Compared, Seen};
use crate::run::code::{Made, interpreted, make_module};
use crate::run::entry::Entry;
use crate::run::guest::{Host, Streams};
use crate::run::messages::Failed;
use crate::run::observe::{EventFile, Observer, Trace};
use crate::run::page::RunPage;
use crate::run::progress::Progress;
pub(crate) use crate::run::report::KEYS;
use crate::run::report::{Ending, MAX_EVENTS, Report};
use crate::run::save::Written;
pub(crate) use crate::run::value::show as show_val;

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
    match prepared.and_then(|args| Prepared::new(&args, command_line).map(|prepared| (prepared, args))) {
        Ok((Prepared::One(session), args)) => session.run(&args, out, err),
        Ok((Prepared::Both(both), args)) => both.run(&args, out, err),
        Err(problem) => refuse(&problem, err),
    }
}

/// What is ready to run.
enum Prepared {
    One(Box<Session>),
    Both(Box<Both>),
}

impl Prepared {
    fn new(args: &RunArgs, command_line: &[OsString]) -> Result<Self, Problem> {
        let (module, origin) = Input::read(args.file())?.decode(Features::all())?;
        let valid = wasmos_frontend::validate(module).map_err(|error| origin.refuse(&error))?;
        let file = origin.name;
        if args.has_gate() {
            gate::check(&valid, &file)?;
        }
        let watched = args.report.is_some().then(|| valid.clone());
        let valid = LazyModule::from(valid);
        let made = make_module(args, valid.clone(), origin.artifact, &file)?;
        if args.tier.is_both() && made.is_native() {
            let interp = interpreted(valid, &file, Vec::new())?;
            let mut both = Both::prepare(args, &file, [interp, made], command_line)?;
            both.shown().watch(args, watched)?;
            return Ok(Self::Both(Box::new(both)));
        }
        let mut session = Session::prepare(args, file, made, Part::Whole)?;
        session.watch(args, watched)?;
        Ok(Self::One(Box::new(session)))
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
    /// What was not as it should be, and why the interpreter runs it although the JIT was asked for.
    notices: Vec<String>,
    entry: Entry,
    store: Store<Host>,
    linker: Linker<Host>,
    failed: Failed,
    progress: Progress,
    /// Where the JSON goes if not to stderr.
    json: Option<File>,
    events: Option<EventFile>,
    /// What is kept of it to be compared.
    seen: Option<Seen>,
    /// Where what happens is drawn.
    page: Option<RunPage>,
}

/// What a run is of all that was asked for.
enum Part {
    Whole,
    /// The run that is shown.
    First(Seen),
    /// The one that is compared with it.
    Second(Seen),
}

impl Session {
    fn prepare(args: &RunArgs, file: String, made: Made, part: Part) -> Result<Self, Problem> {
        let Made { engine, module, notices } = made;
        let entry = Entry::choose(&file, &module, args.invoke.as_deref(), args.guest_args())?;
        let progress = Progress::new(!args.quiet && !waits_for_a_person(args, &module));
        let guest_args = if entry.takes_args { args.guest_args() } else { &[] };
        let host_streams = Streams::of_the_host(args, &progress);
        let (streams, seen, is_shown) = match part {
            Part::Whole => (host_streams, None, true),
            Part::First(seen) => (seen.streams(host_streams, true), Some(seen), true),
            Part::Second(seen) => (seen.streams(host_streams, false), Some(seen), false),
        };
        let wasi = guest::wasi(args, guest_args, streams)?;
        let grants = grants::grants(&args.guest, module.decoded().bytes())?;
        let internal = |error: Error| internal(&file, &error);
        let mut linker = Linker::new(&engine);
        native::add_to_linker(&mut linker, |host: &mut Host| &mut host.native).map_err(internal)?;
        wasi::add_to_linker(&mut linker, |host: &mut Host| &mut host.wasi).map_err(internal)?;
        linker.unknown_imports = args.unknown_imports.into();
        let host = Host { native: Native::default(), wasi };
        let mut store = Store::with_limits(&engine, host, args.limits()).map_err(internal)?;
        store.gate_mut().grants = grants;
        let failed = seen.as_ref().map_or_else(Failed::default, |seen| seen.failed(store.stop_handle()));
        let sink = is_shown.then(|| messages::sink(store.stop_handle(), failed.clone(), progress.clone()));
        store.data_mut().native = Native { sensors: guest::sensors(args), sink };
        if args.json.is_some() || args.report.is_some() {
            store.gate_mut().remember(MAX_EVENTS);
        }
        interrupt::stop_on_interrupt(store.stop_handle()).map_err(|error| {
            Problem::new(Exit::Internal, &file, format!("cannot listen to signals: {error}"))
        })?;
        // Nothing is written before everything else is known to be right.
        let file_of = |path: Option<&Path>| path.filter(|_| is_shown).map(create).transpose();
        let json = file_of(args.json.as_ref().and_then(Option::as_deref))?;
        let events = file_of(args.events.as_deref())?.map(EventFile::new);
        let trace = args.trace.filter(|_| is_shown);
        let trace = trace.map(|_| Trace::new(progress.clone(), store.stop_handle(), failed.clone()));
        if let (Some(args::Trace::Calls), Some(trace)) = (args.trace, trace.clone()) {
            store.observe(Watch::Calls, move |_, at| trace.call(at));
        }
        if trace.is_some() || events.is_some() || seen.is_some() {
            let (stop, failed) = (store.stop_handle(), failed.clone());
            let observer = Observer { trace, file: events.clone(), seen: seen.clone(), stop, failed };
            store.gate_mut().observe(Box::new(move |event| observer.see(event)));
        }
        Ok(Self {
            file,
            module,
            notices,
            entry,
            store,
            linker,
            failed,
            progress,
            json,
            events,
            seen,
            page: None,
        })
    }

    /// Has the page of `--report` drawn of what happens.
    fn watch(&mut self, args: &RunArgs, module: Option<ValidModule>) -> Result<(), Problem> {
        let (Some(path), Some(module)) = (&args.report, module) else { return Ok(()) };
        if args.trace == Some(args::Trace::Calls) {
            let problem =
                Problem::new(Exit::Usage, &self.file, "--report and --trace calls both watch the run");
            return Err(problem.help("`--trace host` goes with `--report`"));
        }
        self.page = Some(RunPage::begin(create(path)?, module, &mut self.store));
        Ok(())
    }

    fn run(mut self, args: &RunArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
        for notice in &self.notices {
            writeln!(err, "{}: note: {notice}", self.file)?;
        }
        let ran = self.execute();
        self.finish(args, ran, None, (out, err))
    }

    /// Says what came of it, and of its comparison with another tier.
    fn finish(
        mut self,
        args: &RunArgs,
        Ran { what, result, elapsed, .. }: Ran,
        compared: Option<&Compared>,
        (out, err): (&mut dyn Write, &mut dyn Write),
    ) -> io::Result<Exit> {
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
            _ if compared.is_some_and(Compared::is_done) => Backend::Both,
            wasmos_runtime::Backend::Interpreter => Backend::Interp,
            wasmos_runtime::Backend::Jit(_) => Backend::Jit,
        };
        let mut report = Report::new(&ending, &self.store, backend, &limits, elapsed, &written.changes);
        report.differ(compared.map_or(&[], Compared::differences));
        if let Some(file) = &mut self.json {
            crate::output::json(file, &report)?;
        }
        if let Some(page) = self.page.take() {
            let sentence = match &ending {
                Ending::Ran(outcome) => screen::sentence(&what, outcome, &limits),
                Ending::Unlinked => "an import was refused".to_owned(),
                Ending::Refused(quota) => format!("the module needs more than is allowed: {quota}"),
            };
            let sentences = page::sentences(&what, sentence, &ending);
            page.finish(&self.file, sentences, &ending, &self.store, &limits)?;
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
        if let Some(compared) = compared {
            compared.write(&self.file, args.quiet, err)?;
        }
        if let Some(problem) = &unsaved {
            problem.write(err)?;
        }
        if args.json == Some(None) {
            crate::output::json(err, &report)?;
        }
        // What was asked for and not done must not look like success.
        Ok(match (ending.exit(), unsaved) {
            _ if compared.is_some_and(|compared| !compared.differences().is_empty()) => Exit::Internal,
            (Exit::Fine, Some(problem)) => problem.exit,
            (exit, _) => exit,
        })
    }

    /// Instantiates the module and runs what was chosen.
    fn execute(&mut self) -> Ran {
        let Self { module, entry, store, linker, progress, .. } = self;
        let begin = Instant::now();
        let mut what = "instantiation".to_owned();
        let mut made = None;
        let result = linker.instantiate(store, module).and_then(|instance| {
            made = Some(instance);
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
        progress.end();
        Ran { what, result, instance: made, elapsed: begin.elapsed() }
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

/// What ran last, as messages call it, and what came of it.
struct Ran {
    what: String,
    result: Result<Outcome, Error>,
    instance: Option<Instance>,
    /// From instantiation to the end.
    elapsed: Duration,
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

fn internal(file: &str, error: &Error) -> Problem {
    Problem::new(Exit::Internal, file, format!("internal: {}", Escaped::new(&error.to_string())))
}

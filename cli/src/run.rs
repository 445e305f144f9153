//! `wasmos run`: what a module does, within limits.

mod config;
mod entry;
mod interrupt;
mod link;
mod messages;
mod report;
mod screen;
mod value;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::time::Instant;

use wasmos_frontend::Features;
use wasmos_runtime::native::{self, Native, Sensors};
use wasmos_runtime::{Engine, Error, Linker, Module, Outcome, Store};

use crate::args::RunArgs;
use crate::exit::Exit;
use crate::input::Input;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};
use crate::run::entry::Entry;
pub(crate) use crate::run::report::KEYS;
use crate::run::report::{Ending, MAX_EVENTS, Report};

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
    entry: Entry,
    store: Store<Native>,
    linker: Linker<Native>,
    failed: messages::Failed,
    /// Where the JSON goes if not to stderr.
    json: Option<File>,
}

impl Session {
    fn prepare(args: &RunArgs) -> Result<Self, Problem> {
        let (module, origin) = Input::read(args.file())?.decode(Features::all())?;
        let valid = wasmos_frontend::validate(module).map_err(|error| origin.refuse(&error))?;
        let file = origin.name;
        let engine = Engine::default();
        let module = Module::from_valid(&engine, valid).map_err(|error| unsupported(&file, &error))?;
        let entry = Entry::choose(&file, &module, args.invoke.as_deref(), args.guest_args())?;
        let internal = |error: Error| internal(&file, &error);
        let mut linker = Linker::new(&engine);
        native::add_to_linker(&mut linker, |native| native).map_err(internal)?;
        linker.unknown_imports = args.unknown_imports.into();
        let mut store = Store::with_limits(&engine, Native::default(), args.limits()).map_err(internal)?;
        let (sink, failed) = messages::sink(store.stop_handle());
        *store.data_mut() = Native { sensors: sensors(args), sink: Some(sink) };
        args.deny.iter().for_each(|capability| store.gate_mut().grants.deny(*capability));
        let json = match &args.json {
            Some(Some(path)) => Some(File::create(path).map_err(|error| {
                Problem::new(Exit::Usage, &file_name(path), format!("cannot write: {error}"))
            })?),
            _ => None,
        };
        if args.json.is_some() {
            store.gate_mut().remember(MAX_EVENTS);
        }
        interrupt::stop_on_interrupt(store.stop_handle()).map_err(|error| {
            Problem::new(Exit::Internal, &file, format!("cannot listen to signals: {error}"))
        })?;
        Ok(Self { file, module, entry, store, linker, failed, json })
    }

    fn run(mut self, args: &RunArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
        let begin = Instant::now();
        let Ran { what, result } = self.execute();
        let elapsed = begin.elapsed();
        let (ending, problem) = match result {
            Ok(outcome) => (Ending::Ran(outcome), None),
            Err(error) => match self.not_run(&error) {
                (Some(ending), problem) => (ending, Some(problem)),
                (None, problem) => return refuse(&problem, err),
            },
        };
        let limits = args.limits();
        let report = Report::new(&ending, &self.store, args.backend, &limits, elapsed);
        if let Some(file) = &mut self.json {
            crate::output::json(file, &report)?;
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
                screen::write(err, (&self.file, &what), outcome, &self.store, &report, &limits)?;
            }
            _ => {}
        }
        if args.json == Some(None) {
            crate::output::json(err, &report)?;
        }
        Ok(ending.exit())
    }

    /// Instantiates the module and runs what was chosen.
    fn execute(&mut self) -> Ran {
        let Self { module, entry, store, linker, .. } = self;
        let mut what = "instantiation".to_owned();
        let result = linker.instantiate(store, module).and_then(|instance| {
            let mut call = |name: &str, params: &[_]| {
                what = format!("`{}`", Escaped::new(name));
                let missing = || Error::NoExport { kind: "function", name: name.into() };
                instance.get_func(store, name).ok_or_else(missing)?.call(store, params)
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

/// What ran last, as messages call it, and what came of it.
struct Ran {
    what: String,
    result: Result<Outcome, Error>,
}

fn sensors(args: &RunArgs) -> Sensors {
    let fixed = args.sensors.iter().map(|sensor| (sensor.id, sensor.value)).collect();
    Sensors::Seeded { seed: args.seed, fixed }
}

fn unsupported(file: &str, error: &Error) -> Problem {
    Problem::new(Exit::Refused, file, format!("unsupported: {}", Escaped::new(&error.to_string())))
}

fn internal(file: &str, error: &Error) -> Problem {
    Problem::new(Exit::Internal, file, format!("internal: {}", Escaped::new(&error.to_string())))
}

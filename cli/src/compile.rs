//! `wasmos compile`: native code of a module, ahead of time.

use std::fs;
use std::io::{self, Write};

use wasmos_frontend::Features;
use wasmos_runtime::{Backend, Config, Engine, Error, Module, Preparation};

use crate::args::CompileArgs;
use crate::code::{self, Compiling};
use crate::exit::Exit;
use crate::input::Input;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};

pub(crate) fn run(args: &CompileArgs, err: &mut dyn Write) -> io::Result<Exit> {
    match compile(args) {
        Ok(()) => Ok(Exit::Fine),
        Err(problem) => {
            problem.write(err)?;
            Ok(problem.exit)
        }
    }
}

fn compile(args: &CompileArgs) -> Result<(), Problem> {
    let (module, origin) = Input::read(&args.file)?.decode(Features::all())?;
    let valid = wasmos_frontend::validate(module).map_err(|error| origin.refuse(&error))?;
    let file = &origin.name;
    // Without a key the work would be for nothing.
    let key = code::key().map_err(|sentence| Problem::new(Exit::Usage, file, sentence))?;
    let engine = Engine::new(Config { backend: Backend::Jit(args.options()), ..Config::default() });
    let bar = Compiling::new(true);
    let progress = |done, of| bar.update(done, of);
    let preparation =
        Preparation { timeout: args.timeout(), progress: Some(&progress), ..Preparation::default() };
    let prepared = Module::prepare_with(&engine, valid, preparation);
    drop(bar);
    let bytes = prepared.and_then(|prepared| prepared.module.artifact(&key, true));
    let bytes = bytes.map_err(|error| refused(file, &error))?.unwrap_or_default();
    fs::write(&args.output, bytes).map_err(|error| {
        // Half an artifact would be refused, but later.
        let _ = fs::remove_file(&args.output);
        Problem::new(Exit::Usage, &file_name(&args.output), format!("cannot write: {error}"))
    })
}

fn refused(file: &str, error: &Error) -> Problem {
    let sentence = format!("unsupported: {}", Escaped::new(&error.to_string()));
    let problem = Problem::new(Exit::Refused, file, sentence);
    match error {
        Error::Unsupported(error) if error.is_of_jit() => {
            problem.help("`wasmos run` interprets what is not compiled")
        }
        _ => problem,
    }
}

//! `wasmos inspect`: what is in a module, on a screen or as JSON, without judging it.

mod facts;
mod report;
mod screen;

use std::io::{self, Write};

use crate::args::InspectArgs;
use crate::exit::Exit;
use crate::input::{Input, Origin};
use crate::inspect::facts::Facts;
pub(crate) use crate::inspect::report::KEYS;
use crate::inspect::report::Report;
use crate::inspect::screen::Screen;
use crate::problem::Problem;

pub(crate) fn run(args: &InspectArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    match inspect(args) {
        Ok((facts, origin)) => {
            let report = Report::new(&args.file, &facts);
            if args.json {
                crate::output::json(out, &report)?;
            } else {
                Screen::new(out, args.all).show(&origin.name, &report)?;
            }
        }
        Err(problem) => {
            problem.write(err)?;
            return Ok(problem.exit);
        }
    }
    Ok(Exit::Fine)
}

fn inspect(args: &InspectArgs) -> Result<(Facts, Origin), Problem> {
    let Input { origin, bytes } = Input::read(&args.file)?;
    match Facts::of(bytes) {
        Ok(facts) => Ok((facts, origin)),
        Err(error) => Err(origin.refuse(&error)),
    }
}

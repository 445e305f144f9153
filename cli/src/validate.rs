//! `wasmos validate`: a line per file.

use std::io::{self, Write};
use std::path::Path;

use wasmos_frontend::Features;

use crate::args::ValidateArgs;
use crate::exit::Exit;
use crate::input::Input;
use crate::problem::Problem;

pub(crate) fn run(args: &ValidateArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let features = args.features.set();
    let mut worst = Exit::Fine;
    for file in &args.files {
        match check(file, features) {
            Ok(Verdict { name, warnings }) => {
                writeln!(out, "{name}: ok")?;
                if !warnings.is_empty() {
                    out.flush()?;
                }
                warnings.iter().try_for_each(|warning| writeln!(err, "{name}: warning: {warning}"))?;
            }
            Err(problem) => {
                // On a terminal the lines stand in the order of the files.
                out.flush()?;
                problem.write(err)?;
                worst = worst.max(problem.exit);
            }
        }
    }
    Ok(worst)
}

struct Verdict {
    name: String,
    warnings: Vec<String>,
}

fn check(file: &Path, features: Features) -> Result<Verdict, Problem> {
    let (module, origin) = Input::read(file)?.decode(features)?;
    let module = wasmos_frontend::validate(module).map_err(|error| origin.refuse(&error))?;
    let warnings = module.warnings();
    let warnings =
        warnings.iter().map(|warning| format!("{} (at offset {:#x})", warning.what, warning.offset));
    Ok(Verdict { warnings: warnings.collect(), name: origin.name })
}

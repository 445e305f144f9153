//! What of a module runs, and with which parameters. All of it is decided before anything is instantiated.

use std::ffi::OsString;

use wasmos_runtime::{FuncType, Module, Val};

use crate::exit::Exit;
use crate::output::{Escaped, counted};
use crate::problem::Problem;
use crate::run::value;

/// How many exports a message lists.
const SHOWN: usize = 10;

/// What runs.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    /// Whether `_initialize` runs first.
    pub(super) initialize: bool,
    /// Name of an exported function: untrusted text.
    pub(super) name: String,
    pub(super) params: Vec<Val>,
    /// Whether the arguments are the guest's, to be asked for through WASI.
    pub(super) takes_args: bool,
}

impl Entry {
    /// Chooses what runs; `file` is the file's name, escaped.
    pub(super) fn choose(
        file: &str,
        module: &Module,
        invoke: Option<&str>,
        args: &[OsString],
    ) -> Result<Self, Problem> {
        let name = match invoke {
            Some(name) => name.to_owned(),
            None => default(file, module)?,
        };
        let Some(ty) = module.export_func_type(&name) else {
            let sentence = format!("no function is exported as `{}`", Escaped::new(&name));
            return Err(list_exports(Problem::new(Exit::Usage, file, sentence), module));
        };
        let takes_args = invoke.is_none() && name == "_start" && asks_for_args(module);
        let params = match takes_args {
            true => params(file, &name, &ty, &[], false)?,
            false => params(file, &name, &ty, args, invoke.is_some())?,
        };
        // A command has `_start`, which does what `_initialize` does in a reactor.
        let initialize =
            name != "_initialize" && is_plain(module, "_initialize") && !is_plain(module, "_start");
        Ok(Self { initialize, name, params, takes_args })
    }
}

/// Whether the module imports what WASI hands arguments out by.
fn asks_for_args(module: &Module) -> bool {
    module.imports().any(|(from, name, _)| from.starts_with("wasi") && name == "args_get")
}

/// Whether a function without parameters and results is exported as `name`.
fn is_plain(module: &Module, name: &str) -> bool {
    module.export_func_type(name).is_some_and(|ty| ty.params().is_empty() && ty.results().is_empty())
}

/// Returns the name of the export that runs where none is asked for.
fn default(file: &str, module: &Module) -> Result<String, Problem> {
    if module.export_func_type("_start").is_some() {
        return Ok("_start".into());
    }
    let without_parameters = |name: &&str| {
        *name != "_initialize" && module.export_func_type(name).is_some_and(|ty| ty.params().is_empty())
    };
    let candidates: Vec<_> =
        module.exports().map(|(name, _)| name).filter(without_parameters).take(2).collect();
    let sentence = match *candidates.as_slice() {
        [only] => return Ok(only.to_owned()),
        [] if is_plain(module, "_initialize") => return Ok("_initialize".into()),
        [] => "there is no `_start` and no export without parameters to run",
        _ => "there is no `_start`, and several exports without parameters",
    };
    let problem = list_exports(Problem::new(Exit::Usage, file, sentence), module);
    let has_functions = module.exports().any(|(name, _)| module.export_func_type(name).is_some());
    let help = "`--invoke NAME` in front of the file chooses one";
    Err(if has_functions { problem.help(help) } else { problem })
}

fn list_exports(problem: Problem, module: &Module) -> Problem {
    let functions = module.exports().filter_map(|(name, _)| Some((name, module.export_func_type(name)?)));
    let functions: Vec<_> = functions.collect();
    let note = |problem: Problem, (name, ty): &(&str, FuncType)| {
        problem.note(format!("exported: {} {ty}", Escaped::new(name)))
    };
    let problem = functions.iter().take(SHOWN).fold(problem, note);
    match functions.len().saturating_sub(SHOWN) {
        0 if functions.is_empty() => problem.note("it exports no function"),
        0 => problem,
        left => problem.note(format!("exported: {} more", counted(left as u64, "function"))),
    }
}

/// Reads the arguments as parameters of a function.
fn params(
    file: &str,
    name: &str,
    ty: &FuncType,
    args: &[OsString],
    invoked: bool,
) -> Result<Vec<Val>, Problem> {
    let name = Escaped::new(name);
    let problem = |sentence: String| {
        Problem::new(Exit::Usage, file, sentence).note(format!("`{name}` is of type {ty}"))
    };
    let wanted = ty.params().len();
    if args.len() != wanted {
        let sentence = format!("`{name}` takes {}, not {}", counted(wanted as u64, "parameter"), args.len());
        let problem = problem(sentence);
        return Err(match invoked {
            true => problem,
            false if args.is_empty() => problem.help("`--invoke NAME` in front of the file takes parameters"),
            false => problem.help("flags stand in front of the file; the module does not ask for arguments"),
        });
    }
    let read = |(at, (arg, ty)): (usize, (&OsString, &wasmos_runtime::ValType))| {
        let text = arg.to_string_lossy();
        value::parse(&text, *ty).map_err(|why| {
            problem(format!("`{}` cannot be parameter {} of type {ty}: {why}", Escaped::new(&text), at + 1))
        })
    };
    args.iter().zip(ty.params()).enumerate().map(read).collect()
}

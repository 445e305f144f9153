//! What a refused import says.

use wasmos_runtime::{LinkError, LinkErrorKind};

use crate::exit::Exit;
use crate::output::Escaped;
use crate::problem::Problem;

/// The modules of WASI that are linked, and how names of its other modules begin.
const LINKED: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];
const WASI: &str = "wasi";

/// Makes the problem of an import; `file` is the file's name, escaped.
pub(super) fn refused(file: &str, error: &LinkError) -> Problem {
    let LinkError { module, name, wanted, kind } = error;
    let import = format!("`{}.{}`", Escaped::new(module), Escaped::new(name));
    let problem = |sentence: String| {
        Problem::new(Exit::Denied, file, sentence).note(format!("it is wanted as {wanted}"))
    };
    match kind {
        LinkErrorKind::Unknown if module.starts_with(WASI) && !LINKED.contains(&&**module) => {
            let sentence = format!("unknown import: {import}: of WASI there is preview 1");
            problem(sentence).help("`--unknown-imports trap` runs what does not call it")
        }
        LinkErrorKind::Unknown => {
            let problem = problem(format!("unknown import: {import}"));
            match wanted.starts_with("(func") {
                true => problem.help("`--unknown-imports trap` runs what does not call it"),
                false => problem,
            }
        }
        LinkErrorKind::Incompatible { found } => {
            problem(format!("incompatible import type: {import}")).note(format!("it is offered as {found}"))
        }
        LinkErrorKind::Denied(capability) => {
            problem(format!("denied: {import} needs the capability `{capability}`, which is withheld"))
                .help("`--deny` and `--grants` say what is withheld")
        }
    }
}

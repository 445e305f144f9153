//! What a refused import says.

use wasmos_runtime::{LinkError, LinkErrorKind};

use crate::exit::Exit;
use crate::output::Escaped;
use crate::problem::Problem;

/// The modules of WASI that command-line programs import; others of its modules begin so too.
const WASI: &str = "wasi";

/// Makes the problem of an import; `file` is the file's name, escaped.
pub(super) fn refused(file: &str, error: &LinkError) -> Problem {
    let LinkError { module, name, wanted, kind } = error;
    let import = format!("`{}.{}`", Escaped::new(module), Escaped::new(name));
    let problem = |sentence: String| {
        Problem::new(Exit::Denied, file, sentence).note(format!("it is wanted as {wanted}"))
    };
    match kind {
        LinkErrorKind::Unknown if module.starts_with(WASI) => {
            let sentence = format!(
                "unknown import: {import}: WASI is not built yet in version {}",
                env!("CARGO_PKG_VERSION")
            );
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
        }
    }
}

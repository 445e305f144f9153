//! What the guest changed in memory, and where it is kept.

use std::path::Path;

use wasmos_runtime::wasi::{Change, Saved, WasiCtx};

use crate::exit::Exit;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};

/// How many links that were left out a message lists.
const SHOWN: usize = 5;

/// What the guest changed in memory.
pub(super) struct Written {
    pub(super) changes: Vec<Change>,
    /// Where it was saved, escaped, and how much of it.
    pub(super) saved: Option<(String, Saved)>,
}

impl Written {
    /// Collects what was changed, and saves it below `into`. However the guest ended: what it wrote until then may be
    /// what somebody needs.
    pub(super) fn collect(wasi: &mut WasiCtx, into: Option<&Path>) -> (Self, Option<Problem>) {
        let changes = wasi.changes();
        let Some(into) = into else { return (Self { changes, saved: None }, None) };
        let name = file_name(into);
        match wasi.save_changes(into) {
            Ok(saved) => {
                let problem = left_out(&name, &saved);
                (Self { changes, saved: Some((name, saved)) }, problem)
            }
            Err(error) => {
                let problem = Problem::new(Exit::Usage, &name, format!("cannot save: {error}"));
                (Self { changes, saved: None }, Some(problem))
            }
        }
    }
}

/// Names the links that were not saved, for they would lead out of the folder.
fn left_out(name: &str, saved: &Saved) -> Option<Problem> {
    if saved.skipped.is_empty() {
        return None;
    }
    let problem = Problem::new(Exit::Usage, name, "symbolic links that lead elsewhere are not saved");
    let shown = saved.skipped.iter().take(SHOWN);
    let problem = shown.fold(problem, |problem, link| problem.note(Escaped::new(link).to_string()));
    Some(match saved.skipped.len().saturating_sub(SHOWN) {
        0 => problem,
        left => problem.note(format!("{left} more")),
    })
}

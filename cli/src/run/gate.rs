//! `--gate`: a module is analysed before it runs, and refused if it is graded severe or could not be looked at.
//!
//! That a module passed is kept on disk, under the verdict's id: a hash of the module, the rules, their version and ours. Only
//! passing is kept, so that a refusal always says why. What is found there counts only if it is a file of the user's alone
//! with just the word that is written; anything else is as if it were not there.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use wasmos_analysis::report::{hex, rule, verdict_id};
use wasmos_analysis::{Grade, Policy, Report, Verdict, analyze};
use wasmos_frontend::ValidModule;
use wasmos_runtime::cache::{read_private, write_private};

use crate::code::cache_folder;
use crate::exit::Exit;
use crate::problem::Problem;

/// The name of the folder of verdicts.
const FOLDER: &str = "verdicts";
/// What a file says of a module that passed.
const PASSED: &[u8] = b"passed\n";
/// Reasons that are given.
const REASONS: usize = 3;

/// Refuses a module that should not run; `file` is its name, escaped.
pub(super) fn check(valid: &ValidModule, file: &str) -> Result<(), Problem> {
    let policy = Policy::default();
    let id = verdict_id(&hex(&Sha256::digest(valid.bytes())), &policy);
    let kept = cache_folder().map(|folder| folder.join(FOLDER).join(id));
    if kept.as_deref().is_some_and(has_passed) {
        return Ok(());
    }
    let report = analyze(valid, &policy);
    match report.verdict {
        Verdict::Ok | Verdict::Warning => {
            // A verdict that cannot be kept is found again next time.
            let _ = kept.map(|path| write_private(&path, PASSED));
            Ok(())
        }
        Verdict::Severe | Verdict::Unknown => Err(refusal(&report, file)),
    }
}

fn has_passed(path: &Path) -> bool {
    matches!(read_private(path, PASSED.len() as u64), Ok(Some(text)) if text == PASSED)
}

fn refusal(report: &Report, file: &str) -> Problem {
    let sentence = match report.verdict {
        Verdict::Unknown => "refused by the gate: not all of it could be analysed".to_owned(),
        verdict => format!("refused by the gate: graded {verdict}, score {} of 100", report.score.total),
    };
    let mut problem = Problem::new(Exit::Gate, file, sentence);
    let mut findings: Vec<_> = report.findings.iter().filter(|it| it.grade > Grade::Info).collect();
    findings.sort_by_key(|it| (std::cmp::Reverse((it.grade, it.points)), it.rule));
    findings.dedup_by_key(|it| it.rule);
    for it in findings.into_iter().take(REASONS) {
        let title = rule(it.rule).map_or("", |rule| rule.title);
        problem = problem.note(format!("{} {}: {title}: {}", it.rule, it.grade, it.message));
    }
    problem.help("`wasmos analyze` says all of it, `--accept-risk` runs it all the same")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_by_the_user_alone_counts() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("verdicts").join("id");
        assert!(!has_passed(&path));
        write_private(&path, PASSED).expect("there is room");
        assert!(has_passed(&path));
        for other in [&b""[..], b"passed", b"passed\n\n", b"severe\n"] {
            write_private(&path, other).expect("there is room");
            assert!(!has_passed(&path), "{other:?}");
        }
        write_private(&path, PASSED).expect("there is room");
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt, symlink};
            let link = path.with_file_name("link");
            symlink(&path, &link).expect("links can be made");
            assert!(!has_passed(&link));
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).expect("it is ours");
            assert!(!has_passed(&path));
        }
    }
}

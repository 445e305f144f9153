//! `wasmos analyze`: what modules are and what they could do, without running them; and a gate for builds.

mod outputs;

use std::io::{self, Write};
use std::path::Path;

use wasmos_analysis::finding::Grade;
use wasmos_analysis::{Facts, Policy, Report, Verdict};
use wasmos_frontend::{Features, ValidModule};
use wasmos_web_report::html::Page;
use wasmos_web_report::{json, sarif, text};

use crate::analyze::outputs::Outputs;
use crate::args::AnalyzeArgs;
use crate::exit::Exit;
use crate::input::Input;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};

/// Keys of the JSON, for `wasmos help json`.
pub(crate) const KEYS: &str = "\
analyze --json, one line for each module:
  schema_version, grade (ok, warning, severe, unknown), score,
  score_by_category [{category, points, counted}], verdict_id,
  module {sha256, size_bytes},
  findings [{rule, title, category, grade, confidence, points, message,
    function {index, name}, offset, evidence, advice, remedy, attack}],
  imports [{module, name, kind, type, class, platform, capability, declared,
    reachable}],
  profile {grants, unknown_imports},
  cost [{function, export, kind, fuel, bound}],
  provenance {language, allocator, producers},
  coverage {complete, functions, reachable, skipped, indirect_calls,
    host_mutable_calls, bounded_functions}

";

/// A module that could be looked at.
struct Analyzed {
    name: String,
    module: ValidModule,
    report: Report,
    /// The page, if one was asked for.
    page: Option<String>,
}

pub(crate) fn run(args: &AnalyzeArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let of_one = [("--profile-out", args.profile_out.is_some()), ("--html", args.html.is_some())];
    if let Some((flag, _)) = of_one.iter().find(|(_, wanted)| *wanted && args.files.len() != 1) {
        return refuse(&Problem::new(Exit::Usage, flag, "takes one module"), err);
    }
    let prepared = policy(args.policy.as_deref()).and_then(|policy| Ok((policy, Outputs::open(args)?)));
    let (policy, mut outputs) = match prepared {
        Ok(prepared) => prepared,
        Err(problem) => return refuse(&problem, err),
    };
    let mut worst = Exit::Fine;
    let mut done = Vec::new();
    for file in &args.files {
        match look_at(file, &policy, outputs.html.is_some()) {
            Ok(analyzed) => {
                worst = worst.max(exit_of(args, &analyzed.report));
                worst = worst.max(show(&mut outputs, out, err, &analyzed)?);
                done.push(analyzed);
            }
            Err(problem) => {
                out.flush()?;
                worst = worst.max(refuse(&problem, err)?);
            }
        }
    }
    if let Some(sarif) = &mut outputs.sarif {
        let modules: Vec<_> = done
            .iter()
            .map(|it| sarif::Analyzed { name: &it.name, module: &it.module, report: &it.report })
            .collect();
        let written = sarif.write(out, |out| crate::output::json(out, &sarif::log(&modules)))?;
        worst = worst.max(tell(written, err)?);
    }
    if let (Some(path), [one]) = (&args.profile_out, &*done)
        && let Err(error) = std::fs::write(path, one.report.profile.to_toml())
    {
        let problem = Problem::new(Exit::Usage, &file_name(path), format!("cannot write: {error}"));
        worst = worst.max(refuse(&problem, err)?);
    }
    Ok(worst)
}

fn refuse(problem: &Problem, err: &mut dyn Write) -> io::Result<Exit> {
    problem.write(err)?;
    Ok(problem.exit)
}

fn tell(written: Result<(), Problem>, err: &mut dyn Write) -> io::Result<Exit> {
    written.map_or_else(|problem| refuse(&problem, err), |()| Ok(Exit::Fine))
}

fn policy(path: Option<&Path>) -> Result<Policy, Problem> {
    let Some(path) = path else { return Ok(Policy::default()) };
    let name = Escaped::new(&path.to_string_lossy()).to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problem::new(Exit::Usage, &name, format!("cannot be read: {error}")))?;
    Policy::parse(&text)
        .map_err(|error| Problem::new(Exit::Usage, &name, Escaped::new(&error.to_string()).to_string()))
}

fn look_at(file: &Path, policy: &Policy, wants_page: bool) -> Result<Analyzed, Problem> {
    let (module, origin) = Input::read(file)?.decode(Features::all())?;
    let module = wasmos_frontend::validate(module).map_err(|error| origin.refuse(&error))?;
    let facts = Facts::find(&module);
    let report = Report::of(&facts, policy);
    let page = Page { name: &origin.name, facts: &facts, report: &report, run: None };
    let page = wants_page.then(|| page.render());
    Ok(Analyzed { name: origin.name, module, report, page })
}

fn show(outputs: &mut Outputs, out: &mut dyn Write, err: &mut dyn Write, it: &Analyzed) -> io::Result<Exit> {
    if outputs.is_screen() {
        text::report(out, &it.name, &it.module, &it.report)?;
    }
    let mut exit = Exit::Fine;
    if let Some(json) = &mut outputs.json {
        let object = json::report(&it.module, &it.report);
        exit = exit.max(tell(json.write(out, |out| crate::output::json(out, &object))?, err)?);
    }
    if let (Some(html), Some(page)) = (&mut outputs.html, &it.page) {
        exit = exit.max(tell(html.write(out, |out| out.write_all(page.as_bytes()))?, err)?);
    }
    Ok(exit)
}

/// What could not be analysed fails closed; below the threshold everything is fine.
fn exit_of(args: &AnalyzeArgs, report: &Report) -> Exit {
    let Some(threshold) = args.fail_on.grade() else { return Exit::Fine };
    let worst = match report.verdict {
        Verdict::Severe => Some(Grade::Severe),
        Verdict::Warning => Some(Grade::Warning),
        Verdict::Unknown => return Exit::Refused,
        Verdict::Ok => report.findings.iter().map(|finding| finding.grade).max(),
    };
    if worst.is_some_and(|worst| worst >= threshold) { Exit::Findings } else { Exit::Fine }
}

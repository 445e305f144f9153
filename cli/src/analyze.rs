//! `wasmos analyze`: what modules are and what they could do, without running them; and a gate for builds.

mod baseline;
mod each;
mod files;
mod outputs;

use std::io::{self, Write};
use std::path::Path;

use wasmos_analysis::baseline::{Compared, Entry, State, is_acceptable, keys};
use wasmos_analysis::finding::Grade;
use wasmos_analysis::{Facts, Policy, Report, Verdict};
use wasmos_frontend::{Features, ValidModule};
use wasmos_web_report::html::Page;
use wasmos_web_report::{csv, dot, json, sarif, text};

use crate::analyze::baseline::{Accepts, Baseline};
use crate::analyze::each::each;
use crate::analyze::outputs::{Outputs, Sink, Wanted};
use crate::args::AnalyzeArgs;
use crate::exit::Exit;
use crate::input::Input;
use crate::output::{Escaped, counted};
use crate::problem::{Problem, file_name};

/// Keys of the JSON, for `wasmos help json`.
pub(crate) const KEYS: &str = "\
analyze --json, one line for each module:
  schema_version, file, grade (ok, warning, severe, unknown), score,
  score_by_category [{category, points, counted}], verdict_id,
  module {sha256, size_bytes},
  findings [{rule, title, category, grade, confidence, points, message,
    function {index, name}, offset, source {file, line, column}, evidence,
    advice, remedy, attack,
    baseline (new, suppressed, expired; null without --baseline)}],
  baseline {suppressed, grade} (of what is not suppressed; null without),
  imports [{module, name, kind, type, class, platform, capability, also,
    declared, reachable}],
  profile {grants, unknown_imports},
  embedded [{offset, size_bytes, sha256, grade, score, rules, message}],
  cost [{function, export, kind, fuel, bound}],
  provenance {language, allocator, producers},
  coverage {complete, functions, reachable, skipped, indirect_calls,
    host_mutable_calls, bounded_functions}

";

/// What is asked of each module.
struct Question<'a> {
    args: &'a AnalyzeArgs,
    policy: Policy,
    baseline: Option<Baseline>,
    wanted: Wanted,
}

/// What came of a module: its reports as they will be written. The module itself has been let go.
#[derive(Default)]
struct Looked {
    screen: Vec<u8>,
    json: Vec<u8>,
    csv: Vec<u8>,
    dot: Vec<u8>,
    html: Vec<u8>,
    sarif: Option<sarif::Part>,
    profile: String,
    /// What the baseline says of its findings.
    states: Vec<State>,
    /// Its findings, as a baseline accepts them, and how many none may accept.
    acceptable: Vec<Entry>,
    n_unacceptable: usize,
    is_complete: bool,
    /// What it is without a baseline that is only now being written, and with what there is.
    exit: Option<Exit>,
}

pub(crate) fn run(args: &AnalyzeArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let (question, files, mut outputs) = match prepare(args) {
        Ok(prepared) => prepared,
        Err(problem) => return refuse(&problem, err),
    };
    if let Some(csv) = &mut outputs.csv {
        let written = csv.write(out, |out| csv::head(out))?;
        if let Err(problem) = written {
            return refuse(&problem, err);
        }
    }
    let mut worst = Exit::Fine;
    let mut sum = Sum::default();
    each(
        &files,
        |file| question.look_at(file),
        |looked| {
            match looked {
                Ok(looked) => {
                    worst = worst.max(show(&mut outputs, out, err, &looked)?);
                    worst = worst.max(sum.add(looked));
                }
                Err(problem) => {
                    out.flush()?;
                    sum.n_refused += 1;
                    worst = worst.max(refuse(&problem, err)?);
                }
            }
            Ok(())
        },
    )?;
    if let Some(sarif) = &mut outputs.sarif {
        let log = sarif::log(std::mem::take(&mut sum.parts));
        worst = worst.max(tell(sarif.write(out, |out| crate::output::json(out, &log))?, err)?);
    }
    out.flush()?;
    if let Some(baseline) = &question.baseline {
        baseline.tell(&sum.states, err)?;
    }
    let written = sum.write_files(args, err)?;
    Ok(worst.max(tell(written, err)?))
}

/// Reads what the command line names, and makes the files that will be written.
fn prepare(args: &AnalyzeArgs) -> Result<(Question<'_>, Vec<std::path::PathBuf>, Outputs), Problem> {
    let policy = policy(args.policy.as_deref())?;
    let hides = !policy.off.is_empty() || !policy.allow.is_empty() || !policy.grades.is_empty();
    if args.write_baseline.is_some() && hides {
        let sentence = "takes a policy that hides nothing: no `off`, no `allow`, no `grade`";
        return Err(Problem::new(Exit::Usage, "--write-baseline", sentence));
    }
    let files = files::expand(&args.files)?;
    let of_one = [("--profile-out", args.profile_out.is_some()), ("--html", args.html.is_some())];
    if let Some((flag, _)) = of_one.iter().find(|(_, wanted)| *wanted && files.len() != 1) {
        return Err(Problem::new(Exit::Usage, flag, "takes one module"));
    }
    let baseline = args.baseline.as_deref().map(Baseline::read).transpose()?;
    let outputs = Outputs::open(args)?;
    Ok((Question { args, policy, baseline, wanted: outputs.wanted() }, files, outputs))
}

/// What all modules came to.
#[derive(Default)]
struct Sum {
    parts: Vec<sarif::Part>,
    states: Vec<State>,
    found: Vec<Entry>,
    profile: Option<String>,
    n_unacceptable: usize,
    n_refused: usize,
    n_incomplete: usize,
}

impl Sum {
    fn add(&mut self, looked: Looked) -> Exit {
        self.parts.extend(looked.sarif);
        self.states.extend(looked.states);
        self.found.extend(looked.acceptable);
        self.profile = Some(looked.profile);
        self.n_unacceptable += looked.n_unacceptable;
        self.n_incomplete += usize::from(!looked.is_complete);
        looked.exit.unwrap_or(Exit::Fine)
    }

    fn write_files(self, args: &AnalyzeArgs, err: &mut dyn Write) -> io::Result<Result<(), Problem>> {
        if let (Some(path), Some(profile)) = (&args.profile_out, &self.profile)
            && let Err(error) = std::fs::write(path, profile)
        {
            return Ok(Err(Problem::new(Exit::Usage, &file_name(path), format!("cannot write: {error}"))));
        }
        let Some(path) = &args.write_baseline else { return Ok(Ok(())) };
        let name = file_name(path);
        if self.n_refused > 0 || self.n_incomplete > 0 {
            let n = counted((self.n_refused + self.n_incomplete) as u64, "module");
            let sentence = format!("not written: not all of {n} could be looked at");
            return Ok(Err(Problem::new(Exit::Refused, &name, sentence)));
        }
        let accepts = Accepts { reason: args.reason.as_deref().unwrap_or_default(), expires: args.expires };
        let n_entries = match baseline::write(path, self.found, &accepts) {
            Ok(n_entries) => n_entries,
            Err(problem) => return Ok(Err(problem)),
        };
        let entries = counted(n_entries as u64, "entry");
        writeln!(err, "{name}: {entries} written")?;
        if self.n_unacceptable > 0 {
            let n = counted(self.n_unacceptable as u64, "finding");
            writeln!(err, "{name}: {n} cannot be accepted by a baseline")?;
        }
        Ok(Ok(()))
    }
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

impl Question<'_> {
    fn look_at(&self, file: &Path) -> Result<Looked, Problem> {
        let (module, origin) = Input::read(file)?.decode(Features::all())?;
        let module = wasmos_frontend::validate(module).map_err(|error| origin.refuse(&error))?;
        let facts = Facts::find(&module);
        let report = Report::of(&facts, &self.policy);
        let name = file.to_string_lossy();
        let compared =
            self.baseline.as_ref().map(|it| Compared::of(&report, sarif::file_of(&name), &it.entries));
        let mut looked = Looked {
            profile: report.profile.to_toml(),
            is_complete: report.coverage.is_complete(),
            ..Looked::default()
        };
        looked.note_acceptable(&report, sarif::file_of(&name));
        looked.exit = Some(self.exit_of(&report, compared.as_ref()));
        let rendered = self.render(&mut looked, &facts, &report, compared.as_ref(), &origin.name, &name);
        // A vector takes every byte.
        debug_assert!(rendered.is_ok(), "{rendered:?}");
        looked.states = compared.map(|it| it.states).unwrap_or_default();
        Ok(looked)
    }

    #[expect(clippy::too_many_arguments, reason = "each form takes others of them")]
    fn render(
        &self,
        looked: &mut Looked,
        facts: &Facts<'_>,
        report: &Report,
        compared: Option<&Compared>,
        shown: &str,
        name: &str,
    ) -> io::Result<()> {
        let module: &ValidModule = facts.module;
        if self.wanted.screen {
            text::report(&mut looked.screen, shown, module, report, compared)?;
        }
        if self.wanted.json {
            let mut object = json::report(module, report, compared);
            object["file"] = name.into();
            crate::output::json(&mut looked.json, &object)?;
        }
        if self.wanted.csv {
            csv::findings(&mut looked.csv, name, module, report, compared)?;
        }
        if self.wanted.dot {
            dot::call_graph(&mut looked.dot, name, facts)?;
        }
        if self.wanted.html {
            looked.html = Page { name: shown, facts, report, run: None }.render().into_bytes();
        }
        if self.wanted.sarif {
            let reasons = self.baseline.as_ref().map_or(&[][..], |it| &it.reasons);
            let baseline = compared.map(|compared| (compared, reasons));
            looked.sarif = Some(sarif::Analyzed { name, module, report, baseline }.part());
        }
        Ok(())
    }

    /// What could not be analysed fails closed; below the threshold, and accepted by a baseline, everything is fine.
    fn exit_of(&self, report: &Report, compared: Option<&Compared>) -> Exit {
        let Some(threshold) = self.args.fail_on.grade() else { return Exit::Fine };
        let accepts_all = self.args.write_baseline.is_some();
        let counts = |at: usize| match compared.and_then(|it| it.states.get(at)) {
            Some(State::Suppressed(_)) => false,
            _ => !accepts_all || !is_acceptable(report.findings[at].rule, report.findings[at].grade),
        };
        let verdict = compared.map_or(report.verdict, |it| it.verdict(report));
        let worst =
            (0..report.findings.len()).filter(|at| counts(*at)).map(|at| report.findings[at].grade).max();
        let worst = match verdict {
            Verdict::Unknown => return Exit::Refused,
            Verdict::Severe if !accepts_all => Some(Grade::Severe),
            Verdict::Warning if !accepts_all => Some(Grade::Warning),
            _ => worst,
        };
        if worst.is_some_and(|worst| worst >= threshold) { Exit::Findings } else { Exit::Fine }
    }
}

impl Looked {
    fn note_acceptable(&mut self, report: &Report, file: &str) {
        for (finding, key) in report.findings.iter().zip(keys(report, file)) {
            if is_acceptable(finding.rule, finding.grade) {
                let (grade, n_more) = (finding.grade, finding.n_more);
                self.acceptable.push(Entry { key, grade, n_more, is_expired: false });
            } else {
                self.n_unacceptable += 1;
            }
        }
    }
}

fn show(outputs: &mut Outputs, out: &mut dyn Write, err: &mut dyn Write, it: &Looked) -> io::Result<Exit> {
    out.write_all(&it.screen)?;
    let mut exit = Exit::Fine;
    let forms: [(&mut Option<Sink>, &[u8]); 4] = [
        (&mut outputs.json, &it.json),
        (&mut outputs.csv, &it.csv),
        (&mut outputs.dot, &it.dot),
        (&mut outputs.html, &it.html),
    ];
    for (sink, bytes) in forms {
        if let Some(sink) = sink {
            exit = exit.max(tell(sink.write(out, |out| out.write_all(bytes))?, err)?);
        }
    }
    Ok(exit)
}

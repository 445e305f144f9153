//! Runs of programs of the corpus, compared with what another engine saw.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

use super::fetch::{sha256, text};
use crate::product::Product;

/// A run, and what was seen. Keys that are not read: `fuel` and `mem` are another engine's figures.
#[derive(Deserialize)]
struct Run {
    name: String,
    module: String,
    /// `HOST::GUEST`, every one of them to be written to. `EMPTY` is a fresh folder.
    dirs: Vec<String>,
    stdin: Option<String>,
    args: Vec<String>,
    exit: i32,
    stdout_sha: String,
    /// Digest and length of each file that was written, by its name in the guest.
    files: BTreeMap<String, (String, u64)>,
}

/// What runs a module, as `--backend` has it.
#[derive(Clone, Copy, PartialEq)]
enum Tier {
    Interp,
    Jit,
    /// The program compares the two, memories and calls of the host included. Folders that are written to become
    /// overlays, for they can be given once.
    Both,
}

impl Tier {
    const fn name(self) -> &'static str {
        match self {
            Self::Interp => "interp",
            Self::Jit => "jit",
            Self::Both => "both",
        }
    }
}

/// What we saw.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    exit: Option<i32>,
    stdout_sha: String,
    files: BTreeMap<String, (String, u64)>,
    instructions: u64,
    /// What ran, as the program says.
    backend: String,
    stderr: String,
}

/// Prints every disagreement and returns how many there are.
pub(super) fn run(shared: &Path, corpus: &Path, product: &Product, facts: &[Value]) -> Result<usize> {
    let path = shared.join("runs.json");
    let Ok(bytes) = fs::read(&path) else {
        println!("runs: none, for there is no {}", path.display());
        return Ok(0);
    };
    let runs: Vec<Run> = serde_json::from_slice(&bytes).context("runs.json")?;
    let begin = Instant::now();
    let (mut disagreements, mut done) = (0, 0);
    for run in &runs {
        if let Some(why) = left_out(run, corpus, facts)? {
            println!("{}: left out: {why}", run.name);
            continue;
        }
        done += 1;
        let lines = compare(run, shared, corpus, product).with_context(|| run.name.clone())?;
        lines.iter().for_each(|line| println!("{}: {line}", run.name));
        disagreements += lines.len();
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "runs: {done} of {}, on each tier and compared, {disagreements} disagreements, {seconds:.1} s",
        runs.len()
    );
    Ok(disagreements)
}

/// Says why a run cannot be made here.
fn left_out(run: &Run, corpus: &Path, facts: &[Value]) -> Result<Option<String>> {
    for fact in facts {
        let needs = fact["needs"].as_array().into_iter().flatten();
        if text(fact, "out")? == run.module && needs.into_iter().any(|need| need == "exceptions") {
            return Ok(Some("its module needs exceptions".into()));
        }
    }
    let data = run.dirs.iter().filter_map(|dir| dir.split_once("::")).map(|(host, _)| host);
    let missing = data.filter(|host| is_data(host)).find(|host| !corpus.join(host).is_dir());
    Ok(missing.map(|host| format!("{host} is not there; WITH_DATA=1 fetches it")))
}

fn is_data(host: &str) -> bool {
    host.starts_with("data/")
}

fn compare(run: &Run, shared: &Path, corpus: &Path, product: &Product) -> Result<Vec<String>> {
    let [interp, jit, both] = [Tier::Interp, Tier::Jit, Tier::Both];
    let see = |tier| see(run, tier, shared, corpus, product);
    let (first, second, third) = (see(interp)?, see(jit)?, see(both)?);
    let mut lines = Vec::new();
    let mut differ = |what: &str, known: String, ours: String| {
        if known != ours {
            lines.push(format!("{what} is {known}, we say {ours}"));
        }
    };
    differ("exit", format!("{:?}", Some(run.exit)), format!("{:?}", first.exit));
    differ("stdout", run.stdout_sha.clone(), first.stdout_sha.clone());
    differ("files", format!("{:?}", run.files), format!("{:?}", first.files));
    let on_jit = Seen { backend: jit.name().into(), ..first.clone() };
    differ("the run on the jit", format!("{on_jit:?}"), format!("{second:?}"));
    let on_both = Seen { backend: both.name().into(), files: BTreeMap::new(), ..first.clone() };
    differ("the run on both", format!("{on_both:?}"), format!("{third:?}"));
    if !lines.is_empty() && !first.stderr.is_empty() {
        lines.push(format!("stderr: {:?}", first.stderr));
    }
    Ok(lines)
}

/// Makes a run, in a folder of its own.
fn see(run: &Run, tier: Tier, shared: &Path, corpus: &Path, product: &Product) -> Result<Seen> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    copy(&shared.join("inputs"), &folder.join("inputs"))?;
    fs::create_dir(folder.join("EMPTY"))?;
    let mut args: Vec<PathBuf> =
        ["run", "--quiet", "--json=outcome.json", "--timeout", "unlimited", "--backend", tier.name()]
            .map(PathBuf::from)
            .to_vec();
    let mut roots = Vec::new();
    for dir in &run.dirs {
        let (host, guest) = dir.split_once("::").with_context(|| format!("{dir} has no ::"))?;
        // Data is shared by all runs, so that it must not change.
        let (host, access) = match is_data(host) {
            true => (corpus.join(host), "overlay"),
            false if tier == Tier::Both => (folder.join(host), "overlay"),
            false => (folder.join(host), "rw"),
        };
        args.push("--dir".into());
        args.push(format!("{}::{guest}:{access}", host.display()).into());
        roots.push((host, guest));
    }
    args.push(corpus.join(&run.module));
    args.extend(run.args.iter().map(PathBuf::from));
    let stdin = match &run.stdin {
        Some(name) => File::open(shared.join(name)).with_context(|| name.clone())?.into(),
        None => Stdio::null(),
    };
    let output = product.run_with(folder, &args, stdin)?;
    let outcome = fs::read(folder.join("outcome.json")).unwrap_or_default();
    let outcome: Value = serde_json::from_slice(&outcome).unwrap_or_default();
    let written = |name: &String| {
        let below = roots
            .iter()
            .find_map(|(host, guest)| Some(host.join(name.strip_prefix(guest)?.strip_prefix('/')?)));
        let bytes = below.and_then(|path| fs::read(path).ok())?;
        Some((name.clone(), (sha256(&bytes), bytes.len() as u64)))
    };
    Ok(Seen {
        exit: output.status.code(),
        stdout_sha: sha256(&output.stdout),
        files: match tier {
            Tier::Both => BTreeMap::new(),
            _ => run.files.keys().filter_map(written).collect(),
        },
        instructions: outcome["instructions"].as_u64().unwrap_or_default(),
        backend: outcome["backend"].as_str().unwrap_or_default().to_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Copies a folder with what is below it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &to)?,
            // The permissions of what is read must not become those of what is written.
            false => fs::write(to, fs::read(entry.path())?)?,
        }
    }
    Ok(())
}

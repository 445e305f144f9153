//! Programs as users run them: the same C programs as in `tests/tests/wasi.rs`, files that are kept, events.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/wasi");
const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cli/files");

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    fs::create_dir(folder.path().join("d")).expect("there is room");
    fs::write(folder.path().join("stdin"), "one\ntwo\nthree\n").expect("there is room");
    folder
}

/// Runs `wasmos run --quiet` in a folder that has an empty `d` and a file `stdin`.
fn run(folder: &Path, args: &[&str]) -> Output {
    let stdin = File::open(folder.join("stdin")).expect("the file is there");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmos"));
    command.args(["run", "--quiet"]).args(args).current_dir(folder).stdin(stdin);
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("it is UTF-8")
}

fn module(name: &str) -> String {
    format!("{MODULES}/{name}")
}

#[test]
fn programs_see_through_the_flags_what_they_see_through_the_library() {
    let mut programs = 0;
    for entry in fs::read_dir(PROGRAMS).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "out") {
            continue;
        }
        programs += 1;
        let program = path.with_extension("wasm").display().to_string();
        let args: &[&str] = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("system") => &["--flag", "two words"],
            Some("stdio") => &["hello"],
            _ => &[],
        };
        for access in ["--dir=d::/d:rw", "--dir=d::/d:overlay", "--memfs=/d"] {
            let folder = folder();
            let flags = ["--env", "HOME=/d", "--env", "LANG=C", access, &program];
            let Output { status, stdout, stderr } = run(folder.path(), &[&flags, args].concat());
            let mut answer = text(&stdout).to_owned();
            if !stderr.is_empty() {
                answer.push_str(&format!("[stderr]\n{}", text(&stderr)));
            }
            answer.push_str(&format!("[exit {}]\n", status.code().expect("no signal ended it")));
            let expected = fs::read_to_string(&path).expect("the expectation is there");
            let expected: String = expected
                .lines()
                .filter(|line| !line.starts_with('#'))
                .map(|line| format!("{line}\n"))
                .collect();
            assert_eq!(answer, expected, "{program} {access}");
        }
    }
    assert!(programs >= 11, "{programs}");
}

#[test]
fn what_an_overlay_keeps_is_saved_and_the_host_is_left_as_it_was() {
    let folder = folder();
    fs::write(folder.path().join("d/out.txt"), "the host's").expect("there is room");
    let flags = ["--dir=d::/d:overlay", "--save-overlay=kept", &module("write.wat")];
    assert_eq!(run(folder.path(), &flags).status.code(), Some(0));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("it is there");
    assert_eq!((read("kept/d/out.txt"), read("d/out.txt")), ("hello".into(), "the host's".into()));
}

#[test]
fn a_directory_is_read_only_unless_it_is_said_otherwise() {
    let folder = folder();
    let names = || fs::read_dir(folder.path().join("d")).expect("it is there").count();
    assert_eq!(run(folder.path(), &["--dir=d", &module("write.wat")]).status.code(), Some(69));
    assert_eq!(names(), 0);
    assert_eq!(run(folder.path(), &["--dir=d:rw", &module("write.wat")]).status.code(), Some(0));
    assert_eq!(names(), 1);
}

#[test]
fn events_are_lines_of_json_as_they_happened() {
    let folder = folder();
    let flags = ["--dir=d", "--events=events.jsonl", &module("way-out.wat")];
    assert_eq!(run(folder.path(), &flags).status.code(), Some(76));
    let events = fs::read_to_string(folder.path().join("events.jsonl")).expect("the file is there");
    let events: Vec<Value> =
        events.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let kinds: Vec<_> =
        events.iter().map(|event| event["kind"].as_str().expect("an event has a kind")).collect();
    assert_eq!(kinds, ["violation", "host_call", "host_call"]);
    assert_eq!(events[0]["subject"], "../\u{1b}[1msecret");
}

/// Nothing is made before everything else is known to be right.
#[test]
fn a_run_that_does_not_begin_leaves_nothing_behind() {
    let folder = folder();
    let flags = ["--json=outcome.json", "--events=events.jsonl", "--memfs=/m", "--save-overlay=kept"];
    for wrong in [&["--dir=missing", "way-out.wat"][..], &["--grants=missing.toml", "way-out.wat"]] {
        let (last, wrong) = wrong.split_last().expect("there is a file");
        let file = module(last);
        let args = [&flags[..], wrong, &[file.as_str()]].concat();
        assert_eq!(run(folder.path(), &args).status.code(), Some(2));
        let count = fs::read_dir(folder.path()).expect("it is there").count();
        assert_eq!(count, 2, "something was made: {args:?}");
    }
}

/// Time and random bytes of the host: what a program prints does not depend on where they come from.
#[test]
fn the_clock_and_the_random_bytes_may_be_the_hosts() {
    let folder = folder();
    let program = format!("{PROGRAMS}/system.wasm");
    let answer = |flags: &[&str]| {
        let output = run(folder.path(), &[flags, &[program.as_str()]].concat());
        (output.status.code(), text(&output.stdout).to_owned())
    };
    assert_eq!(answer(&["--clock=real", "--random=real"]), answer(&[]));
    let poll = format!("{PROGRAMS}/poll.wasm");
    let begin = std::time::Instant::now();
    let output = run(folder.path(), &["--clock=real", "--memfs=/d", &poll]);
    assert_eq!(output.status.code(), Some(0));
    // Three waits of two milliseconds and one of one, which the virtual clock would not make.
    assert!(begin.elapsed() >= std::time::Duration::from_millis(5));
}

/// A flood of calls is shown up to a point, and runs on.
#[test]
fn a_trace_is_bounded() {
    let folder = folder();
    let flags =
        ["--trace=host", "--fuel=1M", "--max-output=unlimited", "--invoke=flood", &module("messages.wat")];
    let output = run(folder.path(), &flags);
    assert_eq!(output.status.code(), Some(120));
    let lines: Vec<_> = text(&output.stderr)
        .lines()
        .filter(|line| line.starts_with("[host] ") || line.starts_with("[trace] "))
        .collect();
    assert_eq!(lines.len(), 10_001);
    assert_eq!(lines[10_000], "[trace] 10,000 lines are shown, no more");
}

//! What only a run of the process shows: exact figures, floods, signals, pipes that close.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cli/files");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

fn wasmos() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmos"));
    command.stdin(Stdio::null());
    command
}

/// What a run answered.
struct Answer {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Answer {
    /// The lines that show messages of the guest.
    fn messages(&self) -> Vec<&str> {
        self.stderr.lines().filter(|line| line.starts_with('[')).collect()
    }

    /// The outcome, which is the last line of stderr.
    fn json(&self) -> Value {
        let line = self.stderr.lines().last().expect("there is a line");
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

/// Runs a module of the folder with flags, `--json` and without a report.
fn run(folder: &str, args: &[&str]) -> Answer {
    let mut command = wasmos();
    command.args(["run", "--quiet", "--json"]).args(args).current_dir(folder);
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
    Answer { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// A row of `examples/counts.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    file: String,
    invoke: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    sensors: Vec<String>,
    #[serde(default)]
    values: Vec<i64>,
    trap: Option<String>,
    instructions: u64,
    host_calls: u64,
    /// For people.
    #[serde(rename = "counted")]
    _counted: String,
}

#[derive(Deserialize)]
struct Rows {
    row: Vec<Row>,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(format!("{EXAMPLES}/counts.toml")).expect("the table is there");
    let Rows { row } = toml::from_str(&text).expect("the table has the keys of a row");
    for example in ["simple", "math", "sensor", "alert"] {
        assert!(row.iter().any(|row| row.file == format!("{example}.wasm")), "{example} has no row");
    }
    row
}

fn run_row(row: &Row, more: &[&str]) -> Answer {
    let mut args = more.to_vec();
    row.sensors.iter().for_each(|sensor| args.extend(["--sensor", sensor]));
    row.invoke.iter().for_each(|name| args.extend(["--invoke", name]));
    args.push(&row.file);
    args.extend(row.args.iter().map(String::as_str));
    run(EXAMPLES, &args)
}

#[test]
fn the_examples_cost_what_was_counted_by_hand() {
    for row in rows() {
        let answer = run_row(&row, &[]).json();
        let name = format!("{} {:?} {:?}", row.file, row.invoke, row.args);
        assert_eq!(answer["instructions"], row.instructions, "{name}");
        assert_eq!(answer["fuel_used"], row.instructions, "{name}");
        assert_eq!(answer["host_calls"], row.host_calls, "{name}");
        assert_eq!(answer["outcome"]["trap"], json!(row.trap), "{name}");
        if row.trap.is_none() {
            assert_eq!(answer["outcome"]["values"], json!(row.values), "{name}");
        }
    }
}

/// Promise P3: the count that was printed suffices, one less is out of fuel and shows nothing beyond, 0 runs nothing.
#[test]
fn the_fuel_that_was_printed_suffices_and_one_less_does_not() {
    for row in rows() {
        let name = format!("{} {:?} {:?}", row.file, row.invoke, row.args);
        let whole = run_row(&row, &[]);
        let enough = run_row(&row, &["--fuel", &row.instructions.to_string()]);
        assert_eq!((enough.code, &enough.stdout), (whole.code, &whole.stdout), "{name}");
        let less = (row.instructions - 1).to_string();
        let answer = run_row(&row, &["--fuel", &less]);
        assert_eq!((answer.code, answer.stdout.as_str()), (Some(120), ""), "{name}");
        assert_eq!(answer.json()["outcome"]["kind"], "out_of_fuel", "{name}");
        assert_eq!(answer.json()["outcome"]["limit"], "fuel", "{name}");
        let answer = run_row(&row, &["--fuel", "0"]);
        assert_eq!((answer.code, answer.messages().len()), (Some(120), 0), "{name}");
        assert_eq!(answer.json()["fuel_used"], 0, "{name}");
    }
}

/// A030.
#[test]
fn an_endless_loop_stops_at_exactly_its_fuel() {
    for fuel in ["1", "999", "1000000"] {
        let answer = run(MODULES, &["--fuel", fuel, "--invoke", "spin", "traps.wat"]);
        assert_eq!((answer.code, answer.json()["fuel_used"].to_string()), (Some(120), fuel.to_owned()));
    }
}

/// A031.
#[test]
fn an_endless_loop_stops_at_its_time() {
    let answer = run(MODULES, &["--timeout", "50ms", "--fuel", "unlimited", "--invoke", "spin", "traps.wat"]);
    assert_eq!(answer.code, Some(124));
    let answer = answer.json();
    assert_eq!(answer["outcome"]["kind"], "deadline");
    assert!(answer["elapsed_ns"].as_u64() >= Some(50_000_000), "{answer}");
}

/// A071: what is logged is cut where one message ends, counted against the output, and no more of it is recorded than
/// the events hold.
#[test]
fn a_flood_of_messages_ends_at_its_quota() {
    let answer = run(MODULES, &["--max-output", "5000", "--invoke", "flood", "messages.wat"]);
    assert_eq!(answer.code, Some(121));
    assert_eq!(answer.messages().len(), 5000);
    let json = answer.json();
    assert_eq!(json["outcome"]["limit"], "max_output_bytes");
    let events = json["events"].as_array().expect("it is a list");
    assert_eq!(events.len(), 1001);
    assert_eq!(events[1000]["kind"], "not_recorded");
}

/// A071: a message of 4 GiB that is there, all zeros: memory is not touched beyond what is kept.
#[test]
fn a_message_of_four_gib_is_cut_with_a_mark() {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let text = r#"(module (import "env" "log" (func $log (param i32 i32))) (memory 65536)
        (func (export "_start") (call $log (i32.const 0) (i32.const 0xffffffff))))"#;
    fs::write(folder.path().join("long.wat"), text).expect("there is room");
    let folder = folder.path().to_str().expect("its name is UTF-8");
    let answer = run(folder, &["--max-memory", "4GiB", "--max-output", "64KiB", "long.wat"]);
    assert_eq!(answer.code, Some(0), "{}", answer.json()["outcome"]);
    let line = answer.messages()[0];
    assert_eq!(line.len(), "[log] ".len() + "\\u{0}".len() * 65536 + " [cut]".len());
    assert!(line.ends_with(" [cut]"), "the cut has no mark");
}

/// A074: the effects are as many as the quota.
#[test]
fn host_calls_stop_at_exactly_their_quota() {
    for quota in [0, 1, 1000] {
        let answer =
            run(MODULES, &["--max-host-calls", &quota.to_string(), "--invoke", "flood", "messages.wat"]);
        assert_eq!((answer.code, answer.messages().len()), (Some(122), quota));
        let json = answer.json();
        assert_eq!(json["host_calls"], quota);
        assert_eq!(json["outcome"]["limit"], "max_host_calls");
    }
}

/// A070: nothing is shown of a message that does not lie in memory.
#[test]
fn a_message_beyond_the_memory_traps() {
    for name in ["past-the-end", "wraps", "four-GiB"] {
        let answer = run(MODULES, &["--invoke", name, "messages.wat"]);
        assert_eq!((answer.code, answer.messages().len()), (Some(134), 0), "{name}");
        assert_eq!(answer.json()["outcome"]["trap"], "out of bounds memory access", "{name}");
    }
}

#[test]
fn the_outcome_can_go_to_a_file() {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let path = folder.path().join("outcome.json");
    let flag = format!("--json={}", path.display());
    let output = wasmos().args(["run", &flag, "math.wasm"]).current_dir(EXAMPLES).output();
    assert_eq!(output.expect("the program starts").status.code(), Some(2));
    assert!(!path.exists(), "a run that does not begin has no outcome");
    let command = ["run", "--quiet", &flag, "--invoke", "add", "math.wasm", "1", "2"];
    let output = wasmos().args(command).current_dir(EXAMPLES).output().expect("the program starts");
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"3\n"[..], &b""[..]));
    let text = fs::read_to_string(&path).expect("the outcome is there");
    let outcome: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(outcome["outcome"]["values"], json!([3]));
}

/// The contract lists these keys, and no others.
#[test]
fn the_outcome_has_the_keys_of_the_contract() {
    let json = run(EXAMPLES, &["simple.wasm"]).json();
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let mut wanted = [
        "schema_version",
        "outcome",
        "fuel_used",
        "instructions",
        "memory_peak_bytes",
        "host_calls",
        "elapsed_ns",
        "backend",
        "limits",
        "events",
    ];
    wanted.sort_unstable();
    assert_eq!(keys(&json), wanted);
    let mut wanted = ["kind", "values", "exit_code", "trap", "offset", "function", "backtrace", "limit"];
    wanted.sort_unstable();
    assert_eq!(keys(&json["outcome"]), wanted);
}

#[test]
fn a_guest_whose_messages_nobody_reads_is_stopped() {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let path = folder.path().join("outcome.json");
    let mut child = wasmos()
        .args(["run", "--fuel", "100M", "--profile", "unlimited", &format!("--json={}", path.display())])
        .args(["--invoke", "flood", "messages.wat"])
        .current_dir(MODULES)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
    stderr.read_line(&mut line).expect("the guest logs");
    assert_eq!(line, "[log] f\n");
    drop(stderr);
    assert_eq!(child.wait().expect("the program ends").code(), Some(0));
    let outcome: Value = serde_json::from_slice(&fs::read(path).expect("it is there")).expect("it is JSON");
    assert_eq!(outcome["outcome"]["kind"], "stopped");
}

/// A074 and A031: a loop of host calls meets its time as well as any other.
#[test]
fn an_endless_loop_of_host_calls_stops_at_its_time() {
    let flags = ["--profile", "unlimited", "--fuel", "100M", "--timeout", "50ms"];
    let args = [&flags[..], &["--invoke", "flood", "messages.wat"]].concat();
    let mut command = wasmos();
    command.args(["run", "--quiet"]).args(args).current_dir(MODULES).stderr(Stdio::null());
    assert_eq!(command.status().expect("the program starts").code(), Some(124));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_guest_and_not_the_report() {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    // It says when it is there, and then spins.
    let text = r#"(module (import "env" "log" (func $log (param i32 i32))) (memory 1)
        (func (export "_start") (call $log (i32.const 0) (i32.const 1)) (loop $again (br $again))))"#;
    fs::write(folder.path().join("wait.wat"), text).expect("there is room");
    let mut child = wasmos()
        .args(["run", "--json", "--fuel", "unlimited", "--timeout", "1h", "wait.wat"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("the guest logs");
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-s", "INT", &id]).status().expect("the signal is sent");
    assert!(sent.success());
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("the report is UTF-8");
    assert_eq!(child.wait().expect("the program ends").code(), Some(130));
    assert!(rest.starts_with("wait.wat: `_start` was stopped\n"), "{rest}");
    assert!(rest.contains("\"kind\":\"stopped\""), "{rest}");
}

/// Promise P7 on every program that the tests have. `--backend both` ends by 4 where the tiers differ.
#[test]
fn both_tiers_agree_on_every_golden_program() {
    let folders = [EXAMPLES, MODULES, concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/wasi")];
    let mut compared = 0;
    for folder in folders {
        let names = fs::read_dir(folder).expect("the folder is there");
        let mut names: Vec<_> = names.map(|entry| entry.expect("it can be read").file_name()).collect();
        names.sort();
        for name in names.iter().filter_map(|name| name.to_str()) {
            if !name.ends_with(".wasm") && !name.ends_with(".wat") {
                continue;
            }
            let Answer { code, stderr, .. } =
                run(folder, &["--backend", "both", "--memfs", "/d", "--fuel", "100M", name]);
            assert_ne!(code, Some(4), "{name}: {stderr}");
            compared += usize::from(stderr.contains(r#""backend":"both""#));
        }
    }
    assert!(compared >= 25, "only {compared} programs were compared");
}

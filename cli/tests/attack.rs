//! Hostile guests, case by case, as somebody at the command line meets them: the exit code and the kind of the outcome. A
//! row begins with the number of its case; the library's side is in `tests/tests/attack_runtime`.
//!
//! Elsewhere: A070, A071 and A074 in `run.rs`, where messages are looked at.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A case, a module, flags, and how it must end.
struct Case {
    id: &'static str,
    text: &'static str,
    flags: &'static [&'static str],
    code: i32,
    kind: &'static str,
    /// What the trap, the limit or a value is.
    what: &'static str,
}

const fn case(
    id: &'static str,
    text: &'static str,
    flags: &'static [&'static str],
    (code, kind, what): (i32, &'static str, &'static str),
) -> Case {
    Case { id, text, flags, code, kind, what }
}

const OUT_OF_BOUNDS: (i32, &str, &str) = (134, "trapped", "out of bounds memory access");
const EXHAUSTED: (i32, &str, &str) = (134, "trapped", "call stack exhausted");
const OUT_OF_FUEL: (i32, &str, &str) = (120, "out_of_fuel", "fuel");
const DEADLINE: (i32, &str, &str) = (124, "deadline", "timeout_ns");

const CASES: &[Case] = &[
    case("A030", r#"(func (export "_start") (loop (br 0)))"#, &["--fuel", "12345"], OUT_OF_FUEL),
    case("A031", r#"(func (export "_start") (loop (br 0)))"#, &["--timeout", "30ms"], DEADLINE),
    case(
        "A031",
        r#"(func $f (loop (br 0))) (start $f) (func (export "_start"))"#,
        &["--timeout", "30ms"],
        DEADLINE,
    ),
    case("A032", r#"(func $f (export "_start") (call $f))"#, &[], EXHAUSTED),
    case("A032", r#"(func $f (export "_start") (call $f))"#, &["--max-stack", "4KiB"], EXHAUSTED),
    case(
        "A034",
        r#"(memory 1) (func (export "f") (result i32)
            (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size))"#,
        &["--max-memory", "16MiB", "--invoke", "f"],
        (0, "returned", "256"),
    ),
    case(
        "A034",
        r#"(memory 1) (func (export "f") (result i32) (memory.grow (i32.const -1)))"#,
        &["--invoke", "f"],
        (0, "returned", "-1"),
    ),
    case(
        "A036",
        r#"(table 0 funcref) (func $f (export "f") (result i32) (table.grow (ref.func $f) (i32.const -1)))"#,
        &["--invoke", "f"],
        (0, "returned", "-1"),
    ),
    case(
        "A037",
        r#"(memory 1) (func (export "_start") (memory.fill (i32.const 1) (i32.const 1) (i32.const -1)))"#,
        &["--fuel", "10"],
        OUT_OF_BOUNDS,
    ),
    case(
        "A037",
        r#"(memory 65536) (func (export "_start") (memory.fill (i32.const 0) (i32.const 1) (i32.const -1)))"#,
        &["--max-memory", "4GiB", "--fuel", "1M"],
        OUT_OF_FUEL,
    ),
    case(
        "A037",
        r#"(memory 65536) (func (export "_start") (loop
            (memory.fill (i32.const 0) (i32.const 1) (i32.const -1)) (br 0)))"#,
        &["--max-memory", "4GiB", "--timeout", "20ms"],
        DEADLINE,
    ),
    case("A040", r#"(func (export "_start") (drop (i32.const 1)))"#, &["--fuel", "0"], OUT_OF_FUEL),
    case(
        "A042",
        r#"(func (export "_start") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))"#,
        &[],
        (134, "trapped", "integer overflow"),
    ),
    case(
        "A042",
        r#"(func (export "_start") (drop (i64.rem_u (i64.const 1) (i64.const 0))))"#,
        &[],
        (134, "trapped", "integer divide by zero"),
    ),
    case(
        "A042",
        r#"(func (export "_start") (drop (i32.trunc_f64_s (f64.const nan))))"#,
        &[],
        (134, "trapped", "invalid conversion to integer"),
    ),
    case(
        "A044",
        r#"(memory 1) (func (export "_start") (drop (i64.load offset=0xffffffff (i32.const -1))))"#,
        &[],
        OUT_OF_BOUNDS,
    ),
    case(
        "A045",
        r#"(memory 0) (func (export "_start") (drop (i32.load8_u (i32.const 0))))"#,
        &[],
        OUT_OF_BOUNDS,
    ),
    case(
        "A046",
        r#"(table 1 funcref) (func (export "_start") (call_indirect (i32.const 0)))"#,
        &[],
        (134, "trapped", "uninitialized element"),
    ),
    case("A048", r#"(memory 1) (data (i32.const 65536) "a") (func (export "_start"))"#, &[], OUT_OF_BOUNDS),
    case(
        "A057",
        r#"(memory 1 1 shared) (func (export "_start")
            (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))"#,
        &["--timeout", "30ms"],
        DEADLINE,
    ),
    case("A058", r#"(func $f (export "_start") (return_call $f))"#, &["--fuel", "1M"], OUT_OF_FUEL),
    case(
        "A077",
        r#"(import "env" "read_sensor" (func $f (param i32) (result i32)))
            (func (export "f") (result i32) (call $f (i32.const -5)))"#,
        &["--invoke", "f"],
        (0, "returned", "-1"),
    ),
];

/// Runs a module from stdin and returns the exit code, what it wrote to stdout, and the lines of stderr.
fn run(text: &str, flags: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wasmos"))
        .args(["run", "--quiet", "--json"])
        .args(flags)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(format!("(module {text})").as_bytes()).expect("the program reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr).lines().map(str::to_owned).collect())
}

#[test]
fn each_case_ends_as_it_must() {
    for Case { id, text, flags, code, kind, what } in CASES {
        let (found, stdout, stderr) = run(text, flags);
        let last = stderr.last().unwrap_or_else(|| panic!("{id}: nothing on stderr"));
        let json: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{id}: {error}: {last}"));
        let outcome = &json["outcome"];
        assert_eq!((found, outcome["kind"].as_str()), (Some(*code), Some(*kind)), "{id} {flags:?}: {last}");
        let shown = match *kind {
            "returned" => stdout.trim_end(),
            "trapped" => outcome["trap"].as_str().unwrap_or_default(),
            _ => outcome["limit"].as_str().unwrap_or_default(),
        };
        assert_eq!(shown, *what, "{id} {flags:?}: {last}");
    }
}

#[test]
fn a059_and_a075_what_cannot_be_run_is_refused_by_its_name() {
    let sensor = r#"(import "env" "read_sensor" (func (param i32) (result i32)))"#;
    for (id, text, flags, code, named) in [
        ("A059", "(func (drop (ref.i31 (i32.const 0))))", &[][..], 3, "gc"),
        ("A075", r#"(import "wasmos" "fly" (func))"#, &[], 125, "fly"),
        ("A075", r#"(import "env" "log" (func (param i64)))"#, &[], 125, "log"),
        ("A075", sensor, &["--deny", "sensor"], 125, "sensor"),
    ] {
        let (found, stdout, stderr) = run(&format!(r#"{text} (func (export "_start"))"#), flags);
        assert_eq!((found, &*stdout), (Some(code), ""), "{id} {text}: {stderr:?}");
        assert!(stderr.iter().any(|line| line.contains(named)), "{id} {text}: {stderr:?}");
    }
}

/// One record stays one line, whatever the guest puts into it.
#[test]
fn a072_messages_are_shown_escaped_on_a_line_of_their_own() {
    let text = r#"(import "env" "log" (func $log (param i32 i32)))
        (import "env" "send_alert" (func $alert (param i32 i32 i32))) (memory 1)
        (data (i32.const 0) "\ff\fe\ed\a0\80\00\1b[31m\n[alert:3] admin\r\e2\80\ae")
        (func (export "_start")
            (call $log (i32.const 0) (i32.const 30))
            (call $alert (i32.const 0) (i32.const 30) (i32.const 999))
            (call $alert (i32.const 0) (i32.const 1) (i32.const -1)))"#;
    let (code, stdout, stderr) = run(text, &[]);
    assert_eq!((code, &*stdout, stderr.len()), (Some(0), "", 4), "{stderr:?}");
    for (line, start) in stderr.iter().zip(["[log] ", "[alert:3] ", "[alert:0] "]) {
        assert!(line.starts_with(start), "{line}");
        let printable = |c: char| !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c);
        assert!(line.chars().all(printable), "{line:?}");
    }
}

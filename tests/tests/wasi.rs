//! The C programs of `tests/wasi` on every file system that a guest can be given, compared with what they should print.
//!
//! Each `X.out` is what `X.c` prints, its standard error and its status. Lines with `#` say where the expectation comes
//! from: they are not compared, so that nothing here blesses the files. `build.sh` compiles the programs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use wasmos_runtime::wasi::{self, Access, Output, OutputBuffer, Stdin, WasiBuilder, WasiCtx};
use wasmos_runtime::{Engine, Linker, Module, Outcome, Store};
use wasmos_tests::tiers::engines;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/wasi");
/// What lies beside the directory that a program is given.
const OUTSIDE: &str = "not given";

/// The arguments of a program beside its name.
fn args(program: &str) -> &'static [&'static str] {
    match program {
        "system" => &["--flag", "two words"],
        "stdio" => &["hello"],
        _ => &[],
    }
}

/// Runs a program to its end and returns what it printed and how it ended.
fn run(
    engine: &Engine,
    program: &str,
    args: &[&str],
    give: impl FnOnce(WasiBuilder) -> WasiBuilder,
) -> String {
    live(engine, program, args, give).answer
}

/// What can be seen of a run.
#[derive(PartialEq)]
struct Life {
    answer: String,
    fuel: u64,
    instructions: u64,
    memory: Vec<u8>,
    host_calls: u64,
}

fn live(
    engine: &Engine,
    program: &str,
    args: &[&str],
    give: impl FnOnce(WasiBuilder) -> WasiBuilder,
) -> Life {
    let path = format!("{FOLDER}/{program}.wasm");
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let module = Module::new(engine, bytes).expect("the program is a module");
    let (stdout, stderr) = (OutputBuffer::default(), OutputBuffer::default());
    let builder = WasiCtx::builder()
        .arg(format!("{program}.wasm"))
        .args(args.iter().copied())
        .env("HOME", "/d")
        .env("LANG", "C")
        .stdin(Stdin::Bytes(b"one\ntwo\nthree\n".into()))
        .stdout(Output::Buffer(stdout.clone()))
        .stderr(Output::Buffer(stderr.clone()));
    let ctx = give(builder).build().expect("everything that is given is there");
    let mut linker = Linker::new(engine);
    wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx).expect("nothing is defined twice");
    let mut store = Store::new(engine, ctx);
    let instance = linker.instantiate(&mut store, &module).expect("every import is there");
    let start = instance.get_func(&mut store, "_start").expect("a program has a start");
    let outcome = start.call(&mut store, &[]).expect("the host does not fail");
    let text = |buffer: &OutputBuffer| String::from_utf8(buffer.contents()).expect("programs print ASCII");
    let mut answer = text(&stdout);
    if !text(&stderr).is_empty() {
        let _ = writeln!(answer, "[stderr]\n{}", text(&stderr).trim_end());
    }
    let _ = match outcome {
        Outcome::Returned(_) => writeln!(answer, "[exit 0]"),
        Outcome::Exited(status) => writeln!(answer, "[exit {status}]"),
        Outcome::Trapped(trap) => writeln!(answer, "[trap {}]", trap.code),
        outcome => writeln!(answer, "[{outcome}]"),
    };
    let memory = instance.get_memory(&mut store, "memory").expect("a program exports its memory");
    Life {
        answer,
        fuel: store.fuel_used(),
        instructions: store.instructions(),
        memory: memory.data(&store).to_vec(),
        host_calls: store.gate().host_calls(),
    }
}

/// Returns a line for each difference.
fn differences(program: &str, on: &str, answer: &str) -> Vec<String> {
    let expected = fs::read_to_string(format!("{FOLDER}/{program}.out")).expect("the expectation is there");
    let expected: Vec<_> = expected.lines().filter(|line| !line.starts_with('#')).collect();
    let lines: Vec<_> = answer.lines().collect();
    let mut differences = Vec::new();
    for at in 0..expected.len().max(lines.len()) {
        let (wanted, got) = (expected.get(at), lines.get(at));
        if wanted != got {
            let show = |line: Option<&&str>| line.map_or("nothing", |line| *line).to_owned();
            differences.push(format!(
                "{program} on {on}, line {}:\n  wanted {}\n  got    {}",
                at + 1,
                show(wanted),
                show(got)
            ));
        }
    }
    differences
}

fn programs() -> Vec<String> {
    let names = fs::read_dir(FOLDER).expect("the folder is there");
    let names = names.map(|entry| entry.expect("the folder can be read").file_name().into_string());
    let names = names.map(|name| name.expect("its names are ASCII"));
    let mut programs: Vec<_> = names.filter_map(|name| Some(name.strip_suffix(".out")?.to_owned())).collect();
    programs.sort();
    assert!(programs.len() >= 11, "{programs:?}");
    programs
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    fs::create_dir(folder.path().join("d")).expect("there is room");
    fs::write(folder.path().join("outside"), OUTSIDE).expect("there is room");
    folder
}

/// What lies outside is as it was.
fn check_outside(folder: &Path, program: &str) {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("it is there")
        .map(|entry| entry.expect("it can be read").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["d", "outside"], "{program}");
    assert_eq!(fs::read_to_string(folder.join("outside")).expect("it is there"), OUTSIDE, "{program}");
}

fn check(differences: &[String]) {
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn programs_see_the_same_in_memory() {
    for engine in engines() {
        let differ = |program: &String| {
            differences(
                program,
                "memory",
                &run(&engine, program, args(program), |builder| builder.memory_dir("/d")),
            )
        };
        check(&programs().iter().flat_map(differ).collect::<Vec<_>>());
    }
}

#[test]
fn programs_see_the_same_on_the_host() {
    for engine in engines() {
        let differ = |program: &String| {
            let folder = folder();
            let host = folder.path().join("d");
            let answer =
                run(&engine, program, args(program), |builder| builder.dir(&host, "/d", Access::ReadWrite));
            check_outside(folder.path(), program);
            differences(program, "the host", &answer)
        };
        check(&programs().iter().flat_map(differ).collect::<Vec<_>>());
    }
}

#[test]
fn programs_see_the_same_on_an_overlay_and_change_nothing_below() {
    for engine in engines() {
        let differ = |program: &String| {
            let folder = folder();
            let host = folder.path().join("d");
            let answer =
                run(&engine, program, args(program), |builder| builder.dir(&host, "/d", Access::Overlay));
            check_outside(folder.path(), program);
            assert_eq!(fs::read_dir(&host).expect("it is there").count(), 0, "{program} wrote to the host");
            differences(program, "an overlay", &answer)
        };
        check(&programs().iter().flat_map(differ).collect::<Vec<_>>());
    }
}

/// A093: the status is kept exactly; and what an abort becomes.
#[test]
fn programs_end_as_they_ask_to() {
    for engine in engines() {
        for (args, answer) in [
            (&[][..], "at exit\n[exit 0]\n"),
            (&["exit", "0"], "at exit\n[exit 0]\n"),
            (&["exit", "7"], "at exit\n[exit 7]\n"),
            (&["proc_exit", "255"], "[exit 255]\n"),
            (&["proc_exit", "256"], "[exit 256]\n"),
            (&["proc_exit", "4294967295"], "[exit -1]\n"),
            (&["raise", "6"], "proc_raise(strtoul(argv[2], NULL, 0)): notsup\nat exit\n[exit 0]\n"),
            (&["abort"], "[trap unreachable]\n"),
        ] {
            assert_eq!(run(&engine, "exit", args, |builder| builder), answer, "{args:?}");
        }
    }
}

/// Two runs are the same run: the clock is virtual and the random bytes are seeded.
#[test]
fn a_program_sees_the_same_twice_and_on_each_tier() {
    for program in programs() {
        let once =
            |engine: &Engine| live(engine, &program, args(&program), |builder| builder.memory_dir("/d"));
        let first = once(&Engine::default());
        for engine in engines() {
            assert!(once(&engine) == first, "{program} differs on {:?}", engine.backend());
        }
    }
}

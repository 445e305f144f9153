//! What only a running process shows: pipes, sizes of files, names of files.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn wasmos() -> Command {
    Command::new(env!("CARGO_BIN_EXE_wasmos"))
}

fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = wasmos().args(args).current_dir(folder).stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = output.expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room for a temporary folder")
}

/// A module whose text is far longer than what a pipe holds.
fn long_module() -> String {
    format!("(module (func {}))", "nop ".repeat(100_000))
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = folder();
    fs::write(folder.path().join("long.wat"), long_module()).expect("there is room");
    let mut child: Child = wasmos()
        .args(["print", "long.wat"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
    stdout.read_line(&mut line).expect("the program writes");
    assert_eq!(line, "0x00000000  (module\n");
    drop(stdout);
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = File::options().write(true).open("/dev/full").expect("the device is there");
    let output = wasmos().args(["help", "exit-codes"]).stdout(full).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).expect("stderr is UTF-8");
    assert!(stderr.starts_with("wasmos: error: cannot write: "), "{stderr}");
}

/// A024: nothing of a file that is too large is read, so that a file with holes does as well as a full one.
#[test]
fn a_file_over_the_limit_is_refused_by_its_size() {
    let folder = folder();
    for (name, head, len, message) in [
        (
            "large.wasm",
            &b"\0asm\x01\0\0\0"[..],
            (1 << 30) + 1,
            "limit: module too large: 1073741825 bytes, the limit is 1073741824",
        ),
        (
            "large.wat",
            b"(module",
            (16 << 20) + 1,
            "limit: text too large: 16777217 bytes, the limit is 16777216",
        ),
        (
            "large.gz",
            b"\x1f\x8b",
            1 << 40,
            "malformed: magic header not detected: the file is compressed by gzip; decompress it first",
        ),
    ] {
        let mut file = File::create(folder.path().join(name)).expect("there is room");
        file.write_all(head).and_then(|()| file.set_len(len)).expect("the file system has holes");
        for verb in ["validate", "inspect", "print"] {
            let (code, stdout, stderr) = run(folder.path(), &[verb, name]);
            assert_eq!((code, stdout.as_str()), (Some(3), ""), "{verb} {name}: {stderr}");
            assert!(stderr.starts_with(&format!("{name}: error: {message}\n")), "{verb} {name}: {stderr}");
        }
    }
}

/// A file's name is chosen by whoever packed the archive that it came in.
#[test]
fn a_name_of_a_file_reaches_no_terminal_as_it_is() {
    let folder = folder();
    let name = "\u{1b}[31m\u{202e}evil\n.wat";
    let shown = "\\u{1b}[31m\\u{202e}evil\\n.wat";
    fs::write(folder.path().join(name), "(module)").expect("the file system takes the name");
    assert_eq!(run(folder.path(), &["validate", name]), (Some(0), format!("{shown}: ok\n"), String::new()));
    let (code, stdout, _) = run(folder.path(), &["inspect", name]);
    assert_eq!((code, stdout.lines().next()), (Some(0), Some(shown)));
    let (code, stdout, _) = run(folder.path(), &["inspect", "--json", name]);
    assert_eq!(code, Some(0));
    assert!(
        stdout.starts_with("{\"schema_version\":1,\"file\":\"\\u001b[31m\\u202eevil\\n.wat\","),
        "{stdout}"
    );
    let (code, stdout, _) = run(folder.path(), &["wast", name]);
    assert_eq!((code, stdout), (Some(0), format!("{shown} 1 0 0\n")));
    let missing = "\u{1b}[31mgone.wasm";
    let (code, _, stderr) = run(folder.path(), &["print", missing]);
    assert_eq!(code, Some(2));
    assert!(stderr.starts_with("\\u{1b}[31mgone.wasm: error: cannot read: "), "{stderr}");
    // Where a name is taken for a flag, the parser of arguments quotes it.
    let (code, _, stderr) = run(folder.path(), &["validate", "--\u{202e}\u{9b}flag"]);
    assert_eq!(code, Some(2));
    assert!(stderr.starts_with("error: unexpected argument '--\\u{202e}\\u{9b}flag' found\n"), "{stderr}");
}

#[test]
fn every_command_of_the_examples_is_understood() {
    for verb in ["validate", "inspect", "print", "run", "wast", "help"] {
        let (_, help, _) = run(Path::new("."), &[verb, "--help"]);
        let (_, examples) = help.split_once("Examples:\n").expect("every help has examples");
        for command in examples.lines() {
            // What stands before a pipe feeds the program, what stands behind it reads from it.
            let ours = command.split('|').map(str::trim).find_map(|part| part.strip_prefix("wasmos "));
            let ours = ours.expect("an example runs the program");
            let args: Vec<_> = ours.split_whitespace().collect();
            let (code, _, stderr) = run(folder().path(), &args);
            let is_missing_file = stderr.contains("cannot read") || stderr.contains("<stdin>");
            assert!(code == Some(0) || is_missing_file, "{command}: {stderr}");
        }
    }
}

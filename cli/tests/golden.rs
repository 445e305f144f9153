//! Transcripts of the program: each `tests/cli/*.txt` holds commands and what they answered.
//!
//! A line `$ wasmos …` is run in a folder that holds the files of `tests/cli/files` and those that [`FOREIGN`] and
//! [`made_files`] make; `< FILE` gives it stdin. Behind it stand its stdout, its stderr with `! ` in front, and its
//! exit code if that is not 0; of times there is `[time]`. `UPDATE_EXPECT=1` writes what the program answers now.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use expect_test::expect_file;
use unicode_width::UnicodeWidthStr;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cli");

/// Files that are no modules, by their first bytes.
const FOREIGN: [(&str, &[u8]); 10] = [
    ("empty.wasm", b""),
    ("empty.wat", b""),
    ("short.wasm", b"\0as"),
    ("component.wasm", b"\0asm\x0d\0\x01\0"),
    ("gzip.wasm", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
    ("gzip.wat", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
    ("elf.wasm", b"\x7fELF\x02\x01\x01\0"),
    ("version.wasm", b"\0asm\x02\0\0\0"),
    ("text.txt", b"hello\n"),
    ("latin1.wat", b"(module\n  (; caf\xe9 ;))\n"),
];

fn check(name: &str) {
    let path = format!("{FOLDER}/{name}.txt");
    let script = fs::read_to_string(&path).expect("the transcript is there");
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    make_files(folder.path());
    let mut transcript = String::new();
    // What was answered last time is passed over: everything but commands, comments and the blank lines around these.
    let mut after_comment = true;
    for line in script.lines() {
        if let Some(command) = line.strip_prefix("$ wasmos") {
            if !transcript.is_empty() && !transcript.ends_with("\n\n") {
                transcript.push('\n');
            }
            transcript.push_str(&answer(folder.path(), command));
            after_comment = false;
        } else if line.starts_with("# ") {
            if !transcript.is_empty() && !after_comment {
                transcript.push('\n');
            }
            transcript.push_str(line);
            transcript.push('\n');
            after_comment = true;
        }
    }
    expect_file![path].assert_eq(&transcript);
}

/// Runs a command and returns it with its answer.
fn answer(folder: &Path, command: &str) -> String {
    let (args, stdin) = command.split_once('<').unwrap_or((command, ""));
    let stdin = match stdin.trim() {
        "" => Stdio::null(),
        file => fs::File::open(folder.join(file)).expect("the file is there").into(),
    };
    let output = Command::new(env!("CARGO_BIN_EXE_wasmos"))
        .args(args.split_whitespace())
        .current_dir(folder)
        // Keys and code of their own.
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .stdin(stdin)
        .output()
        .expect("the program starts");
    let Output { status, stdout, stderr } = output;
    let stdout = String::from_utf8(stdout).expect("stdout is UTF-8");
    let stderr = String::from_utf8(stderr).expect("stderr is UTF-8");
    for text in [&stdout, &stderr] {
        assert!(!text.contains(is_harmful), "`wasmos{command}` lets through what is not shown: {text:?}");
    }
    let may_be_wide =
        ["--json", "--all", "--sarif", "--csv", "--dot", " print "].iter().any(|word| command.contains(word));
    if !may_be_wide || command.contains("help") {
        let wide = stdout.lines().find(|line| line.width() > 80);
        assert_eq!(wide, None, "`wasmos{command}` is wider than 80 columns");
    }
    let stderr: String =
        stderr.lines().map(|line| format!("! {}", without_time(line)).trim_end().to_owned() + "\n").collect();
    let code = status.code().expect("no signal ended the program");
    let exit = if code == 0 { String::new() } else { format!("[exit {code}]\n") };
    format!("$ wasmos{command}\n{stdout}{stderr}{exit}")
}

/// Returns a line of `run` with `[time]` in place of what differs from run to run.
fn without_time(line: &str) -> String {
    for begin in ["  time         ", "the jit took ", "\"elapsed_ns\":"] {
        if let Some((before, after)) = line.split_once(begin) {
            let rest = after.find(',').map_or("", |end| &after[end..]);
            return format!("{before}{begin}[time]{rest}");
        }
    }
    line.to_owned()
}

/// What must not reach a terminal: controls, and some that reorder or hide text.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn make_files(folder: &Path) {
    for entry in fs::read_dir(format!("{FOLDER}/files")).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        fs::copy(&path, folder.join(path.file_name().expect("a file has a name"))).expect("there is room");
    }
    for (name, bytes) in FOREIGN.iter().map(|(name, bytes)| (*name, bytes.to_vec())).chain(made_files(folder))
    {
        fs::write(folder.join(name), bytes).expect("there is room");
    }
    for example in ["simple", "math", "sensor", "alert"] {
        let path = format!("{}/../examples/{example}.wasm", env!("CARGO_MANIFEST_DIR"));
        fs::copy(path, folder.join(format!("examples-{example}.wasm"))).expect("there is room");
    }
    for program in ["exit", "sockets"] {
        let path = format!("{FOLDER}/../wasi/{program}.wasm");
        fs::copy(path, folder.join(format!("wasi-{program}.wasm"))).expect("there is room");
    }
    let miner = format!("{FOLDER}/../wat/rules/W001.fires.wat");
    fs::copy(miner, folder.join("miner.wat")).expect("there is room");
    fs::create_dir(folder.join("files")).expect("there is room");
    fs::create_dir_all(folder.join("plugins/.hidden")).expect("there is room");
    for (from, to) in [("spin.wat", "plugins/spin.wat"), ("ok.wat", "plugins/.hidden/ok.wat")] {
        fs::copy(folder.join(from), folder.join(to)).expect("there is room");
    }
}

/// Modules that text cannot say, or only at length.
fn made_files(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("the file is there");
    let ok = assemble(&read("ok.wat"));
    let unreadable = assemble("(module (func $first block i32.const 1 drop end) (func $second nop))");
    let code = unreadable.iter().position(|byte| *byte == 0x41).expect("the constant is there");
    let unreadable = [&unreadable[..code], b"\xff", &unreadable[code + 1..]].concat();
    vec![
        ("ok.wasm", ok.clone()),
        ("invalid.wasm", assemble(&read("invalid.wat"))),
        ("text-without-extension", read("ok.wat").into_bytes()),
        ("cut.wasm", ok[..30].to_vec()),
        ("body-cut.wasm", ok[..ok.len() - 1].to_vec()),
        // A body of 7,654,322 bytes, one over the limit, none of which is there.
        (
            "big-body.wasm",
            [&b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0"[..], b"\x0a\x05\x01\xb2\x97\xd3\x03"]
                .concat(),
        ),
        ("unreadable.wasm", unreadable),
        (
            "dylink.wasm",
            assemble(
                r#"(module
                     (@custom "dylink.0" (before first) "\01\05\80\01\04\03\00" "\02\08\01\06lib.so")
                     (@custom "sourceMappingURL" "\0cmap\1b[1m.json")
                     (@custom "target_features" "\01+\04simd"))"#,
            ),
        ),
        ("long-names.wasm", long_names()),
        ("many.wasm", many()),
    ]
}

/// Names of 100,000 bytes, the longest that a module may have.
fn long_names() -> Vec<u8> {
    let name = "x".repeat(100_000);
    assemble(&format!("(module (import \"{name}\" \"{name}\" (func ${name})) (export \"{name}\" (func 0)))"))
}

/// More of everything than a list shows.
fn many() -> Vec<u8> {
    let list = |item: fn(usize) -> String| (0..25).map(item).collect::<String>();
    let fields = [
        list(|n| format!("(type (func (param {})))", "i32 ".repeat(n))),
        list(|n| format!("(import \"env\" \"f{n}\" (func))")),
        list(|n| format!("(global i32 (i32.const {n}))")),
        list(|n| format!("(export \"e{n}\" (func {n}))")),
        list(|n| format!("(data \"{n}\")")),
        list(|n| format!("(@custom \"c{n}\" \"\")")),
        list(|n| format!("(func $defined{n} {})", "nop ".repeat(n))),
    ];
    assemble(&format!("(module {})", fields.concat()))
}

fn assemble(text: &str) -> Vec<u8> {
    let mut lexer = wast::lexer::Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = wast::parser::ParseBuffer::new_with_lexer(lexer).expect("the text is well-formed");
    let mut module = wast::parser::parse::<wast::Wat<'_>>(&buffer).expect("the text is well-formed");
    module.encode().expect("the text can be assembled")
}

#[test]
fn help() {
    check("help");
}

#[test]
fn mistakes() {
    check("mistakes");
}

#[test]
fn validate() {
    check("validate");
}

#[test]
fn inspect() {
    check("inspect");
}

#[test]
fn analyze() {
    check("analyze");
}

#[test]
fn print() {
    check("print");
}

#[test]
fn run() {
    check("run");
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[test]
fn compile() {
    check("compile");
}

#[test]
fn run_gate() {
    check("run-gate");
}

#[test]
fn run_wasi() {
    check("run-wasi");
}

#[test]
fn run_mistakes() {
    check("run-mistakes");
}

#[test]
fn wast() {
    check("wast");
}

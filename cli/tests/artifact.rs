//! Native code on disk, as somebody meets it who has changed it, lost its key, or lets others write to it; and modules
//! that are not compiled.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const MODULE: &str = r#"(module (table 1 funcref) (elem (i32.const 0) $double) (type $t (func (param i32) (result i32)))
    (func $double (type $t) (i32.add (local.get 0) (local.get 0)))
    (func (export "run") (type $t) (call_indirect (type $t) (local.get 0) (i32.const 0))))"#;

/// A folder with its own key and cache, and a module that is compiled.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("there is room"));
        fs::write(place.path("module.wat"), MODULE).expect("there is room");
        let (code, stdout, stderr) = place.wasmos(&["compile", "module.wat", "-o", "module.wcode"]);
        assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "", ""));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn wasmos(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_wasmos"))
            .args(args)
            .current_dir(self.0.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .stdin(Stdio::null())
            .output();
        let Output { status, stdout, stderr } = output.expect("the program starts");
        let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
        (status.code(), text(stdout), text(stderr))
    }

    /// Runs a file, which must double 21 as native code; returns the notes.
    fn run(&self, flags: &[&str], file: &str) -> Vec<String> {
        let args = [&["run", "--quiet", "--json=out.json", "--invoke", "run"], flags, &[file, "21"]].concat();
        let (code, stdout, stderr) = self.wasmos(&args);
        assert_eq!((code, stdout.as_str()), (Some(0), "42\n"), "{stderr}");
        let json = fs::read_to_string(self.path("out.json")).expect("it was written");
        assert!(json.contains(r#""backend":"jit""#), "{json}");
        let note = |line: &str| line.split_once(": note: ").map(|(_, note)| note.to_owned());
        stderr.lines().map(|line| note(line).unwrap_or_else(|| panic!("{line}"))).collect()
    }

    fn change(&self, file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(file).expect("it can be read");
        change(&mut bytes);
        fs::write(file, bytes).expect("it can be written");
    }

    fn cached(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("cache/wasmos/code")).expect("it is there");
        entries.map(|entry| entry.expect("it can be read").path()).collect()
    }
}

const NOT_OURS: &str = "the artifact is not used: this installation has not written it, or it has been changed since; its \
                        module is compiled";

/// A127.
#[test]
fn an_artifact_that_was_changed_is_compiled_again() {
    let place = Place::new();
    let file = place.path("module.wcode");
    let none: [&str; 0] = [];
    assert_eq!(place.run(&["--no-cache"], "module.wcode"), none);
    let whole = fs::read(&file).expect("it can be read");
    // In the MAC, in the head, in the code, in the tables.
    for at in [8, 100, 4096, whole.len() - 1] {
        place.change(&file, |bytes| bytes[at] ^= 0x10);
        assert_eq!(place.run(&["--no-cache"], "module.wcode"), [NOT_OURS], "{at}");
        fs::write(&file, &whole).expect("it can be written");
    }
    // In the module: there is nothing left to run.
    let at = whole.windows(4).position(|bytes| bytes == b"\0asm").expect("it is there");
    place.change(&file, |bytes| bytes[at + 20] ^= 1);
    let (code, stdout, stderr) = place.wasmos(&["run", "module.wcode"]);
    assert_eq!((code, stdout.as_str()), (Some(3), ""));
    assert!(stderr.contains("malformed artifact: the module in it is damaged\n"), "{stderr}");
    for (bytes, sentence) in [
        (&whole[..whole.len() - 1], "malformed artifact: it is cut off, or something follows it"),
        (&whole[..40], "malformed artifact: it is cut off, or something follows it"),
        (&[&whole[..], b"x"].concat(), "malformed artifact: it is cut off, or something follows it"),
        (&whole[1..], "malformed: "),
    ] {
        fs::write(&file, bytes).expect("it can be written");
        let (code, stdout, stderr) = place.wasmos(&["run", "module.wcode"]);
        assert_eq!((code, stdout.as_str()), (Some(3), ""));
        assert!(stderr.contains(sentence), "{stderr}");
    }
}

/// A127.
#[test]
fn an_artifact_of_another_installation_is_compiled_again() {
    let place = Place::new();
    let key = place.path("data/wasmos/key");
    let mode = fs::metadata(&key).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    fs::remove_file(&key).expect("it is there");
    assert_eq!(place.run(&["--no-cache"], "module.wcode"), [NOT_OURS]);
    // With a key that others could have read nothing is believed.
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let notes = place.run(&[], "module.wcode");
    assert!(notes.len() == 1 && notes[0].ends_with("others may use it; `chmod go=` would help"), "{notes:?}");
    let (code, _, stderr) = place.wasmos(&["compile", "module.wat", "-o", "again.wcode"]);
    assert!(code == Some(2) && stderr.contains("others may use it"), "{stderr}");
    assert!(!place.path("again.wcode").exists());
}

/// A127.
#[test]
fn what_was_changed_in_the_cache_is_compiled_again() {
    let place = Place::new();
    let none: [&str; 0] = [];
    let jit = &["--backend", "jit"];
    assert_eq!(place.run(jit, "module.wat"), none);
    let [file] = &place.cached()[..] else { panic!("one file is cached") };
    assert_eq!(place.run(jit, "module.wat"), none);
    place.change(file, |bytes| bytes[5000] ^= 1);
    let notes = [
        "the code in the cache is not used: this installation has not written it, or it has been changed since",
    ];
    assert_eq!(place.run(jit, "module.wat"), notes);
    assert_eq!(place.run(jit, "module.wat"), none);
    fs::rename(file, place.path("elsewhere")).expect("it can be renamed");
    symlink(place.path("elsewhere"), file).expect("it can be linked");
    assert_eq!(place.run(jit, "module.wat"), ["the cache cannot be read: it is a symbolic link"]);
    assert_eq!(place.run(jit, "module.wat"), none);
    // Another folder, and none.
    assert_eq!(place.run(&["--backend", "jit", "--cache-dir", "own"], "module.wat"), none);
    assert_eq!(fs::read_dir(place.path("own/code")).expect("it is there").count(), 1);
    let folder = place.path("cache/wasmos/code");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("it is ours");
    let notes = place.run(jit, "module.wat");
    assert!(notes.len() == 1 && notes[0].starts_with("nothing is cached: the cache "), "{notes:?}");
    assert_eq!(place.run(&["--backend", "jit", "--no-cache"], "module.wat"), none);
}

/// A053: what would take too long is interpreted, and that is said.
#[test]
fn what_is_out_of_proportion_is_interpreted() {
    let place = Place::new();
    let body =
        |text: &str| format!("(module (memory 1) (func (export \"run\") (param i32) (result i32) {text}))");
    for (name, text) in [
        // 7 MB of code in one function.
        ("large", body(&format!("{} (local.get 0)", "i32.const 5 drop ".repeat(900_000)))),
        (
            "blocks",
            body(&format!(
                "{} (local.get 0)",
                "block end ".repeat(3) + &"local.get 0 if nop end ".repeat(100_000)
            )),
        ),
        // Values that all are live at once, on the stack and in locals.
        (
            "operands",
            body(&format!(
                "{}{}drop (local.get 0)",
                "(i32.load (local.get 0))".repeat(20_000),
                "i32.add ".repeat(19_999)
            )),
        ),
        (
            "locals",
            body(&format!(
                "(local {}){} (local.get 0)",
                "i32 ".repeat(13_000),
                (1..=13_000).map(|n| format!("(local.set {n} (i32.load (local.get 0)))")).collect::<String>()
            )),
        ),
    ] {
        fs::write(place.path("module.wat"), text).expect("there is room");
        let args =
            ["run", "--quiet", "--json=out.json", "--backend", "jit", "--invoke", "run", "module.wat", "7"];
        let (code, stdout, stderr) = place.wasmos(&args);
        assert_eq!((code, stdout.as_str()), (Some(0), "7\n"), "{name}: {stderr}");
        let note = "module.wat: note: function 0 is too complex for the JIT; the interpreter runs it\n";
        assert_eq!(stderr, note, "{name}");
        let json = fs::read_to_string(place.path("out.json")).expect("it was written");
        assert!(json.contains(r#""backend":"interp""#), "{name}: {json}");
    }
}

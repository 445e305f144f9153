//! A080, A081, A095: paths that would lead out, directories that are read only, times that do not fit.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use wasmos_runtime::wasi::{Access, WasiCtx};
use wasmos_runtime::{Capability, Limits};

use crate::guest::{
    ALL, CREAT, DIR, DIRECTORY, FOLLOW, Guest, READ, RESULT, TRUNC, WRITE, errno, given, write_file,
};

/// Guests that see the same directory of the host in each way there is.
fn guests(dir: &Path) -> Vec<Guest> {
    let access = [Access::ReadOnly, Access::ReadWrite, Access::Overlay];
    access.map(|access| Guest::new(WasiCtx::builder().dir(dir, "/", access))).into()
}

fn tree() -> (tempfile::TempDir, PathBuf) {
    let (top, dir) = given();
    fs::create_dir_all(dir.join("a/b")).unwrap();
    write_file(&dir, "file", "inside");
    symlink("../canary", dir.join("out")).unwrap();
    symlink(top.path().join("canary"), dir.join("absolute")).unwrap();
    symlink("a/../../canary", dir.join("winding")).unwrap();
    symlink("..", dir.join("up")).unwrap();
    symlink("file", dir.join("link0")).unwrap();
    for n in 1..=41 {
        symlink(format!("link{}", n - 1), dir.join(format!("link{n}"))).unwrap();
    }
    symlink("self", dir.join("self")).unwrap();
    (top, dir)
}

#[test]
fn a080_no_path_leads_out() {
    let (_top, dir) = tree();
    let long_name = "x".repeat(4_096);
    let long_path = "a/".repeat(3_000);
    let cases: &[(&str, Result<(), u32>)] = &[
        ("..", Err(errno::NOTCAPABLE)),
        ("../canary", Err(errno::NOTCAPABLE)),
        ("/etc/passwd", Err(errno::NOTCAPABLE)),
        ("/", Err(errno::NOTCAPABLE)),
        ("//file", Err(errno::NOTCAPABLE)),
        ("a/../../canary", Err(errno::NOTCAPABLE)),
        ("a/b/../../../given/file", Err(errno::NOTCAPABLE)),
        ("out", Err(errno::NOTCAPABLE)),
        ("out/", Err(errno::NOTCAPABLE)),
        ("absolute", Err(errno::NOTCAPABLE)),
        ("winding", Err(errno::NOTCAPABLE)),
        ("up/canary", Err(errno::NOTCAPABLE)),
        ("up/given/file", Err(errno::NOTCAPABLE)),
        ("link39", Ok(())),
        ("link40", Err(errno::LOOP)),
        ("self", Err(errno::LOOP)),
        ("self/x", Err(errno::LOOP)),
        ("file/", Err(errno::NOTDIR)),
        ("file/.", Err(errno::NOTDIR)),
        ("link0/", Err(errno::NOTDIR)),
        ("file/../file", Err(errno::NOTDIR)),
        ("", Err(errno::NOENT)),
        ("fi\0le", Err(errno::INVAL)),
        ("file\0", Err(errno::INVAL)),
        (&long_name, Err(errno::NAMETOOLONG)),
        (&long_path, Err(errno::NAMETOOLONG)),
        ("CON", Err(errno::NOENT)),
        ("NUL", Err(errno::NOENT)),
        ("C:\\canary", Err(errno::NOENT)),
        ("..\\canary", Err(errno::NOENT)),
        ("a/./b/../../file", Ok(())),
        ("./file", Ok(())),
    ];
    for mut guest in guests(&dir) {
        for (path, expected) in cases {
            let opened = guest.open(path, 0, READ);
            assert_eq!(opened.map(|_| ()), *expected, "open {path:?}");
            let stat = guest.stat(FOLLOW, path);
            assert_eq!(stat.map(|_| ()), *expected, "stat {path:?}");
        }
        let out = cases.iter().filter(|(_, expected)| *expected == Err(errno::NOTCAPABLE)).count();
        let violations = guest.violations();
        assert_eq!(violations.len(), 2 * out);
        assert_eq!(violations[0], (Capability::FsRead, "..".into()));
    }
}

/// Without a directory there is nothing to look below, and what was looked for is told.
#[test]
fn a080_a_missing_directory_leaves_an_event() {
    let mut guest = Guest::new(WasiCtx::builder());
    assert_eq!(guest.open("etc/passwd", 0, READ), Err(errno::BADF));
    assert_eq!(guest.stat(FOLLOW, "etc"), Err(errno::BADF));
    let wanted = ["etc/passwd", "etc"].map(|path| (Capability::FsRead, path.to_owned()));
    assert_eq!(guest.violations(), wanted);
}

#[test]
fn a080_nothing_is_made_outside() {
    for access in [Access::ReadWrite, Access::Overlay] {
        let (top, dir) = tree();
        let mut guest = Guest::new(WasiCtx::builder().dir(&dir, "/", access));
        let out = Err(errno::NOTCAPABLE);
        for path in ["../new", "a/../../new", "up/new", "/new", "out/../../new"] {
            assert_eq!(guest.open(path, CREAT, WRITE).map(|_| ()), out, "{path}");
            assert_eq!(guest.at("path_create_directory", &[DIR], path, &[]), out, "{path}");
            assert_eq!(guest.symlink("x", path), out, "{path}");
            assert_eq!(guest.two("path_rename", &[DIR], "file", path), out, "{path}");
            assert_eq!(guest.two("path_link", &[DIR, 0], "file", path), out, "{path}");
        }
        for path in ["../canary", "up/canary", "a/../../canary"] {
            assert_eq!(guest.at("path_unlink_file", &[DIR], path, &[]), out, "{path}");
            assert_eq!(guest.at("path_filestat_set_times", &[DIR, 0], path, &[0, 0, 5]), out, "{path}");
            assert_eq!(guest.two("path_rename", &[DIR], path, "stolen"), out, "{path}");
            assert_eq!(guest.two("path_link", &[DIR, 0], path, "stolen"), out, "{path}");
            assert_eq!(guest.open(path, TRUNC, WRITE).map(|_| ()), out, "{path}");
        }
        // A name that is a link out may be removed or moved: that is done to the link.
        assert_eq!(guest.two("path_rename", &[DIR], "out", "moved"), Ok(()));
        assert_eq!(guest.stat(FOLLOW, "moved").unwrap_err(), errno::NOTCAPABLE);
        assert_eq!(guest.at("path_unlink_file", &[DIR], "moved", &[]), Ok(()));
        // One that nobody could follow is not made.
        assert_eq!(guest.symlink("/etc/passwd", "new"), out);
        let names: Vec<_> =
            fs::read_dir(top.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(fs::read_to_string(top.path().join("canary")).unwrap(), "canary");
    }
}

#[test]
fn the_length_of_paths_is_a_limit() {
    let limits = Limits { path_bytes: 10, ..Limits::standard() };
    let builder = WasiCtx::builder().memory_dir("/");
    let mut guest = Guest::with(builder, limits, "wasi_snapshot_preview1", 32);
    assert_eq!(guest.make("0123456789", b""), Ok(()));
    assert_eq!(guest.make("0123456789a", b""), Err(errno::NAMETOOLONG));
    assert_eq!(guest.symlink("0123456789a", "link"), Err(errno::NAMETOOLONG));
    assert_eq!(guest.stat(0, "./././0123456789"), Err(errno::NAMETOOLONG));
}

/// A name turns into a link out and back while it is opened.
#[test]
fn a080_a_swapped_name_never_leads_out() {
    let (top, dir) = given();
    fs::create_dir(dir.join("x")).unwrap();
    write_file(&dir.join("x"), "canary", "inside");
    fs::create_dir(top.path().join("elsewhere")).unwrap();
    write_file(&top.path().join("elsewhere"), "canary", "outside");
    symlink("../elsewhere", dir.join("y")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = std::thread::spawn({
        let (dir, stop) = (dir.clone(), stop.clone());
        move || {
            while !stop.load(Ordering::Relaxed) {
                for (from, to) in [("x", "z"), ("y", "x"), ("x", "y"), ("z", "x")] {
                    fs::rename(dir.join(from), dir.join(to)).unwrap();
                }
                // So that on a busy machine the guest meets the directory, too.
                std::thread::sleep(Duration::from_micros(20));
            }
        }
    });
    // An overlay remembers what it saw first; the others must have found the file at least once.
    for (mut guest, must_find) in guests(&dir).into_iter().zip([true, true, false]) {
        let (mut tries, mut found) = (0, 0);
        let begin = Instant::now();
        while tries < 2_000 || must_find && found == 0 && begin.elapsed() < Duration::from_secs(60) {
            tries += 1;
            if let Ok(bytes) = guest.contents("x/canary") {
                assert_eq!(bytes, b"inside");
                found += 1;
            }
        }
        assert!(found > 0 || !must_find, "the file was never there in {tries} tries");
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
}

/// A directory that the host moves out while the guest has it open is no way to what lies around it.
#[test]
fn a080_a_moved_directory_has_no_parent() {
    let (top, dir) = given();
    fs::create_dir(dir.join("sub")).unwrap();
    for mut guest in guests(&dir) {
        let sub = guest.open("sub", DIRECTORY, ALL).unwrap();
        fs::rename(dir.join("sub"), top.path().join("sub")).unwrap();
        for path in ["..", "../canary", "../given/file"] {
            assert_eq!(guest.open_at(sub, path, 0, READ).unwrap_err(), errno::NOTCAPABLE);
        }
        fs::rename(top.path().join("sub"), dir.join("sub")).unwrap();
    }
}

/// What is open in a directory of the host is a regular file or a directory.
#[test]
fn what_is_neither_file_nor_directory_is_not_opened() {
    let (_top, dir) = given();
    let _listener = UnixListener::bind(dir.join("socket")).unwrap();
    for mut guest in guests(&dir) {
        assert_eq!(guest.open("socket", 0, READ), Err(errno::NOTCAPABLE));
        assert_eq!(guest.violations(), [(Capability::FsRead, "socket".into())]);
    }
}

#[derive(Debug, PartialEq)]
struct Seen {
    path: PathBuf,
    bytes: Option<Vec<u8>>,
    stat: (u64, u64, u64, i64, i64, i64, i64),
}

fn snapshot(dir: &Path) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(path) = left.pop() {
        let stat = fs::symlink_metadata(&path).unwrap();
        if stat.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let bytes = stat.is_file().then(|| fs::read(&path).unwrap());
        let stat = (
            stat.ino(),
            stat.nlink(),
            stat.size(),
            stat.mtime(),
            stat.mtime_nsec(),
            stat.ctime(),
            stat.ctime_nsec(),
        );
        seen.push(Seen { path, bytes, stat });
    }
    seen.sort_by(|a, b| a.path.cmp(&b.path));
    seen
}

#[test]
fn a081_a_directory_that_is_read_only_stays_as_it_is() {
    let (_top, dir) = tree();
    let before = snapshot(&dir);
    let mut guest = Guest::new(WasiCtx::builder().dir(&dir, "/", Access::ReadOnly).memory_dir("/tmp"));
    let denied = Err(errno::ROFS);
    let open = |guest: &mut Guest, oflags, rights| guest.open("file", oflags, rights).map(|_| ());
    assert_eq!(open(&mut guest, TRUNC, READ), denied);
    assert_eq!(open(&mut guest, TRUNC, WRITE), denied);
    assert_eq!(open(&mut guest, 0, WRITE), denied);
    assert_eq!(guest.open("new", CREAT, READ).map(|_| ()), denied);
    assert_eq!(guest.open("new", CREAT, WRITE).map(|_| ()), denied);
    assert_eq!(guest.at("path_create_directory", &[DIR], "new", &[]), denied);
    assert_eq!(guest.at("path_unlink_file", &[DIR], "file", &[]), denied);
    assert_eq!(guest.at("path_remove_directory", &[DIR], "a/b", &[]), denied);
    assert_eq!(guest.at("path_filestat_set_times", &[DIR, 0], "file", &[1, 1, 5]), denied);
    assert_eq!(guest.symlink("file", "new"), denied);
    assert_eq!(guest.two("path_rename", &[DIR], "file", "new"), denied);
    assert_eq!(guest.two("path_link", &[DIR, 0], "file", "new"), denied);
    // Nor is anything moved in, out, or linked across.
    let tmp = DIR + 1;
    assert_eq!(guest.open_at(tmp, "mine", CREAT, WRITE).map(|_| ()), Ok(()));
    assert_eq!(guest.two("path_rename", &[tmp], "mine", "new"), denied);
    assert_eq!(guest.two("path_link", &[tmp, 0], "mine", "new"), denied);
    let n = guest.violations().len();
    assert_eq!(n, 14);
    assert!(guest.violations().iter().all(|(capability, _)| *capability == Capability::FsWrite));
    // What is open for reading changes nothing either.
    let fd = guest.open("file", 0, READ | ALL & !WRITE).unwrap();
    assert_eq!(guest.write(fd, b"x"), Err(errno::BADF));
    assert_eq!(guest.errno("fd_filestat_set_size", &[fd, 0]), errno::NOTCAPABLE);
    assert_eq!(guest.errno("fd_allocate", &[fd, 0, 100]), errno::NOTCAPABLE);
    assert_eq!(guest.errno("fd_filestat_set_times", &[fd, 1, 1, 5]), errno::ROFS);
    // To open what is there needs no right to make it.
    assert!(guest.open("file", CREAT, READ).is_ok());
    assert_eq!(snapshot(&dir), before);
}

#[test]
fn a095_times_that_do_not_fit_are_clamped() {
    let (_top, dir) = given();
    write_file(&dir, "old", "");
    let old = fs::File::options().write(true).open(dir.join("old")).unwrap();
    old.set_modified(UNIX_EPOCH - Duration::from_secs(1_000_000)).unwrap();
    for access in [Access::ReadWrite, Access::Overlay] {
        let mut guest = Guest::new(WasiCtx::builder().dir(&dir, "/", access));
        guest.stat(0, "old").unwrap();
        assert_eq!(guest.u64_at(RESULT + 48), 0, "before 1970");
        guest.make("new", b"").unwrap();
        for time in [0, 1, i64::MAX, -1] {
            let set = guest.at("path_filestat_set_times", &[DIR, 0], "new", &[time, time, 5]);
            assert_eq!(set, Ok(()), "{time}");
            guest.stat(0, "new").unwrap();
            let found = guest.u64_at(RESULT + 48);
            // File systems of the host have limits of their own.
            assert!(found <= time as u64, "{found} for {time}");
        }
        let both = guest.at("path_filestat_set_times", &[DIR, 0], "new", &[1, 1, 3]);
        assert_eq!(both, Err(errno::INVAL));
        let unknown = guest.at("path_filestat_set_times", &[DIR, 0], "new", &[1, 1, 16]);
        assert_eq!(unknown, Err(errno::INVAL));
    }
}

//! Overlays: what a run has changed, and how it is saved.

use std::fs;
use std::os::unix::fs::symlink;

use wasmos_runtime::Limits;
use wasmos_runtime::wasi::{Access, Change, ChangeKind, FileKind, WasiCtx};

use crate::guest::{ALL, CREAT, DIR, FOLLOW, Guest, READ, TRUNC, WRITE, errno, given, write_file};

fn change(path: &str, kind: ChangeKind, file: FileKind) -> Change {
    Change { guest: "/w".into(), path: path.into(), kind, file }
}

#[test]
fn changes_are_listed_and_saved_and_the_host_stays_as_it_is() {
    let (_top, dir) = given();
    fs::create_dir_all(dir.join("old/sub")).unwrap();
    write_file(&dir.join("old"), "kept", "kept");
    write_file(&dir.join("old/sub"), "moved", "moved");
    write_file(&dir, "edited", "before");
    write_file(&dir, "removed", "x");
    write_file(&dir, "only read", "x");
    let mut guest = Guest::new(WasiCtx::builder().dir(&dir, "/w", Access::Overlay));
    assert!(guest.store.data_mut().changes().is_empty());
    guest.contents("only read").unwrap();
    guest.contents("old/kept").unwrap();
    assert!(guest.store.data_mut().changes().is_empty());
    let fd = guest.open_with((DIR, FOLLOW), "edited", 0, READ | WRITE, 1).unwrap();
    guest.write(fd, b" and after").unwrap();
    guest.close(fd);
    guest.at("path_unlink_file", &[DIR], "removed", &[]).unwrap();
    guest.two("path_rename", &[DIR], "old/sub", "new").unwrap();
    guest.make("old/made", b"made").unwrap();
    guest.symlink("edited", "link").unwrap();
    guest.symlink("../../up", "bad link").unwrap();
    assert_eq!(
        guest.store.data_mut().changes(),
        [
            change("bad link", ChangeKind::Created, FileKind::Symlink),
            change("edited", ChangeKind::Modified, FileKind::File { len_bytes: 16 }),
            change("link", ChangeKind::Created, FileKind::Symlink),
            change("new", ChangeKind::Created, FileKind::Directory),
            change("new/moved", ChangeKind::Created, FileKind::File { len_bytes: 5 }),
            change("old/made", ChangeKind::Created, FileKind::File { len_bytes: 4 }),
            change("old/sub", ChangeKind::Removed, FileKind::Unknown),
            change("removed", ChangeKind::Removed, FileKind::Unknown),
        ]
    );
    let target = tempfile::tempdir().unwrap();
    let saved = guest.store.data_mut().save_changes(&target.path().join("out")).unwrap();
    assert_eq!((saved.files, saved.bytes), (5, 25));
    assert_eq!(saved.skipped, ["w/bad link"]);
    let read = |path: &str| fs::read_to_string(target.path().join("out/w").join(path)).unwrap();
    assert_eq!(
        (read("edited"), read("new/moved"), read("old/made")),
        ("before and after".into(), "moved".into(), "made".into())
    );
    assert_eq!(read("link"), "before and after");
    assert!(!target.path().join("out/w/only read").exists());
    assert_eq!(fs::read_to_string(dir.join("edited")).unwrap(), "before");
    assert!(dir.join("removed").exists() && dir.join("old/sub/moved").exists());
    // A second time over what is there.
    let again = guest.store.data_mut().save_changes(&target.path().join("out")).unwrap();
    assert_eq!(again.files, 5);
}

/// What lies in the target already does not lead a save elsewhere.
#[test]
fn a_save_stays_in_its_directory() {
    let mut guest = Guest::new(WasiCtx::builder().memory_dir("/w"));
    guest.make("file", b"guest").unwrap();
    guest.at("path_create_directory", &[DIR], "dir", &[]).unwrap();
    guest.make("dir/file", b"guest").unwrap();
    let target = tempfile::tempdir().unwrap();
    let (out, canary) = (target.path().join("out"), target.path().join("canary"));
    fs::create_dir_all(out.join("w")).unwrap();
    fs::write(&canary, "canary").unwrap();
    symlink(&canary, out.join("w/file")).unwrap();
    symlink(target.path(), out.join("w/dir")).unwrap();
    let saved = guest.store.data_mut().save_changes(&out);
    assert!(saved.is_err(), "{saved:?}");
    assert_eq!(fs::read_to_string(&canary).unwrap(), "canary");
    assert!(!target.path().join("file").exists());
    fs::remove_file(out.join("w/dir")).unwrap();
    guest.store.data_mut().save_changes(&out).unwrap();
    assert_eq!(fs::read_to_string(&canary).unwrap(), "canary");
    assert_eq!(fs::read_to_string(out.join("w/file")).unwrap(), "guest");
}

#[test]
fn a_file_that_is_open_survives_its_name() {
    let (_top, dir) = given();
    write_file(&dir, "file", "text");
    let mut guest = Guest::new(WasiCtx::builder().dir(&dir, "/", Access::Overlay));
    let fd = guest.open("file", 0, ALL).unwrap();
    guest.at("path_unlink_file", &[DIR], "file", &[]).unwrap();
    assert_eq!(guest.stat(0, "file"), Err(errno::NOENT));
    assert_eq!(guest.read(fd, 10), Ok(b"text".to_vec()));
    guest.write(fd, b"more").unwrap();
    guest.ok("fd_seek", &[fd, 0, 0, crate::guest::RESULT]).unwrap();
    assert_eq!(guest.read(fd, 10), Ok(b"textmore".to_vec()));
    guest.close(fd);
    guest.make("file", b"new").unwrap();
    assert_eq!(guest.contents("file"), Ok(b"new".to_vec()));
}

/// A file of the host is copied only as far as the quota goes, and what does not fit is not half there.
#[test]
fn a_file_too_large_to_be_changed_stays_as_it_is() {
    let (_top, dir) = given();
    fs::write(dir.join("big"), vec![b'x'; 300_000]).unwrap();
    let limits = Limits { file_bytes: 200_000, ..Limits::standard() };
    let builder = WasiCtx::builder().dir(&dir, "/", Access::Overlay);
    let mut guest = Guest::with(builder, limits, "wasi_snapshot_preview1", 32);
    let fd = guest.open("big", 0, ALL).unwrap();
    assert_eq!(guest.write(fd, b"y"), Err(errno::NOSPC));
    assert_eq!(guest.stat(0, "big"), Ok((4, 300_000)));
    assert_eq!(guest.read(fd, 3), Ok(b"xxx".to_vec()));
    // To empty it needs no copy.
    let fd = guest.open("big", TRUNC, WRITE).unwrap();
    assert_eq!(guest.write(fd, b"y"), Ok(1));
    assert_eq!(guest.contents("big"), Ok(b"y".to_vec()));
}

/// What was only looked at is forgotten, however much there is of it.
#[test]
fn a_large_tree_can_be_read_under_a_small_quota() {
    let (_top, dir) = given();
    for d in 0..20 {
        let sub = dir.join(format!("dir{d}"));
        fs::create_dir(&sub).unwrap();
        (0..500).for_each(|n| write_file(&sub, &format!("file{n}"), ""));
    }
    let limits = Limits { file_bytes: 100_000, files: 10, ..Limits::standard() };
    let builder = WasiCtx::builder().dir(&dir, "/", Access::Overlay);
    let mut guest = Guest::with(builder, limits, "wasi_snapshot_preview1", 32);
    let kept = guest.open("dir3/file7", 0, READ).unwrap();
    guest.make("dir4/made", b"made").unwrap();
    for _ in 0..2 {
        for d in 0..20 {
            for n in 0..500 {
                assert_eq!(guest.stat(0, &format!("dir{d}/file{n}")), Ok((4, 0)));
            }
        }
    }
    assert_eq!(guest.read(kept, 1), Ok(Vec::new()));
    assert_eq!(guest.contents("dir4/made"), Ok(b"made".to_vec()));
    assert_eq!(guest.open("dir5/new", CREAT, WRITE).map(|_| ()), Ok(()));
}

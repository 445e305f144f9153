//! A082, A083, A084, A089, A090, A091, A094: descriptors, streams, listings, vectors, offsets, pointers.

use std::fs;
use std::io::{Read, Write as _};
use std::time::{Duration, Instant};

use wasmos_runtime::wasi::{Access, Output, OutputBuffer, Stdin, WasiBuilder, WasiCtx};
use wasmos_runtime::{Limits, Outcome};

use crate::guest::{
    ALL, CREAT, DATA, DIR, DIRECTORY, Guest, READ, RESULT, VECTORS, WRITE, errno, given, pipe, write_file,
};

fn in_memory() -> Guest {
    Guest::new(WasiCtx::builder().memory_dir("/"))
}

#[test]
fn a082_wrong_descriptors_are_answered() {
    let mut guest = in_memory();
    let fd = guest.open("file", CREAT, ALL).unwrap();
    guest.close(fd);
    for bad in [fd, 4, 1_000, i64::from(u32::MAX)] {
        for (name, args) in [
            ("fd_advise", &[bad, 0, 0, 0][..]),
            ("fd_allocate", &[bad, 0, 1]),
            ("fd_close", &[bad]),
            ("fd_datasync", &[bad]),
            ("fd_fdstat_get", &[bad, RESULT]),
            ("fd_fdstat_set_flags", &[bad, 0]),
            ("fd_fdstat_set_rights", &[bad, 0, 0]),
            ("fd_filestat_get", &[bad, RESULT]),
            ("fd_filestat_set_size", &[bad, 0]),
            ("fd_filestat_set_times", &[bad, 0, 0, 0]),
            ("fd_pread", &[bad, VECTORS, 0, 0, RESULT]),
            ("fd_prestat_get", &[bad, RESULT]),
            ("fd_prestat_dir_name", &[bad, RESULT, 0]),
            ("fd_pwrite", &[bad, VECTORS, 0, 0, RESULT]),
            ("fd_read", &[bad, VECTORS, 0, RESULT]),
            ("fd_readdir", &[bad, DATA, 100, 0, RESULT]),
            ("fd_renumber", &[bad, DIR]),
            ("fd_renumber", &[DIR, bad]),
            ("fd_seek", &[bad, 0, 0, RESULT]),
            ("fd_sync", &[bad]),
            ("fd_tell", &[bad, RESULT]),
            ("fd_write", &[bad, VECTORS, 0, RESULT]),
            ("path_create_directory", &[bad, DATA, 1]),
            ("path_filestat_get", &[bad, 0, DATA, 1, RESULT]),
            ("path_filestat_set_times", &[bad, 0, DATA, 1, 0, 0, 0]),
            ("path_link", &[bad, 0, DATA, 1, DIR, DATA, 1]),
            ("path_open", &[bad, 0, DATA, 1, 0, 0, 0, 0, RESULT]),
            ("path_readlink", &[bad, DATA, 1, DATA, 1, RESULT]),
            ("path_remove_directory", &[bad, DATA, 1]),
            ("path_rename", &[bad, DATA, 1, DIR, DATA, 1]),
            ("path_symlink", &[DATA, 1, bad, DATA, 1]),
            ("path_unlink_file", &[bad, DATA, 1]),
        ] {
            guest.put(DATA, b"x");
            assert_eq!(guest.errno(name, args), errno::BADF, "{name} of {bad}");
        }
    }
}

#[test]
fn a082_renumbering_moves_and_closes() {
    let mut guest = in_memory();
    let (a, b) = (guest.open("a", CREAT, ALL).unwrap(), guest.open("b", CREAT, ALL).unwrap());
    guest.write(a, b"from a").unwrap();
    assert_eq!(guest.errno("fd_renumber", &[a, a]), 0);
    assert_eq!(guest.errno("fd_renumber", &[a, b]), 0);
    assert_eq!(guest.errno("fd_close", &[a]), errno::BADF);
    assert_eq!(guest.errno("fd_seek", &[b, 0, 0, RESULT]), 0);
    assert_eq!(guest.read(b, 10), Ok(b"from a".to_vec()));
    // Over a directory that was given, and over a standard stream.
    assert_eq!(guest.errno("fd_renumber", &[b, 1]), 0);
    assert_eq!(guest.write(1, b"!"), Ok(1));
    assert_eq!(guest.errno("fd_renumber", &[1, DIR]), 0);
    assert_eq!(guest.errno("fd_prestat_get", &[DIR, RESULT]), errno::BADF);
    assert_eq!(guest.open("a", 0, READ), Err(errno::NOTDIR));
    assert_eq!(guest.errno("fd_renumber", &[0, 100]), errno::BADF);
}

#[test]
fn a082_rights_never_widen() {
    let mut guest = in_memory();
    guest.at("path_create_directory", &[DIR], "sub", &[]).unwrap();
    guest.make("sub/file", b"text").unwrap();
    // A directory through which files are only read.
    let len = guest.put(DATA, b"sub");
    let read_only = ALL & !WRITE;
    guest.ok("path_open", &[DIR, 0, DATA, len, DIRECTORY, ALL, read_only, 0, RESULT]).unwrap();
    let sub = i64::from(guest.u32_at(RESULT));
    assert_eq!(guest.open_at(sub, "file", 0, WRITE), Err(errno::NOTCAPABLE));
    let again = guest.open_at(sub, ".", DIRECTORY, READ).unwrap();
    assert_eq!(guest.open_at(again, "file", 0, WRITE), Err(errno::NOTCAPABLE));
    let file = guest.open_at(sub, "file", 0, READ).unwrap();
    assert_eq!(guest.write(file, b"x"), Err(errno::BADF));
    assert_eq!(guest.errno("fd_fdstat_set_rights", &[file, READ | WRITE, 0]), errno::NOTCAPABLE);
    assert_eq!(guest.errno("fd_fdstat_set_rights", &[file, 0, 0]), 0);
    assert_eq!(guest.read(file, 1), Err(errno::BADF));
    assert_eq!(guest.errno("fd_fdstat_set_rights", &[file, READ, 0]), errno::NOTCAPABLE);
}

/// How many descriptors the process has open on what lies in `dir`.
fn host_descriptors(dir: &std::path::Path) -> usize {
    let links =
        fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.filter(|link| link.starts_with(dir)).count()
}

#[cfg(target_os = "linux")]
#[test]
fn a083_descriptors_are_bounded_and_come_back() {
    let (_top, dir) = given();
    let dir = dir.canonicalize().unwrap();
    write_file(&dir, "file", "");
    for access in [Access::ReadOnly, Access::Overlay] {
        let limits = Limits { descriptors: 100, ..Limits::standard() };
        let builder = WasiCtx::builder().dir(&dir, "/", access);
        let mut guest = Guest::with(builder, limits, "wasi_snapshot_preview1", 32);
        let before = host_descriptors(&dir);
        let mut open = Vec::new();
        for _ in 0..100_000 {
            match guest.open("file", 0, READ) {
                Ok(fd) => open.push(fd),
                Err(errno) => assert_eq!(errno, errno::MFILE),
            }
        }
        assert_eq!(open.len(), 96);
        assert!(host_descriptors(&dir) <= before + 96);
        open.into_iter().for_each(|fd| guest.close(fd));
        // Neither failures nor successes leave any behind.
        for path in ["file", "missing", "file/x", "..", "./.././file"] {
            let opened = guest.open(path, 0, READ);
            opened.into_iter().for_each(|fd| guest.close(fd));
        }
        assert_eq!(host_descriptors(&dir), before);
    }
}

fn timed(builder: WasiBuilder) -> Guest {
    let limits = Limits { timeout: Some(Duration::from_millis(100)), ..Limits::standard() };
    Guest::with(builder, limits, "wasi_snapshot_preview1", 32)
}

/// Runs a call that blocks; it must end with the timeout, long before anybody would come.
fn ends_by_deadline(mut guest: Guest, name: &str, args: &[i64]) {
    let begin = Instant::now();
    assert_eq!(guest.run(name, args), Err(Outcome::Deadline));
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn a084_input_that_never_comes_is_not_waited_for_beyond_the_timeout() {
    let (reader, writer) = pipe();
    let mut guest = timed(WasiCtx::builder().stdin(Stdin::File(reader)));
    guest.vectors(&[(DATA, 100)]);
    ends_by_deadline(guest, "fd_read", &[0, VECTORS, 1, RESULT]);
    drop(writer);
}

#[test]
fn a084_a_flood_of_input_fills_the_guests_buffer_and_no_other() {
    let mut guest = Guest::new(WasiCtx::builder().stdin(Stdin::Reader(Box::new(std::io::repeat(b'x')))));
    for _ in 0..1_000 {
        assert_eq!(guest.read(0, 0x1_0000).unwrap().len(), 0x1_0000);
    }
}

#[test]
fn a084_a_stalled_reader_holds_the_guest_until_the_timeout() {
    let (reader, writer) = pipe();
    let mut guest = timed(WasiCtx::builder().stdout(Output::File(writer)));
    guest.vectors(&[(DATA, 0x10_0000)]);
    ends_by_deadline(guest, "fd_write", &[1, VECTORS, 1, RESULT]);
    drop(reader);
}

#[test]
fn a084_nobody_reads_the_pipe() {
    let (reader, writer) = pipe();
    drop(reader);
    let mut guest = Guest::new(WasiCtx::builder().stdout(Output::File(writer)));
    assert_eq!(guest.write(1, b"x"), Err(errno::PIPE));
}

#[test]
fn streams_carry_bytes_both_ways() {
    let (reader, mut writer) = pipe();
    let (mut out_reader, out_writer) = pipe();
    let err = OutputBuffer::default();
    let builder = WasiCtx::builder()
        .stdin(Stdin::File(reader))
        .stdout(Output::File(out_writer))
        .stderr(Output::Buffer(err.clone()));
    let mut guest = Guest::new(builder);
    writer.write_all(b"hello").unwrap();
    assert_eq!(guest.read(0, 100), Ok(b"hello".to_vec()));
    drop(writer);
    assert_eq!(guest.read(0, 100), Ok(Vec::new()));
    assert_eq!(guest.write(1, b"out"), Ok(3));
    assert_eq!(guest.write(2, b"err"), Ok(3));
    let mut bytes = [0; 3];
    out_reader.read_exact(&mut bytes).unwrap();
    assert_eq!((&bytes, &*err.contents()), (b"out", &b"err"[..]));
    assert_eq!(guest.errno("fd_seek", &[1, 0, 0, RESULT]), errno::SPIPE);
    assert_eq!(guest.write(0, b"x"), Err(errno::BADF));
    assert_eq!(guest.read(1, 1), Err(errno::BADF));
}

#[test]
fn output_beyond_the_quota_ends_the_run_and_is_not_written() {
    let (_top, dir) = given();
    let out = OutputBuffer::default();
    let limits = Limits { output_bytes: Some(10), ..Limits::standard() };
    let builder = WasiCtx::builder().stdout(Output::Buffer(out.clone())).dir(&dir, "/", Access::ReadWrite);
    let mut guest = Guest::with(builder, limits, "wasi_snapshot_preview1", 32);
    assert_eq!(guest.write(1, b"12345"), Ok(5));
    guest.make("file", b"1234").unwrap();
    guest.vectors(&[(DATA, 2)]);
    let ended = guest.run("fd_write", &[1, VECTORS, 1, RESULT]).unwrap_err();
    assert_eq!(ended.kind(), "limit");
    assert_eq!(out.contents(), b"12345");
}

#[test]
fn a089_listings_are_whole_whatever_the_buffer() {
    let (_top, dir) = given();
    let names: Vec<_> = (0..50).map(|n| format!("name{n:02}")).collect();
    names.iter().for_each(|name| write_file(&dir, name, ""));
    fs::create_dir(dir.join("zdir")).unwrap();
    for access in [Access::ReadOnly, Access::Overlay] {
        let mut guest = Guest::new(WasiCtx::builder().dir(&dir, "/", access));
        let expected: Vec<_> = [(".", 3), ("..", 3)]
            .into_iter()
            .chain(names.iter().map(|name| (&**name, 4)))
            .chain([("zdir", 3)])
            .map(|(name, kind)| (name.to_owned(), kind))
            .collect();
        for buffer in [31, 32, 50, 100, 4_096, 0x1_0000] {
            assert_eq!(guest.list(DIR, buffer), Ok(expected.clone()), "{buffer}");
        }
        // Too small for a header: as much of it as fits.
        for buffer in [0, 1, 23, 24] {
            assert_eq!(guest.errno("fd_readdir", &[DIR, DATA, buffer, 0, RESULT]), 0);
            assert_eq!(i64::from(guest.u32_at(RESULT)), buffer);
        }
        for cookie in [53, 54, 1_000, i64::MAX, -1] {
            assert_eq!(guest.errno("fd_readdir", &[DIR, DATA, 100, cookie, RESULT]), 0);
            assert_eq!(guest.u32_at(RESULT), 0, "{cookie}");
        }
        // A listing that is under way stays as it was.
        guest.ok("fd_readdir", &[DIR, DATA, 100, 0, RESULT]).unwrap();
        fs::remove_file(dir.join("name10")).unwrap();
        guest.ok("fd_readdir", &[DIR, DATA, 100, 12, RESULT]).unwrap();
        assert_eq!(guest.get(DATA + 24, 6), b"name10");
        write_file(&dir, "name10", "");
    }
    let mut guest = in_memory();
    let file = guest.open("file", CREAT, READ).unwrap();
    assert_eq!(guest.errno("fd_readdir", &[file, DATA, 100, 0, RESULT]), errno::NOTDIR);
}

#[test]
fn listings_count_towards_the_quota_until_they_are_closed() {
    let (_top, dir) = given();
    (0..200).for_each(|n| write_file(&dir, &format!("name{n}"), ""));
    let limits = Limits { file_bytes: 15_000, ..Limits::standard() };
    let builder = WasiCtx::builder().dir(&dir, "/", Access::ReadOnly);
    let mut guest = Guest::with(builder, limits, "wasi_snapshot_preview1", 32);
    for _ in 0..5 {
        let first = guest.open(".", DIRECTORY, ALL).unwrap();
        let second = guest.open(".", DIRECTORY, ALL).unwrap();
        assert_eq!(guest.list(first, 4_096).unwrap().len(), 202);
        assert_eq!(guest.list(first, 4_096).unwrap().len(), 202);
        assert_eq!(guest.list(second, 4_096), Err(errno::NOSPC));
        guest.close(first);
        assert_eq!(guest.list(second, 4_096).unwrap().len(), 202);
        guest.close(second);
    }
}

#[test]
fn a090_lists_of_vectors_are_bounded() {
    let mut guest = in_memory();
    let fd = guest.open("file", CREAT, ALL).unwrap();
    // A million vectors do not fit the memory; those that do are taken up to a bound.
    assert_eq!(guest.errno("fd_write", &[fd, VECTORS, 1_000_000, RESULT]), errno::FAULT);
    assert_eq!(guest.errno("fd_write", &[fd, VECTORS, i64::from(u32::MAX), RESULT]), errno::FAULT);
    guest.put(DATA, &[0; 8 * 100_000]);
    for index in 0..100_000 {
        guest.put(DATA + 8 * index, &[0x10, 0, 0, 0, 1, 0, 0, 0]);
    }
    guest.ok("fd_write", &[fd, DATA, 100_000, RESULT]).unwrap();
    assert_eq!(guest.u32_at(RESULT), 1_024);
    // None, empty ones, and such that lie over one another.
    guest.ok("fd_write", &[fd, VECTORS, 0, RESULT]).unwrap();
    assert_eq!(guest.u32_at(RESULT), 0);
    guest.put(DATA, b"abcdef");
    guest.vectors(&[(DATA, 0), (DATA, 4), (DATA + 2, 4)]);
    guest.ok("fd_pwrite", &[fd, VECTORS, 3, 0, RESULT]).unwrap();
    guest.ok("fd_seek", &[fd, 0, 0, RESULT]).unwrap();
    assert_eq!(guest.read(fd, 8), Ok(b"abcdcdef".to_vec()));
    guest.vectors(&[(DATA, 4), (DATA + 1, 4)]);
    guest.ok("fd_pread", &[fd, VECTORS, 2, 0, RESULT]).unwrap();
    assert_eq!((guest.u32_at(RESULT), guest.get(DATA, 5)), (8, b"acdef".to_vec()));
    // One that is wrong spoils the call before anything is written.
    guest.vectors(&[(DATA, 4), (0x20_0000, 1)]);
    assert_eq!(guest.errno("fd_pwrite", &[fd, VECTORS, 2, 0, RESULT]), errno::FAULT);
    // A read may overwrite the list that it follows.
    guest.vectors(&[(VECTORS, 16), (DATA, 4)]);
    let _ = guest.errno("fd_pread", &[fd, VECTORS, 2, 0, RESULT]);
}

/// A sum beyond 32 bits is a partial count.
#[test]
fn a090_a_total_beyond_32_bits_is_cut() {
    let limits = Limits { output_bytes: None, ..Limits::standard() };
    let mut guest = Guest::with(WasiCtx::builder(), limits, "wasi_snapshot_preview1", 128);
    let big = 0x60_0000_i64;
    for index in 0..1_024 {
        let entry = [(DATA as u32).to_le_bytes(), (big as u32).to_le_bytes()].concat();
        guest.put(0x2000 + 8 * index, &entry);
    }
    guest.ok("fd_write", &[1, 0x2000, 1_024, RESULT]).unwrap();
    assert_eq!(guest.u32_at(RESULT), u32::MAX);
}

#[test]
fn a091_offsets_near_the_limit_of_64_bits() {
    let (_top, dir) = given();
    for builder in [
        WasiCtx::builder().memory_dir("/"),
        WasiCtx::builder().dir(&dir, "/", Access::ReadWrite),
        WasiCtx::builder().dir(&dir, "/", Access::Overlay),
    ] {
        let mut guest = Guest::new(builder);
        guest.make("file", b"0123456789").unwrap();
        let fd = guest.open("file", 0, ALL).unwrap();
        let seek = |guest: &mut Guest, delta, whence| {
            guest.ok("fd_seek", &[fd, delta, whence, RESULT]).map(|()| guest.u64_at(RESULT))
        };
        assert_eq!(seek(&mut guest, i64::MAX, 0), Ok(i64::MAX as u64));
        assert_eq!(seek(&mut guest, 1, 1), Err(errno::INVAL));
        assert_eq!(seek(&mut guest, i64::MIN, 1), Err(errno::INVAL));
        assert_eq!(seek(&mut guest, -1, 0), Err(errno::INVAL));
        assert_eq!(seek(&mut guest, -11, 2), Err(errno::INVAL));
        assert_eq!(seek(&mut guest, 0, 3), Err(errno::INVAL));
        assert_eq!(seek(&mut guest, 0, 1), Ok(i64::MAX as u64));
        // Nothing is there; kernels call it invalid.
        let read = guest.read(fd, 10);
        assert!(read == Ok(Vec::new()) || read == Err(errno::INVAL), "{read:?}");
        assert!(guest.write(fd, b"xy").is_err());
        guest.vectors(&[(DATA, 4)]);
        for offset in [-1, i64::MIN] {
            assert_eq!(guest.errno("fd_pread", &[fd, VECTORS, 1, offset, RESULT]), errno::INVAL);
            assert!(guest.errno("fd_pwrite", &[fd, VECTORS, 1, offset, RESULT]) != 0);
        }
        for size in [i64::MIN, -1] {
            assert_eq!(guest.errno("fd_filestat_set_size", &[fd, size]), errno::FBIG);
            assert_eq!(guest.errno("fd_allocate", &[fd, 0, size]), errno::FBIG);
        }
        assert_eq!(guest.errno("fd_allocate", &[fd, -1, 2]), errno::FBIG);
        assert_eq!(guest.stat(0, "file"), Ok((4, 10)));
    }
}

#[test]
fn a091_files_in_memory_are_bounded() {
    let limits = Limits { file_bytes: 200_000, files: 10, ..Limits::standard() };
    let mut guest = Guest::with(WasiCtx::builder().memory_dir("/"), limits, "wasi_snapshot_preview1", 32);
    let fd = guest.open("file", CREAT, ALL).unwrap();
    assert_eq!(guest.errno("fd_filestat_set_size", &[fd, 200_001]), errno::FBIG);
    assert_eq!(guest.write(fd, &[1; 150_000]), Ok(150_000));
    assert_eq!(guest.write(fd, &[1; 150_000]).map(|n| n < 100_000), Ok(true));
    assert_eq!(guest.write(fd, &[1; 150_000]), Err(errno::NOSPC));
    // What is given back can be had again.
    assert_eq!(guest.errno("fd_filestat_set_size", &[fd, 0]), 0);
    guest.close(fd);
    for round in 0..3 {
        guest.make("other", &[1; 150_000]).unwrap_or_else(|errno| panic!("{errno} in round {round}"));
        guest.at("path_unlink_file", &[DIR], "other", &[]).unwrap();
    }
    for n in 0..9 {
        guest.at("path_create_directory", &[DIR], &format!("dir{n}"), &[]).unwrap();
    }
    assert_eq!(guest.at("path_create_directory", &[DIR], "one more", &[]), Err(errno::NOSPC));
    guest.at("path_remove_directory", &[DIR], "dir0", &[]).unwrap();
    guest.at("path_create_directory", &[DIR], "one more", &[]).unwrap();
}

/// Every structure at an odd address: accepted, as the official suite has no other wish.
#[test]
fn a094_nothing_has_to_be_aligned() {
    let mut guest = Guest::new(WasiCtx::builder().arg("name").env("A", "b").memory_dir("/"));
    let odd = 0x8001;
    for (name, args) in [
        ("args_sizes_get", &[odd, odd + 5][..]),
        ("args_get", &[odd, odd + 0x101]),
        ("environ_sizes_get", &[odd, odd + 5]),
        ("environ_get", &[odd, odd + 0x101]),
        ("clock_res_get", &[0, odd]),
        ("clock_time_get", &[0, 0, odd]),
        ("fd_fdstat_get", &[1, odd]),
        ("fd_filestat_get", &[DIR, odd]),
        ("fd_prestat_get", &[DIR, odd]),
        ("fd_readdir", &[DIR, odd, 100, 0, odd + 0x201]),
        ("random_get", &[odd, 3]),
    ] {
        assert_eq!(guest.errno(name, args), 0, "{name}");
    }
    let fd = guest.open("file", CREAT, ALL).unwrap();
    let vector = [(DATA as u32).to_le_bytes(), 3_u32.to_le_bytes()].concat();
    guest.put(odd, &vector);
    for (name, args) in [
        ("fd_write", &[fd, odd, 1, odd + 16][..]),
        ("fd_read", &[fd, odd, 1, odd + 16]),
        ("fd_pwrite", &[fd, odd, 1, 0, odd + 16]),
        ("fd_pread", &[fd, odd, 1, 0, odd + 16]),
        ("fd_seek", &[fd, 0, 0, odd]),
        ("fd_tell", &[fd, odd]),
    ] {
        guest.put(odd, &vector);
        assert_eq!(guest.errno(name, args), 0, "{name}");
    }
    guest.put(odd, &[0; 48]);
    assert_eq!(guest.errno("poll_oneoff", &[odd, odd + 0x101, 1, odd + 0x203]), 0);
}

/// A pointer outside memory is answered, by every function and for every pointer.
#[test]
fn a070_pointers_outside_memory_are_answered() {
    let mut guest = Guest::new(WasiCtx::builder().arg("name").env("A", "b").memory_dir("/"));
    guest.make("file", b"text").unwrap();
    let fd = guest.open("file", 0, ALL).unwrap();
    guest.symlink("file", "link").unwrap();
    guest.vectors(&[(DATA, 4)]);
    guest.put(DATA, b"link");
    let end = 32 << 16;
    for bad in [end, end - 1, i64::from(u32::MAX), i64::from(u32::MAX - 3)] {
        for (name, args) in [
            ("args_sizes_get", &[bad, RESULT][..]),
            ("args_sizes_get", &[RESULT, bad]),
            ("args_get", &[bad, DATA]),
            ("args_get", &[DATA, bad]),
            ("environ_get", &[bad, DATA]),
            ("environ_sizes_get", &[RESULT, bad]),
            ("clock_res_get", &[0, bad]),
            ("clock_time_get", &[0, 0, bad]),
            ("fd_fdstat_get", &[fd, bad]),
            ("fd_filestat_get", &[fd, bad]),
            ("fd_pread", &[fd, bad, 1, 0, RESULT]),
            ("fd_pread", &[fd, VECTORS, 1, 0, bad]),
            ("fd_prestat_get", &[DIR, bad]),
            ("fd_prestat_dir_name", &[DIR, end, 1]),
            ("fd_read", &[fd, bad, 1, RESULT]),
            ("fd_read", &[fd, VECTORS, 1, bad]),
            ("fd_write", &[fd, VECTORS, 1, bad]),
            ("fd_readdir", &[DIR, bad, 100, 0, RESULT]),
            ("fd_readdir", &[DIR, DATA, 100, 0, bad]),
            ("fd_seek", &[fd, 0, 0, bad]),
            ("fd_tell", &[fd, bad]),
            ("path_create_directory", &[DIR, bad, 2]),
            ("path_filestat_get", &[DIR, 0, bad, 2, RESULT]),
            ("path_filestat_get", &[DIR, 0, DATA, 4, bad]),
            ("path_open", &[DIR, 0, bad, 2, 0, 0, 0, 0, RESULT]),
            ("path_open", &[DIR, 0, DATA, 4, CREAT, 0, 0, 0, bad]),
            ("path_readlink", &[DIR, bad, 2, DATA, 1, RESULT]),
            ("path_readlink", &[DIR, DATA, 4, bad, 2, RESULT]),
            ("path_readlink", &[DIR, DATA, 4, DATA, 1, bad]),
            ("path_symlink", &[bad, 2, DIR, DATA, 4]),
            ("path_symlink", &[DATA, 4, DIR, bad, 2]),
            ("path_rename", &[DIR, DATA, 4, DIR, bad, 2]),
            ("path_link", &[DIR, 0, bad, 2, DIR, DATA, 4]),
            ("path_unlink_file", &[DIR, bad, 2]),
            ("poll_oneoff", &[bad, DATA, 1, RESULT]),
            ("poll_oneoff", &[DATA, bad, 1, RESULT]),
            ("poll_oneoff", &[DATA, DATA, 1, bad]),
            ("random_get", &[bad, 2]),
            ("random_get", &[0, end + 1]),
        ] {
            assert_eq!(guest.errno(name, args), errno::FAULT, "{name} {args:x?}");
        }
    }
    // Nothing at the very end is fine.
    guest.vectors(&[(end, 0)]);
    assert_eq!(guest.errno("fd_write", &[fd, VECTORS, 1, RESULT]), 0);
    assert_eq!(guest.errno("random_get", &[end, 0]), 0);
    // Nothing has happened meanwhile.
    assert_eq!(guest.errno("fd_tell", &[fd, RESULT]), 0);
    assert_eq!((guest.u64_at(RESULT), guest.stat(0, "file")), (0, Ok((4, 4))));
}

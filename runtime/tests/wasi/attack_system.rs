//! A085 to A088, A092, A093: waiting, clocks, random bytes, arguments, sockets, the end of a run.

use std::time::{Duration, Instant};

use wasmos_runtime::wasi::{self, BuildError, ClockSource, RandomSource, Stdin, WasiBuilder, WasiCtx};
use wasmos_runtime::{Capability, Engine, Error, Limits, Linker, Module, Outcome, Store};

use crate::guest::{DATA, DIR, Guest, RESULT, errno, module, pipe};

const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;
const EVENTS: i64 = 0x8_0000;

/// Writes a subscription of preview 1.
fn subscribe(guest: &mut Guest, index: i64, tag: u8, first: u32, timeout: u64, flags: u16) {
    let mut bytes = [0_u8; 48];
    bytes[..8].copy_from_slice(&(index as u64 + 1).to_le_bytes());
    bytes[8] = tag;
    bytes[16..20].copy_from_slice(&first.to_le_bytes());
    bytes[24..32].copy_from_slice(&timeout.to_le_bytes());
    bytes[40..42].copy_from_slice(&flags.to_le_bytes());
    guest.put(DATA + 48 * index, &bytes);
}

/// An event: who waited, the error, the kind.
fn event(guest: &Guest, addr: i64, index: i64) -> (u64, u16, u8) {
    let at = addr + 32 * index;
    let bytes = guest.get(at + 8, 3);
    (guest.u64_at(at), u16::from_le_bytes([bytes[0], bytes[1]]), bytes[2])
}

fn monotonic(guest: &mut Guest) -> u64 {
    guest.ok("clock_time_get", &[1, 0, RESULT]).unwrap();
    guest.u64_at(RESULT)
}

fn unlimited(builder: WasiBuilder) -> Guest {
    Guest::with(builder, Limits::unlimited(), "wasi_snapshot_preview1", 64)
}

#[test]
fn a085_virtual_sleeps_take_no_time_and_count_against_the_timeout() {
    const YEAR: u64 = 365 * 24 * 3_600 * 1_000_000_000;
    let begin = Instant::now();
    let mut guest = unlimited(WasiCtx::builder());
    let before = monotonic(&mut guest);
    subscribe(&mut guest, 0, CLOCK, 1, YEAR, 0);
    guest.ok("poll_oneoff", &[DATA, EVENTS, 1, RESULT]).unwrap();
    assert_eq!((guest.u32_at(RESULT), event(&guest, EVENTS, 0)), (1, (1, 0, CLOCK)));
    let after = monotonic(&mut guest);
    assert!((YEAR..YEAR + 1_000).contains(&(after - before)), "{after}");
    // The earliest of two, and a time that has passed.
    subscribe(&mut guest, 0, CLOCK, 1, YEAR, 0);
    subscribe(&mut guest, 1, CLOCK, 1, 5, 1);
    guest.ok("poll_oneoff", &[DATA, EVENTS, 2, RESULT]).unwrap();
    assert_eq!((guest.u32_at(RESULT), event(&guest, EVENTS, 0)), (1, (2, 0, CLOCK)));
    subscribe(&mut guest, 0, CLOCK, 1, u64::MAX, 0);
    guest.ok("poll_oneoff", &[DATA, EVENTS, 1, RESULT]).unwrap();
    assert_eq!(monotonic(&mut guest), u64::MAX);
    let mut guest = Guest::new(WasiCtx::builder());
    for sleep in [1_000_000_000, 28_000_000_000_u64] {
        subscribe(&mut guest, 0, CLOCK, 1, sleep, 0);
        guest.ok("poll_oneoff", &[DATA, EVENTS, 1, RESULT]).unwrap();
    }
    for sleep in [2_000_000_000, u64::MAX] {
        subscribe(&mut guest, 0, CLOCK, 1, sleep, 0);
        assert_eq!(guest.run("poll_oneoff", &[DATA, EVENTS, 1, RESULT]), Err(Outcome::Deadline));
    }
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn a085_real_waits_end_with_the_event_the_timeout_or_a_stop() {
    let builder = || WasiCtx::builder().clock(ClockSource::real());
    let mut guest = unlimited(builder());
    subscribe(&mut guest, 0, CLOCK, 1, 20_000_000, 0);
    let begin = Instant::now();
    guest.ok("poll_oneoff", &[DATA, EVENTS, 1, RESULT]).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(20));
    // For ever, but for a stop from another thread.
    subscribe(&mut guest, 0, CLOCK, 1, u64::MAX, 0);
    let stop = guest.store.stop_handle();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        stop.stop();
    });
    assert_eq!(guest.run("poll_oneoff", &[DATA, EVENTS, 1, RESULT]), Err(Outcome::Stopped));
    stopper.join().unwrap();
    let limits = Limits { timeout: Some(Duration::from_millis(50)), ..Limits::standard() };
    let mut guest = Guest::with(builder(), limits, "wasi_snapshot_preview1", 32);
    subscribe(&mut guest, 0, CLOCK, 0, u64::MAX, 0);
    assert_eq!(guest.run("poll_oneoff", &[DATA, EVENTS, 1, RESULT]), Err(Outcome::Deadline));
    // Input that comes ends the wait before the clock does.
    let (reader, writer) = pipe();
    let mut guest = unlimited(builder().stdin(Stdin::File(reader)));
    subscribe(&mut guest, 0, CLOCK, 1, 60_000_000_000, 0);
    subscribe(&mut guest, 1, FD_READ, 0, 0, 0);
    let late = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        std::io::Write::write_all(&mut &writer, b"x").unwrap();
        writer
    });
    guest.ok("poll_oneoff", &[DATA, EVENTS, 2, RESULT]).unwrap();
    assert_eq!((guest.u32_at(RESULT), event(&guest, EVENTS, 0)), (1, (2, 0, FD_READ)));
    late.join().unwrap();
}

#[test]
fn a085_subscriptions_are_counted_and_may_lie_under_the_events() {
    let mut guest = unlimited(WasiCtx::builder());
    for len in [0, 4_097, 1_000_000, i64::from(u32::MAX)] {
        assert_eq!(guest.errno("poll_oneoff", &[DATA, EVENTS, len, RESULT]), errno::INVAL);
    }
    for index in 0..4_096 {
        subscribe(&mut guest, index, FD_WRITE, 1, 0, 0);
    }
    let before = guest.store.fuel_used();
    guest.ok("poll_oneoff", &[DATA, EVENTS, 4_096, RESULT]).unwrap();
    assert_eq!(guest.u32_at(RESULT), 4_096);
    assert!(guest.store.fuel_used() - before >= 16 * 4_096);
    // In place: each event is written over what was read already.
    for (index, (tag, fd)) in [(FD_WRITE, 1), (FD_READ, 99), (CLOCK, 9), (FD_READ, 1)].into_iter().enumerate()
    {
        subscribe(&mut guest, index as i64, tag, fd, 0, 0);
    }
    guest.ok("poll_oneoff", &[DATA, DATA, 4, RESULT]).unwrap();
    assert_eq!(guest.u32_at(RESULT), 4);
    let events = [0, 1, 2, 3].map(|index| event(&guest, DATA, index));
    let (badf, inval) = (errno::BADF as u16, errno::INVAL as u16);
    assert_eq!(events, [(1, 0, FD_WRITE), (2, badf, FD_READ), (3, inval, CLOCK), (4, badf, FD_READ)]);
    subscribe(&mut guest, 0, 3, 0, 0, 0);
    assert_eq!(guest.errno("poll_oneoff", &[DATA, EVENTS, 1, RESULT]), errno::INVAL);
}

#[test]
fn a086_virtual_clocks_repeat_and_never_go_back() {
    let readings = || {
        let mut guest = Guest::new(WasiCtx::builder());
        let mut readings = Vec::new();
        for clock in [0, 1, 2, 3] {
            for _ in 0..100 {
                guest.ok("clock_time_get", &[clock, 0, RESULT]).unwrap();
                readings.push(guest.u64_at(RESULT));
            }
        }
        readings
    };
    let first = readings();
    assert_eq!(first, readings());
    assert!(first.chunks(100).all(|clock| clock.is_sorted_by(|a, b| a < b)));
    assert!(first[0] >= ClockSource::DEFAULT_START_NS);
    let mut guest = Guest::new(WasiCtx::builder());
    assert_eq!(guest.errno("clock_time_get", &[4, 0, RESULT]), errno::INVAL);
    assert_eq!(guest.errno("clock_res_get", &[1, RESULT]), 0);
    assert_eq!(guest.u64_at(RESULT), 1);
}

#[test]
fn a086_real_clocks_are_coarse() {
    let mut guest = Guest::new(WasiCtx::builder().clock(ClockSource::real()));
    guest.ok("clock_res_get", &[1, RESULT]).unwrap();
    assert_eq!(guest.u64_at(RESULT), ClockSource::DEFAULT_RESOLUTION_NS);
    let mut last = 0;
    for _ in 0..1_000 {
        let now = monotonic(&mut guest);
        assert!(now >= last && now.is_multiple_of(ClockSource::DEFAULT_RESOLUTION_NS));
        last = now;
    }
}

#[test]
fn a087_random_bytes_are_bounded_charged_and_seeded() {
    let mut guest = Guest::with(WasiCtx::builder(), Limits::unlimited(), "wasi_snapshot_preview1", 1_200);
    assert_eq!(guest.errno("random_get", &[0, i64::from(u32::MAX)]), errno::FAULT);
    assert_eq!(guest.errno("random_get", &[0, (64 << 20) + 1]), errno::INVAL);
    let before = guest.store.fuel_used();
    assert_eq!(guest.errno("random_get", &[DATA, 1 << 20]), 0);
    assert!(guest.store.fuel_used() - before >= 1 << 17);
    let bytes = |source| {
        let mut guest = Guest::new(WasiCtx::builder().random(source));
        guest.ok("random_get", &[DATA, 100]).unwrap();
        guest.get(DATA, 100)
    };
    let seeded = |seed| bytes(RandomSource::Seeded(seed));
    assert_eq!(seeded(1), seeded(1));
    assert_ne!(seeded(1), seeded(2));
    assert_ne!(bytes(RandomSource::Real), bytes(RandomSource::Real));
    // Too little fuel: nothing is filled.
    let limits = Limits { fuel: Some(1_000), ..Limits::standard() };
    let mut guest = Guest::with(WasiCtx::builder(), limits, "wasi_snapshot_preview1", 32);
    assert_eq!(guest.run("random_get", &[DATA, 0x1_0000]), Err(Outcome::OutOfFuel));
    assert_eq!(guest.get(DATA, 8), [0; 8]);
}

#[test]
fn a088_arguments_of_a_megabyte_arrive_or_fault() {
    let args: Vec<_> = (0..1_000).map(|n| format!("{n:01000}")).collect();
    let mut guest = Guest::new(WasiCtx::builder().args(args).env("K", "v"));
    guest.ok("args_sizes_get", &[RESULT, RESULT + 4]).unwrap();
    assert_eq!((guest.u32_at(RESULT), guest.u32_at(RESULT + 4)), (1_000, 1_001_000));
    guest.ok("args_get", &[0x1000, DATA]).unwrap();
    let last = i64::from(guest.u32_at(0x1000 + 4 * 999));
    assert_eq!(guest.get(last, 1_001), [format!("{:01000}", 999).as_bytes(), b"\0"].concat());
    let end = 32 << 16;
    assert_eq!(guest.errno("args_get", &[0x1000, end - 1_000_999]), errno::FAULT);
    guest.ok("args_get", &[0x1000, end - 1_001_000]).unwrap();
    guest.ok("environ_get", &[0x1000, DATA]).unwrap();
    assert_eq!(guest.get(DATA, 4), b"K=v\0");
    assert!(matches!(WasiCtx::builder().arg("a\0b").build(), Err(BuildError::Nul { .. })));
    assert!(matches!(WasiCtx::builder().env("a", "\0").build(), Err(BuildError::Nul { .. })));
    assert!(matches!(WasiCtx::builder().env("a=b", "c").build(), Err(BuildError::EnvName { .. })));
}

#[test]
fn a092_there_are_no_sockets() {
    let mut guest = Guest::new(WasiCtx::builder().memory_dir("/"));
    let calls: [(&str, &[i64]); 4] = [
        ("sock_accept", &[0, RESULT]),
        ("sock_recv", &[DATA, 1, 0, RESULT, RESULT]),
        ("sock_send", &[DATA, 1, 0, RESULT]),
        ("sock_shutdown", &[3]),
    ];
    for (name, rest) in calls {
        for (fd, expected) in [(0, errno::NOTSOCK), (DIR, errno::NOTSOCK), (99, errno::BADF)] {
            assert_eq!(guest.errno(name, &[&[fd], rest].concat()), expected, "{name}");
        }
    }
    let violations = guest.violations();
    assert_eq!(violations.len(), 12);
    assert_eq!(violations[0], (Capability::Sockets, "sock_accept".into()));
}

/// Runs the start function of a module and then the export `run`.
fn exits(more: &str) -> Result<Outcome, Error> {
    let engine = Engine::default();
    let text = module("wasi_snapshot_preview1", 1, more);
    let module = Module::new(&engine, wat::parse_str(&text).unwrap())?;
    let mut linker = Linker::new(&engine);
    wasi::add_to_linker(&mut linker, |ctx| ctx)?;
    let mut store = Store::new(&engine, WasiCtx::default());
    let instance = linker.instantiate(&mut store, &module)?;
    instance.get_func(&mut store, "run").unwrap().call(&mut store, &[])
}

#[test]
fn a093_the_status_is_kept_exactly() {
    for status in [0, 1, 255, 256, i32::MAX, -1, i32::MIN] {
        let exit = format!("(func $exit (call $proc_exit (i32.const {status})) unreachable)");
        let direct = exits(&format!("{exit} (export \"run\" (func $exit))")).unwrap();
        assert_eq!(direct, Outcome::Exited(status));
        let nested = format!("{exit} (func $f call $exit) (func (export \"run\") call $f)");
        assert_eq!(exits(&nested).unwrap(), Outcome::Exited(status));
        match exits(&format!("{exit} (start $exit)")).unwrap_err() {
            Error::Guest(outcome) => assert_eq!(*outcome, Outcome::Exited(status)),
            error => panic!("{error}"),
        }
    }
}

#[test]
fn what_is_withheld_is_refused_by_name() {
    let engine = Engine::default();
    let text = module("wasi_snapshot_preview1", 1, "");
    let module = Module::new(&engine, wat::parse_str(&text).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx).unwrap();
    for capability in [
        Capability::Args,
        Capability::Env,
        Capability::Stdio,
        Capability::FsRead,
        Capability::FsWrite,
        Capability::Clock,
        Capability::Random,
        Capability::Exit,
        Capability::Sockets,
    ] {
        let mut store = Store::new(&engine, WasiCtx::default());
        store.gate_mut().grants.deny(capability);
        let error = linker.instantiate(&mut store, &module).unwrap_err().to_string();
        assert!(error.contains(&format!("needs the capability `{capability}`")), "{error}");
    }
}

/// Writing is withheld while the guest runs: to open for reading still works.
#[test]
fn writing_can_be_withheld_from_a_run_under_way() {
    let mut guest = Guest::new(WasiCtx::builder().memory_dir("/"));
    guest.make("file", b"text").unwrap();
    guest.store.gate_mut().grants.deny(Capability::FsWrite);
    assert_eq!(guest.open("file", 0, crate::guest::WRITE), Err(errno::NOTCAPABLE));
    assert_eq!(guest.open("new", crate::guest::CREAT, crate::guest::READ), Err(errno::NOTCAPABLE));
    assert_eq!(guest.contents("file"), Ok(b"text".to_vec()));
    let len = guest.put(DATA, b"file");
    let denied = guest.run("path_unlink_file", &[DIR, DATA, len]);
    assert_eq!(denied, Err(Outcome::Denied(Capability::FsWrite)));
}

/// The older interface: other numbers for where a seek begins, other structures.
#[test]
fn wasi_unstable_has_layouts_of_its_own() {
    let builder = WasiCtx::builder().memory_dir("/");
    let mut guest = Guest::with(builder, Limits::standard(), "wasi_unstable", 32);
    guest.make("file", b"0123456789").unwrap();
    let fd = guest.open("file", 0, crate::guest::ALL).unwrap();
    for (whence, expected) in [(2, 5), (0, 10), (1, 15)] {
        guest.ok("fd_seek", &[fd, 5, whence, RESULT]).unwrap();
        assert_eq!(guest.u64_at(RESULT), expected);
    }
    guest.put(RESULT, &[0xff; 64]);
    guest.ok("fd_filestat_get", &[fd, RESULT]).unwrap();
    assert_eq!((guest.get(RESULT + 16, 1)[0], guest.u32_at(RESULT + 20)), (4, 1));
    assert_eq!((guest.u64_at(RESULT + 24), guest.get(RESULT + 56, 8)), (10, vec![0xff; 8]));
    let mut clock = [0_u8; 56];
    (clock[0], clock[24], clock[33]) = (7, 1, 1);
    guest.put(DATA, &clock);
    let before = monotonic(&mut guest);
    guest.ok("poll_oneoff", &[DATA, EVENTS, 1, RESULT]).unwrap();
    assert_eq!(event(&guest, EVENTS, 0), (7, 0, CLOCK));
    assert!((256..1_000).contains(&(monotonic(&mut guest) - before)));
}

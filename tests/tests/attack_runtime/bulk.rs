//! A037: bulk operations of up to 4 GiB. Bounds come first, then the whole cost, then pieces.

use std::time::Duration;

use wasmos_runtime::{Limits, Outcome, TrapCode, Val};
use wasmos_tests::guard::in_time;

use crate::{Guest, engines, fuelled};

/// Four GiB, of which only what is touched takes room.
const BIG: &str = r#"(module (memory (export "memory") 65536) (data $d "\01\02\03\04\05\06\07\08")
    (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
    (func (export "loop") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const -1)) (br 0))))"#;

fn three(dst: u32, src: u32, len: u32) -> [Val; 3] {
    [dst, src, len].map(|number| Val::I32(number as i32))
}

const ALL: u32 = u32::MAX;

#[test]
fn a037_bounds_come_before_the_cost() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, fuelled(100), BIG);
        for (name, dst, src, len) in [
            ("fill", 2, 0, ALL),
            ("fill", ALL, 0, ALL),
            ("copy", 2, 0, ALL),
            ("copy", 0, 2, ALL),
            ("copy", ALL, ALL, 2),
            ("init", 0, 0, 9),
            ("init", 0, 8, 1),
            ("init", 0, ALL, ALL),
            ("init", ALL, 0, 2),
        ] {
            guest.store.set_fuel_limit(guest.store.fuel_used() + 4);
            let code = guest.trap(name, &three(dst, src, len));
            assert_eq!(code, TrapCode::MemoryOutOfBounds, "{name} {dst:#x} {src:#x} {len:#x}");
        }
        assert_eq!(guest.store.fuel_used(), guest.store.instructions());
    }
}

#[test]
fn a037_what_cannot_be_paid_for_is_not_begun() {
    for engine in engines() {
        for (name, src) in [("fill", 1), ("copy", 1)] {
            let cost = u64::from(ALL) / 64;
            let mut guest = Guest::new(&engine, fuelled(cost + 3), BIG);
            let memory = guest.memory();
            memory.write(&mut guest.store, 1, &[7]).unwrap();
            assert_eq!(guest.call(name, &three(0, src, ALL)), Outcome::OutOfFuel, "{name}");
            assert_eq!((memory.data(&guest.store)[0], guest.store.fuel_used()), (0, 4), "{name}");
        }
    }
}

#[test]
fn a037_the_whole_cost_is_charged_once() {
    for engine in engines() {
        for len in [0, 63, 64, 65, 1 << 16, (1 << 16) + 1, 5_000_000] {
            for name in ["fill", "copy"] {
                let mut guest = Guest::new(&engine, Limits::unlimited(), BIG);
                let far = 3 << 30;
                assert_eq!(guest.call(name, &three(far, 1, len)), Outcome::Returned(vec![]));
                let counted = [guest.store.instructions(), guest.store.fuel_used()];
                assert_eq!(counted, [4, 4 + u64::from(len) / 64], "{name} {len}");
            }
        }
    }
}

#[test]
fn a037_a_fill_of_four_gib_ends_at_its_time_before_it_is_done() {
    for engine in engines() {
        let limits = Limits { timeout: Some(Duration::from_millis(5)), ..Limits::unlimited() };
        let (outcome, first, last) = in_time(move || {
            let mut guest = Guest::new(&engine, limits, BIG);
            let outcome = guest.call("fill", &three(0, 1, ALL));
            let memory = guest.memory();
            let bytes = memory.data(&guest.store);
            (outcome, bytes[0], bytes[ALL as usize - 1])
        });
        // A piece is done whole, so that a deadline that has passed before the first one leaves nothing.
        assert_eq!(outcome, Outcome::Deadline);
        assert!(first <= 1 && last == 0, "{first} {last}");
    }
}

#[test]
fn a037_a_loop_of_fills_can_be_stopped() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, Limits::unlimited(), BIG);
        let handle = guest.store.stop_handle();
        let stopper = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(5));
            handle.stop();
        });
        assert_eq!(in_time(move || guest.call("loop", &[])), Outcome::Stopped);
        stopper.join().unwrap();
    }
}

/// Regions above 2 GiB that overlap, longer than a piece, copied both ways.
#[test]
fn a037_overlapping_copies_at_high_addresses_are_right() {
    const LEN: usize = 300_001;
    let pattern: Vec<u8> = (0..LEN as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for engine in engines() {
        for base in [0x7fff_0000_usize, 0x8000_0000, 0xffff_ffff - 2 * LEN] {
            for shift in [1_usize, 65_535, 65_536, 65_537, 299_999, LEN] {
                for (dst, src) in [(base + shift, base), (base, base + shift)] {
                    let mut guest = Guest::new(&engine, Limits::unlimited(), BIG);
                    let memory = guest.memory();
                    memory.write(&mut guest.store, src, &pattern).unwrap();
                    let params = three(dst as u32, src as u32, LEN as u32);
                    assert_eq!(guest.call("copy", &params), Outcome::Returned(vec![]));
                    assert!(memory.data(&guest.store)[dst..dst + LEN] == pattern, "{dst:#x} from {src:#x}");
                }
            }
        }
    }
}

#[test]
fn a037_segments_reach_the_last_byte() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, Limits::unlimited(), BIG);
        assert_eq!(guest.call("init", &three(0xffff_fff8, 0, 8)), Outcome::Returned(vec![]));
        assert_eq!(guest.trap("init", &three(0xffff_fff9, 0, 8)), TrapCode::MemoryOutOfBounds);
        let memory = guest.memory();
        assert_eq!(memory.data(&guest.store)[ALL as usize - 7..], [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}

//! A034, A036: growing memories and tables to the limit and beyond.

use wasmos_runtime::{Engine, Limits, Outcome, Val};

use crate::{Guest, engines, fuelled};

const CAP: u64 = 16 << 20;

fn capped() -> Limits {
    Limits { memory_bytes: Some(CAP), ..Limits::unlimited() }
}

const GROW: &str = r#"(module (memory (export "memory") 0)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "all") (result i32) (local $n i32)
        (loop $more
            (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1))
                (then
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (br $more))))
        (local.get $n)))"#;

#[test]
fn a034_memory_grows_to_the_cap_and_then_answers_minus_one() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, capped(), GROW);
        assert_eq!(guest.value("all", &[]), Val::I32((CAP >> 16) as i32));
        assert_eq!(guest.store.memory_bytes(), CAP);
        assert_eq!(guest.value("grow", &[Val::I32(1)]), Val::I32(-1));
        assert_eq!(guest.value("grow", &[Val::I32(0)]), Val::I32((CAP >> 16) as i32));
    }
}

#[test]
fn a034_growing_too_far_answers_minus_one_and_costs_one_unit() {
    for engine in engines() {
        for delta in [257, 65_535, 65_536, -1, i32::MIN, i32::MAX] {
            let mut guest = Guest::new(&engine, capped(), GROW);
            assert_eq!(guest.value("grow", &[Val::I32(delta)]), Val::I32(-1), "{delta}");
            assert_eq!((guest.store.fuel_used(), guest.store.memory_bytes()), (2, 0), "{delta}");
        }
    }
}

#[test]
fn a034_growing_in_a_loop_for_ever_ends_at_the_fuel() {
    let text =
        r#"(module (memory 0) (func (export "run") (loop (drop (memory.grow (i32.const 1))) (br 0))))"#;
    for engine in engines() {
        let limits = Limits { fuel: Some(1_000_000), ..capped() };
        let mut guest = Guest::new(&engine, limits, text);
        assert_eq!(guest.call("run", &[]), Outcome::OutOfFuel);
        assert_eq!(guest.store.memory_bytes(), CAP);
        // Four instructions a round; each page that was had costs 16 more.
        assert_eq!(guest.store.fuel_used() - guest.store.instructions(), (CAP >> 16) * 16);
    }
}

#[test]
fn a034_every_memory_of_a_store_counts() {
    for engine in engines() {
        let text = r#"(module (memory $a 128) (memory $b 0)
            (func (export "grow") (param i32) (result i32) (memory.grow $b (local.get 0))))"#;
        let mut guest = Guest::new(&engine, capped(), text);
        assert_eq!(guest.value("grow", &[Val::I32(129)]), Val::I32(-1));
        assert_eq!(guest.value("grow", &[Val::I32(128)]), Val::I32(0));
        assert_eq!(guest.store.memory_bytes(), CAP);
    }
}

const TABLE: &str = r#"(module (memory 0) (table $t 0 externref) (table $f 0 funcref) (elem declare func $self)
    (func $self (export "null") (param i32) (result i32) (table.grow $t (ref.null extern) (local.get 0)))
    (func (export "func") (param i32) (result i32) (table.grow $f (ref.func $self) (local.get 0)))
    (func (export "size") (result i32) (i32.add (table.size $t) (table.size $f)))
    (func (export "memory") (param i32) (result i32) (memory.grow (local.get 0))))"#;

#[test]
fn a036_a_table_that_grows_too_far_answers_minus_one_and_gains_no_fuel() {
    for engine in engines() {
        for name in ["null", "func"] {
            for delta in [-1, i32::MIN, i32::MAX, 10_000_001, (CAP / 8) as i32 + 1] {
                let mut guest = Guest::new(&engine, capped(), TABLE);
                assert_eq!(guest.value(name, &[Val::I32(delta)]), Val::I32(-1), "{name} {delta}");
                let counted = [guest.store.fuel_used(), guest.store.instructions()];
                // The operands and the growth.
                assert_eq!(counted, [3, 3], "{name} {delta}");
                assert_eq!((guest.store.memory_bytes(), guest.value("size", &[])), (0, Val::I32(0)));
            }
        }
    }
}

#[test]
fn a036_tables_are_charged_to_the_cap_of_memory() {
    for engine in engines() {
        let elements = (CAP / 8) as i32;
        let mut guest = Guest::new(&engine, capped(), TABLE);
        assert_eq!(guest.value("func", &[Val::I32(elements - 8_192)]), Val::I32(0));
        assert_eq!(guest.value("null", &[Val::I32(8_193)]), Val::I32(-1));
        assert_eq!(guest.value("memory", &[Val::I32(2)]), Val::I32(-1));
        assert_eq!(guest.value("memory", &[Val::I32(1)]), Val::I32(0));
        assert_eq!(guest.value("null", &[Val::I32(1)]), Val::I32(-1));
        assert_eq!(guest.store.memory_bytes(), CAP);
    }
}

#[test]
fn a036_growth_that_cannot_be_paid_for_is_not_begun() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, Limits { memory_bytes: Some(CAP), ..fuelled(10) }, TABLE);
        assert_eq!(guest.call("func", &[Val::I32(1_000)]), Outcome::OutOfFuel);
        assert_eq!((guest.store.fuel_used(), guest.store.memory_bytes()), (3, 0));
    }
}

#[test]
fn a036_tables_with_64_bit_indices_do_not_wrap() {
    let text = r#"(module (table $t i64 1 funcref) (memory $m i64 1)
        (func (export "table") (param i64) (result i64) (table.grow $t (ref.null func) (local.get 0)))
        (func (export "memory") (param i64) (result i64) (memory.grow $m (local.get 0))))"#;
    for engine in engines() {
        for name in ["table", "memory"] {
            for delta in [-1, i64::MIN, i64::MAX, 1 << 61, (1 << 61) + 1, 1 << 48, u32::MAX.into()] {
                let mut guest = Guest::new(&engine, Limits::unlimited(), text);
                let before = guest.store.memory_bytes();
                assert_eq!(guest.value(name, &[Val::I64(delta)]), Val::I64(-1), "{name} {delta}");
                assert_eq!(guest.store.memory_bytes(), before);
                assert_eq!(guest.store.fuel_used(), guest.store.instructions());
            }
        }
    }
}

#[test]
fn a036_a_module_that_asks_for_too_much_is_refused() {
    let refused = |engine: &Engine, limits: Limits, text: &str| {
        let linker = wasmos_runtime::Linker::new(engine);
        Guest::linked(&linker, limits, (), &crate::module(engine, text)).err().unwrap().to_string()
    };
    for engine in engines() {
        expect_test::expect![
            "over a limit: 16842752 are needed at once, the limit is 16777216 bytes of memory"
        ]
        .assert_eq(&refused(&engine, capped(), "(module (memory 257))"));
        expect_test::expect![
            "over a limit: 10000001 are needed at once, the limit is 10000000 elements of a table"
        ]
        .assert_eq(&refused(&engine, Limits::unlimited(), "(module (table 10000001 funcref))"));
        // Together they are over the cap, each is within it.
        let error = refused(&engine, capped(), "(module (memory 200) (table 1000000 funcref))");
        assert!(error.starts_with("over a limit: "), "{error}");
    }
}

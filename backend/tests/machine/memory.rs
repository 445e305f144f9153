//! Accesses at the end of memory, by every instruction that accesses it.

use crate::harness::Guest;
use wasmos_abi::TrapCode;
use wasmos_frontend::opcode::{Class, Effect, OpInfo, Operand, TABLE};

/// Returns a constant of a type.
fn constant(ty: Operand, address: &str) -> String {
    match ty {
        Operand::I32 => "(i32.const 1)".into(),
        Operand::I64 => "(i64.const 1)".into(),
        Operand::F32 => "(f32.const 1)".into(),
        Operand::F64 => "(f64.const 1)".into(),
        Operand::V128 => "(v128.const i64x2 1 2)".into(),
        Operand::Addr => address.into(),
    }
}

/// A function that does one access at its parameter and drops what it leaves.
fn access(row: &OpInfo, memarg: &str, address: &str) -> String {
    let Effect::Fixed { params, results } = row.effect else { panic!("{}", row.name) };
    let lane = if row.name.ends_with("_lane") { "0" } else { "" };
    let operands: String = params.iter().map(|ty| constant(*ty, address)).collect();
    let drops = "(drop)".repeat(results.len());
    format!("{operands} ({} {memarg} {lane}) {drops}", row.name)
}

fn accesses() -> impl Iterator<Item = &'static OpInfo> {
    TABLE.iter().filter(|row| matches!(row.class, Class::Load | Class::Store | Class::Rmw | Class::Notify))
}

/// Ways to name the same address: in the operand, in the offset, added up, constant, in another memory, with 64 bits.
fn ways(row: &OpInfo) -> Vec<String> {
    let memory = |n: usize| ["0 ", "1 ", "2 "][n];
    vec![
        access(row, memory(0), "(local.get 0)"),
        access(row, &format!("{}offset=16", memory(0)), "(i32.sub (local.get 0) (i32.const 16))"),
        access(row, memory(0), "(i32.add (local.get 0) (i32.mul (local.get 0) (i32.const 0)))"),
        access(row, &format!("{}offset=0xffffffff", memory(0)), "(i32.sub (local.get 0) (i32.const -1))"),
        access(row, memory(1), "(local.get 0)"),
        access(row, memory(2), "(i64.extend_i32_u (local.get 0))"),
    ]
}

#[test]
fn the_last_place_can_be_accessed_and_the_next_one_cannot() {
    for row in accesses() {
        let size = u64::from(row.access_bytes);
        for (way, body) in ways(row).iter().enumerate() {
            let wat = format!(
                "(module (memory 1) (memory 1) (memory i64 1) (func (export \"f\") (param i32) {body}))"
            );
            let mut guest = Guest::new(&wat);
            let last = 65_536 - size;
            if way != 3 {
                assert_eq!(
                    guest.call("f", &[last]),
                    crate::harness::End::Returned(vec![]),
                    "{} {body}",
                    row.name
                );
            }
            // Atomic accesses look at bounds before the alignment.
            assert_eq!(guest.trap("f", &[last + 1]), TrapCode::MemoryOutOfBounds, "{} {body}", row.name);
            assert_eq!(guest.trap("f", &[0xffff_ffff]), TrapCode::MemoryOutOfBounds, "{} {body}", row.name);
        }
    }
}

#[test]
fn constant_addresses_are_checked_too() {
    for row in accesses().filter(|row| !row.name.contains("atomic")) {
        let size = u64::from(row.access_bytes);
        let body = |at: u64| access(row, "", &format!("(i32.const {at})"));
        let text = |at| format!("(module (memory 1) (func (export \"f\") {}))", body(at));
        assert_eq!(
            Guest::new(&text(65_536 - size)).call("f", &[]),
            crate::harness::End::Returned(vec![]),
            "{}",
            row.name
        );
        assert_eq!(
            Guest::new(&text(65_537 - size)).trap("f", &[]),
            TrapCode::MemoryOutOfBounds,
            "{}",
            row.name
        );
        assert_eq!(
            Guest::new(&text(0xffff_ffff)).trap("f", &[]),
            TrapCode::MemoryOutOfBounds,
            "{}",
            row.name
        );
    }
}

#[test]
fn pages_of_one_byte() {
    let mut guest = Guest::new(
        r#"(module (memory 5 9 (pagesize 1))
          (func (export "size") (result i32) (memory.size))
          (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
          (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))"#,
    );
    assert_eq!((guest.get("size", &[]), guest.get("load", &[4])), (5, 0));
    assert_eq!(guest.trap("load", &[5]), TrapCode::MemoryOutOfBounds);
    assert_eq!(
        (guest.get("grow", &[4]), guest.get("grow", &[1]), guest.get("size", &[])),
        (5, 0xffff_ffff, 9)
    );
    assert_eq!(guest.get("load", &[8]), 0);
    assert_eq!(guest.trap("load", &[9]), TrapCode::MemoryOutOfBounds);
}

#[test]
fn atomic_accesses_want_their_alignment_and_waiting_a_shared_memory() {
    let mut guest = Guest::new(
        r#"(module (memory 1 1 shared) (memory $own 1)
          (func (export "add") (param i32) (result i32) (i32.atomic.rmw.add (local.get 0) (i32.const 2)))
          (func (export "load") (param i32) (result i32) (i32.atomic.load16_u (local.get 0)))
          (func (export "exchange") (param i32 i32 i32) (result i32)
            (i32.atomic.rmw8.cmpxchg_u (local.get 0) (local.get 1) (local.get 2)))
          (func (export "wait") (param i32) (result i32) (memory.atomic.wait32 (local.get 0) (i32.const 4) (i64.const 99)))
          (func (export "wait_own") (result i32) (memory.atomic.wait32 $own (i32.const 0) (i32.const 0) (i64.const 0)))
          (func (export "notify") (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1))))"#,
    );
    assert_eq!(guest.trap("add", &[2]), TrapCode::UnalignedAtomic);
    assert_eq!(guest.trap("load", &[1]), TrapCode::UnalignedAtomic);
    assert_eq!(guest.trap("wait", &[6]), TrapCode::UnalignedAtomic);
    assert_eq!(guest.trap("wait_own", &[]), TrapCode::ExpectedSharedMemory);
    assert_eq!((guest.get("add", &[4]), guest.get("add", &[4]), guest.get("load", &[4])), (0, 2, 4));
    // An expected value that does not fit the access never matches.
    assert_eq!((guest.get("exchange", &[4, 0x104, 9]), guest.get("load", &[4])), (4, 4));
    assert_eq!((guest.get("exchange", &[4, 4, 9]), guest.get("load", &[4])), (4, 9));
    assert_eq!((guest.get("wait", &[4]), guest.get("notify", &[4])), (1, 0));
    guest.get("exchange", &[4, 9, 4]);
    let func = guest.func("wait");
    guest.machine.start(func, &[4]).unwrap();
    let memory = guest.memory0();
    let exit = guest.machine.resume(100);
    assert_eq!(exit, wasmos_backend::vm::Exit::Wait { timeout_ns: 99, memory, addr: 4 });
    guest.machine.finish_wait(2);
    assert_eq!(guest.machine.resume(100), wasmos_backend::vm::Exit::Returned);
    assert_eq!(guest.machine.results(), [2]);
}

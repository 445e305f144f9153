//! Results of scalar code, control flow and locals.

use crate::harness::{End, Guest};
use wasmos_abi::TrapCode;

#[test]
fn a_recursion_and_a_loop() {
    let mut guest = Guest::new(
        r#"(module
          (func $fib (export "fib") (param i32) (result i32)
            (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
              (then (local.get 0))
              (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                             (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
          (func (export "sum") (param i32) (result i64) (local i64 i32)
            (loop $next
              (local.set 1 (i64.add (local.get 1) (i64.extend_i32_u (local.get 2))))
              (local.set 2 (i32.add (local.get 2) (i32.const 1)))
              (br_if $next (i32.lt_u (local.get 2) (local.get 0))))
            (local.get 1)))"#,
    );
    assert_eq!(guest.get("fib", &[20]), 6765);
    assert_eq!(guest.get("sum", &[100_000]), 99_999 * 50_000);
}

#[test]
fn traps_say_which_instruction() {
    let wat = r#"(module (memory 1)
      (func $f (param i32) (result i32) (i32.add (i32.const 1) (i32.load offset=4 (local.get 0))))
      (func (export "g") (param i32) (result i32) (nop) (call $f (local.get 0))))"#;
    let mut guest = Guest::new(wat);
    assert_eq!(guest.get("g", &[65_528]), 1);
    let End::Trapped(code, offsets) = guest.call("g", &[65_529]) else { panic!("it must trap") };
    assert_eq!(code, TrapCode::MemoryOutOfBounds);
    let module = &guest.module;
    let at = |body: usize, name: &str| {
        let (_, mut instrs) = module.code(module.bodies[body]).unwrap();
        instrs.find(|(_, instr)| instr.op().info().name == name).unwrap().0
    };
    assert_eq!(offsets, [at(0, "i32.load"), at(1, "call")]);
}

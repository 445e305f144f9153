//! What only the interpreter does: bodies that are not called cost nothing, locals are cleared.

use crate::harness::{Guest, code_of};
use crate::limits::leb;
use wasmos_backend::vm::{Exit, MachineConfig};
use wasmos_frontend::types::FuncIdx;

#[test]
fn functions_are_made_when_they_are_called() {
    // 600,000 functions: nothing of them exists but what is asked for.
    let n = 600_000;
    let mut module = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f".to_vec();
    section(&mut module, 3, n, &[0]);
    module.extend([7, 5, 1, 1, b'f', 0, 0]);
    section(&mut module, 10, n, &[4, 0, 0x41, 3, 0x0b]);
    let code = code_of(&module);
    let mut guest = Guest::with(&code, MachineConfig::default());
    assert_eq!(guest.get("f", &[]), 3);
    let last = guest.machine.func(guest.instance, FuncIdx(n - 1));
    assert_eq!(last.index(), 1, "the first is 0, and no other was made");
}

fn section(module: &mut Vec<u8>, id: u8, n: u32, item: &[u8]) {
    let mut content = Vec::new();
    leb(&mut content, n);
    content.extend(item.repeat(n as usize));
    module.push(id);
    leb(module, content.len() as u32);
    module.extend(content);
}

/// Clearing 800 KB of locals costs no fuel, but it is work: a slice of a million units must not hold 300,000 such calls.
#[test]
fn clearing_many_locals_uses_a_slice_up_and_no_fuel() {
    let locals = "v128 ".repeat(49_999);
    let text = format!(
        "(module (func $f (local {locals}))
            (func (export \"run\") (param i32) (result i32)
                (loop $l (call $f) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0)))"
    );
    let mut guest = Guest::new(&text);
    let func = guest.func("run");
    guest.machine.start(func, &[1_000]).unwrap();
    let mut exits = 0;
    while guest.machine.resume(1_000_000) == Exit::Slice {
        exits += 1;
    }
    assert_eq!(guest.machine.results(), [0]);
    // Call, get, const, sub, tee, br_if; get.
    assert_eq!(guest.used(), 1_000 * 6 + 1);
    // 12,500 units of 64 bytes in each call.
    assert!((10..=20).contains(&exits), "{exits} exits");
}

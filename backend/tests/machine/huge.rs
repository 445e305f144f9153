//! Bodies that take a compiler longer than they are worth: the interpreter runs them, the JIT refuses them.

#![allow(clippy::unwrap_used, reason = "in tests, as the configuration of the lints says")]

use crate::harness::{Guest, try_code_of};
use crate::limits::{leb, module_of};
use wasmos_backend::Error;
use wasmos_backend::vm::MachineConfig;

/// Returns the instance if the tier takes such bodies; else it has said why not.
fn taken(bytes: &[u8]) -> Option<Guest> {
    let code = try_code_of(bytes);
    if crate::tier::TAKES_HUGE {
        return Some(Guest::with(&code.unwrap(), MachineConfig::default()));
    }
    let error = code.unwrap_err();
    assert!(matches!(error, Error::TooComplex { .. }), "{error}");
    None
}

#[test]
fn a_hundred_thousand_blocks_in_each_other() {
    let n = 100_000;
    // The text format would recurse: bytes. Each block branches out of all of them if the parameter says so.
    let mut body = vec![0];
    for depth in 0..n {
        body.extend([0x02, 0x40, 0x20, 0, 0x41, 1, 0x46, 0x0d]);
        leb(&mut body, depth);
    }
    body.extend(std::iter::repeat_n(0x0b, n as usize));
    body.extend([0x20, 0, 0x0b]);
    let Some(mut guest) = taken(&module_of(&body)) else { return };
    assert_eq!(guest.get("f", &[1]), 1);
    assert_eq!(guest.used(), 5);
    assert_eq!(guest.get("f", &[0]), 0);
    assert_eq!(guest.used(), 5 + 4 * u64::from(n) + 1);
}

#[test]
fn a_body_of_seven_million_bytes() {
    // local.get 0, i32.const 1, i32.add, local.set 0.
    let n = 7_600_000 / 7;
    let mut body = vec![0];
    (0..n).for_each(|_| body.extend([0x20, 0, 0x41, 1, 0x6a, 0x21, 0]));
    body.extend([0x20, 0, 0x0b]);
    let Some(mut guest) = taken(&module_of(&body)) else { return };
    assert_eq!(guest.get("f", &[5]), n + 5);
    assert_eq!(guest.used(), n * 4 + 1);
}

//! Hostile bytes, case by case: A001 to A026 of the list of attacks, as far as decoding and validating decide them. A
//! test begins with the number of its case.
//!
//! Elsewhere: A007 is in `count_bombs.rs`, which watches the allocator; the bulk of A003 and A022 is in
//! `differential.rs` and in the fuzz targets, of A021 in `spec_suite.rs`. What only a run can show (segments out of
//! bounds, a start function that traps) is not here, and neither is the demangling of A026: there is none yet.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

mod bodies;
mod bytes;
mod customs;
mod oracles;
mod rules;
mod work;

use wasmos_frontend::{ErrorKind, Features, decode_with, validate};
use wasmos_tests::shapes::judge;

/// Returns why a module is refused, and where.
#[track_caller]
fn refusal(bytes: Vec<u8>) -> (ErrorKind, u32) {
    let error = judge(bytes).map(drop).unwrap_err();
    (error.kind.clone(), error.offset)
}

/// Returns why a module is refused.
#[track_caller]
fn kind(bytes: Vec<u8>) -> ErrorKind {
    refusal(bytes).0
}

/// Returns why a module is refused without one feature.
#[track_caller]
fn kind_without(feature: wasmos_frontend::Feature, bytes: Vec<u8>) -> ErrorKind {
    let mut features = Features::all();
    features.remove(feature);
    decode_with(bytes, features).and_then(validate).map(drop).unwrap_err().kind.clone()
}

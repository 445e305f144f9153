//! Every numeric operation, once: the interpreter, constant folding and the JIT's host calls compute by these.
//!
//! Source: core 3.0, "Numerics", in the deterministic profile; the wide-arithmetic proposal. A function bears the
//! text name of its instruction with `_` for `.`, so `i32.div_s` is [`i32_div_s`]. Operands stand in the order of the
//! stack, an immediate behind the vectors that it selects from. Beyond that:
//!
//! - integers are [`i32`] and [`i64`], whatever sign an operation gives them;
//! - predicates that leave 0 or 1 answer [`bool`]; those of vectors leave lanes of all zeros or all ones;
//! - what can trap returns a `Result`; nothing else fails, and nothing panics;
//! - a NaN result is the canonical one (promise P5), except where the specification moves bits: `neg`, `abs`,
//!   `copysign`, `pmin`, `pmax`, `reinterpret` and what only rearranges lanes.
//!
//! Loads, stores and constants are elsewhere: nothing here touches memory.
#![expect(
    missing_docs,
    reason = "a function is named for its instruction, and the specification says what it does"
)]

mod convert;
mod float;
mod int;
mod relaxed;
mod shape;
mod simd_convert;
mod simd_float;
mod simd_int;
mod simd_lanes;

pub use convert::*;
pub use float::*;
pub use int::*;
pub use relaxed::*;
pub use simd_convert::*;
pub use simd_float::*;
pub use simd_int::*;
pub use simd_lanes::*;
pub use wasmos_frontend::instr::V128;

/// Declares functions over scalars, a row each.
macro_rules! scalar {
    ($($name:ident($($arg:ident),+: $ty:ty) -> $out:ty = $value:expr;)*) => {$(
        #[inline]
        #[must_use]
        pub fn $name($($arg: $ty),+) -> $out {
            $value
        }
    )*};
}
use scalar;

/// Bits of the canonical NaN of 32 bits: positive, of the fraction only the top bit set.
pub const CANONICAL_NAN_F32: u32 = 0x7fc0_0000;

/// Bits of the canonical NaN of 64 bits: positive, of the fraction only the top bit set.
pub const CANONICAL_NAN_F64: u64 = 0x7ff8_0000_0000_0000;

/// Returns the canonical NaN for any NaN, and any other value as it is.
#[inline]
#[must_use]
pub fn canonical_f32(x: f32) -> f32 {
    // The canonical NaN comes from its bits: which one `f32::NAN` is, is not promised.
    if x.is_nan() { f32::from_bits(CANONICAL_NAN_F32) } else { x }
}

/// Returns the canonical NaN for any NaN, and any other value as it is.
#[inline]
#[must_use]
pub fn canonical_f64(x: f64) -> f64 {
    if x.is_nan() { f64::from_bits(CANONICAL_NAN_F64) } else { x }
}

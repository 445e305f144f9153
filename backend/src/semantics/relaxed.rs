//! Relaxed vectors, which have one meaning here: that of the deterministic profile.
//!
//! Source: core 3.0, "Relaxed Operations": each choice is a parameter, an index into the outcomes that are allowed,
//! and "in the deterministic profile, every parameter is prescribed to be 0".
//!
//! | parameter | outcome 0 | which excludes |
//! | --- | --- | --- |
//! | `R_fmadd` | `fadd(fmul(a, b), c)`: rounded twice | the fused multiply-add |
//! | `R_fmin`, `R_fmax` | `fmin`, `fmax` | the operand that x86 or Arm would pick for a NaN or zeros of both signs |
//! | `R_idot` | signed by signed, the sum of a pair saturated (`ivdot_sat`) | signed by unsigned |
//! | `R_iq15mulr` | `q15mulr_sat_s` | -1 by -1 leaving -1 |
//! | `R_trunc_s`, `R_trunc_u` | `trunc_sat` | other integers for a NaN and what does not fit |
//! | `R_swizzle` | 0 for any index from 16 | the index modulo 16 |
//! | `R_laneselect` | `bitselect` | the mask's top bit deciding for its whole lane |

use super::V128;
use super::float::{f32_add, f32_mul, f64_add, f64_mul};
use super::shape::{F32x4, F64x2, I8x16, I16x8, Shape, lanewise, pairwise};
use super::simd_convert::{
    i32x4_trunc_sat_f32x4_s, i32x4_trunc_sat_f32x4_u, i32x4_trunc_sat_f64x2_s_zero,
    i32x4_trunc_sat_f64x2_u_zero,
};
use super::simd_float::{f32x4_max, f32x4_min, f64x2_max, f64x2_min};
use super::simd_int::{i16x8_q15mulr_sat_s, i32x4_add, i32x4_extadd_pairwise_i16x8_s};
use super::simd_lanes::{i8x16_swizzle, v128_bitselect};

lanewise! {
    f32x4_relaxed_madd(a, b, c: F32x4) = f32_add(f32_mul(a, b), c);
    f32x4_relaxed_nmadd(a, b, c: F32x4) = f32_add(f32_mul(-a, b), c);
    f64x2_relaxed_madd(a, b, c: F64x2) = f64_add(f64_mul(a, b), c);
    f64x2_relaxed_nmadd(a, b, c: F64x2) = f64_add(f64_mul(-a, b), c);
}

pairwise! {
    // Only -128 by -128 twice saturates.
    i16x8_relaxed_dot_i8x16_i7x16_s(a, b: I8x16) -> I16x8 = |[a0, a1], [b0, b1]|
        (i16::from(a0) * i16::from(b0)).saturating_add(i16::from(a1) * i16::from(b1));
}

/// Returns the pairwise sums of the relaxed dot product, added to `c`.
#[inline]
#[must_use]
pub fn i32x4_relaxed_dot_i8x16_i7x16_add_s(a: V128, b: V128, c: V128) -> V128 {
    i32x4_add(i32x4_extadd_pairwise_i16x8_s(i16x8_relaxed_dot_i8x16_i7x16_s(a, b)), c)
}

/// Declares functions that are another one under the deterministic profile.
macro_rules! same_as {
    ($($name:ident($($arg:ident),+) = $other:ident;)*) => {$(
        #[inline]
        #[must_use]
        pub fn $name($($arg: V128),+) -> V128 {
            $other($($arg),+)
        }
    )*};
}

same_as! {
    i8x16_relaxed_swizzle(a, lanes) = i8x16_swizzle;
    i32x4_relaxed_trunc_f32x4_s(a) = i32x4_trunc_sat_f32x4_s;
    i32x4_relaxed_trunc_f32x4_u(a) = i32x4_trunc_sat_f32x4_u;
    i32x4_relaxed_trunc_f64x2_s_zero(a) = i32x4_trunc_sat_f64x2_s_zero;
    i32x4_relaxed_trunc_f64x2_u_zero(a) = i32x4_trunc_sat_f64x2_u_zero;
    i8x16_relaxed_laneselect(a, b, mask) = v128_bitselect;
    i16x8_relaxed_laneselect(a, b, mask) = v128_bitselect;
    i32x4_relaxed_laneselect(a, b, mask) = v128_bitselect;
    i64x2_relaxed_laneselect(a, b, mask) = v128_bitselect;
    f32x4_relaxed_min(a, b) = f32x4_min;
    f32x4_relaxed_max(a, b) = f32x4_max;
    f64x2_relaxed_min(a, b) = f64x2_min;
    f64x2_relaxed_max(a, b) = f64x2_max;
    i16x8_relaxed_q15mulr_s(a, b) = i16x8_q15mulr_sat_s;
}

#[cfg(test)]
mod tests {
    use super::super::CANONICAL_NAN_F32;
    use super::super::shape::{I32x4, U32x4};
    use super::*;

    fn splat<T: Copy, const N: usize>(lane: T) -> V128
    where
        [T; N]: Shape,
    {
        [lane; N].join()
    }

    #[test]
    fn multiply_add_rounds_twice() {
        // (1 + 2^-22)(1 + 2^-15) = 1 + 2^-15 + 2^-22 + 2^-37, whose last term a fused operation would keep.
        let (a, b) = (splat(1.0f32 + 2f32.powi(-22)), splat(1.0f32 + 2f32.powi(-15)));
        let c = splat(-(1.0f32 + 2f32.powi(-15) + 2f32.powi(-22)));
        assert_eq!(F32x4::split(f32x4_relaxed_madd(a, b, c)), [0.0; 4]);
        // The greatest value by 2 is infinity before it is added to.
        let (most, two) = (splat::<f32, 4>(f32::MAX), splat(2.0f32));
        assert_eq!(F32x4::split(f32x4_relaxed_madd(most, two, splat(-f32::MAX))), [f32::INFINITY; 4]);
        assert_eq!(F32x4::split(f32x4_relaxed_nmadd(most, two, most)), [f32::NEG_INFINITY; 4]);
        let (a, b) = (splat(1.0f64 + 2f64.powi(-51)), splat(1.0f64 + 2f64.powi(-30)));
        let c = splat(-(1.0f64 + 2f64.powi(-30) + 2f64.powi(-51)));
        assert_eq!(F64x2::split(f64x2_relaxed_madd(a, b, c)), [0.0; 2]);
        assert_eq!(F64x2::split(f64x2_relaxed_nmadd(splat(2.0f64), splat(3.0f64), splat(1.0f64))), [-5.0; 2]);
    }

    #[test]
    fn multiply_add_leaves_the_canonical_nan() {
        let nan = splat(f32::from_bits(0xff80_0001));
        for (a, b, c) in [(nan, splat(1.0f32), splat(1.0f32)), (splat(0.0f32), splat(f32::INFINITY), nan)] {
            assert_eq!(U32x4::split(f32x4_relaxed_madd(a, b, c)), [CANONICAL_NAN_F32; 4]);
            assert_eq!(U32x4::split(f32x4_relaxed_nmadd(a, b, c)), [CANONICAL_NAN_F32; 4]);
        }
    }

    #[test]
    fn the_dot_product_is_signed_and_its_pairs_saturate() {
        let dot = |a: i8, b: i8| I16x8::split(i16x8_relaxed_dot_i8x16_i7x16_s(splat(a), splat(b)))[0];
        assert_eq!((dot(-128, 127), dot(127, 127), dot(-128, -127)), (-32512, 32258, 32512));
        assert_eq!(dot(-128, -128), 32767);
        let sums =
            i32x4_relaxed_dot_i8x16_i7x16_add_s(splat(-128i8), splat(-128i8), [1, 2, 3, i32::MAX].join());
        assert_eq!(I32x4::split(sums), [65535, 65536, 65537, i32::MIN + 65533]);
    }

    #[test]
    fn what_hardware_disagrees_on_is_as_in_the_strict_operation() {
        let (lanes, bytes) = (splat::<u8, 16>(16), V128([7; 16]));
        assert_eq!(i8x16_relaxed_swizzle(bytes, lanes).0, [0; 16]);
        assert_eq!(I16x8::split(i16x8_relaxed_q15mulr_s(splat(i16::MIN), splat(i16::MIN))), [32767; 8]);
        assert_eq!(
            I32x4::split(i32x4_relaxed_trunc_f32x4_s([f32::NAN, 3e9, -3e9, 1.9].join())),
            [0, i32::MAX, i32::MIN, 1]
        );
        let (a, b, mask) = (splat::<u8, 16>(0xf0), splat::<u8, 16>(0x0f), splat::<u8, 16>(0x81));
        assert_eq!(i64x2_relaxed_laneselect(a, b, mask).0, [0x8e; 16]);
        assert_eq!(U32x4::split(f32x4_relaxed_min(splat(0.0f32), splat(-0.0f32))), [1 << 31; 4]);
    }
}

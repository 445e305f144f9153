//! Vectors of floating point: each lane is what the scalar operation makes of it.
//!
//! Source: core 3.0, "Floating-Point Operations".

use super::V128;
use super::float::{
    f32_abs, f32_add, f32_ceil, f32_div, f32_floor, f32_max, f32_min, f32_mul, f32_nearest, f32_neg,
    f32_sqrt, f32_sub, f32_trunc, f64_abs, f64_add, f64_ceil, f64_div, f64_floor, f64_max, f64_min, f64_mul,
    f64_nearest, f64_neg, f64_sqrt, f64_sub, f64_trunc,
};
use super::shape::{F32x4, F64x2, Shape, lanewise};

lanewise! {
    f32x4_eq(a, b: F32x4) = -i32::from(a == b);
    f32x4_ne(a, b: F32x4) = -i32::from(a != b);
    f32x4_lt(a, b: F32x4) = -i32::from(a < b);
    f32x4_gt(a, b: F32x4) = -i32::from(a > b);
    f32x4_le(a, b: F32x4) = -i32::from(a <= b);
    f32x4_ge(a, b: F32x4) = -i32::from(a >= b);

    f32x4_abs(a: F32x4) = f32_abs(a);
    f32x4_neg(a: F32x4) = f32_neg(a);
    f32x4_ceil(a: F32x4) = f32_ceil(a);
    f32x4_floor(a: F32x4) = f32_floor(a);
    f32x4_trunc(a: F32x4) = f32_trunc(a);
    f32x4_nearest(a: F32x4) = f32_nearest(a);
    f32x4_sqrt(a: F32x4) = f32_sqrt(a);
    f32x4_add(a, b: F32x4) = f32_add(a, b);
    f32x4_sub(a, b: F32x4) = f32_sub(a, b);
    f32x4_mul(a, b: F32x4) = f32_mul(a, b);
    f32x4_div(a, b: F32x4) = f32_div(a, b);
    f32x4_min(a, b: F32x4) = f32_min(a, b);
    f32x4_max(a, b: F32x4) = f32_max(a, b);
    // These select an operand, NaN or not, and `a` where they have no reason for `b`.
    f32x4_pmin(a, b: F32x4) = if b < a { b } else { a };
    f32x4_pmax(a, b: F32x4) = if a < b { b } else { a };
}

lanewise! {
    f64x2_eq(a, b: F64x2) = -i64::from(a == b);
    f64x2_ne(a, b: F64x2) = -i64::from(a != b);
    f64x2_lt(a, b: F64x2) = -i64::from(a < b);
    f64x2_gt(a, b: F64x2) = -i64::from(a > b);
    f64x2_le(a, b: F64x2) = -i64::from(a <= b);
    f64x2_ge(a, b: F64x2) = -i64::from(a >= b);

    f64x2_abs(a: F64x2) = f64_abs(a);
    f64x2_neg(a: F64x2) = f64_neg(a);
    f64x2_ceil(a: F64x2) = f64_ceil(a);
    f64x2_floor(a: F64x2) = f64_floor(a);
    f64x2_trunc(a: F64x2) = f64_trunc(a);
    f64x2_nearest(a: F64x2) = f64_nearest(a);
    f64x2_sqrt(a: F64x2) = f64_sqrt(a);
    f64x2_add(a, b: F64x2) = f64_add(a, b);
    f64x2_sub(a, b: F64x2) = f64_sub(a, b);
    f64x2_mul(a, b: F64x2) = f64_mul(a, b);
    f64x2_div(a, b: F64x2) = f64_div(a, b);
    f64x2_min(a, b: F64x2) = f64_min(a, b);
    f64x2_max(a, b: F64x2) = f64_max(a, b);
    f64x2_pmin(a, b: F64x2) = if b < a { b } else { a };
    f64x2_pmax(a, b: F64x2) = if a < b { b } else { a };
}

#[cfg(test)]
mod tests {
    use super::super::shape::{I32x4, U32x4, U64x2};
    use super::super::{CANONICAL_NAN_F32, CANONICAL_NAN_F64};
    use super::*;

    const NAN: f32 = f32::from_bits(0xff80_0001);

    #[test]
    fn each_lane_is_canonical_for_itself() {
        let (a, b) = ([NAN, 1.0, 0.0, f32::INFINITY].join(), [1.0, NAN, 0.0, f32::INFINITY].join());
        assert_eq!(U32x4::split(f32x4_div(a, b)), [CANONICAL_NAN_F32; 4]);
        assert_eq!(U32x4::split(f32x4_add(a, b)), [CANONICAL_NAN_F32, CANONICAL_NAN_F32, 0, 0x7f80_0000]);
        assert_eq!(U32x4::split(f32x4_min(a, b)), [CANONICAL_NAN_F32, CANONICAL_NAN_F32, 0, 0x7f80_0000]);
        let a = [f64::from_bits(0xfff0_0000_0000_0001), -1.0].join();
        assert_eq!(U64x2::split(f64x2_sqrt(a)), [CANONICAL_NAN_F64; 2]);
        assert_eq!(U64x2::split(f64x2_ceil(a)), [CANONICAL_NAN_F64, (-1.0f64).to_bits()]);
    }

    #[test]
    fn pseudo_minimum_selects_and_keeps_the_bits() {
        let (a, b) = ([NAN, 1.0, 0.0, -0.0].join(), [1.0, NAN, -0.0, 0.0].join());
        let bits = [NAN, 1.0, 0.0, -0.0].map(f32::to_bits);
        assert_eq!(U32x4::split(f32x4_pmin(a, b)), bits);
        assert_eq!(U32x4::split(f32x4_pmax(a, b)), bits);
        assert_eq!(F32x4::split(f32x4_pmin([1.0f32; 4].join(), [2.0f32; 4].join())), [1.0; 4]);
        assert_eq!(F64x2::split(f64x2_pmax([1.0f64; 2].join(), [2.0f64; 2].join())), [2.0; 2]);
    }

    #[test]
    fn zeros_order_by_sign_in_every_lane() {
        let (a, b) = ([0.0f32, -0.0, 1.0, -1.0].join(), [-0.0f32, 0.0, -1.0, 1.0].join());
        assert_eq!(U32x4::split(f32x4_min(a, b)), [-0.0f32, -0.0, -1.0, -1.0].map(f32::to_bits));
        assert_eq!(U32x4::split(f32x4_max(a, b)), [0.0f32, 0.0, 1.0, 1.0].map(f32::to_bits));
    }

    #[test]
    fn comparisons_leave_masks_and_a_nan_is_only_unequal() {
        let (a, b) = ([NAN, 1.0, 0.0, 2.0].join(), [NAN, 2.0, -0.0, 1.0].join());
        assert_eq!(I32x4::split(f32x4_eq(a, b)), [0, 0, -1, 0]);
        assert_eq!(I32x4::split(f32x4_ne(a, b)), [-1, -1, 0, -1]);
        assert_eq!(I32x4::split(f32x4_le(a, b)), [0, -1, -1, 0]);
        assert_eq!(I32x4::split(f32x4_gt(a, b)), [0, 0, 0, -1]);
    }

    #[test]
    fn nearest_breaks_ties_to_even_and_the_sign_stays() {
        let a = [0.5f32, 1.5, -0.5, 2.5].join();
        assert_eq!(U32x4::split(f32x4_nearest(a)), [0.0f32, 2.0, -0.0, 2.0].map(f32::to_bits));
        assert_eq!(U32x4::split(f32x4_abs([NAN; 4].join())), [0x7f80_0001; 4]);
        assert_eq!(U32x4::split(f32x4_neg([NAN; 4].join())), [0x7f80_0001; 4]);
    }
}

//! Vectors of integers: comparisons, arithmetic, shifts, and the operations that widen what they compute.
//!
//! Source: core 3.0, "Integer Operations" and "Vector Operations". Nothing written with a plain `+` or `*` here
//! overflows: its operands are half as wide as its result.

use super::V128;
use super::shape::{
    I8x16, I16x8, I32x4, I64x2, Shape, U8x16, U16x8, U32x4, U64x2, lanewise, pairwise, widening,
};

lanewise! {
    i8x16_eq(a, b: I8x16) = -i8::from(a == b);
    i8x16_ne(a, b: I8x16) = -i8::from(a != b);
    i8x16_lt_s(a, b: I8x16) = -i8::from(a < b);
    i8x16_lt_u(a, b: U8x16) = -i8::from(a < b);
    i8x16_gt_s(a, b: I8x16) = -i8::from(a > b);
    i8x16_gt_u(a, b: U8x16) = -i8::from(a > b);
    i8x16_le_s(a, b: I8x16) = -i8::from(a <= b);
    i8x16_le_u(a, b: U8x16) = -i8::from(a <= b);
    i8x16_ge_s(a, b: I8x16) = -i8::from(a >= b);
    i8x16_ge_u(a, b: U8x16) = -i8::from(a >= b);

    i16x8_eq(a, b: I16x8) = -i16::from(a == b);
    i16x8_ne(a, b: I16x8) = -i16::from(a != b);
    i16x8_lt_s(a, b: I16x8) = -i16::from(a < b);
    i16x8_lt_u(a, b: U16x8) = -i16::from(a < b);
    i16x8_gt_s(a, b: I16x8) = -i16::from(a > b);
    i16x8_gt_u(a, b: U16x8) = -i16::from(a > b);
    i16x8_le_s(a, b: I16x8) = -i16::from(a <= b);
    i16x8_le_u(a, b: U16x8) = -i16::from(a <= b);
    i16x8_ge_s(a, b: I16x8) = -i16::from(a >= b);
    i16x8_ge_u(a, b: U16x8) = -i16::from(a >= b);

    i32x4_eq(a, b: I32x4) = -i32::from(a == b);
    i32x4_ne(a, b: I32x4) = -i32::from(a != b);
    i32x4_lt_s(a, b: I32x4) = -i32::from(a < b);
    i32x4_lt_u(a, b: U32x4) = -i32::from(a < b);
    i32x4_gt_s(a, b: I32x4) = -i32::from(a > b);
    i32x4_gt_u(a, b: U32x4) = -i32::from(a > b);
    i32x4_le_s(a, b: I32x4) = -i32::from(a <= b);
    i32x4_le_u(a, b: U32x4) = -i32::from(a <= b);
    i32x4_ge_s(a, b: I32x4) = -i32::from(a >= b);
    i32x4_ge_u(a, b: U32x4) = -i32::from(a >= b);

    i64x2_eq(a, b: I64x2) = -i64::from(a == b);
    i64x2_ne(a, b: I64x2) = -i64::from(a != b);
    i64x2_lt_s(a, b: I64x2) = -i64::from(a < b);
    i64x2_gt_s(a, b: I64x2) = -i64::from(a > b);
    i64x2_le_s(a, b: I64x2) = -i64::from(a <= b);
    i64x2_ge_s(a, b: I64x2) = -i64::from(a >= b);
}

lanewise! {
    i8x16_abs(a: I8x16) = a.wrapping_abs();
    i8x16_neg(a: I8x16) = a.wrapping_neg();
    i8x16_popcnt(a: U8x16) = a.count_ones() as u8;
    i8x16_add(a, b: I8x16) = a.wrapping_add(b);
    i8x16_add_sat_s(a, b: I8x16) = a.saturating_add(b);
    i8x16_add_sat_u(a, b: U8x16) = a.saturating_add(b);
    i8x16_sub(a, b: I8x16) = a.wrapping_sub(b);
    i8x16_sub_sat_s(a, b: I8x16) = a.saturating_sub(b);
    i8x16_sub_sat_u(a, b: U8x16) = a.saturating_sub(b);
    i8x16_min_s(a, b: I8x16) = a.min(b);
    i8x16_min_u(a, b: U8x16) = a.min(b);
    i8x16_max_s(a, b: I8x16) = a.max(b);
    i8x16_max_u(a, b: U8x16) = a.max(b);
    i8x16_avgr_u(a, b: U8x16) = ((u16::from(a) + u16::from(b) + 1) >> 1) as u8;

    i16x8_abs(a: I16x8) = a.wrapping_abs();
    i16x8_neg(a: I16x8) = a.wrapping_neg();
    i16x8_add(a, b: I16x8) = a.wrapping_add(b);
    i16x8_add_sat_s(a, b: I16x8) = a.saturating_add(b);
    i16x8_add_sat_u(a, b: U16x8) = a.saturating_add(b);
    i16x8_sub(a, b: I16x8) = a.wrapping_sub(b);
    i16x8_sub_sat_s(a, b: I16x8) = a.saturating_sub(b);
    i16x8_sub_sat_u(a, b: U16x8) = a.saturating_sub(b);
    i16x8_mul(a, b: I16x8) = a.wrapping_mul(b);
    i16x8_min_s(a, b: I16x8) = a.min(b);
    i16x8_min_u(a, b: U16x8) = a.min(b);
    i16x8_max_s(a, b: I16x8) = a.max(b);
    i16x8_max_u(a, b: U16x8) = a.max(b);
    i16x8_avgr_u(a, b: U16x8) = ((u32::from(a) + u32::from(b) + 1) >> 1) as u16;
    // Only -1 by -1 leaves the range: in Q15 it is 1, and one step too many.
    i16x8_q15mulr_sat_s(a, b: I16x8) = ((i32::from(a) * i32::from(b) + 0x4000) >> 15).min(0x7fff) as i16;

    i32x4_abs(a: I32x4) = a.wrapping_abs();
    i32x4_neg(a: I32x4) = a.wrapping_neg();
    i32x4_add(a, b: I32x4) = a.wrapping_add(b);
    i32x4_sub(a, b: I32x4) = a.wrapping_sub(b);
    i32x4_mul(a, b: I32x4) = a.wrapping_mul(b);
    i32x4_min_s(a, b: I32x4) = a.min(b);
    i32x4_min_u(a, b: U32x4) = a.min(b);
    i32x4_max_s(a, b: I32x4) = a.max(b);
    i32x4_max_u(a, b: U32x4) = a.max(b);

    i64x2_abs(a: I64x2) = a.wrapping_abs();
    i64x2_neg(a: I64x2) = a.wrapping_neg();
    i64x2_add(a, b: I64x2) = a.wrapping_add(b);
    i64x2_sub(a, b: I64x2) = a.wrapping_sub(b);
    i64x2_mul(a, b: I64x2) = a.wrapping_mul(b);
}

/// Declares shifts of every lane by one distance, which is taken modulo the width of a lane.
macro_rules! shifts {
    ($($name:ident($shape:ident) = $shift:ident;)*) => {$(
        #[inline]
        #[must_use]
        pub fn $name(a: V128, distance: i32) -> V128 {
            $shape::split(a).map(|a| a.$shift(distance.cast_unsigned())).join()
        }
    )*};
}

shifts! {
    i8x16_shl(I8x16) = wrapping_shl;
    i8x16_shr_s(I8x16) = wrapping_shr;
    i8x16_shr_u(U8x16) = wrapping_shr;
    i16x8_shl(I16x8) = wrapping_shl;
    i16x8_shr_s(I16x8) = wrapping_shr;
    i16x8_shr_u(U16x8) = wrapping_shr;
    i32x4_shl(I32x4) = wrapping_shl;
    i32x4_shr_s(I32x4) = wrapping_shr;
    i32x4_shr_u(U32x4) = wrapping_shr;
    i64x2_shl(I64x2) = wrapping_shl;
    i64x2_shr_s(I64x2) = wrapping_shr;
    i64x2_shr_u(U64x2) = wrapping_shr;
}

widening! {
    i16x8_extmul_low_i8x16_s(a, b: I8x16 from 0) -> I16x8 = i16::from(a) * i16::from(b);
    i16x8_extmul_high_i8x16_s(a, b: I8x16 from 8) -> I16x8 = i16::from(a) * i16::from(b);
    i16x8_extmul_low_i8x16_u(a, b: U8x16 from 0) -> U16x8 = u16::from(a) * u16::from(b);
    i16x8_extmul_high_i8x16_u(a, b: U8x16 from 8) -> U16x8 = u16::from(a) * u16::from(b);
    i32x4_extmul_low_i16x8_s(a, b: I16x8 from 0) -> I32x4 = i32::from(a) * i32::from(b);
    i32x4_extmul_high_i16x8_s(a, b: I16x8 from 4) -> I32x4 = i32::from(a) * i32::from(b);
    i32x4_extmul_low_i16x8_u(a, b: U16x8 from 0) -> U32x4 = u32::from(a) * u32::from(b);
    i32x4_extmul_high_i16x8_u(a, b: U16x8 from 4) -> U32x4 = u32::from(a) * u32::from(b);
    i64x2_extmul_low_i32x4_s(a, b: I32x4 from 0) -> I64x2 = i64::from(a) * i64::from(b);
    i64x2_extmul_high_i32x4_s(a, b: I32x4 from 2) -> I64x2 = i64::from(a) * i64::from(b);
    i64x2_extmul_low_i32x4_u(a, b: U32x4 from 0) -> U64x2 = u64::from(a) * u64::from(b);
    i64x2_extmul_high_i32x4_u(a, b: U32x4 from 2) -> U64x2 = u64::from(a) * u64::from(b);
}

// A pair of 16 bits as one of 32: so the sums become vector instructions. The one that wraps is that of four times
// the least integer.
lanewise! {
    i32x4_dot_i16x8_s(a, b: I32x4) = (low_half(a) * low_half(b)).wrapping_add((a >> 16) * (b >> 16));
}

#[inline]
fn low_half(pair: i32) -> i32 {
    i32::from(pair as i16)
}

pairwise! {
    i16x8_extadd_pairwise_i8x16_s(a: I8x16) -> I16x8 = |[a, b]| i16::from(a) + i16::from(b);
    i16x8_extadd_pairwise_i8x16_u(a: U8x16) -> U16x8 = |[a, b]| u16::from(a) + u16::from(b);
    i32x4_extadd_pairwise_i16x8_s(a: I16x8) -> I32x4 = |[a, b]| i32::from(a) + i32::from(b);
    i32x4_extadd_pairwise_i16x8_u(a: U16x8) -> U32x4 = |[a, b]| u32::from(a) + u32::from(b);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturation_stops_at_the_ends() {
        let a = [127i8, -128, 100, -100, 127, -128, 0, -1, 1, 2, 3, 4, 5, 6, 7, 8].join();
        let b = [1i8, -1, 100, -100, -1, 1, 1, 1, -1, 0, 0, 0, 0, 0, 0, 0].join();
        assert_eq!(I8x16::split(i8x16_add_sat_s(a, b))[..9], [127, -128, 127, -128, 126, -127, 1, 0, 0]);
        assert_eq!(U8x16::split(i8x16_add_sat_u(a, b))[..9], [128, 255, 200, 255, 255, 129, 1, 255, 255]);
        assert_eq!(I8x16::split(i8x16_sub_sat_s(a, b))[..9], [126, -127, 0, 0, 127, -128, -1, -2, 2]);
        assert_eq!(U8x16::split(i8x16_sub_sat_u(a, b))[..9], [126, 0, 0, 0, 0, 127, 0, 254, 0]);
        assert_eq!(I8x16::split(i8x16_add(a, b))[..4], [-128, 127, -56, 56]);
        let (least, one) = ([i16::MIN; 8].join(), [1i16; 8].join());
        assert_eq!(I16x8::split(i16x8_sub_sat_s(least, one)), [i16::MIN; 8]);
        assert_eq!(U16x8::split(i16x8_sub_sat_u(one, least)), [0; 8]);
        assert_eq!(U16x8::split(i16x8_add_sat_u(least, least)), [u16::MAX; 8]);
    }

    #[test]
    fn the_least_integer_is_its_own_negation() {
        assert_eq!(I8x16::split(i8x16_abs([-128i8; 16].join())), [-128; 16]);
        assert_eq!(I8x16::split(i8x16_neg([-128i8; 16].join())), [-128; 16]);
        assert_eq!(I16x8::split(i16x8_abs([i16::MIN; 8].join())), [i16::MIN; 8]);
        assert_eq!(I32x4::split(i32x4_abs([i32::MIN, -1, 0, 1].join())), [i32::MIN, 1, 0, 1]);
        assert_eq!(I64x2::split(i64x2_abs([i64::MIN, -7].join())), [i64::MIN, 7]);
    }

    #[test]
    fn averages_round_up_and_do_not_overflow() {
        let a = [255u8, 255, 0, 1, 2, 254, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].join();
        let b = [255u8, 254, 1, 2, 2, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].join();
        assert_eq!(U8x16::split(i8x16_avgr_u(a, b))[..6], [255, 255, 1, 2, 2, 255]);
        assert_eq!(U16x8::split(i16x8_avgr_u([65535u16; 8].join(), [65534u16; 8].join())), [65535; 8]);
    }

    #[test]
    fn q15_saturates_minus_one_by_minus_one_and_rounds_half_up() {
        let a = [-32768i16, -32768, 32767, 1, 1, -1, -32768, 16384].join();
        let b = [-32768i16, 32767, 32767, 16384, 16383, 16384, 1, 16384].join();
        // 1 x 0x4000 is half a step: up. -1 x 0x4000 is minus half a step: up, to 0.
        assert_eq!(I16x8::split(i16x8_q15mulr_sat_s(a, b)), [32767, -32767, 32766, 1, 0, 0, -1, 8192]);
    }

    #[test]
    fn distances_of_shifts_are_taken_modulo_the_lane() {
        let a = [-127i8; 16].join();
        for (distance, shl, shr_s, shr_u) in [(0, -127, -127, 0x81), (9, 2, -64, 0x40), (-1, -128, -1, 1)] {
            assert_eq!(I8x16::split(i8x16_shl(a, distance)), [shl; 16]);
            assert_eq!(I8x16::split(i8x16_shr_s(a, distance)), [shr_s; 16]);
            assert_eq!(U8x16::split(i8x16_shr_u(a, distance)), [shr_u; 16]);
        }
        assert_eq!(I16x8::split(i16x8_shl([3i16; 8].join(), 17)), [6; 8]);
        assert_eq!(I32x4::split(i32x4_shr_s([i32::MIN; 4].join(), 63)), [-1; 4]);
        assert_eq!(I64x2::split(i64x2_shr_u([i64::MIN; 2].join(), 127)), [1; 2]);
        assert_eq!(I64x2::split(i64x2_shl([1i64; 2].join(), 64)), [1; 2]);
    }

    #[test]
    fn comparisons_leave_masks() {
        let (a, b) = ([-1i32, 0, 1, i32::MIN].join(), [0i32, 0, -1, i32::MAX].join());
        assert_eq!(I32x4::split(i32x4_lt_s(a, b)), [-1, 0, 0, -1]);
        assert_eq!(I32x4::split(i32x4_lt_u(a, b)), [0, 0, -1, 0]);
        assert_eq!(I32x4::split(i32x4_ge_u(a, b)), [-1, -1, 0, -1]);
        assert_eq!(I64x2::split(i64x2_gt_s([1i64, -1].join(), [0i64, 0].join())), [-1, 0]);
        assert_eq!(I8x16::split(i8x16_ne([5i8; 16].join(), [5i8; 16].join())), [0; 16]);
    }

    #[test]
    fn bits_are_counted_in_each_byte() {
        let a = [0u8, 1, 3, 7, 15, 31, 63, 127, 255, 128, 0xaa, 0x55, 0x10, 0xf0, 0x0f, 0xfe].join();
        assert_eq!(U8x16::split(i8x16_popcnt(a)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 4, 4, 1, 4, 4, 7]);
    }

    #[test]
    fn widened_products_do_not_overflow_and_the_dot_product_wraps_once() {
        let least = [i16::MIN; 8].join();
        assert_eq!(I32x4::split(i32x4_dot_i16x8_s(least, least)), [i32::MIN; 4]);
        assert_eq!(I32x4::split(i32x4_extmul_low_i16x8_s(least, least)), [1 << 30; 4]);
        let all = [-1i8; 16].join();
        assert_eq!(U64x2::split(i64x2_extmul_high_i32x4_u(all, all)), [0xffff_fffe_0000_0001; 2]);
        assert_eq!(U16x8::split(i16x8_extmul_low_i8x16_u(all, all)), [0xfe01; 8]);
        assert_eq!(U16x8::split(i16x8_extadd_pairwise_i8x16_u(all)), [510; 8]);
        assert_eq!(I32x4::split(i32x4_extadd_pairwise_i16x8_s(least)), [-65536; 4]);
    }

    #[test]
    fn halves_and_pairs_are_taken_from_where_they_stand() {
        let a = [1i16, 2, 3, 4, 5, 6, 7, 8].join();
        assert_eq!(I32x4::split(i32x4_extmul_low_i16x8_s(a, a)), [1, 4, 9, 16]);
        assert_eq!(I32x4::split(i32x4_extmul_high_i16x8_s(a, a)), [25, 36, 49, 64]);
        assert_eq!(I32x4::split(i32x4_extadd_pairwise_i16x8_s(a)), [3, 7, 11, 15]);
        assert_eq!(I32x4::split(i32x4_dot_i16x8_s(a, a)), [5, 25, 61, 113]);
    }
}

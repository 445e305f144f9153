//! Vectors as bits and as places: bitwise operations, tests, splats, lanes in and out, shuffles.
//!
//! Source: core 3.0, "Vector Operations" and "Vector Instructions". A lane index is an immediate that validation has
//! bounded; it is taken modulo the number of lanes, so that no check is left.

use super::V128;
use super::shape::{F32x4, F64x2, I8x16, I16x8, I32x4, I64x2, Shape, U8x16, U16x8, U64x2, lanewise};

lanewise! {
    v128_not(a: U64x2) = !a;
    v128_and(a, b: U64x2) = a & b;
    v128_andnot(a, b: U64x2) = a & !b;
    v128_or(a, b: U64x2) = a | b;
    v128_xor(a, b: U64x2) = a ^ b;
    v128_bitselect(a, b, mask: U64x2) = a & mask | b & !mask;
}

/// Returns whether any bit is set.
#[inline]
#[must_use]
pub fn v128_any_true(a: V128) -> bool {
    let [low, high] = U64x2::split(a);
    low | high != 0
}

macro_rules! all_true {
    ($($name:ident($shape:ident);)*) => {$(
        /// Returns whether no lane is zero.
        #[inline]
        #[must_use]
        pub fn $name(a: V128) -> bool {
            $shape::split(a).iter().fold(true, |all, lane| all & (*lane != 0))
        }
    )*};
}

all_true! {
    i8x16_all_true(I8x16);
    i16x8_all_true(I16x8);
    i32x4_all_true(I32x4);
    i64x2_all_true(I64x2);
}

/// Returns the sign bits of the lanes, lane 0's lowest.
#[inline]
#[must_use]
pub fn i8x16_bitmask(a: V128) -> i32 {
    // The factor moves the sign bit of byte i, at 8i, to 56 + i; no two terms of the product meet.
    let mask = |half: u64| (half >> 7 & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    let [low, high] = U64x2::split(a).map(mask);
    (high << 8 | low) as i32
}

macro_rules! bitmasks {
    ($($name:ident($shape:ident);)*) => {$(
        /// Returns the sign bits of the lanes, lane 0's lowest.
        #[inline]
        #[must_use]
        pub fn $name(a: V128) -> i32 {
            $shape::split(a).iter().rev().fold(0, |mask, lane| mask << 1 | i32::from(*lane < 0))
        }
    )*};
}

bitmasks! {
    i16x8_bitmask(I16x8);
    i32x4_bitmask(I32x4);
    i64x2_bitmask(I64x2);
}

/// Declares a splat and the replacement of a lane; what is wider than a lane loses its upper bits.
macro_rules! lanes_in {
    ($($splat:ident $replace:ident($x:ident: $ty:ident) -> $shape:ident = $lane:expr;)*) => {$(
        #[inline]
        #[must_use]
        pub fn $splat($x: $ty) -> V128 {
            let lanes: $shape = [$lane; $shape::COUNT];
            lanes.join()
        }

        #[inline]
        #[must_use]
        pub fn $replace(a: V128, lane: u8, $x: $ty) -> V128 {
            let mut lanes = $shape::split(a);
            lanes[usize::from(lane) % $shape::COUNT] = $lane;
            lanes.join()
        }
    )*};
}

lanes_in! {
    i8x16_splat i8x16_replace_lane(x: i32) -> I8x16 = x as i8;
    i16x8_splat i16x8_replace_lane(x: i32) -> I16x8 = x as i16;
    i32x4_splat i32x4_replace_lane(x: i32) -> I32x4 = x;
    i64x2_splat i64x2_replace_lane(x: i64) -> I64x2 = x;
    f32x4_splat f32x4_replace_lane(x: f32) -> F32x4 = x;
    f64x2_splat f64x2_replace_lane(x: f64) -> F64x2 = x;
}

macro_rules! lanes_out {
    ($($name:ident($shape:ident) -> $out:ident;)*) => {$(
        #[inline]
        #[must_use]
        pub fn $name(a: V128, lane: u8) -> $out {
            $out::from($shape::split(a)[usize::from(lane) % $shape::COUNT])
        }
    )*};
}

lanes_out! {
    i8x16_extract_lane_s(I8x16) -> i32;
    i8x16_extract_lane_u(U8x16) -> i32;
    i16x8_extract_lane_s(I16x8) -> i32;
    i16x8_extract_lane_u(U16x8) -> i32;
    i32x4_extract_lane(I32x4) -> i32;
    i64x2_extract_lane(I64x2) -> i64;
    f32x4_extract_lane(F32x4) -> f32;
    f64x2_extract_lane(F64x2) -> f64;
}

/// Returns the bytes that `lanes` names, of `a` from 0 and of `b` from 16.
#[inline]
#[must_use]
pub fn i8x16_shuffle(a: V128, b: V128, lanes: [u8; 16]) -> V128 {
    let mut both = [0; 32];
    both[..16].copy_from_slice(&a.0);
    both[16..].copy_from_slice(&b.0);
    V128(lanes.map(|lane| both[usize::from(lane) % 32]))
}

/// Returns the bytes of `a` that `lanes` names; 0 for those beyond.
#[inline]
#[must_use]
pub fn i8x16_swizzle(a: V128, lanes: V128) -> V128 {
    // Zeros for every index that there is, instead of sixteen comparisons.
    let mut bytes = [0; 256];
    bytes[..16].copy_from_slice(&a.0);
    V128(lanes.0.map(|lane| bytes[usize::from(lane)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: V128 = V128([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

    #[test]
    fn a_swizzle_finds_zero_beyond_and_a_shuffle_the_second_vector() {
        let lanes = V128([15, 16, 17, 31, 32, 127, 128, 255, 0, 1, 2, 3, 4, 5, 6, 7]);
        let a = V128(BYTES.0.map(|byte| byte + 0x40));
        assert_eq!(
            i8x16_swizzle(a, lanes).0,
            [0x4f, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47]
        );
        let picked = i8x16_shuffle(a, BYTES, [0, 31, 16, 15, 1, 1, 1, 17, 0, 0, 0, 0, 0, 0, 0, 30]);
        assert_eq!(
            picked.0,
            [0x40, 15, 0, 0x4f, 0x41, 0x41, 0x41, 1, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 14]
        );
    }

    #[test]
    fn a_bitmask_has_lane_0_lowest() {
        assert_eq!(i8x16_bitmask([-1i8, 0, 127, -128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1].join()), 0x8009);
        assert_eq!(i16x8_bitmask([-1i16, 0, 0, 0, 0, 0, 0, i16::MIN].join()), 0x81);
        assert_eq!(i32x4_bitmask([0, -1, 0, 1].join()), 2);
        assert_eq!(i64x2_bitmask([i64::MAX, -1].join()), 2);
    }

    #[test]
    fn tests_look_at_whole_lanes() {
        let a = [0x0001_0000, 0x0001_0000, 1, -1].join();
        assert!(i32x4_all_true(a) && i64x2_all_true(a) && !i16x8_all_true(a) && !i8x16_all_true(a));
        assert!(v128_any_true(a) && v128_any_true(V128([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])));
        assert!(!v128_any_true(V128([0; 16])) && !i64x2_all_true([0, -1i64].join()));
        assert!(i8x16_all_true([1i8; 16].join()));
    }

    #[test]
    fn lanes_go_in_and_come_out_with_their_sign_or_without() {
        let a = i8x16_replace_lane(BYTES, 15, 0x1ff);
        assert_eq!((i8x16_extract_lane_s(a, 15), i8x16_extract_lane_u(a, 15)), (-1, 255));
        assert_eq!((i16x8_extract_lane_s(a, 7), i16x8_extract_lane_u(a, 7)), (-242, 0xff0e));
        assert_eq!(
            (i32x4_extract_lane(BYTES, 1), i64x2_extract_lane(BYTES, 0)),
            (0x0706_0504, 0x0706_0504_0302_0100)
        );
        assert_eq!(i16x8_replace_lane(BYTES, 0, -1).0[..4], [255, 255, 2, 3]);
        assert_eq!(i8x16_splat(-0x101).0, [0xff; 16]);
        assert_eq!(i16x8_splat(0x1_0203).0[..4], [3, 2, 3, 2]);
    }

    #[test]
    fn lanes_keep_the_payload_of_a_nan() {
        let (single, double) = (f32::from_bits(0xff80_0001), f64::from_bits(0x7ff0_0000_0000_0001));
        assert_eq!(f32x4_extract_lane(f32x4_splat(single), 3).to_bits(), single.to_bits());
        assert_eq!(f32x4_extract_lane(f32x4_replace_lane(BYTES, 2, single), 2).to_bits(), single.to_bits());
        assert_eq!(f64x2_extract_lane(f64x2_splat(double), 0).to_bits(), double.to_bits());
        assert_eq!(f64x2_extract_lane(f64x2_replace_lane(BYTES, 1, double), 1).to_bits(), double.to_bits());
    }

    #[test]
    fn bits_are_selected_by_the_mask() {
        let (a, b, mask) = (V128([0b1100; 16]), V128([0b1010; 16]), V128([0b0110; 16]));
        assert_eq!(v128_bitselect(a, b, mask).0, [0b1100; 16]);
        assert_eq!(v128_andnot(a, b).0, [0b0100; 16]);
        assert_eq!(v128_not(a).0, [!0b1100; 16]);
    }
}

//! Conversions between the shapes of vectors: narrowing, extension, integers to floating point and back.
//!
//! Source: core 3.0, "Vector Operations" and "Conversions".

use super::V128;
use super::convert::{
    f32_convert_i32_s, f32_convert_i32_u, f32_demote_f64, f64_convert_i32_s, f64_convert_i32_u,
    f64_promote_f32, i32_trunc_sat_f32_s, i32_trunc_sat_f32_u, i32_trunc_sat_f64_s, i32_trunc_sat_f64_u,
};
use super::shape::{
    F32x4, F64x2, I8x16, I16x8, I32x4, I64x2, Shape, U8x16, U16x8, U32x4, U64x2, lanewise, widening,
};

widening! {
    i16x8_extend_low_i8x16_s(a: I8x16 from 0) -> I16x8 = i16::from(a);
    i16x8_extend_high_i8x16_s(a: I8x16 from 8) -> I16x8 = i16::from(a);
    i16x8_extend_low_i8x16_u(a: U8x16 from 0) -> U16x8 = u16::from(a);
    i16x8_extend_high_i8x16_u(a: U8x16 from 8) -> U16x8 = u16::from(a);
    i32x4_extend_low_i16x8_s(a: I16x8 from 0) -> I32x4 = i32::from(a);
    i32x4_extend_high_i16x8_s(a: I16x8 from 4) -> I32x4 = i32::from(a);
    i32x4_extend_low_i16x8_u(a: U16x8 from 0) -> U32x4 = u32::from(a);
    i32x4_extend_high_i16x8_u(a: U16x8 from 4) -> U32x4 = u32::from(a);
    i64x2_extend_low_i32x4_s(a: I32x4 from 0) -> I64x2 = i64::from(a);
    i64x2_extend_high_i32x4_s(a: I32x4 from 2) -> I64x2 = i64::from(a);
    i64x2_extend_low_i32x4_u(a: U32x4 from 0) -> U64x2 = u64::from(a);
    i64x2_extend_high_i32x4_u(a: U32x4 from 2) -> U64x2 = u64::from(a);

    f64x2_promote_low_f32x4(a: F32x4 from 0) -> F64x2 = f64_promote_f32(a);
    f64x2_convert_low_i32x4_s(a: I32x4 from 0) -> F64x2 = f64_convert_i32_s(a);
    f64x2_convert_low_i32x4_u(a: I32x4 from 0) -> F64x2 = f64_convert_i32_u(a);
}

lanewise! {
    f32x4_convert_i32x4_s(a: I32x4) = f32_convert_i32_s(a);
    f32x4_convert_i32x4_u(a: I32x4) = f32_convert_i32_u(a);
    i32x4_trunc_sat_f32x4_s(a: F32x4) = i32_trunc_sat_f32_s(a);
    i32x4_trunc_sat_f32x4_u(a: F32x4) = i32_trunc_sat_f32_u(a);
}

/// Declares functions that compute the low lanes from all lanes; the high ones are 0.
macro_rules! zero_extended {
    ($($name:ident(F64x2) -> $out:ident = $lane:ident;)*) => {$(
        #[inline]
        #[must_use]
        pub fn $name(a: V128) -> V128 {
            let [low, high] = F64x2::split(a).map($lane);
            let lanes: $out = [low, high, Default::default(), Default::default()];
            lanes.join()
        }
    )*};
}

zero_extended! {
    f32x4_demote_f64x2_zero(F64x2) -> F32x4 = f32_demote_f64;
    i32x4_trunc_sat_f64x2_s_zero(F64x2) -> I32x4 = i32_trunc_sat_f64_s;
    i32x4_trunc_sat_f64x2_u_zero(F64x2) -> I32x4 = i32_trunc_sat_f64_u;
}

/// Declares functions that saturate signed lanes to half their width, those of `a` into the low half.
macro_rules! narrowing {
    ($($name:ident($shape:ident) -> $out:ident of $lane:ident;)*) => {$(
        #[inline]
        #[must_use]
        pub fn $name(a: V128, b: V128) -> V128 {
            let (a, b) = ($shape::split(a), $shape::split(b));
            let lanes: $out = std::array::from_fn(|i| {
                let wide = if i < $shape::COUNT { a[i] } else { b[i - $shape::COUNT] };
                wide.clamp($lane::MIN.into(), $lane::MAX.into()) as $lane
            });
            lanes.join()
        }
    )*};
}

narrowing! {
    i8x16_narrow_i16x8_s(I16x8) -> I8x16 of i8;
    i8x16_narrow_i16x8_u(I16x8) -> U8x16 of u8;
    i16x8_narrow_i32x4_s(I32x4) -> I16x8 of i16;
    i16x8_narrow_i32x4_u(I32x4) -> U16x8 of u16;
}

#[cfg(test)]
mod tests {
    use super::super::{CANONICAL_NAN_F32, CANONICAL_NAN_F64};
    use super::*;

    #[test]
    fn narrowing_reads_signed_lanes_and_saturates() {
        let a = [0i16, 127, 128, 255, 256, i16::MAX, -1, i16::MIN].join();
        let b = [-128i16, -129, 1, 2, 3, 4, 5, 6].join();
        assert_eq!(
            I8x16::split(i8x16_narrow_i16x8_s(a, b)),
            [0, 127, 127, 127, 127, 127, -1, -128, -128, -128, 1, 2, 3, 4, 5, 6]
        );
        assert_eq!(
            U8x16::split(i8x16_narrow_i16x8_u(a, b)),
            [0, 127, 128, 255, 255, 255, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]
        );
        let (a, b) = ([0, 32767, 32768, 65535].join(), [65536, -1, i32::MIN, -32769].join());
        assert_eq!(
            I16x8::split(i16x8_narrow_i32x4_s(a, b)),
            [0, 32767, 32767, 32767, 32767, -1, -32768, -32768]
        );
        assert_eq!(U16x8::split(i16x8_narrow_i32x4_u(a, b)), [0, 32767, 32768, 65535, 65535, 0, 0, 0]);
    }

    #[test]
    fn extension_takes_the_half_that_it_names() {
        let a = [1i8, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8, -8].join();
        assert_eq!(I16x8::split(i16x8_extend_low_i8x16_s(a)), [1, -1, 2, -2, 3, -3, 4, -4]);
        assert_eq!(I16x8::split(i16x8_extend_high_i8x16_s(a)), [5, -5, 6, -6, 7, -7, 8, -8]);
        assert_eq!(I16x8::split(i16x8_extend_high_i8x16_u(a)), [5, 251, 6, 250, 7, 249, 8, 248]);
        assert_eq!(I64x2::split(i64x2_extend_high_i32x4_s([0, 0, -1, 5].join())), [-1, 5]);
        assert_eq!(I64x2::split(i64x2_extend_low_i32x4_u([-1, 5, 0, 0].join())), [0xffff_ffff, 5]);
    }

    #[test]
    fn truncation_saturates_and_makes_zero_of_a_nan() {
        let a = [f32::NAN, 3e9, -3e9, -1.9].join();
        assert_eq!(I32x4::split(i32x4_trunc_sat_f32x4_s(a)), [0, i32::MAX, i32::MIN, -1]);
        assert_eq!(U32x4::split(i32x4_trunc_sat_f32x4_u(a)), [0, 3_000_000_000, 0, 0]);
        let a = [f64::NAN, 4294967295.9].join();
        assert_eq!(I32x4::split(i32x4_trunc_sat_f64x2_s_zero(a)), [0, i32::MAX, 0, 0]);
        assert_eq!(I32x4::split(i32x4_trunc_sat_f64x2_u_zero(a)), [0, -1, 0, 0]);
    }

    #[test]
    fn a_changed_width_leaves_canonical_nans_and_zeros_above() {
        let nans = [f64::from_bits(0xfff0_0000_0000_0001), 1.5].join();
        assert_eq!(U32x4::split(f32x4_demote_f64x2_zero(nans)), [CANONICAL_NAN_F32, 1.5f32.to_bits(), 0, 0]);
        let nans = [f32::from_bits(0xff80_0001), 2.5, 7.0, 8.0].join();
        assert_eq!(U64x2::split(f64x2_promote_low_f32x4(nans)), [CANONICAL_NAN_F64, 2.5f64.to_bits()]);
    }

    #[test]
    fn integers_convert_with_their_sign_or_without() {
        let a = [-1, i32::MIN, 16_777_217, 0].join();
        assert_eq!(F32x4::split(f32x4_convert_i32x4_s(a)), [-1.0, -2147483648.0, 16_777_216.0, 0.0]);
        assert_eq!(F32x4::split(f32x4_convert_i32x4_u(a)), [4294967296.0, 2147483648.0, 16_777_216.0, 0.0]);
        assert_eq!(F64x2::split(f64x2_convert_low_i32x4_s(a)), [-1.0, -2147483648.0]);
        assert_eq!(F64x2::split(f64x2_convert_low_i32x4_u(a)), [4294967295.0, 2147483648.0]);
    }
}

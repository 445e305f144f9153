//! Scalar conversions between integers and floating point.
//!
//! Source: core 3.0, "Conversions". Rust's `as` from a float saturates and makes 0 of a NaN, which is the
//! specification's `trunc_sat`; to a float it rounds to nearest, ties to even, which is its `convert`.

use wasmos_abi::trap::TrapCode;

use super::{canonical_f32, canonical_f64, scalar};

scalar! {
    i32_wrap_i64(a: i64) -> i32 = a as i32;
    i64_extend_i32_s(a: i32) -> i64 = i64::from(a);
    i64_extend_i32_u(a: i32) -> i64 = i64::from(a.cast_unsigned());

    f32_convert_i32_s(a: i32) -> f32 = a as f32;
    f32_convert_i32_u(a: i32) -> f32 = a.cast_unsigned() as f32;
    f32_convert_i64_s(a: i64) -> f32 = a as f32;
    f32_convert_i64_u(a: i64) -> f32 = a.cast_unsigned() as f32;
    f64_convert_i32_s(a: i32) -> f64 = f64::from(a);
    f64_convert_i32_u(a: i32) -> f64 = f64::from(a.cast_unsigned());
    f64_convert_i64_s(a: i64) -> f64 = a as f64;
    f64_convert_i64_u(a: i64) -> f64 = a.cast_unsigned() as f64;

    f32_demote_f64(a: f64) -> f32 = canonical_f32(a as f32);
    f64_promote_f32(a: f32) -> f64 = canonical_f64(f64::from(a));

    i32_reinterpret_f32(a: f32) -> i32 = a.to_bits().cast_signed();
    i64_reinterpret_f64(a: f64) -> i64 = a.to_bits().cast_signed();
    f32_reinterpret_i32(a: i32) -> f32 = f32::from_bits(a.cast_unsigned());
    f64_reinterpret_i64(a: i64) -> f64 = f64::from_bits(a.cast_unsigned());

    i32_trunc_sat_f32_s(a: f32) -> i32 = a as i32;
    i32_trunc_sat_f32_u(a: f32) -> i32 = (a as u32).cast_signed();
    i32_trunc_sat_f64_s(a: f64) -> i32 = a as i32;
    i32_trunc_sat_f64_u(a: f64) -> i32 = (a as u32).cast_signed();
    i64_trunc_sat_f32_s(a: f32) -> i64 = a as i64;
    i64_trunc_sat_f32_u(a: f32) -> i64 = (a as u64).cast_signed();
    i64_trunc_sat_f64_s(a: f64) -> i64 = a as i64;
    i64_trunc_sat_f64_u(a: f64) -> i64 = (a as u64).cast_signed();
}

macro_rules! trunc {
    ($($name:ident($a:ident: $float:ident) -> $out:ident = $value:expr, if $fits:expr;)*) => {$(
        /// # Errors
        /// [`TrapCode::InvalidConversion`] for a NaN; [`TrapCode::IntegerOverflow`] for what does not fit.
        #[inline]
        pub fn $name($a: $float) -> Result<$out, TrapCode> {
            if $fits { Ok($value) } else { Err(refused($a.is_nan())) }
        }
    )*};
}

// The borders are those of the value before truncation. Where the border itself is not representable, the first
// value outside is the least that is; a NaN is on neither side of any of them.
trunc! {
    i32_trunc_f32_s(a: f32) -> i32 = a as i32,
        if (-2147483648.0..2147483648.0).contains(&a);
    i32_trunc_f32_u(a: f32) -> i32 = (a as u32).cast_signed(),
        if a > -1.0 && a < 4294967296.0;
    i32_trunc_f64_s(a: f64) -> i32 = a as i32,
        if a > -2147483649.0 && a < 2147483648.0;
    i32_trunc_f64_u(a: f64) -> i32 = (a as u32).cast_signed(),
        if a > -1.0 && a < 4294967296.0;
    i64_trunc_f32_s(a: f32) -> i64 = a as i64,
        if (-9223372036854775808.0..9223372036854775808.0).contains(&a);
    i64_trunc_f32_u(a: f32) -> i64 = (a as u64).cast_signed(),
        if a > -1.0 && a < 18446744073709551616.0;
    i64_trunc_f64_s(a: f64) -> i64 = a as i64,
        if (-9223372036854775808.0..9223372036854775808.0).contains(&a);
    i64_trunc_f64_u(a: f64) -> i64 = (a as u64).cast_signed(),
        if a > -1.0 && a < 18446744073709551616.0;
}

#[cold]
fn refused(is_nan: bool) -> TrapCode {
    if is_nan { TrapCode::InvalidConversion } else { TrapCode::IntegerOverflow }
}

#[cfg(test)]
mod tests {
    use super::super::{CANONICAL_NAN_F32, CANONICAL_NAN_F64};
    use super::*;

    const OVERFLOW: TrapCode = TrapCode::IntegerOverflow;

    /// The last values that fit and the first that do not, down and up: `(fits, result, outside)`.
    #[track_caller]
    fn borders<F: Copy, I: Copy + PartialEq + std::fmt::Debug>(
        trunc: fn(F) -> Result<I, TrapCode>,
        sat: fn(F) -> I,
        [low, high]: [(F, I, F); 2],
        [least, greatest]: [I; 2],
    ) {
        for (fits, result, outside) in [low, high] {
            assert_eq!(trunc(fits), Ok(result));
            assert_eq!(sat(fits), result);
            assert_eq!(trunc(outside), Err(OVERFLOW));
        }
        assert_eq!(sat(low.2), least);
        assert_eq!(sat(high.2), greatest);
    }

    #[test]
    fn truncation_to_32_bits_ends_where_the_integers_do() {
        let signed = [i32::MIN, i32::MAX];
        borders(
            i32_trunc_f32_s,
            i32_trunc_sat_f32_s,
            [(-2147483648.0, i32::MIN, -2147483904.0), (2147483520.0, 2147483520, 2147483648.0)],
            signed,
        );
        borders(
            i32_trunc_f64_s,
            i32_trunc_sat_f64_s,
            [(-2147483648.9999995, i32::MIN, -2147483649.0), (2147483647.9999998, i32::MAX, 2147483648.0)],
            signed,
        );
        let unsigned = [0, -1];
        borders(
            i32_trunc_f32_u,
            i32_trunc_sat_f32_u,
            [(-0.99999994, 0, -1.0), (4294967040.0, -256, 4294967296.0)],
            unsigned,
        );
        borders(
            i32_trunc_f64_u,
            i32_trunc_sat_f64_u,
            [(-0.9999999999999999, 0, -1.0), (4294967295.9999995, -1, 4294967296.0)],
            unsigned,
        );
    }

    #[test]
    fn truncation_to_64_bits_ends_where_the_integers_do() {
        let signed = [i64::MIN, i64::MAX];
        borders(
            i64_trunc_f32_s,
            i64_trunc_sat_f32_s,
            [
                (-9223372036854775808.0, i64::MIN, -9223373136366403584.0),
                (9223371487098961920.0, 9223371487098961920, 9223372036854775808.0),
            ],
            signed,
        );
        borders(
            i64_trunc_f64_s,
            i64_trunc_sat_f64_s,
            [
                (-9223372036854775808.0, i64::MIN, -9223372036854777856.0),
                (9223372036854774784.0, 9223372036854774784, 9223372036854775808.0),
            ],
            signed,
        );
        let unsigned = [0, -1];
        borders(
            i64_trunc_f32_u,
            i64_trunc_sat_f32_u,
            [(-0.99999994, 0, -1.0), (18446742974197923840.0, -1 << 40, 18446744073709551616.0)],
            unsigned,
        );
        borders(
            i64_trunc_f64_u,
            i64_trunc_sat_f64_u,
            [(-0.9999999999999999, 0, -1.0), (18446744073709549568.0, -2048, 18446744073709551616.0)],
            unsigned,
        );
    }

    #[test]
    fn a_nan_is_invalid_or_zero_and_infinity_overflows() {
        let invalid = TrapCode::InvalidConversion;
        assert_eq!((i32_trunc_f32_s(f32::NAN), i32_trunc_f32_u(-f32::NAN)), (Err(invalid), Err(invalid)));
        assert_eq!((i64_trunc_f64_s(f64::NAN), i64_trunc_f64_u(-f64::NAN)), (Err(invalid), Err(invalid)));
        assert_eq!((i32_trunc_f64_s(f64::NAN), i64_trunc_f32_u(f32::NAN)), (Err(invalid), Err(invalid)));
        assert_eq!((i32_trunc_sat_f32_s(f32::NAN), i64_trunc_sat_f64_u(f64::NAN)), (0, 0));
        for inf in [f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!((i32_trunc_f64_u(inf), i64_trunc_f64_s(inf)), (Err(OVERFLOW), Err(OVERFLOW)));
        }
        assert_eq!(
            (i64_trunc_sat_f64_s(f64::NEG_INFINITY), i32_trunc_sat_f32_u(f32::INFINITY)),
            (i64::MIN, -1)
        );
    }

    #[test]
    fn conversion_rounds_ties_to_even() {
        assert_eq!(
            (f32_convert_i32_s(16_777_217), f32_convert_i32_s(16_777_219)),
            (16_777_216.0, 16_777_220.0)
        );
        assert_eq!((f32_convert_i32_u(-1), f32_convert_i64_u(-1)), (4294967296.0, 18446744073709551616.0));
        assert_eq!(
            (f64_convert_i64_s(9_007_199_254_740_993), f64_convert_i64_u(i64::MIN)),
            (9_007_199_254_740_992.0, 9223372036854775808.0)
        );
        // Rounding by way of 64 bits would round twice, to 1.0000001e19's neighbour below.
        assert_eq!(f32_convert_i64_s(0x7fff_ff40_0000_0001).to_bits(), 0x5eff_ffff);
    }

    #[test]
    fn a_changed_width_leaves_the_canonical_nan() {
        for bits in [0x7ff0_0000_0000_0001, 0xfff8_0000_0000_0000, 0x7fff_ffff_ffff_ffff] {
            assert_eq!(f32_demote_f64(f64::from_bits(bits)).to_bits(), CANONICAL_NAN_F32);
        }
        for bits in [0x7f80_0001, 0xffc0_0000, 0x7fff_ffff] {
            assert_eq!(f64_promote_f32(f32::from_bits(bits)).to_bits(), CANONICAL_NAN_F64);
        }
        assert_eq!((f32_demote_f64(1e39), f32_demote_f64(-1e-50).to_bits()), (f32::INFINITY, 1 << 31));
        assert_eq!(f64_promote_f32(f32::from_bits(1)), 1.401298464324817e-45);
    }

    #[test]
    fn reinterpretation_moves_bits() {
        for bits in [0x7f80_0001, 0xffff_ffff_u32, 0x8000_0000] {
            let bits = bits.cast_signed();
            assert_eq!(i32_reinterpret_f32(f32_reinterpret_i32(bits)), bits);
        }
        for bits in [0x7ff0_0000_0000_0001, i64::MIN, -1] {
            assert_eq!(i64_reinterpret_f64(f64_reinterpret_i64(bits)), bits);
        }
    }
}

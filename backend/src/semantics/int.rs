//! Scalar integers: arithmetic, comparisons, sign extension, and the wide operations on two words.
//!
//! Source: core 3.0, "Integer Operations"; the proposal wide-arithmetic.

use wasmos_abi::trap::TrapCode;

use super::scalar;

scalar! {
    i32_eqz(a: i32) -> bool = a == 0;
    i32_eq(a, b: i32) -> bool = a == b;
    i32_ne(a, b: i32) -> bool = a != b;
    i32_lt_s(a, b: i32) -> bool = a < b;
    i32_lt_u(a, b: i32) -> bool = a.cast_unsigned() < b.cast_unsigned();
    i32_gt_s(a, b: i32) -> bool = a > b;
    i32_gt_u(a, b: i32) -> bool = a.cast_unsigned() > b.cast_unsigned();
    i32_le_s(a, b: i32) -> bool = a <= b;
    i32_le_u(a, b: i32) -> bool = a.cast_unsigned() <= b.cast_unsigned();
    i32_ge_s(a, b: i32) -> bool = a >= b;
    i32_ge_u(a, b: i32) -> bool = a.cast_unsigned() >= b.cast_unsigned();

    i32_clz(a: i32) -> i32 = a.leading_zeros().cast_signed();
    i32_ctz(a: i32) -> i32 = a.trailing_zeros().cast_signed();
    i32_popcnt(a: i32) -> i32 = a.count_ones().cast_signed();
    i32_add(a, b: i32) -> i32 = a.wrapping_add(b);
    i32_sub(a, b: i32) -> i32 = a.wrapping_sub(b);
    i32_mul(a, b: i32) -> i32 = a.wrapping_mul(b);
    i32_and(a, b: i32) -> i32 = a & b;
    i32_or(a, b: i32) -> i32 = a | b;
    i32_xor(a, b: i32) -> i32 = a ^ b;

    // Shifts and rotations take the distance modulo the width, as the specification does.
    i32_shl(a, b: i32) -> i32 = a.wrapping_shl(b.cast_unsigned());
    i32_shr_s(a, b: i32) -> i32 = a.wrapping_shr(b.cast_unsigned());
    i32_shr_u(a, b: i32) -> i32 = a.cast_unsigned().wrapping_shr(b.cast_unsigned()).cast_signed();
    i32_rotl(a, b: i32) -> i32 = a.rotate_left(b.cast_unsigned() % 32);
    i32_rotr(a, b: i32) -> i32 = a.rotate_right(b.cast_unsigned() % 32);

    i32_extend8_s(a: i32) -> i32 = i32::from(a as i8);
    i32_extend16_s(a: i32) -> i32 = i32::from(a as i16);
}

scalar! {
    i64_eqz(a: i64) -> bool = a == 0;
    i64_eq(a, b: i64) -> bool = a == b;
    i64_ne(a, b: i64) -> bool = a != b;
    i64_lt_s(a, b: i64) -> bool = a < b;
    i64_lt_u(a, b: i64) -> bool = a.cast_unsigned() < b.cast_unsigned();
    i64_gt_s(a, b: i64) -> bool = a > b;
    i64_gt_u(a, b: i64) -> bool = a.cast_unsigned() > b.cast_unsigned();
    i64_le_s(a, b: i64) -> bool = a <= b;
    i64_le_u(a, b: i64) -> bool = a.cast_unsigned() <= b.cast_unsigned();
    i64_ge_s(a, b: i64) -> bool = a >= b;
    i64_ge_u(a, b: i64) -> bool = a.cast_unsigned() >= b.cast_unsigned();

    i64_clz(a: i64) -> i64 = i64::from(a.leading_zeros());
    i64_ctz(a: i64) -> i64 = i64::from(a.trailing_zeros());
    i64_popcnt(a: i64) -> i64 = i64::from(a.count_ones());
    i64_add(a, b: i64) -> i64 = a.wrapping_add(b);
    i64_sub(a, b: i64) -> i64 = a.wrapping_sub(b);
    i64_mul(a, b: i64) -> i64 = a.wrapping_mul(b);
    i64_and(a, b: i64) -> i64 = a & b;
    i64_or(a, b: i64) -> i64 = a | b;
    i64_xor(a, b: i64) -> i64 = a ^ b;

    i64_shl(a, b: i64) -> i64 = a.wrapping_shl(b as u32);
    i64_shr_s(a, b: i64) -> i64 = a.wrapping_shr(b as u32);
    i64_shr_u(a, b: i64) -> i64 = a.cast_unsigned().wrapping_shr(b as u32).cast_signed();
    i64_rotl(a, b: i64) -> i64 = a.rotate_left(b as u32 % 64);
    i64_rotr(a, b: i64) -> i64 = a.rotate_right(b as u32 % 64);

    i64_extend8_s(a: i64) -> i64 = i64::from(a as i8);
    i64_extend16_s(a: i64) -> i64 = i64::from(a as i16);
    i64_extend32_s(a: i64) -> i64 = i64::from(a as i32);
}

macro_rules! division {
    ($int:ident: $div_s:ident $div_u:ident $rem_s:ident $rem_u:ident) => {
        /// # Errors
        /// [`TrapCode::IntegerDivideByZero`]; [`TrapCode::IntegerOverflow`] for the least integer by -1.
        #[inline]
        pub fn $div_s(a: $int, b: $int) -> Result<$int, TrapCode> {
            if b == 0 {
                return Err(TrapCode::IntegerDivideByZero);
            }
            a.checked_div(b).ok_or(TrapCode::IntegerOverflow)
        }

        /// # Errors
        /// [`TrapCode::IntegerDivideByZero`].
        #[inline]
        pub fn $div_u(a: $int, b: $int) -> Result<$int, TrapCode> {
            let quotient = a.cast_unsigned().checked_div(b.cast_unsigned());
            quotient.map(|quotient| quotient.cast_signed()).ok_or(TrapCode::IntegerDivideByZero)
        }

        /// The least integer by -1 leaves 0.
        ///
        /// # Errors
        /// [`TrapCode::IntegerDivideByZero`].
        #[inline]
        pub fn $rem_s(a: $int, b: $int) -> Result<$int, TrapCode> {
            if b == 0 { Err(TrapCode::IntegerDivideByZero) } else { Ok(a.wrapping_rem(b)) }
        }

        /// # Errors
        /// [`TrapCode::IntegerDivideByZero`].
        #[inline]
        pub fn $rem_u(a: $int, b: $int) -> Result<$int, TrapCode> {
            let remainder = a.cast_unsigned().checked_rem(b.cast_unsigned());
            remainder.map(|remainder| remainder.cast_signed()).ok_or(TrapCode::IntegerDivideByZero)
        }
    };
}
division! { i32: i32_div_s i32_div_u i32_rem_s i32_rem_u }
division! { i64: i64_div_s i64_div_u i64_rem_s i64_rem_u }

/// Returns the low and the high word of a sum; operands are low, high, low, high.
#[inline]
#[must_use]
pub fn i64_add128(a_low: i64, a_high: i64, b_low: i64, b_high: i64) -> (i64, i64) {
    words(wide(a_low, a_high).wrapping_add(wide(b_low, b_high)))
}

/// Returns the low and the high word of a difference; operands are low, high, low, high.
#[inline]
#[must_use]
pub fn i64_sub128(a_low: i64, a_high: i64, b_low: i64, b_high: i64) -> (i64, i64) {
    words(wide(a_low, a_high).wrapping_sub(wide(b_low, b_high)))
}

/// Returns the low and the high word of a product of signed words.
#[inline]
#[must_use]
pub fn i64_mul_wide_s(a: i64, b: i64) -> (i64, i64) {
    words((i128::from(a) * i128::from(b)).cast_unsigned())
}

/// Returns the low and the high word of a product of unsigned words.
#[inline]
#[must_use]
pub fn i64_mul_wide_u(a: i64, b: i64) -> (i64, i64) {
    words(u128::from(a.cast_unsigned()) * u128::from(b.cast_unsigned()))
}

#[inline]
fn wide(low: i64, high: i64) -> u128 {
    u128::from(high.cast_unsigned()) << 64 | u128::from(low.cast_unsigned())
}

#[inline]
fn words(wide: u128) -> (i64, i64) {
    (wide as i64, (wide >> 64) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_traps_on_zero_and_on_the_quotient_that_does_not_fit() {
        let by_zero = Err(TrapCode::IntegerDivideByZero);
        for a in [0, 1, -1, i32::MIN, i32::MAX] {
            assert_eq!(i32_div_s(a, 0), by_zero);
            assert_eq!(i32_div_u(a, 0), by_zero);
            assert_eq!(i32_rem_s(a, 0), by_zero);
            assert_eq!(i32_rem_u(a, 0), by_zero);
        }
        for a in [0, 1, -1, i64::MIN, i64::MAX] {
            assert_eq!(i64_div_s(a, 0), Err(TrapCode::IntegerDivideByZero));
            assert_eq!(i64_rem_u(a, 0), Err(TrapCode::IntegerDivideByZero));
        }
        assert_eq!(i32_div_s(i32::MIN, -1), Err(TrapCode::IntegerOverflow));
        assert_eq!(i64_div_s(i64::MIN, -1), Err(TrapCode::IntegerOverflow));
        assert_eq!(i32_rem_s(i32::MIN, -1), Ok(0));
        assert_eq!(i64_rem_s(i64::MIN, -1), Ok(0));
        assert_eq!(i32_div_u(i32::MIN, -1), Ok(0));
        assert_eq!(i32_rem_u(i32::MIN, -1), Ok(i32::MIN));
    }

    #[test]
    fn division_truncates_towards_zero_and_the_remainder_has_the_dividends_sign() {
        for (a, b, quotient, remainder) in [(7, 2, 3, 1), (-7, 2, -3, -1), (7, -2, -3, 1), (-7, -2, 3, -1)] {
            assert_eq!(i32_div_s(a, b), Ok(quotient), "{a} / {b}");
            assert_eq!(i32_rem_s(a, b), Ok(remainder), "{a} % {b}");
            assert_eq!(i64_div_s(a.into(), b.into()), Ok(quotient.into()));
            assert_eq!(i64_rem_s(a.into(), b.into()), Ok(remainder.into()));
        }
        // -7 is 2^32 - 7 without its sign.
        assert_eq!((i32_div_u(-7, 2), i32_rem_u(-7, 2)), (Ok(0x7fff_fffc), Ok(1)));
        assert_eq!((i64_div_u(-7, 2), i64_rem_u(-7, 2)), (Ok(0x7fff_ffff_ffff_fffc), Ok(1)));
    }

    #[test]
    fn distances_of_shifts_are_taken_modulo_the_width() {
        for (distance, same) in [(32, 0), (33, 1), (-1, 31), (i32::MIN, 0)] {
            for a in [1, -2, 0x1234_5678] {
                assert_eq!(i32_shl(a, distance), i32_shl(a, same));
                assert_eq!(i32_shr_s(a, distance), i32_shr_s(a, same));
                assert_eq!(i32_shr_u(a, distance), i32_shr_u(a, same));
                assert_eq!(i32_rotl(a, distance), i32_rotl(a, same));
                assert_eq!(i32_rotr(a, distance), i32_rotr(a, same));
            }
        }
        assert_eq!(i32_shl(1, 31), i32::MIN);
        assert_eq!(i32_shr_s(i32::MIN, 31), -1);
        assert_eq!(i32_shr_u(i32::MIN, 31), 1);
        assert_eq!(i32_rotl(0x1234_5678, 8), 0x3456_7812);
        assert_eq!(i32_rotr(0x1234_5678, 8), 0x7812_3456);
        assert_eq!((i64_shl(1, 64), i64_shl(1, 65), i64_shl(1, -1)), (1, 2, i64::MIN));
        assert_eq!((i64_shr_s(i64::MIN, 127), i64_shr_u(i64::MIN, 127)), (-1, 1));
        // Only the low six bits of a distance count, not the low 32 of another value.
        assert_eq!((i64_shl(1, 1 << 32), i64_rotl(2, i64::MAX), i64_rotr(1, 1)), (1, 1, i64::MIN));
    }

    #[test]
    fn bits_are_counted_in_zero_too() {
        assert_eq!((i32_clz(0), i32_ctz(0), i32_popcnt(0)), (32, 32, 0));
        assert_eq!((i32_clz(1), i32_ctz(i32::MIN), i32_popcnt(-1)), (31, 31, 32));
        assert_eq!((i64_clz(0), i64_ctz(0), i64_popcnt(0)), (64, 64, 0));
        assert_eq!((i64_clz(1), i64_ctz(i64::MIN), i64_popcnt(-1)), (63, 63, 64));
    }

    #[test]
    fn the_sign_of_a_comparison_is_its_own() {
        assert!(
            i32_lt_s(-1, 0) && !i32_lt_u(-1, 0) && i32_gt_u(-1, 0) && i32_ge_u(-1, -1) && i32_le_u(0, -1)
        );
        assert!(
            i64_lt_s(-1, 0) && !i64_lt_u(-1, 0) && i64_gt_u(-1, 0) && i64_ge_u(-1, -1) && i64_le_u(0, -1)
        );
        assert!(i32_eqz(0) && !i32_eqz(i32::MIN) && i64_eqz(0) && !i64_eqz(1 << 32));
    }

    #[test]
    fn extension_reads_the_low_bits_alone() {
        assert_eq!((i32_extend8_s(0x0123_4580), i32_extend16_s(0x0123_7fff)), (-128, 0x7fff));
        assert_eq!(
            (i64_extend8_s(0x17f), i64_extend16_s(0x18000), i64_extend32_s(1 << 31)),
            (127, -32768, -1 << 31)
        );
    }

    #[test]
    fn wide_operations_carry_between_the_words() {
        assert_eq!(i64_add128(-1, 0, 1, 0), (0, 1));
        assert_eq!(i64_add128(-1, -1, 1, 0), (0, 0));
        assert_eq!(i64_sub128(0, 0, 1, 0), (-1, -1));
        assert_eq!(i64_sub128(0, 1, 1, 1), (-1, -1));
        assert_eq!(i64_mul_wide_s(-1, -1), (1, 0));
        assert_eq!(i64_mul_wide_s(i64::MIN, i64::MIN), (0, 1 << 62));
        assert_eq!(i64_mul_wide_u(-1, -1), (1, -2));
        assert_eq!(i64_mul_wide_u(i64::MIN, 2), (0, 1));
    }
}

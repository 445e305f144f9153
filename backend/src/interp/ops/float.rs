//! Float arithmetic of the semantics with a branch for NaNs where the semantics have a selection: the selection would
//! lie on the way from one operation to the next, six cycles of it; the branch is never taken in code that computes.

/// Declares operations: the canonical NaN for any NaN.
macro_rules! branching {
    ($($name:ident($($arg:ident),+: $float:ident) = $value:expr, or $nan:ident;)*) => {$(
        #[inline(always)]
        pub(crate) fn $name($($arg: $float),+) -> $float {
            let value = $value;
            if value.is_nan() { $nan() } else { value }
        }
    )*};
}

branching! {
    f32_add(a, b: f32) = a + b, or nan_f32;
    f32_sub(a, b: f32) = a - b, or nan_f32;
    f32_mul(a, b: f32) = a * b, or nan_f32;
    f32_div(a, b: f32) = a / b, or nan_f32;
    f32_sqrt(a: f32) = a.sqrt(), or nan_f32;
    f64_add(a, b: f64) = a + b, or nan_f64;
    f64_sub(a, b: f64) = a - b, or nan_f64;
    f64_mul(a, b: f64) = a * b, or nan_f64;
    f64_div(a, b: f64) = a / b, or nan_f64;
    f64_sqrt(a: f64) = a.sqrt(), or nan_f64;
}

/// Not inlined, so that the branch stays one.
#[cold]
#[inline(never)]
fn nan_f32() -> f32 {
    f32::from_bits(crate::semantics::CANONICAL_NAN_F32)
}

#[cold]
#[inline(never)]
fn nan_f64() -> f64 {
    f64::from_bits(crate::semantics::CANONICAL_NAN_F64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics;

    /// Numbers and NaNs of every kind.
    const BITS: [u64; 14] = [
        0,
        1 << 63,
        1,
        0x3ff0_0000_0000_0000,
        0xc008_0000_0000_0000,
        0x7fef_ffff_ffff_ffff,
        0xffef_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0xfff0_0000_0000_0000,
        0x7ff0_0000_0000_0001,
        0xfff0_0000_0000_0001,
        0x7ff8_0000_0000_0000,
        0xfff8_0000_0000_0000,
        0x7fff_ffff_ffff_ffff,
    ];

    #[test]
    fn they_are_those_of_the_semantics() {
        let doubles = BITS.map(f64::from_bits);
        let singles = BITS.map(|bits| f32::from_bits((bits >> 32) as u32 | bits as u32));
        for (a, x) in doubles.into_iter().zip(singles) {
            assert_eq!(f64_sqrt(a).to_bits(), semantics::f64_sqrt(a).to_bits());
            assert_eq!(f32_sqrt(x).to_bits(), semantics::f32_sqrt(x).to_bits());
            for (b, y) in doubles.into_iter().zip(singles) {
                let both = [
                    (f64_add(a, b), semantics::f64_add(a, b)),
                    (f64_sub(a, b), semantics::f64_sub(a, b)),
                    (f64_mul(a, b), semantics::f64_mul(a, b)),
                    (f64_div(a, b), semantics::f64_div(a, b)),
                ];
                assert!(both.iter().all(|(own, same)| own.to_bits() == same.to_bits()), "{a} {b}");
                let both = [
                    (f32_add(x, y), semantics::f32_add(x, y)),
                    (f32_sub(x, y), semantics::f32_sub(x, y)),
                    (f32_mul(x, y), semantics::f32_mul(x, y)),
                    (f32_div(x, y), semantics::f32_div(x, y)),
                ];
                assert!(both.iter().all(|(own, same)| own.to_bits() == same.to_bits()), "{x} {y}");
            }
        }
    }
}

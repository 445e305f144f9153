//! Vectors as arrays of lanes, and the rows that declare an operation lane by lane.
//!
//! Lane 0 is in the lowest bytes (core 3.0, "Vectors"). Arrays of constant length unroll into vector instructions.

use super::V128;

pub(super) type I8x16 = [i8; 16];
pub(super) type U8x16 = [u8; 16];
pub(super) type I16x8 = [i16; 8];
pub(super) type U16x8 = [u16; 8];
pub(super) type I32x4 = [i32; 4];
pub(super) type U32x4 = [u32; 4];
pub(super) type I64x2 = [i64; 2];
pub(super) type U64x2 = [u64; 2];
pub(super) type F32x4 = [f32; 4];
pub(super) type F64x2 = [f64; 2];

/// The lanes of a vector in one of its shapes.
pub(super) trait Shape: Sized {
    const COUNT: usize;

    fn split(v: V128) -> Self;

    fn join(self) -> V128;
}

macro_rules! shapes {
    ($($lane:ident x $count:literal)*) => {$(
        impl Shape for [$lane; $count] {
            const COUNT: usize = $count;

            #[inline]
            fn split(v: V128) -> Self {
                let (bytes, _) = v.0.as_chunks();
                std::array::from_fn(|i| $lane::from_le_bytes(bytes[i]))
            }

            #[inline]
            fn join(self) -> V128 {
                let mut v = [0; 16];
                let (bytes, _) = v.as_chunks_mut();
                for (bytes, lane) in bytes.iter_mut().zip(self) {
                    *bytes = lane.to_le_bytes();
                }
                V128(v)
            }
        }
    )*};
}
shapes! { i8 x 16 u8 x 16 i16 x 8 u16 x 8 i32 x 4 u32 x 4 i64 x 2 u64 x 2 f32 x 4 f64 x 2 }

/// Declares functions that compute each lane from the same lane of each operand.
macro_rules! lanewise {
    ($($name:ident($($arg:ident),+: $shape:ident) = $lane:expr;)*) => {$(
        #[inline]
        #[must_use]
        pub fn $name($($arg: V128),+) -> V128 {
            $(let $arg = $shape::split($arg);)+
            let lanes: [_; $shape::COUNT] = std::array::from_fn(|i| {
                $(let $arg = $arg[i];)+
                $lane
            });
            lanes.join()
        }
    )*};
}
pub(super) use lanewise;

/// Declares functions that compute each lane from one half of the lanes, the half that begins at the lane named.
macro_rules! widening {
    ($($name:ident($($arg:ident),+: $shape:ident from $first:literal) -> $out:ident = $lane:expr;)*) => {$(
        #[inline]
        #[must_use]
        pub fn $name($($arg: V128),+) -> V128 {
            $(let $arg = $shape::split($arg);)+
            let lanes: $out = std::array::from_fn(|i| {
                $(let $arg = $arg[$first + i];)+
                $lane
            });
            lanes.join()
        }
    )*};
}
pub(super) use widening;

/// Declares functions that compute each lane from two neighbouring lanes of each operand.
macro_rules! pairwise {
    ($($name:ident($($arg:ident),+: $shape:ident) -> $out:ident = |$($pair:pat_param),+| $lane:expr;)*) => {$(
        #[inline]
        #[must_use]
        pub fn $name($($arg: V128),+) -> V128 {
            $(let $arg = $shape::split($arg);)+
            let lanes: $out = std::array::from_fn(|i| {
                $(let $pair = [$arg[2 * i], $arg[2 * i + 1]];)+
                $lane
            });
            lanes.join()
        }
    )*};
}
pub(super) use pairwise;

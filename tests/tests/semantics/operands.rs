//! The operands that operations are tried with: special values, pairs of them, and random ones.

use fastrand::Rng;
use wasmos_frontend::opcode::Operand;

use crate::functions::Value;

/// Integers at the borders of every width, and patterns of bits; each is also taken with its sign turned.
const INTEGERS: [i64; 23] = [
    0,
    1,
    2,
    3,
    7,
    8,
    31,
    32,
    33,
    63,
    64,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x5555_5555_5555_5555,
    0x0123_4567_89ab_cdef,
];

/// Floats at the borders of rounding, of the integers and of the format; each is also taken with its sign turned.
const FLOATS: [f64; 25] = [
    0.0,
    5e-324,
    2.2250738585072014e-308,
    1.401298464324817e-45,
    1.1754943508222875e-38,
    0.49999999999999994,
    0.5,
    0.9999999999999999,
    1.0,
    1.0000000000000002,
    1.5,
    2.5,
    127.5,
    8388607.5,
    16777217.0,
    2147483647.0,
    2147483648.0,
    2147483648.9999995,
    4294967295.5,
    4294967296.0,
    4503599627370495.5,
    9223372036854775808.0,
    18446744073709551616.0,
    3.4028235677973366e38,
    f64::MAX,
];

/// Infinities and NaNs: canonical, with a payload, signalling; each is also taken with its sign turned.
const NOT_FINITE_F32: [u32; 5] = [0x7f80_0000, 0x7fc0_0000, 0x7fc0_0001, 0x7f80_0001, 0x7fff_ffff];
const NOT_FINITE_F64: [u64; 5] =
    [0x7ff0 << 48, 0x7ff8 << 48, 0x7ff8 << 48 | 1, 0x7ff0 << 48 | 1, 0x7fff_ffff_ffff_ffff];

fn sort<T: Ord>(values: &mut Vec<T>) {
    values.sort_unstable();
    values.dedup();
}

/// Returns all pairs of values, each value repeated through a vector.
fn pairs<const N: usize>(mut values: Vec<[u8; N]>) -> Vec<[[u8; 16]; 2]> {
    sort(&mut values);
    let splat = |value: [u8; N]| std::array::from_fn(|i| value[i % N]);
    values.iter().flat_map(|a| values.iter().map(move |b| [splat(*a), splat(*b)])).collect()
}

/// The operands that are tried, by type.
pub(crate) struct Specials {
    i32: Vec<i32>,
    i64: Vec<i64>,
    f32: Vec<u32>,
    f64: Vec<u64>,
    /// Two vectors whose lanes are all the same pair of special values, for each pair in each shape.
    v128: Vec<[[u8; 16]; 2]>,
}

impl Specials {
    pub(crate) fn new() -> Self {
        let i64: Vec<_> = INTEGERS.iter().flat_map(|x| [*x, x.wrapping_neg(), !x]).collect();
        let f32 = FLOATS.iter().map(|x| (*x as f32).to_bits()).chain(NOT_FINITE_F32);
        let f64 = FLOATS.iter().map(|x| x.to_bits()).chain(NOT_FINITE_F64);
        let mut specials = Self {
            i32: i64.iter().map(|x| *x as i32).collect(),
            i64,
            f32: f32.flat_map(|bits| [bits, bits ^ 1 << 31]).collect(),
            f64: f64.flat_map(|bits| [bits, bits ^ 1 << 63]).collect(),
            v128: vec![],
        };
        sort(&mut specials.i32);
        sort(&mut specials.i64);
        sort(&mut specials.f32);
        sort(&mut specials.f64);
        let lanes =
            |to_lane: fn(i32) -> [u8; 2]| specials.i32.iter().map(|x| to_lane(*x)).collect::<Vec<_>>();
        specials.v128 = [
            pairs(lanes(|x| [x as u8; 2])),
            pairs(lanes(|x| (x as i16).to_le_bytes())),
            pairs(specials.i32.iter().map(|x| x.to_le_bytes()).collect()),
            pairs(specials.i64.iter().map(|x| x.to_le_bytes()).collect()),
            pairs(specials.f32.iter().map(|x| x.to_le_bytes()).collect()),
            pairs(specials.f64.iter().map(|x| x.to_le_bytes()).collect()),
        ]
        .concat();
        specials
    }

    /// Returns all special values of a scalar.
    fn all(&self, operand: Operand) -> Vec<Value> {
        match operand {
            Operand::I32 => self.i32.iter().copied().map(Value::I32).collect(),
            Operand::I64 => self.i64.iter().copied().map(Value::I64).collect(),
            Operand::F32 => self.f32.iter().copied().map(Value::F32).collect(),
            Operand::F64 => self.f64.iter().copied().map(Value::F64).collect(),
            Operand::V128 | Operand::Addr => vec![],
        }
    }

    /// Returns a special value or a random one.
    fn any(&self, operand: Operand, rng: &mut Rng) -> Value {
        match operand {
            Operand::I32 => Value::I32(self.any_i32(rng)),
            Operand::I64 => Value::I64(self.any_i64(rng)),
            Operand::F32 => Value::F32(self.any_f32(rng)),
            Operand::F64 => Value::F64(self.any_f64(rng)),
            Operand::V128 => Value::V128(self.any_v128(rng)),
            Operand::Addr => panic!("no numeric operation takes an address"),
        }
    }

    fn any_i32(&self, rng: &mut Rng) -> i32 {
        if rng.bool() { self.i32[rng.usize(..self.i32.len())] } else { rng.i32(..) }
    }

    fn any_i64(&self, rng: &mut Rng) -> i64 {
        if rng.bool() { self.i64[rng.usize(..self.i64.len())] } else { rng.i64(..) }
    }

    /// Random bits are seldom near each other: half of the random floats are of like magnitude, so that sums round.
    fn any_f32(&self, rng: &mut Rng) -> u32 {
        match rng.u8(..4) {
            0 | 1 => self.f32[rng.usize(..self.f32.len())],
            2 => rng.u32(..),
            _ => ((rng.f32() - 0.5) * 16.0).to_bits(),
        }
    }

    fn any_f64(&self, rng: &mut Rng) -> u64 {
        match rng.u8(..4) {
            0 | 1 => self.f64[rng.usize(..self.f64.len())],
            2 => rng.u64(..),
            _ => ((rng.f64() - 0.5) * 16.0).to_bits(),
        }
    }

    fn any_v128(&self, rng: &mut Rng) -> [u8; 16] {
        let mut bytes = [0; 16];
        match rng.u8(..6) {
            0 => bytes.fill_with(|| self.any_i32(rng) as u8),
            1 => bytes.as_chunks_mut().0.fill_with(|| (self.any_i32(rng) as i16).to_le_bytes()),
            2 => bytes.as_chunks_mut().0.fill_with(|| self.any_i32(rng).to_le_bytes()),
            3 => bytes.as_chunks_mut().0.fill_with(|| self.any_i64(rng).to_le_bytes()),
            4 => bytes.as_chunks_mut().0.fill_with(|| self.any_f32(rng).to_le_bytes()),
            _ => bytes.as_chunks_mut().0.fill_with(|| self.any_f64(rng).to_le_bytes()),
        }
        bytes
    }

    /// Returns the operands that an operation is tried with: all specials of one scalar or pairs of them, and
    /// `n_random` more.
    pub(crate) fn operands(&self, params: &[Operand], n_random: usize, rng: &mut Rng) -> Vec<Vec<Value>> {
        let mut tried: Vec<Vec<Value>> = match *params {
            [Operand::V128, Operand::V128] => {
                self.v128.iter().map(|pair| pair.map(Value::V128).to_vec()).collect()
            }
            [a] => self.all(a).into_iter().map(|a| vec![a]).collect(),
            [a, b] => {
                let seconds = self.all(b);
                self.all(a).into_iter().flat_map(|a| seconds.iter().map(move |b| vec![a, *b])).collect()
            }
            _ => vec![],
        };
        tried.extend((0..n_random).map(|_| params.iter().map(|param| self.any(*param, rng)).collect()));
        tried
    }
}

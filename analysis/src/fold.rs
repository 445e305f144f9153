//! What integer operations do to constants, and how large their results can be.
//!
//! Light on purpose: whatever is not here is unknown, which is always sound. A constant of 32 bits is kept zero-extended.
//! Source: core 3.0, "Integer Operations".

use wasmos_frontend::opcode::{Effect, Op, Operand};

/// Returns the value of a unary operation on a constant.
#[must_use]
pub(crate) fn unary(op: Op, a: u64) -> Option<u64> {
    let low = a as u32;
    Some(match op {
        Op::I32Eqz => u64::from(low == 0),
        Op::I64Eqz => u64::from(a == 0),
        Op::I32WrapI64 | Op::I64ExtendI32U => u64::from(low),
        Op::I64ExtendI32S => i64::from(low as i32) as u64,
        Op::I32Clz => u64::from(low.leading_zeros()),
        Op::I32Ctz => u64::from(low.trailing_zeros()),
        Op::I32Popcnt => u64::from(low.count_ones()),
        _ => return None,
    })
}

/// Returns the value of a binary operation on constants; `None` where it traps or is not known here.
#[must_use]
pub(crate) fn binary(op: Op, a: u64, b: u64) -> Option<u64> {
    binary_i32(op, a as u32, b as u32).map(u64::from).or_else(|| binary_i64(op, a, b))
}

fn binary_i32(op: Op, a: u32, b: u32) -> Option<u32> {
    let (x, y) = (a as i32, b as i32);
    Some(match op {
        Op::I32Add => a.wrapping_add(b),
        Op::I32Sub => a.wrapping_sub(b),
        Op::I32Mul => a.wrapping_mul(b),
        Op::I32And => a & b,
        Op::I32Or => a | b,
        Op::I32Xor => a ^ b,
        Op::I32Shl => a.wrapping_shl(b),
        Op::I32ShrU => a.wrapping_shr(b),
        Op::I32ShrS => x.wrapping_shr(b) as u32,
        Op::I32Rotl => a.rotate_left(b % 32),
        Op::I32Rotr => a.rotate_right(b % 32),
        Op::I32DivU => a.checked_div(b)?,
        Op::I32RemU => a.checked_rem(b)?,
        Op::I32DivS => x.checked_div(y)? as u32,
        Op::I32RemS => {
            if y == 0 {
                return None;
            }
            x.wrapping_rem(y) as u32
        }
        Op::I32Eq => u32::from(a == b),
        Op::I32Ne => u32::from(a != b),
        Op::I32LtU => u32::from(a < b),
        Op::I32GtU => u32::from(a > b),
        Op::I32LeU => u32::from(a <= b),
        Op::I32GeU => u32::from(a >= b),
        Op::I32LtS => u32::from(x < y),
        Op::I32GtS => u32::from(x > y),
        Op::I32LeS => u32::from(x <= y),
        Op::I32GeS => u32::from(x >= y),
        _ => return None,
    })
}

fn binary_i64(op: Op, a: u64, b: u64) -> Option<u64> {
    let (x, y) = (a as i64, b as i64);
    let shift = b as u32;
    Some(match op {
        Op::I64Add => a.wrapping_add(b),
        Op::I64Sub => a.wrapping_sub(b),
        Op::I64Mul => a.wrapping_mul(b),
        Op::I64And => a & b,
        Op::I64Or => a | b,
        Op::I64Xor => a ^ b,
        Op::I64Shl => a.wrapping_shl(shift),
        Op::I64ShrU => a.wrapping_shr(shift),
        Op::I64ShrS => x.wrapping_shr(shift) as u64,
        Op::I64Rotl => a.rotate_left(shift % 64),
        Op::I64Rotr => a.rotate_right(shift % 64),
        Op::I64DivU => a.checked_div(b)?,
        Op::I64RemU => a.checked_rem(b)?,
        Op::I64Eq => u64::from(a == b),
        Op::I64Ne => u64::from(a != b),
        Op::I64LtU => u64::from(a < b),
        Op::I64GtU => u64::from(a > b),
        Op::I64LeU => u64::from(a <= b),
        Op::I64GeU => u64::from(a >= b),
        Op::I64LtS => u64::from(x < y),
        Op::I64GtS => u64::from(x > y),
        Op::I64LeS => u64::from(x <= y),
        Op::I64GeS => u64::from(x >= y),
        _ => return None,
    })
}

/// What a binary operation comes to whatever an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The first operand.
    First,
    /// A constant.
    Constant(u64),
}

/// Returns what a binary operation comes to if its second operand is a constant, or both are the same value. Obfuscators
/// hide what they mean behind such operations.
#[must_use]
pub(crate) fn identity(op: Op, second: Option<u64>, same: bool) -> Option<Identity> {
    if same {
        return identity_of_same(op);
    }
    let second = second?;
    let (width, ones) = if is_i64(op) { (64, u64::MAX) } else { (32, u64::from(u32::MAX)) };
    let is = |constant: u64| (second == constant).then_some(Identity::First);
    match op {
        Op::I32Add | Op::I32Sub | Op::I32Xor | Op::I64Add | Op::I64Sub | Op::I64Xor => is(0),
        Op::I32Shl | Op::I32ShrS | Op::I32ShrU | Op::I32Rotl | Op::I32Rotr => is(second / width * width),
        Op::I64Shl | Op::I64ShrS | Op::I64ShrU | Op::I64Rotl | Op::I64Rotr => is(second / width * width),
        Op::I32DivU | Op::I32DivS | Op::I64DivU | Op::I64DivS => is(1),
        Op::I32Or | Op::I64Or if second == ones => Some(Identity::Constant(ones)),
        Op::I32Or | Op::I64Or => is(0),
        Op::I32And | Op::I64And | Op::I32Mul | Op::I64Mul if second == 0 => Some(Identity::Constant(0)),
        Op::I32And | Op::I64And => is(ones),
        Op::I32Mul | Op::I64Mul => is(1),
        _ => None,
    }
}

fn identity_of_same(op: Op) -> Option<Identity> {
    Some(match op {
        Op::I32And | Op::I32Or | Op::I64And | Op::I64Or => Identity::First,
        Op::I32Sub | Op::I32Xor | Op::I64Sub | Op::I64Xor => Identity::Constant(0),
        Op::I32Eq | Op::I32LeU | Op::I32LeS | Op::I32GeU | Op::I32GeS => Identity::Constant(1),
        Op::I64Eq | Op::I64LeU | Op::I64LeS | Op::I64GeU | Op::I64GeS => Identity::Constant(1),
        Op::I32Ne | Op::I32LtU | Op::I32LtS | Op::I32GtU | Op::I32GtS => Identity::Constant(0),
        Op::I64Ne | Op::I64LtU | Op::I64LtS | Op::I64GtU | Op::I64GtS => Identity::Constant(0),
        _ => return None,
    })
}

/// Returns whether the operands of a binary operation can change places.
#[must_use]
pub(crate) const fn commutes(op: Op) -> bool {
    matches!(
        op,
        Op::I32Add
            | Op::I32Mul
            | Op::I32And
            | Op::I32Or
            | Op::I32Xor
            | Op::I32Eq
            | Op::I32Ne
            | Op::I64Add
            | Op::I64Mul
            | Op::I64And
            | Op::I64Or
            | Op::I64Xor
            | Op::I64Eq
            | Op::I64Ne
    )
}

/// Returns the largest unsigned result of a binary operation whose operands are at most `a` and `b`; `constant` is the
/// second operand if it is one.
#[must_use]
pub(crate) fn binary_max(op: Op, a: u64, b: u64, constant: Option<u64>) -> u64 {
    let top = if is_i64(op) { u64::MAX } else { u64::from(u32::MAX) };
    let sum = a.checked_add(b).filter(|sum| *sum <= top);
    match op {
        Op::I32And | Op::I64And => a.min(b),
        Op::I32Or | Op::I64Or | Op::I32Xor | Op::I64Xor => below_power(a | b).min(top),
        Op::I32Add | Op::I64Add => sum.unwrap_or(top),
        Op::I32Mul | Op::I64Mul => a.checked_mul(b).filter(|product| *product <= top).unwrap_or(top),
        Op::I32RemU | Op::I64RemU => match constant {
            Some(0) | None => a,
            Some(divisor) => a.min(divisor - 1),
        },
        Op::I32DivU | Op::I64DivU => constant.and_then(|divisor| a.checked_div(divisor)).unwrap_or(a),
        Op::I32ShrU => constant.map_or(a, |shift| a >> (shift % 32)),
        Op::I64ShrU => constant.map_or(a, |shift| a >> (shift % 64)),
        _ if is_compare(op) => 1,
        _ => top,
    }
}

/// The largest number with as many bits.
fn below_power(a: u64) -> u64 {
    u64::MAX.checked_shr(a.leading_zeros()).unwrap_or(0)
}

/// Returns whether an operation on integers takes operands of 64 bits.
#[inline]
fn is_i64(op: Op) -> bool {
    matches!(op.info().effect, Effect::Fixed { params: [Operand::I64, ..], .. })
}

/// Returns whether an operation compares integers.
#[must_use]
pub(crate) fn is_compare(op: Op) -> bool {
    op.info().class == wasmos_frontend::opcode::Class::Compare
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: [u64; 12] = [0, 1, 2, 3, 7, 8, 31, 32, 255, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

    #[test]
    fn identities_hold_for_every_operand() {
        let ops = wasmos_frontend::opcode::TABLE.iter().map(|info| info.op);
        let mut n_identities = 0;
        for op in ops.filter(|op| binary(*op, 7, 5).is_some()) {
            let wide = is_i64(op).then_some(u64::MAX);
            for second in SAMPLES.into_iter().chain([64]).chain(wide) {
                for (first, same) in SAMPLES.into_iter().map(|first| (first, false)).chain([(second, true)]) {
                    let Some(identity) = identity(op, Some(second), same) else { continue };
                    let expected = match identity {
                        Identity::First => first,
                        Identity::Constant(constant) => constant,
                    };
                    assert_eq!(binary(op, first, second), Some(expected), "{op:?} {first} {second}");
                    n_identities += 1;
                }
                if commutes(op) {
                    assert_eq!(binary(op, 5, second), binary(op, second, 5), "{op:?} {second}");
                }
            }
        }
        assert!(n_identities > 500, "{n_identities}");
    }

    #[test]
    fn bounds_hold_for_what_they_bound() {
        let samples = [0, 1, 2, 3, 7, 8, 31, 32, 255, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
        let ops = [
            Op::I32Add,
            Op::I32Mul,
            Op::I32And,
            Op::I32Or,
            Op::I32Xor,
            Op::I32RemU,
            Op::I32DivU,
            Op::I32ShrU,
            Op::I32LtU,
            Op::I32Shl,
            Op::I32Sub,
        ];
        for op in ops {
            for (max_a, max_b) in samples.iter().flat_map(|a| samples.map(|b| (*a, b))) {
                let constant = binary_max(op, max_a, max_b, Some(max_b));
                let bound = binary_max(op, max_a, max_b, None);
                for a in samples.iter().filter(|a| **a <= max_a) {
                    assert!(
                        binary(op, *a, max_b).is_none_or(|value| value <= constant),
                        "{op:?} {a} {max_b}"
                    );
                    for b in samples.iter().filter(|b| **b <= max_b) {
                        assert!(
                            binary(op, *a, *b).is_none_or(|value| value <= bound),
                            "{op:?} {a} {b} {bound}"
                        );
                    }
                }
            }
        }
    }
}

//! Values as text and as JSON: what a person types for a parameter, and what is printed for a result.

use serde::Serialize;
use wasmos_runtime::{Val, ValType};

/// A value as JSON has it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Value {
    Int(i64),
    F32(f32),
    F64(f64),
    /// What JSON has no number for.
    Text(String),
    Null,
}

impl From<&Val> for Value {
    fn from(val: &Val) -> Self {
        match *val {
            Val::I32(value) => Self::Int(value.into()),
            Val::I64(value) => Self::Int(value),
            Val::F32(bits) if f32::from_bits(bits).is_finite() => Self::F32(f32::from_bits(bits)),
            Val::F64(bits) if f64::from_bits(bits).is_finite() => Self::F64(f64::from_bits(bits)),
            Val::FuncRef(None) | Val::ExternRef(None) | Val::NullRef => Self::Null,
            _ => Self::Text(show(val)),
        }
    }
}

/// Returns a value as text that [`parse`] reads again, references and vectors aside.
pub(crate) fn show(val: &Val) -> String {
    match *val {
        Val::I32(value) => value.to_string(),
        Val::I64(value) => value.to_string(),
        Val::F32(bits) => match f32::from_bits(bits) {
            value if value.is_nan() => nan(bits >> 31 != 0, bits.into(), 22),
            value => format!("{value:?}"),
        },
        Val::F64(bits) => match f64::from_bits(bits) {
            value if value.is_nan() => nan(bits >> 63 != 0, bits, 51),
            value => format!("{value:?}"),
        },
        Val::V128(bits) => format!("{bits:#034x}"),
        Val::FuncRef(None) | Val::ExternRef(None) | Val::NullRef => "null".into(),
        Val::FuncRef(Some(_)) | Val::ExternRef(Some(_)) => "ref".into(),
    }
}

/// Writes a NaN as the text format has it; the canonical one, whose only bit is the `quiet` one, without its payload.
fn nan(negative: bool, bits: u64, quiet: u32) -> String {
    let sign = if negative { "-" } else { "" };
    match bits & ((1 << (quiet + 1)) - 1) {
        payload if payload == 1 << quiet => format!("{sign}nan"),
        payload => format!("{sign}nan:{payload:#x}"),
    }
}

/// Reads a value of a type; the error says what is wrong with the text.
pub(super) fn parse(text: &str, ty: ValType) -> Result<Val, &'static str> {
    const I32: &str = "it is not a 32-bit integer";
    const I64: &str = "it is not a 64-bit integer";
    const FLOAT: &str = "it is not a number";
    match ty {
        ValType::I32 => {
            let value = integer(text).ok_or(I32)?;
            let value = i32::try_from(value).or_else(|_| u32::try_from(value).map(u32::cast_signed));
            value.map(Val::I32).map_err(|_| I32)
        }
        ValType::I64 => {
            let value = integer(text).ok_or(I64)?;
            let value = i64::try_from(value).or_else(|_| u64::try_from(value).map(u64::cast_signed));
            value.map(Val::I64).map_err(|_| I64)
        }
        ValType::F32 => match payload(text, 22) {
            Some((negative, payload)) => {
                Ok(Val::F32(u32::from(negative) << 31 | 0x7f80_0000 | payload as u32))
            }
            None => text.parse().map(|value: f32| Val::F32(value.to_bits())).map_err(|_| FLOAT),
        },
        ValType::F64 => match payload(text, 51) {
            Some((negative, payload)) => Ok(Val::F64(u64::from(negative) << 63 | 0x7ff0 << 48 | payload)),
            None => text.parse().map(|value: f64| Val::F64(value.to_bits())).map_err(|_| FLOAT),
        },
        ValType::V128 => Err("vectors cannot be given on the command line"),
        ty if text == "null" && ty.is_ref() && ty.is_defaultable() => Ok(Val::default_for(ty)),
        _ => Err("of references only `null` can be given, where null is allowed"),
    }
}

/// Reads an integer in decimal or hexadecimal.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // What follows a sign is a digit, which the standard library's parser would not insist on.
    let value: i128 = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) if digits.starts_with(|c: char| c.is_ascii_hexdigit()) => {
            i128::from_str_radix(digits, 16).ok()?
        }
        None if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

/// Reads a NaN: its sign and its payload.
fn payload(text: &str, quiet: u32) -> Option<(bool, u64)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let payload = match text.strip_prefix("nan")? {
        "" => 1 << quiet,
        payload => u64::from_str_radix(payload.strip_prefix(":0x")?, 16).ok()?,
    };
    (payload != 0 && payload < 1 << (quiet + 1)).then_some((negative, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_signed_or_not_and_shown_signed() {
        for (text, ty, val) in [
            ("-1", ValType::I32, Val::I32(-1)),
            ("4294967295", ValType::I32, Val::I32(-1)),
            ("0xffffffff", ValType::I32, Val::I32(-1)),
            ("-0x80000000", ValType::I32, Val::I32(i32::MIN)),
            ("+7", ValType::I32, Val::I32(7)),
            ("18446744073709551615", ValType::I64, Val::I64(-1)),
            ("-9223372036854775808", ValType::I64, Val::I64(i64::MIN)),
        ] {
            assert_eq!(parse(text, ty), Ok(val), "{text}");
            assert_eq!(parse(&show(&val), ty), Ok(val), "{text}");
        }
        for text in
            ["4294967296", "-2147483649", "", "-", "0x", "--1", "-+1", "0x-1", "1.0", "1_000", "abc", " 1"]
        {
            assert!(parse(text, ValType::I32).is_err(), "{text}");
        }
        assert!(parse("18446744073709551616", ValType::I64).is_err());
        assert!(parse(&"9".repeat(100), ValType::I64).is_err());
    }

    #[test]
    fn floats_are_shown_as_they_can_be_read() {
        for bits in [0_u32, 1, 0x8000_0000, 0x3f80_0000, 0x7f80_0000, 0xff80_0000, 0x7f7f_ffff]
            .into_iter()
            .chain([0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0xffff_ffff])
        {
            let text = show(&Val::F32(bits));
            assert_eq!(parse(&text, ValType::F32), Ok(Val::F32(bits)), "{text}");
            let bits = f64::from(f32::from_bits(bits)).to_bits();
            let text = show(&Val::F64(bits));
            assert_eq!(parse(&text, ValType::F64), Ok(Val::F64(bits)), "{text}");
        }
        for (bits, text) in [(0x7fc0_0000, "nan"), (0xffc0_0000, "-nan"), (0x7fa0_0000, "nan:0x200000")] {
            assert_eq!(show(&Val::F32(bits)), text);
        }
        assert_eq!(show(&Val::F64(1e300_f64.to_bits())), "1e300");
        for text in ["nan:0x0", "nan:0x800000", "nan:", "nanny", "", "1,5"] {
            assert!(parse(text, ValType::F32).is_err(), "{text}");
        }
    }

    #[test]
    fn json_has_numbers_where_it_can() {
        let json = |val: Val| serde_json::to_string(&Value::from(&val)).expect("it is JSON");
        assert_eq!(json(Val::I64(i64::MIN)), "-9223372036854775808");
        assert_eq!(json(Val::F32(0.1_f32.to_bits())), "0.1");
        assert_eq!(json(Val::F64(f64::INFINITY.to_bits())), "\"inf\"");
        assert_eq!(json(Val::F32(0x7fc0_0000)), "\"nan\"");
        assert_eq!(json(Val::V128(255)), format!("\"0x{}ff\"", "0".repeat(30)));
        assert_eq!(json(Val::FuncRef(None)), "null");
    }

    #[test]
    fn of_references_only_null_can_be_given() {
        assert_eq!(parse("null", ValType::EXTERNREF), Ok(Val::ExternRef(None)));
        assert!(parse("null", ValType::FUNCREF.without_null()).is_err());
        assert!(parse("0", ValType::FUNCREF).is_err());
    }
}

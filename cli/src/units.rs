//! Amounts as people write them: `5M`, `500ms`, `16MiB`, `unlimited`.

use std::time::Duration;

/// A limit as it is given on the command line or in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit<T> {
    At(T),
    Unlimited,
}

impl<T> Limit<T> {
    /// Returns the limit; `None` if there is none.
    pub(crate) fn at(self) -> Option<T> {
        match self {
            Self::At(limit) => Some(limit),
            Self::Unlimited => None,
        }
    }
}

/// Factors of counts.
const COUNTS: [(&str, u64); 5] =
    [("", 1), ("k", 1_000), ("m", 1_000_000), ("g", 1_000_000_000), ("t", 1_000_000_000_000)];

/// Factors of sizes in bytes. A letter alone is binary, as tools that set limits have it.
const SIZES: [(&str, u64); 14] = [
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("kb", 1_000),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("mb", 1_000_000),
    ("g", 1 << 30),
    ("gib", 1 << 30),
    ("gb", 1_000_000_000),
    ("t", 1 << 40),
    ("tib", 1 << 40),
    ("tb", 1_000_000_000_000),
];

/// Factors of times, in nanoseconds. A number alone counts seconds.
const TIMES: [(&str, u64); 8] = [
    ("", 1_000_000_000),
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a count.
pub(crate) fn count(text: &str) -> Result<Limit<u64>, String> {
    limit(text, &COUNTS, "a count: 1000, 500k, 5M, 1.5G or unlimited")
}

/// Reads a size in bytes.
pub(crate) fn bytes(text: &str) -> Result<Limit<u64>, String> {
    limit(text, &SIZES, "a size: 65536, 64KiB, 16MiB, 1GiB or unlimited")
}

/// Reads a time.
pub(crate) fn time(text: &str) -> Result<Limit<Duration>, String> {
    match limit(text, &TIMES, "a time: 500ms, 2s, 1.5m, 1h or unlimited; a number alone counts seconds")? {
        Limit::At(nanos) => Ok(Limit::At(Duration::from_nanos(nanos))),
        Limit::Unlimited => Ok(Limit::Unlimited),
    }
}

fn limit(text: &str, units: &[(&str, u64)], wanted: &str) -> Result<Limit<u64>, String> {
    if text == "unlimited" {
        return Ok(Limit::Unlimited);
    }
    let (number, factor) = parts(text, units).ok_or_else(|| format!("write {wanted}"))?;
    scale(number, factor).map(Limit::At).ok_or_else(|| "the number is too large".into())
}

/// Splits a text into a number and the factor that its unit stands for.
fn parts<'a>(text: &'a str, units: &[(&str, u64)]) -> Option<(&'a str, u64)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_'))).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |part: &str| part.bytes().any(|b| b.is_ascii_digit()) && !part.contains('.');
    let (_, factor) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    (is_digits(whole) && is_digits(fraction)).then_some((number, *factor))
}

/// Multiplies a decimal number by a factor; what is less than one is dropped.
fn scale(number: &str, factor: u64) -> Option<u64> {
    let (mut value, mut divisor) = (0_u128, 1_u128);
    let mut in_fraction = false;
    for c in number.chars() {
        match c.to_digit(10) {
            Some(digit) => {
                value = value.checked_mul(10)?.checked_add(u128::from(digit))?;
                divisor = if in_fraction { divisor.checked_mul(10)? } else { divisor };
            }
            None => in_fraction |= c == '.',
        }
    }
    u64::try_from(value.checked_mul(u128::from(factor))? / divisor).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, amount) in [
            ("0", 0),
            ("1_000", 1_000),
            ("5M", 5_000_000),
            ("5m", 5_000_000),
            ("1.5k", 1_500),
            ("0.0015k", 1),
            ("50G", 50_000_000_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(count(text), Ok(Limit::At(amount)), "{text}");
        }
        for (text, amount) in [("16MiB", 16 << 20), ("16M", 16 << 20), ("16MB", 16_000_000), ("1.5k", 1536)] {
            assert_eq!(bytes(text), Ok(Limit::At(amount)), "{text}");
        }
        for (text, millis) in
            [("500ms", 500), ("2", 2_000), ("1.5s", 1_500), ("1m", 60_000), ("1h", 3_600_000)]
        {
            assert_eq!(time(text), Ok(Limit::At(Duration::from_millis(millis))), "{text}");
        }
        assert_eq!(count("unlimited"), Ok(Limit::Unlimited));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in
            ["", "M", "-1", "+1", "1.", ".5", "1..2", "1.2.3", "_", "5X", "5 M", "1e3", "0x10", "16MiB"]
        {
            assert!(count(text).expect_err(text).starts_with("write a count: "), "{text}");
        }
        for text in
            ["18446744073709551616", "20000000000G", &"9".repeat(100), &format!("0.{}", "1".repeat(50))]
        {
            assert_eq!(count(text), Err("the number is too large".into()), "{text}");
        }
        assert!(time("5M").is_ok(), "units of time are read in either case");
        assert!(bytes("5s").is_err());
    }
}

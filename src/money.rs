//! Exact amounts of money: an integer of 10⁻⁸ currency units, parsed from digits, never through a binary float.

use std::fmt;

/// An amount in units of 10⁻⁸ of the currency's main unit (yuan, dollar). 63 bits hold ± 92 billion.
///
/// The vendor charges with 8 decimals (vendor-contract.md §3.4), so every amount it sends fits exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

/// Decimals that an [`Amount`] keeps.
const SCALE: i64 = 8;

/// Why a text is not an exact [`Amount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The text is not a decimal number.
    #[error("is not a decimal number")]
    NotANumber,
    /// A digit behind the eighth decimal is not zero: storing it would round money.
    #[error("has more than 8 decimals")]
    TooPrecise,
    /// The amount does not fit into 63 bits of 10⁻⁸ units.
    #[error("is beyond ±92233720368.54775807")]
    TooLarge,
}

impl Amount {
    /// An amount of `e8` units of 10⁻⁸.
    #[must_use]
    pub const fn from_e8(e8: i64) -> Self {
        Self(e8)
    }

    /// The amount in units of 10⁻⁸, as the warehouse stores it.
    #[must_use]
    pub const fn e8(self) -> i64 {
        self.0
    }

    /// Parses a JSON number (`-1E-8`, `360.50000000`) or a plain decimal text, exactly.
    ///
    /// # Errors
    /// When the text is no number, or cannot be kept without rounding or overflow.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => (&unsigned[..at], parse_exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let has_empty_part = whole.is_empty() || (mantissa.contains('.') && fraction.is_empty());
        let mut digits = whole.bytes().chain(fraction.bytes());
        if has_empty_part || !digits.clone().all(|digit| digit.is_ascii_digit()) {
            return Err(AmountError::NotANumber);
        }
        // The value is `digits` × 10^shift in units of 10⁻⁸.
        let fraction_len = i64::try_from(fraction.len()).map_err(|_| AmountError::TooPrecise)?;
        let mut shift = exponent.saturating_add(SCALE).saturating_sub(fraction_len);
        let total_len = whole.len() + fraction.len();
        let kept = match usize::try_from(shift) {
            Ok(_) => total_len,
            Err(_) => total_len.saturating_sub(usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX)),
        };
        let mut value: i128 = 0;
        for digit in digits.by_ref().take(kept) {
            value = push_digit(value, digit)?;
        }
        if digits.any(|digit| digit != b'0') {
            return Err(AmountError::TooPrecise);
        }
        while shift > 0 && value != 0 {
            value = push_digit(value, b'0')?;
            shift -= 1;
        }
        let signed = if negative { -value } else { value };
        i64::try_from(signed).map(Self).map_err(|_| AmountError::TooLarge)
    }
}

fn parse_exponent(text: &str) -> Result<i64, AmountError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(AmountError::NotANumber);
    }
    // Whatever does not fit into an i64 is as good as infinite here.
    let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX);
    Ok(if text.starts_with('-') { -magnitude } else { magnitude })
}

fn push_digit(value: i128, digit: u8) -> Result<i128, AmountError> {
    let next = value * 10 + i128::from(digit - b'0');
    // Stop at the first digit too many: the i128 can then never overflow.
    if next > i128::from(i64::MAX) + 1 { Err(AmountError::TooLarge) } else { Ok(next) }
}

/// Plain decimals, at least two: `1200.00`, `-0.00000001`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unsigned = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let fraction = format!("{:08}", unsigned % 100_000_000);
        let tail = fraction[2..].trim_end_matches('0');
        write!(f, "{sign}{}.{}{tail}", unsigned / 100_000_000, &fraction[..2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_a_number_keeps_its_last_digit() {
        for (text, e8) in [
            ("0", 0),
            ("-0.00", 0),
            ("1200.00", 120_000_000_000),
            ("360.5", 36_050_000_000),
            ("-120.24999999", -12_024_999_999),
            ("-1E-8", -1),
            ("1e-8", 1),
            ("1.5e+2", 15_000_000_000),
            ("0.10000000000", 10_000_000),
            ("0e999999999999999999999", 0),
            ("92233720368.54775807", i64::MAX),
            ("-92233720368.54775808", i64::MIN),
        ] {
            assert_eq!(Amount::parse(text), Ok(Amount(e8)), "{text}");
        }
    }

    #[test]
    fn nothing_is_rounded_and_nothing_wraps() {
        for (text, error) in [
            ("", AmountError::NotANumber),
            ("1,234.5", AmountError::NotANumber),
            ("NaN", AmountError::NotANumber),
            ("--1", AmountError::NotANumber),
            ("1.", AmountError::NotANumber),
            (".5", AmountError::NotANumber),
            ("1e", AmountError::NotANumber),
            ("１", AmountError::NotANumber),
            ("0.000000001", AmountError::TooPrecise),
            ("1e-9", AmountError::TooPrecise),
            ("1e-999999999999999999999", AmountError::TooPrecise),
            ("92233720368.54775808", AmountError::TooLarge),
            ("1e400", AmountError::TooLarge),
            ("123456789012345678901234567890123456789012345", AmountError::TooLarge),
        ] {
            assert_eq!(Amount::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_parses_back(e8: i64) {
            prop_assert_eq!(Amount::parse(&Amount(e8).to_string()), Ok(Amount(e8)));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = Amount::parse(&text);
        }

        #[test]
        fn number_like_text_never_panics(text in "-?[0-9]{0,30}(\\.[0-9]{0,30})?([eE][+-]?[0-9]{0,4})?") {
            let _ = Amount::parse(&text);
        }
    }
}

//! Amounts of money, and other numbers that must stay exactly as the service printed them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserializer, Serialize};

use crate::lenient::text_of;
use crate::wire::{Value, raw};

/// A number exactly as the service printed it: `1234.50` stays `1234.50`.
///
/// Never rounded and never a floating-point number: [`parts`](Self::parts) and
/// [`units`](Self::units) convert exactly or not at all, as does `rust_decimal::Decimal::try_from`
/// with the feature `rust_decimal`. Two decimals are equal if their texts are.
///
/// A text that is not a JSON number, such as `1,234.50`, is kept:
/// [`is_number`](Self::is_number) is then false, and the conversions return `None`.
///
/// `Debug` shows only the length. `Serialize` writes a text, because many JSON readers round numbers.
///
/// ```
/// use flinks_types::Decimal;
///
/// let amount: Decimal = "-1234.50".parse()?;
/// assert_eq!(amount.as_str(), "-1234.50");
/// assert_eq!(amount.parts(), Some((-123450, 2)));
/// assert_eq!(amount.units(2), Some(-123450)); // cents
/// assert_eq!(amount.units(0), None); // whole dollars would lose 50 cents
/// # Ok::<(), flinks_types::InvalidDecimal>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Decimal(Box<str>);

impl Decimal {
    /// Returns the service's text: a JSON number, unless the service sent something else.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the text is a JSON number.
    #[must_use]
    pub fn is_number(&self) -> bool {
        is_number(&self.0)
    }

    /// Returns the number as `(digits, places)`, where the value is `digits / 10^places`.
    ///
    /// Returns `None` if the text is not a number or has more than about 38 digits.
    #[must_use]
    pub fn parts(&self) -> Option<(i128, u32)> {
        if !self.is_number() {
            return None;
        }
        let (mantissa, exponent) = match self.0.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (&*self.0, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let negative = whole.starts_with('-');
        let mut digits: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            if digit.is_ascii_digit() {
                digits = digits.checked_mul(10)?;
                // Counted downwards: there is one more negative number than there are positive.
                digits = digits.checked_sub(i128::from(digit - b'0'))?;
            }
        }
        if !negative {
            digits = digits.checked_neg()?;
        }
        let places = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        match u32::try_from(places) {
            Ok(places) => Some((digits, places)),
            Err(_) if places < 0 => Some((scaled(digits, places.unsigned_abs())?, 0)),
            Err(_) => None,
        }
    }

    /// Returns the number in units of `1 / 10^places`: with two places, cents.
    ///
    /// Returns `None` if that is not a whole number, does not fit, or the text is not a number.
    #[must_use]
    pub fn units(&self, places: u32) -> Option<i128> {
        let (mut digits, mut has) = self.parts()?;
        while has > places && digits != 0 {
            if digits % 10 != 0 {
                return None;
            }
            digits /= 10;
            has -= 1;
        }
        scaled(digits, u64::from(places.saturating_sub(has)))
    }
}

/// The number times ten to a power.
fn scaled(digits: i128, power: u64) -> Option<i128> {
    if digits == 0 {
        return Some(0);
    }
    digits.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?)
}

impl FromStr for Decimal {
    type Err = InvalidDecimal;

    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        if is_number(text) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidDecimal(()))
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({} bytes)", self.0.len())
    }
}

/// The error for a text that is not a JSON number. It does not contain the text.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct InvalidDecimal(());

impl fmt::Display for InvalidDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number is written as in JSON: -1234.50")
    }
}

/// As `Display`, because `?` in `main` prints this.
impl fmt::Debug for InvalidDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for InvalidDecimal {}

/// A number or a text. Anything else is kept as text, because only null and an empty text are
/// absent.
impl Value for Decimal {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let json = raw(deserializer)?;
        let text = text_of(json).unwrap_or(Cow::Borrowed(json));
        let text = text.trim();
        Ok((json != "null" && !text.is_empty()).then(|| Self(text.into())))
    }
}

/// JSON's grammar: `-`, digits without a leading zero, a fraction, an exponent.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    is_digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(is_digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Field {
        #[serde(default, deserialize_with = "crate::wire::read")]
        amount: Option<Decimal>,
    }

    fn field(json: &str) -> Option<Decimal> {
        let field: Field = serde_json::from_str(&format!(r#"{{"amount": {json} }}"#)).unwrap();
        field.amount
    }

    #[test]
    fn text_survives_exactly() {
        for text in [
            "0",
            "-0",
            "-0.00",
            "1.10",
            "1E+3",
            "1e-7",
            "100.500000000000000000000000000000000000000000001",
            "123456789012345678901234567890.12",
        ] {
            assert_eq!(field(text).unwrap().as_str(), text);
            assert_eq!(field(&format!("\" {text}\"")).unwrap().as_str(), text);
        }
        for json in ["null", r#""""#, r#"" ""#] {
            assert_eq!(field(json), None, "{json}");
        }
    }

    #[test]
    fn what_is_no_number_is_kept_and_not_converted() {
        for text in [
            "1,234.50", "1,50", "$1", "NaN", "+1", "01", ".5", "1.", "1e", "1e1.5", "--1",
            "1 234.50",
        ] {
            let decimal = field(&format!("\"{text}\"")).unwrap();
            assert_eq!((decimal.as_str(), decimal.is_number()), (text, false));
            assert_eq!((decimal.parts(), decimal.units(2)), (None, None), "{text}");
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        for json in ["true", "{}", "[1]", r#"{"Amount":1}"#] {
            let decimal = field(json).unwrap();
            assert_eq!((decimal.as_str(), decimal.units(2)), (json, None));
        }
    }

    #[test]
    fn conversions_are_exact_or_none() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(decimal("-0").parts(), Some((0, 0)));
        assert_eq!(decimal("1.5e3").parts(), Some((1500, 0)));
        assert_eq!(decimal("1.5E-3").parts(), Some((15, 4)));
        assert_eq!(decimal("0e99").parts(), Some((0, 0)));
        assert_eq!(decimal("1e99").parts(), None);
        assert_eq!(decimal("1e99999999999999999999").parts(), None);
        assert_eq!(decimal("1e-99999999999").parts(), None);
        let least = i128::MIN.to_string();
        assert_eq!(decimal(&least).parts(), Some((i128::MIN, 0)));
        assert_eq!(decimal(least.trim_start_matches('-')).parts(), None);
        assert_eq!(decimal("1.5").units(2), Some(150));
        assert_eq!(decimal("1.500").units(2), Some(150));
        assert_eq!(decimal("1.505").units(2), None);
        assert_eq!(decimal("0.000").units(0), Some(0));
        assert_eq!(decimal("1").units(99), None);
        assert_eq!(decimal("0").units(u32::MAX), Some(0));
        assert_eq!(decimal("1e-4000000000").units(2), None);
    }

    #[test]
    fn debug_shows_no_amount() {
        assert_eq!(
            format!("{:?}", field("1234.5").unwrap()),
            "Decimal(6 bytes)"
        );
    }

    /// The decimal text of `digits / 10^places`.
    fn written(digits: i128, places: usize) -> String {
        let plain = format!("{:0>width$}", digits.unsigned_abs(), width = places + 1);
        let (whole, fraction) = plain.split_at(plain.len() - places);
        let sign = if digits < 0 { "-" } else { "" };
        let point = if places == 0 { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }

    proptest! {
        #[test]
        fn every_decimal_comes_back_exactly(digits in any::<i128>(), places in 0usize..40) {
            let text = written(digits, places);
            let decimal = field(&text).unwrap();
            prop_assert_eq!(decimal.as_str(), &text);
            prop_assert_eq!(decimal.parts(), Some((digits, u32::try_from(places).unwrap())));
            prop_assert_eq!(decimal.units(u32::try_from(places).unwrap()), Some(digits));
        }

        #[test]
        fn a_point_and_an_exponent_write_the_same_number(
            digits in any::<i64>(), places in 0usize..20, shift in 0u32..10,
        ) {
            let plain: Decimal = written(i128::from(digits), places).parse().unwrap();
            let shifted = format!("{}e-{shift}", written(i128::from(digits), places));
            let shifted: Decimal = shifted.parse().unwrap();
            let (value, has) = plain.parts().unwrap();
            prop_assert_eq!(shifted.parts(), Some((value, has + shift)));
        }

        #[test]
        fn numbers_are_what_json_takes_for_numbers(text in "[-+0-9.eE]{0,9}") {
            let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(text.parse::<Decimal>().is_ok(), is_json);
        }

        #[test]
        fn any_text_is_read_or_absent(text in ".*") {
            let json = serde_json::to_string(&text).unwrap();
            if let Some(decimal) = field(&json) {
                prop_assert_eq!(decimal.as_str(), text.trim());
                prop_assert_eq!(decimal.is_number(), text.trim().parse::<Decimal>().is_ok());
                if decimal.units(2).is_some() {
                    prop_assert!(decimal.is_number());
                }
            }
        }
    }
}

//! Conversions into the types of other crates, each behind a feature: exact or an error.

use std::fmt;

/// The error for a value that the other type cannot hold exactly. It does not contain the value.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct ConversionError(&'static str);

impl fmt::Display for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// As `Display`, because `?` in `main` prints this.
impl fmt::Debug for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConversionError {}

#[cfg(feature = "rust_decimal")]
mod decimals {
    use super::ConversionError;
    use crate::Decimal;

    /// Converts exactly, with trailing zeros: `1.50` stays `1.50`. Only the sign of a zero is lost.
    ///
    /// # Errors
    /// The text is not a number, has more than 28 decimal places, or more digits than 96 bits hold
    /// (28 always fit). Nothing is rounded.
    ///
    /// ```
    /// let amount: flinks_types::Decimal = "-1234.50".parse()?;
    /// let exact = rust_decimal::Decimal::try_from(&amount)?;
    /// assert_eq!(exact.to_string(), "-1234.50");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    impl TryFrom<&Decimal> for rust_decimal::Decimal {
        type Error = ConversionError;

        fn try_from(decimal: &Decimal) -> Result<Self, ConversionError> {
            const NO_NUMBER: ConversionError = ConversionError("the text is not a decimal number");
            const TOO_LONG: ConversionError =
                ConversionError("the number has more digits than rust_decimal can hold");
            if !decimal.is_number() {
                return Err(NO_NUMBER);
            }
            let (digits, places) = decimal.parts().ok_or(TOO_LONG)?;
            Self::try_from_i128_with_scale(digits, places).map_err(|_| TOO_LONG)
        }
    }
}

#[cfg(feature = "jiff")]
mod times {
    use super::ConversionError;
    use crate::{Date, Timestamp};

    const NO_DATE: ConversionError = ConversionError("the text does not begin with a date");
    const NO_TIME: ConversionError = ConversionError("the text is not a date or a time");

    /// Converts a day.
    ///
    /// # Errors
    /// The calendar does not have the day, which only a change of the public fields can cause.
    impl TryFrom<Date> for jiff::civil::Date {
        type Error = ConversionError;

        fn try_from(date: Date) -> Result<Self, ConversionError> {
            const NO_DAY: ConversionError = ConversionError("the calendar does not have this day");
            let year = i16::try_from(date.year).map_err(|_| NO_DAY)?;
            let month = i8::try_from(date.month).map_err(|_| NO_DAY)?;
            let day = i8::try_from(date.day).map_err(|_| NO_DAY)?;
            Self::new(year, month, day).map_err(|_| NO_DAY)
        }
    }

    /// Converts the day of a text, as [`Timestamp::date`] does.
    ///
    /// # Errors
    /// The text does not begin with a date.
    ///
    /// ```
    /// let booked = flinks_types::Timestamp::new("2025-01-31");
    /// let day = jiff::civil::Date::try_from(&booked)?;
    /// assert_eq!(day, jiff::civil::date(2025, 1, 31));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    impl TryFrom<&Timestamp> for jiff::civil::Date {
        type Error = ConversionError;

        fn try_from(time: &Timestamp) -> Result<Self, ConversionError> {
            Self::try_from(time.date().ok_or(NO_DATE)?)
        }
    }

    /// Converts the moment, in UTC unless the text has an offset, as [`Timestamp::system_time`] does.
    ///
    /// # Errors
    /// The text is not a date or a time.
    ///
    /// ```
    /// let refreshed = flinks_types::Timestamp::new("2020-04-15T22:46:03.1690585");
    /// let moment = jiff::Timestamp::try_from(&refreshed)?;
    /// assert_eq!(moment.to_string(), "2020-04-15T22:46:03.1690585Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    impl TryFrom<&Timestamp> for jiff::Timestamp {
        type Error = ConversionError;

        fn try_from(time: &Timestamp) -> Result<Self, ConversionError> {
            let (seconds, nanos) = time.since_epoch().ok_or(NO_TIME)?;
            Self::new(seconds, nanos.try_into().map_err(|_| NO_TIME)?).map_err(|_| NO_TIME)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    #[cfg(feature = "rust_decimal")]
    fn exact(text: &str) -> Result<String, String> {
        let decimal: crate::Decimal = text.parse().unwrap();
        let exact = rust_decimal::Decimal::try_from(&decimal);
        exact
            .map(|decimal| decimal.to_string())
            .map_err(|error| error.to_string())
    }

    #[cfg(feature = "rust_decimal")]
    #[test]
    fn a_decimal_that_does_not_fit_is_not_rounded() {
        let most = "79228162514264337593543950335";
        assert_eq!(exact(most).as_deref(), Ok(most));
        assert_eq!(exact("1.5e3").as_deref(), Ok("1500"));
        assert_eq!(exact("-0.00").as_deref(), Ok("0.00"));
        for long in [
            "79228162514264337593543950336",
            "0.00000000000000000000000000001",
            "1e99",
            "1e-99",
        ] {
            let error = exact(long).unwrap_err();
            assert!(
                error.contains("more digits") && !error.contains(long),
                "{error}"
            );
        }
        let text: crate::Transaction = crate::from_json(br#"{"Debit":"1,234.50"}"#).unwrap();
        let error = rust_decimal::Decimal::try_from(&text.debit.unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "the text is not a decimal number");
    }

    #[cfg(feature = "jiff")]
    #[test]
    fn what_is_no_date_is_an_error() {
        let late = crate::Timestamp::new("2020-04-15 late");
        let date = jiff::civil::Date::try_from(&late).unwrap();
        assert_eq!(date, jiff::civil::date(2020, 4, 15));
        assert!(jiff::Timestamp::try_from(&late).is_err());
        let never = crate::Timestamp::new("soon");
        assert!(jiff::civil::Date::try_from(&never).is_err());
        let mut date = crate::Date::new(2024, 2, 29).unwrap();
        date.year = 2023;
        assert!(jiff::civil::Date::try_from(date).is_err());
    }

    proptest! {
        #[cfg(feature = "rust_decimal")]
        #[test]
        fn a_decimal_is_the_same_digit_for_digit(text in "-?[1-9][0-9]{0,13}(\\.[0-9]{1,14})?|0\\.[0-9]{0,27}[1-9]") {
            prop_assert_eq!(exact(&text), Ok(text));
        }

        #[cfg(feature = "jiff")]
        #[test]
        fn a_moment_is_the_same_to_the_nanosecond(seconds in -62_000_000_000_i64..250_000_000_000, nanos in 0..1_000_000_000) {
            let moment = jiff::Timestamp::new(seconds, nanos).unwrap();
            let text = crate::Timestamp::new(moment.to_string());
            prop_assert_eq!(jiff::Timestamp::try_from(&text).unwrap(), moment);
            let day = jiff::tz::TimeZone::UTC.to_datetime(moment).date();
            prop_assert_eq!(jiff::civil::Date::try_from(&text).unwrap(), day);
        }
    }
}

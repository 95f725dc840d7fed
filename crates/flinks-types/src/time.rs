//! Dates and times: the service's text, the moment and the day that it names, and calendar arithmetic.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserializer, Serialize};

use crate::lenient::is_placeholder;
use crate::wire::Value;

/// A date, or a date with a time, as the service's text.
///
/// The service writes times in UTC without an offset and with five to seven decimals
/// (`2020-04-15T22:46:03.1690585`), sometimes with a `Z`. Transactions have a date only. Dates of
/// year 1, which mean "never", read as absent. With the feature `jiff`, it converts into
/// `jiff::Timestamp` and `jiff::civil::Date`.
///
/// `Debug` shows only the length.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use flinks_types::{Date, Timestamp};
///
/// let time = Timestamp::new("1970-01-02T00:00:00.5");
/// assert_eq!(time.date(), Date::new(1970, 1, 2));
/// let since_epoch = Duration::from_millis(86_400_500);
/// assert_eq!(time.system_time(), Some(SystemTime::UNIX_EPOCH + since_epoch));
/// ```
#[derive(Clone, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// Creates a timestamp from any text. The text is not checked.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the service's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the day, or `None` if the text does not begin with a date.
    #[must_use]
    pub fn date(&self) -> Option<Date> {
        read_date(&self.0).map(|(date, _)| date)
    }

    /// Returns the moment, in UTC unless the text has an offset. A date alone is its midnight.
    ///
    /// Returns `None` if the text is not a date or a time. Digits beyond nanoseconds are dropped.
    #[must_use]
    pub fn system_time(&self) -> Option<SystemTime> {
        let (since, nanos) = self.since_epoch()?;
        let whole = Duration::from_secs(since.unsigned_abs());
        let second = if since < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(whole)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(whole)
        };
        second?.checked_add(Duration::from_nanos(nanos))
    }

    /// Seconds since the epoch, negative before it, and the nanoseconds after that second.
    pub(crate) fn since_epoch(&self) -> Option<(i64, u64)> {
        let (date, rest) = read_date(&self.0)?;
        let (seconds, nanos) = read_time(rest)?;
        Some((date.days_since_epoch() * 86_400 + seconds, nanos))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({} bytes)", self.0.len())
    }
}

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Date {
    /// Returns a day, or `None` if the calendar does not have it or its year is past 9999.
    ///
    /// ```
    /// use flinks_types::Date;
    ///
    /// let leap_day = Date::new(2024, 2, 29).unwrap();
    /// assert_eq!(Date::from_days_since_epoch(leap_day.days_since_epoch()), Some(leap_day));
    /// assert_eq!(Date::new(2023, 2, 29), None);
    /// ```
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let date = Self { year, month, day };
        // A day that the month does not have comes back as another date.
        let is_day = (1..=12).contains(&month) && (1..=31).contains(&day);
        (is_day && Self::from_days_since_epoch(date.days_since_epoch()) == Some(date))
            .then_some(date)
    }

    /// Returns the number of days since 1970-01-01, negative before it.
    #[must_use]
    pub fn days_since_epoch(self) -> i64 {
        // Years begin in March here, so that the leap day is the last of its year.
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        year * 365 + leap_days + day_of_year - 719_468
    }

    /// Returns the day that is `days` days after 1970-01-01, or `None` outside the years 0 to 9999.
    #[must_use]
    pub fn from_days_since_epoch(days: i64) -> Option<Self> {
        let days = days.saturating_add(719_468);
        let era = days.div_euclid(146_097);
        let day = days.rem_euclid(146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + i64::from(month <= 2);
        Some(Self {
            year: u16::try_from(year).ok().filter(|year| *year <= 9999)?,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
        })
    }
}

/// A date of the year 1 is absent.
impl Value for Timestamp {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let text = String::read(deserializer)?.filter(|text| !is_placeholder(text));
        Ok(text.map(Self))
    }
}

/// The date at the start of a text, and the rest.
fn read_date(text: &str) -> Option<(Date, &str)> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let date = Date::new(
        u16::try_from(year).ok()?,
        u8::try_from(month).ok()?,
        u8::try_from(day).ok()?,
    )?;
    Some((date, rest))
}

/// Seconds since midnight in UTC, and nanoseconds; an empty text is midnight.
fn read_time(text: &str) -> Option<(i64, u64)> {
    if text.is_empty() {
        return Some((0, 0));
    }
    let (hour, rest) = digits(text.strip_prefix(['T', 't', ' '])?, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2)?,
        None => (0, rest),
    };
    let (nanos, rest) = match rest.strip_prefix('.') {
        Some(rest) => fraction(rest)?,
        None => (0, rest),
    };
    // A leap second reads as the first second of the next minute.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = (hour * 60 + minute) * 60 + second;
    Some((seconds - offset(rest)?, nanos))
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    if text.is_empty() || text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    (rest.is_empty() && hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60)
}

/// The number of exactly `count` digits, and the rest.
fn digits(text: &str, count: usize) -> Option<(i64, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((plain.then(|| digits.parse().ok())??, rest))
}

/// Nanoseconds from as many digits as there are, at least one.
fn fraction(text: &str) -> Option<(u64, &str)> {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if digits.is_empty() {
        return None;
    }
    let nanos = digits
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |nanos, digit| nanos * 10 + u64::from(digit - b'0'));
    Some((nanos, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nanos(text: &str) -> Option<i128> {
        let time = Timestamp::new(text).system_time()?;
        Some(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i128::try_from(after.as_nanos()).unwrap(),
            Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap(),
        })
    }

    #[test]
    fn every_writing_of_a_moment() {
        for text in [
            "2020-04-15T22:46:03.1690585",
            "2020-04-15T22:46:03.1690585Z",
            "2020-04-15 22:46:03.169058500000",
            "2020-04-16T00:46:03.1690585+02:00",
            "2020-04-15T17:16:03.1690585-0530",
        ] {
            assert_eq!(nanos(text), Some(1_586_990_763_169_058_500), "{text}");
        }
        assert_eq!(nanos("1970-01-01"), Some(0));
        assert_eq!(nanos("1969-12-31T23:59:59.5"), Some(-500_000_000));
        assert_eq!(nanos("2018-05-23T15:10"), Some(1_527_088_200_000_000_000));
        assert_eq!(nanos("2000-02-29"), Some(951_782_400_000_000_000));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "yesterday",
            "2020-13-01",
            "2021-02-29",
            "1900-02-29",
            "2020-04-31",
            "2020-04-15T24:00:00",
            "2020-04-15T22:60",
            "2020-04-15T22:46:03.",
            "2020-04-15T22:46:03+2",
            "2020-04-15T22:46:03 later",
            "+020-04-15",
            "2020-4-15",
            "é020-04-15",
        ] {
            assert_eq!(nanos(text), None, "{text}");
            assert_eq!(Timestamp::new(text).as_str(), text);
        }
        let late = Timestamp::new("2020-04-15 late");
        assert_eq!(late.system_time(), None);
        let date = late.date().unwrap();
        assert_eq!((date.year, date.month, date.day), (2020, 4, 15));
    }

    #[test]
    fn days_follow_one_another() {
        let mut last = Date::new(1599, 12, 31).unwrap().days_since_epoch();
        for year in 1600..=2400 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(date) = Date::new(year, month, day) {
                        assert_eq!(date.days_since_epoch(), last + 1, "{date:?}");
                        assert_eq!(Date::from_days_since_epoch(last + 1), Some(date));
                        last += 1;
                    }
                }
            }
        }
        assert_eq!(Date::new(1970, 1, 1).unwrap().days_since_epoch(), 0);
        for date in [
            (10_000, 1, 1),
            (2023, 2, 29),
            (2024, 2, 30),
            (2024, 0, 1),
            (2024, 1, 0),
        ] {
            assert_eq!(Date::new(date.0, date.1, date.2), None, "{date:?}");
        }
        for days in [i64::MIN, -719_529, 2_932_897, i64::MAX] {
            assert_eq!(Date::from_days_since_epoch(days), None, "{days}");
        }
    }

    #[test]
    fn debug_shows_no_date() {
        assert_eq!(
            format!("{:?}", Timestamp::new("2020-04-15")),
            "Timestamp(10 bytes)"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_kept_and_read_or_not(text in ".*") {
            let time = Timestamp::new(text.as_str());
            prop_assert_eq!(time.as_str(), text.as_str());
            if time.system_time().is_some() {
                prop_assert!(time.date().is_some());
            }
        }

        #[test]
        fn a_fraction_of_any_length_is_read(digits in "[0-9]{1,12}") {
            let text = format!("1970-01-01T00:00:00.{digits}");
            let padded = format!("{digits:0<9}");
            let expected: i128 = padded.get(..9).unwrap().parse().unwrap();
            prop_assert_eq!(nanos(&text), Some(expected));
        }
    }
}

//! Dates as certificates hold them and as messages show them, in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECONDS_A_DAY: i64 = 86_400;

/// `YYMMDDHHMMSSZ`; years from 50 on are of the last century (RFC 5280, 4.1.2.5.1).
pub(super) fn parse_utc_time(text: &str) -> Option<SystemTime> {
    let (year, rest) = text.split_at_checked(2)?;
    let year = digits(year)?;
    parse(if year < 50 { 2000 + year } else { 1900 + year }, rest)
}

/// `YYYYMMDDHHMMSSZ`.
pub(super) fn parse_generalized_time(text: &str) -> Option<SystemTime> {
    let (year, rest) = text.split_at_checked(4)?;
    parse(digits(year)?, rest)
}

/// `YYYY-MM-DD HH:MM:SS UTC`.
pub(crate) fn format(time: SystemTime) -> String {
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s),
    };
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_A_DAY));
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

fn parse(year: i64, rest: &str) -> Option<SystemTime> {
    let mut rest = rest.strip_suffix('Z')?;
    let mut field = |range: std::ops::RangeInclusive<i64>| {
        let (head, tail) = rest.split_at_checked(2)?;
        rest = tail;
        digits(head).filter(|value| range.contains(value))
    };
    let (month, day) = (field(1..=12)?, field(1..=31)?);
    let (hour, minute, second) = (field(0..=23)?, field(0..=59)?, field(0..=59)?);
    if !rest.is_empty() {
        return None;
    }
    let days = days(year, month, day);
    // A day that the month does not have comes back as another date.
    if civil(days) != (year, month, day) {
        return None;
    }
    let seconds = days * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    }
}

fn digits(text: &str) -> Option<i64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// Days from 1970-01-01. Years begin in March here, so that a leap day is a year's last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + leap_days + day_of_year - 719_468
}

/// Year, month and day of a count of days from 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_dates() {
        for (text, shown) in [
            ("19700101000000Z", "1970-01-01 00:00:00 UTC"),
            ("20000229235959Z", "2000-02-29 23:59:59 UTC"),
            ("20261121141500Z", "2026-11-21 14:15:00 UTC"),
            ("19691231235959Z", "1969-12-31 23:59:59 UTC"),
            ("99991231235959Z", "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(format(parse_generalized_time(text).unwrap()), shown);
        }
        assert_eq!(
            format(parse_utc_time("500101000000Z").unwrap()),
            "1950-01-01 00:00:00 UTC"
        );
        assert_eq!(
            format(parse_utc_time("491231235959Z").unwrap()),
            "2049-12-31 23:59:59 UTC"
        );
        let billion = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(parse_generalized_time("20010909014640Z"), Some(billion));
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "Z",
            "20260230000000Z",
            "20261301000000Z",
            "20260101240000Z",
            "20260101000000",
            "2026010100000Z",
            "202601010000000Z",
            "+0260101000000Z",
            "20260101000000+0100",
            "2026010é00000Z",
        ] {
            assert_eq!(parse_generalized_time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_date_comes_back(seconds in -60_000_000_000i64..250_000_000_000) {
            let distance = Duration::from_secs(seconds.unsigned_abs());
            let time = if seconds < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance };
            let text: String = format(time).chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(parse_generalized_time(&(text + "Z")), Some(time));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _utc = parse_utc_time(&text);
            let _generalized = parse_generalized_time(&text);
        }
    }
}

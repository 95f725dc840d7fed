//! Parses the dates in certificates and formats them for messages, in UTC.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flinks_types::Date;

const SECONDS_A_DAY: i64 = 86_400;

/// `YYMMDDHHMMSSZ`; years from 50 on are of the last century (RFC 5280, 4.1.2.5.1).
pub(super) fn parse_utc_time(text: &str) -> Option<SystemTime> {
    let (year, rest) = text.split_at_checked(2)?;
    let year: u16 = digits(year)?;
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
    let Some(date) = Date::from_days_since_epoch(seconds.div_euclid(SECONDS_A_DAY)) else {
        return "a date outside the years 0 to 9999".to_owned();
    };
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (year, month, day) = (date.year, date.month, date.day);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

fn parse(year: u16, rest: &str) -> Option<SystemTime> {
    let mut rest = rest.strip_suffix('Z')?;
    let mut field = || {
        let (head, tail) = rest.split_at_checked(2)?;
        rest = tail;
        digits::<u8>(head)
    };
    let date = Date::new(year, field()?, field()?)?;
    let (hour, minute, second) = (field()?, field()?, field()?);
    if !rest.is_empty() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let time = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    let seconds = date.days_since_epoch() * SECONDS_A_DAY + time;
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    }
}

fn digits<T: FromStr>(text: &str) -> Option<T> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
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

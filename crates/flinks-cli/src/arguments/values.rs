//! Parsers of option values. Their errors do not quote a value: it may be a secret.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use flinks_sandbox::{Fault, FaultError};
use flinks_types::{AccountId, DaysOfTransactions, NumberOfStatements};

/// Why an option does not accept a value.
#[derive(Debug)]
pub(crate) struct InvalidValue(pub(crate) String);

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidValue {}

fn invalid(message: &str) -> InvalidValue {
    InvalidValue(message.to_owned())
}

const MAX_DURATION: Duration = Duration::from_secs(30 * 24 * 3600);

/// The service should not be polled more often.
const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// Parses a positive number of seconds, with decimals, capped at 30 days.
pub(crate) fn seconds(text: &str) -> Result<Duration, InvalidValue> {
    let number: f64 = text
        .parse()
        .map_err(|_| invalid("give a number of seconds"))?;
    if !number.is_finite() || number <= 0.0 {
        return Err(invalid("give a number of seconds above 0"));
    }
    let duration = Duration::from_secs_f64(number.min(MAX_DURATION.as_secs_f64()));
    // A positive number must not round to zero.
    Ok(duration.max(Duration::from_nanos(1)))
}

/// Parses a number of seconds that may be 0.
pub(crate) fn seconds_or_zero(text: &str) -> Result<Duration, InvalidValue> {
    if text.parse() == Ok(0.0) {
        return Ok(Duration::ZERO);
    }
    seconds(text).map_err(|_| invalid("give a number of seconds, or 0"))
}

/// Parses the time between two polls, at least 0.1 seconds.
pub(crate) fn interval(text: &str) -> Result<Duration, InvalidValue> {
    Ok(seconds(text)?.max(MIN_INTERVAL))
}

pub(crate) fn concurrency(text: &str) -> Result<u8, InvalidValue> {
    let number = text.parse().ok().filter(|number| (1..=32).contains(number));
    number.ok_or_else(|| invalid("give a whole number from 1 to 32"))
}

/// Parses one of the periods that the service has. Another number is not rounded up: that would
/// fetch more account data than the user asked for.
pub(crate) fn days(text: &str) -> Result<DaysOfTransactions, InvalidValue> {
    match text {
        "90" => Ok(DaysOfTransactions::Days90),
        "360" => Ok(DaysOfTransactions::Days360),
        "365" => Ok(DaysOfTransactions::Days365),
        _ => Err(invalid(
            "the service has 90 or 365 days, and 360 on older instances",
        )),
    }
}

pub(crate) fn months(text: &str) -> Result<NumberOfStatements, InvalidValue> {
    match text {
        "1" => Ok(NumberOfStatements::MostRecent),
        "3" => Ok(NumberOfStatements::Months3),
        "12" => Ok(NumberOfStatements::Months12),
        _ => Err(invalid("the service has 1, 3 or 12")),
    }
}

pub(crate) fn account_id(text: &str) -> Result<AccountId, InvalidValue> {
    AccountId::new(text).map_err(|error| InvalidValue(error.to_string()))
}

pub(crate) fn port(text: &str) -> Result<u16, InvalidValue> {
    text.parse()
        .map_err(|_| invalid("give a whole number from 0 to 65535"))
}

pub(crate) fn address(text: &str) -> Result<IpAddr, InvalidValue> {
    text.parse()
        .map_err(|_| invalid("give an IP address, such as 0.0.0.0"))
}

/// Parses a DNS name, which may have a wildcard, or an IP address.
pub(crate) fn certificate_name(text: &str) -> Result<String, InvalidValue> {
    let is_name_char = |byte: u8| byte.is_ascii_alphanumeric() || b".-_*".contains(&byte);
    let is_name = !text.is_empty() && text.bytes().all(is_name_char);
    if is_name || text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    Err(invalid("give a DNS name or an IP address"))
}

/// Parses a fault. The library's message quotes the text, so it is shown only for what looks like a
/// fault.
pub(crate) fn fault(text: &str) -> Result<Fault, InvalidValue> {
    text.parse().map_err(|error: FaultError| {
        let is_fault_char =
            |byte: u8| byte.is_ascii_lowercase() || b"0123456789@=:+-.".contains(&byte);
        if text.len() <= 60 && text.bytes().all(is_fault_char) {
            InvalidValue(error.to_string())
        } else {
            invalid("not a fault: `flinks sandbox --help` shows the grammar")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_positive_and_bounded() {
        assert_eq!(seconds("0.5").ok(), Some(Duration::from_millis(500)));
        for long in ["1e12", "1e300", "2592000"] {
            assert_eq!(seconds(long).ok(), Some(MAX_DURATION), "{long}");
        }
        for bad in ["0", "-0", "-1", "NaN", "inf", "-inf", "soon", ""] {
            assert!(seconds(bad).is_err() && interval(bad).is_err(), "{bad}");
        }
        assert_eq!(seconds_or_zero("0.0").ok(), Some(Duration::ZERO));
        assert!(seconds_or_zero("-1").is_err() && seconds_or_zero("0.5").is_ok());
        for short in ["1e-9", "1e-300", "0.02"] {
            assert_eq!(interval(short).ok(), Some(MIN_INTERVAL), "{short}");
        }
    }
}

//! Reads `Retry-After` in both its forms; garbage counts as absent.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// The wait that the server requested, counted from the answer's own `Date` where it has one,
/// so that the skew of the local clock cancels out.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a u64 holds is a long wait, not an absent one.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let then = httpdate::parse_http_date(text).ok()?;
    let date = headers
        .get(DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| httpdate::parse_http_date(date).ok());
    Some(
        then.duration_since(date.unwrap_or(now))
            .unwrap_or(Duration::ZERO),
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(value: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).expect("a value"));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).expect("a value"));
        }
        retry_after(&headers, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn both_forms_and_nothing_else() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(read("120", None), seconds(120));
        assert_eq!(read("0", None), seconds(0));
        assert_eq!(read("99999999999999999999", None), seconds(u64::MAX));
        for garbage in ["120junk", "-1", "1.5", "", "soon"] {
            assert_eq!(read(garbage, None), None, "{garbage}");
        }
        let (date, later) = (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:50:07 GMT",
        );
        assert_eq!(read(later, Some(date)), seconds(30));
        assert_eq!(read(date, Some(later)), seconds(0));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[ -~]{0,60}") {
            read(&text, Some(&text));
        }
    }
}

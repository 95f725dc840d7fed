//! The answer of the OAuth token endpoint.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

use crate::lenient::text_of;
use crate::shown::Length;
use crate::{Secret, wire};

/// The answer to a token request.
///
/// Source: Upload guide, Authentication; RFC 6749, section 5.1.
#[derive(Clone, serde::Deserialize)]
#[non_exhaustive]
pub struct TokenResponse {
    /// The token. An answer without one, or with an empty one, is an error.
    #[serde(deserialize_with = "token")]
    pub access_token: Secret,
    /// The token type: `Bearer`, in any case.
    #[serde(default, deserialize_with = "wire::read")]
    pub token_type: Option<String>,
    /// The lifetime. Zero if the service sends zero or less, [`Duration::MAX`] if it sends more than
    /// fits; absent if it sends none or not a number.
    #[serde(default, deserialize_with = "lifetime")]
    pub expires_in: Option<Duration>,
    /// The scope; absent means the requested one.
    #[serde(default, deserialize_with = "wire::read")]
    pub scope: Option<String>,
}

fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let token = Option::<Secret>::deserialize(deserializer)?;
    let token = token.filter(|token| !token.is_empty());
    token.ok_or_else(|| D::Error::missing_field("access_token"))
}

fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    if raw.get() == "null" {
        return Ok(None);
    }
    // The token is usable even if its lifetime cannot be read.
    Ok(text_of(raw.get()).and_then(|text| seconds(&text)))
}

/// Seconds in any form: whole, with decimals, negative, or too large.
fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    // `f64` also accepts "NaN" and "infinity".
    let numeric =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.bytes().all(numeric) {
        return None;
    }
    let seconds: f64 = text.parse().ok()?;
    Some(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("access_token", &self.access_token)
            .field("token_type", &Length::of(&self.token_type))
            .field("expires_in", &self.expires_in)
            .field("scope", &Length::of(&self.scope))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::from_json;

    fn read(expires_in: &str) -> Result<Option<Duration>, serde_json::Error> {
        let body =
            format!(r#"{{"access_token":"eyJ","token_type":"Bearer","expires_in":{expires_in}}}"#);
        from_json::<TokenResponse>(body.as_bytes()).map(|answer| answer.expires_in)
    }

    #[test]
    fn reads_the_example_of_the_guide() {
        let body =
            br#"{ "access_token": "eyJhbGci...", "token_type": "Bearer", "expires_in": 300 }"#;
        let answer: TokenResponse = from_json(body).unwrap();
        assert_eq!(answer.access_token.expose(), "eyJhbGci...");
        assert_eq!(answer.token_type.as_deref(), Some("Bearer"));
        assert_eq!(answer.expires_in, Some(Duration::from_secs(300)));
        assert_eq!(answer.scope, None);
    }

    #[test]
    fn lifetimes_in_any_writing() {
        let writings = [
            ("299", Duration::from_secs(299)),
            (r#""300""#, Duration::from_secs(300)),
            (r#"" 300 ""#, Duration::from_secs(300)),
            ("300.5", Duration::from_millis(300_500)),
            ("3e2", Duration::from_secs(300)),
            ("0", Duration::ZERO),
            ("-1", Duration::ZERO),
            ("-1e400", Duration::ZERO),
            ("1e400", Duration::MAX),
            ("18446744073709551616", Duration::MAX),
        ];
        for (json, lifetime) in writings {
            assert_eq!(read(json).unwrap(), Some(lifetime), "{json}");
        }
        assert_eq!(read("null").unwrap(), None);
        assert_eq!(
            from_json::<TokenResponse>(br#"{"access_token":"x"}"#)
                .unwrap()
                .expires_in,
            None
        );
    }

    #[test]
    fn what_is_no_lifetime_is_absent() {
        for json in [
            r#""soon""#,
            r#""""#,
            r#""NaN""#,
            r#""inf""#,
            "true",
            "[]",
            "{}",
            r#""5 min""#,
        ] {
            assert_eq!(read(json).unwrap(), None, "{json}");
        }
    }

    #[test]
    fn an_answer_without_a_token_is_an_error_that_quotes_nothing() {
        for body in [
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":null}"#,
            r#"{"access_token":4711}"#,
        ] {
            let error = from_json::<TokenResponse>(body.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(!error.contains("4711"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_text() {
        let body = br#"{"access_token":"CANARY-4711","token_type":"CANARY-4711","scope":"CANARY-4711","expires_in":"300"}"#;
        let answer: TokenResponse = from_json(body).unwrap();
        let shown = format!("{answer:?}{answer:#?}");
        assert!(!shown.contains("CANARY"), "{shown}");
        assert!(shown.contains("300"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_text_is_a_lifetime_or_none(text in "[-+.0-9eE ]{0,30}|.*") {
            drop(read(&serde_json::to_string(&text).unwrap()));
        }

        #[test]
        fn whole_seconds_are_exact(number in 0u32..) {
            prop_assert_eq!(read(&number.to_string()).unwrap(), Some(Duration::from_secs(number.into())));
        }
    }
}

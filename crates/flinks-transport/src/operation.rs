//! One API call as a value: how to ask, how to read the answer, and whether it may be asked twice.

use std::fmt;

use bytes::Bytes;
use flinks_types::ApiError;
use http::{Request, Response, response};

use crate::{Body, CallMeta, Error};

/// One API call as a value.
///
/// Everything here is pure: no I/O, no clock, no credentials. That is why a fixture can drive any
/// operation, and why an endpoint that this SDK does not know yet can be added without forking it.
pub trait Operation {
    /// What a successful answer is read into.
    type Output;

    /// Name, replay safety and timing of this very value.
    fn meta(&self) -> CallMeta;

    /// Builds the request.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when a value cannot be sent.
    fn request(&self) -> Result<Request<Body>, Error>;

    /// Whether [`decode`](Self::decode) should see this answer; by default any 2xx.
    ///
    /// Whatever is not accepted becomes an [`ErrorKind::Api`](crate::ErrorKind::Api) error.
    fn accepts(&self, parts: &response::Parts) -> bool {
        parts.status.is_success()
    }

    /// Reads a complete answer.
    ///
    /// # Errors
    /// [`DecodeError`]: the answer says that the call failed, or cannot be read.
    fn decode(&self, response: Response<Bytes>) -> Result<Self::Output, DecodeError>;

    /// Reads what it can of a 2xx answer that is not whole, is encoded, or that
    /// [`decode`](Self::decode) could not read; the call succeeds when this returns something.
    ///
    /// For calls that cannot be repeated: the answer may hold the only copy of an id. `answer` is
    /// whatever arrived, any bytes at all. By default nothing is read from it.
    fn recover(&self, answer: &[u8]) -> Option<Self::Output> {
        let _ = answer;
        None
    }
}

/// Why an answer with an accepted status is no success.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body says that the call failed, whatever the status said.
    Api(Box<ApiError>),
    /// The answer shows that a setting cannot be right, and the call was refused for it. The text
    /// names the setting, never a value.
    Setting(String),
    /// The body is not what this operation answers. The text names the place, never a value.
    Malformed(String),
}

impl DecodeError {
    /// The body says that the call failed, as `error` tells.
    #[must_use]
    pub fn api(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }

    /// What a JSON error may tell: its field, place and category, never the value that was there.
    ///
    /// The name of a field of the wrong type is there if [`from_json`](flinks_types::from_json)
    /// made the error.
    #[must_use]
    pub fn json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        // The names are those of our own fields; nothing else of the text may be shown.
        let faults = [
            ("missing field `", "is missing"),
            ("duplicate field `", "appears twice"),
            ("wrong type of field `", "has another type than documented"),
        ];
        for (prefix, fault) in faults {
            let rest = text.strip_prefix(prefix);
            if let Some(field) = rest.and_then(|rest| rest.split('`').next()) {
                return Self::Malformed(format!("{field} {fault}"));
            }
        }
        if text.starts_with("no object") {
            return Self::Malformed("the JSON is no object".to_owned());
        }
        let what = match error.classify() {
            serde_json::error::Category::Data => "a field has another type than documented",
            serde_json::error::Category::Eof => "the JSON ends early",
            serde_json::error::Category::Io | serde_json::error::Category::Syntax => "not JSON",
        };
        Self::Malformed(format!(
            "{what} (line {}, column {})",
            error.line(),
            error.column()
        ))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => write!(f, "{error}"),
            Self::Malformed(what) | Self::Setting(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_error_names_the_field_and_never_a_value() {
        let told = |body: &str| {
            let error = flinks_types::from_json::<flinks_types::TokenResponse>(body.as_bytes());
            DecodeError::json(&error.expect_err("an error")).to_string()
        };
        for (body, expected) in [
            ("{}", "access_token is missing"),
            (
                r#"{"access_token":"x","scope":"","scope":""}"#,
                "scope appears twice",
            ),
            (
                r#"{"access_token":4711}"#,
                "access_token has another type than documented",
            ),
            ("[4711]", "the JSON is no object"),
            ("\"4711\"", "the JSON is no object"),
            ("{", "the JSON ends early (line 1, column 1)"),
            ("nope", "not JSON (line 1, column 2)"),
        ] {
            assert_eq!(told(body), expected);
        }
    }
}

//! One API call as a value: it builds the request and reads the answer.

use std::fmt;

use bytes::Bytes;
use flinks_types::ApiError;
use http::{Request, Response, response};

use crate::{Body, CallMeta, Error};

/// One API call as a value.
///
/// An operation has no I/O, no clock and no credentials. Implement it to call an endpoint that this
/// SDK does not cover; the [crate page](crate) shows one.
pub trait Operation {
    /// The result of a successful call.
    type Output;

    /// Returns the name, route, credential, replay safety and limits of this call.
    fn meta(&self) -> CallMeta;

    /// Builds the request.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when a value cannot be sent.
    fn request(&self) -> Result<Request<Body>, Error>;

    /// Returns whether [`decode`](Self::decode) should read this answer; by default any 2xx.
    ///
    /// Any other answer becomes an [`ErrorKind::Api`](crate::ErrorKind::Api) error.
    fn accepts(&self, parts: &response::Parts) -> bool {
        parts.status.is_success()
    }

    /// Reads a complete answer.
    ///
    /// # Errors
    /// [`DecodeError`]: the answer says that the call failed, or cannot be read.
    fn decode(&self, response: Response<Bytes>) -> Result<Self::Output, DecodeError>;

    /// Reads what it can of a 2xx answer that is incomplete, is encoded, or that
    /// [`decode`](Self::decode) could not read. The call succeeds if this returns `Some`.
    ///
    /// For calls that cannot be repeated: the answer may hold the only copy of an id. `answer` may
    /// be any bytes. By default nothing is read from it.
    fn recover(&self, answer: &[u8]) -> Option<Self::Output> {
        let _ = answer;
        None
    }
}

/// Why an answer with an accepted status is not a success.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body says that the call failed, although the status does not.
    Api(Box<ApiError>),
    /// The answer shows that a setting is wrong. The text names the setting, never a value.
    Setting(String),
    /// The body cannot be read. The text names the place, never a value.
    Malformed(String),
}

impl DecodeError {
    /// The body says that the call failed.
    #[must_use]
    pub fn api(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }

    /// Describes a JSON error by its field, place and category, never by the value.
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
            return Self::Malformed("the JSON is not an object".to_owned());
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
        let message = |body: &str| {
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
            ("[4711]", "the JSON is not an object"),
            ("\"4711\"", "the JSON is not an object"),
            ("{", "the JSON ends early (line 1, column 1)"),
            ("nope", "not JSON (line 1, column 2)"),
        ] {
            assert_eq!(message(body), expected);
        }
    }
}

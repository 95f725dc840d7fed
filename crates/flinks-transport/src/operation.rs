//! One API call as a value: how to ask, how to read the answer, and whether it may be asked twice.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use flinks_types::ApiError;
use http::{Request, Response, response};

use crate::{Body, Error, Step};

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

/// Whether a request may be sent again by itself.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Replay {
    /// Never, not even after a failed connect.
    Never,
    /// Any number of times: the effect is that of one.
    Safe,
    /// Only while it provably had no effect: nothing complete was sent, or it was refused with 429.
    Unsent,
}

/// What every layer may know about a call; it travels in the request's extensions.
///
/// A layer that builds a request anew must carry the extensions over: without them the request
/// is refused before it is sent, because nobody could say whether it may be repeated.
#[derive(Clone, Copy, Debug)]
pub struct CallMeta {
    operation: &'static str,
    replay: Replay,
    step: Step,
    pub(crate) timing: Timing,
    pub(crate) deadline: Deadline,
    pub(crate) max_response_bytes: Option<usize>,
    min_token_ttl: Duration,
    bears_loss: bool,
}

/// How one attempt is timed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Timing {
    /// The transport's attempt timeout.
    Default,
    /// A limit of its own for the whole attempt.
    Attempt(Duration),
    /// A limit on silence: `idle` while the body is sent, `answer` after its last byte.
    Stall { idle: Duration, answer: Duration },
}

/// How the whole call is timed, waits between attempts included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deadline {
    Default,
    None,
    Within(Duration),
}

impl CallMeta {
    /// A call with the transport's own limits. `operation` is `family.verb`, as in `upload.file`.
    #[must_use]
    pub const fn new(operation: &'static str, replay: Replay) -> Self {
        Self {
            operation,
            replay,
            step: Step::Call,
            timing: Timing::Default,
            deadline: Deadline::Default,
            max_response_bytes: None,
            min_token_ttl: Duration::ZERO,
            bears_loss: false,
        }
    }

    /// The operation's name, as spans, errors and fixtures use it.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        self.operation
    }

    /// Whether this request may be sent again by itself.
    #[must_use]
    pub const fn replay(&self) -> Replay {
        self.replay
    }

    /// Whether this is a token request or an API call.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// The same call with another replay safety.
    #[must_use]
    pub const fn with_replay(mut self, replay: Replay) -> Self {
        self.replay = replay;
        self
    }

    /// The same call, marked as a token request or as an API call.
    #[must_use]
    pub const fn with_step(mut self, step: Step) -> Self {
        self.step = step;
        self
    }

    /// How long a credential must still live when an attempt starts.
    #[must_use]
    pub const fn min_token_ttl(&self) -> Duration {
        self.min_token_ttl
    }

    /// Asks for a credential that lives at least this long: for calls that take their time.
    #[must_use]
    pub const fn with_min_token_ttl(mut self, life: Duration) -> Self {
        self.min_token_ttl = life;
        self
    }

    /// Whether a kept connection may carry this request: if it is [`Replay::Safe`], or if its call
    /// said so with [`with_reused_connection`](Self::with_reused_connection).
    #[must_use]
    pub const fn reuses_connection(&self) -> bool {
        self.bears_loss || matches!(self.replay, Replay::Safe)
    }

    /// Allows a kept connection for a request that must not be repeated by itself.
    ///
    /// A server may close such a connection just when the request is on its way, and its outcome
    /// is then unknown. For calls whose caller can start over, as an upload session.
    #[must_use]
    pub const fn with_reused_connection(mut self) -> Self {
        self.bears_loss = true;
        self
    }

    /// Limits each attempt, from its start to the last byte of the answer.
    #[must_use]
    pub const fn with_attempt_timeout(mut self, limit: Duration) -> Self {
        self.timing = Timing::Attempt(limit);
        self
    }

    /// Limits silence instead of duration: `idle` while the server takes no byte of the body,
    /// `answer` from its last byte to the answer. Waiting for our own disk does not count.
    #[must_use]
    pub const fn with_stall_timeout(mut self, idle: Duration, answer: Duration) -> Self {
        self.timing = Timing::Stall { idle, answer };
        self
    }

    /// Limits the whole call, waits between attempts included.
    #[must_use]
    pub const fn with_timeout(mut self, limit: Duration) -> Self {
        self.deadline = Deadline::Within(limit);
        self
    }

    /// Takes the transport's deadline away: the attempts' own limits still hold.
    #[must_use]
    pub const fn without_timeout(mut self) -> Self {
        self.deadline = Deadline::None;
        self
    }

    /// Limits the answer; larger ones are an error that has been delivered.
    #[must_use]
    pub const fn with_max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = Some(limit);
        self
    }
}

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

//! What a call says of itself to every layer: name, route, credential, replay safety, limits.

use std::time::Duration;

use crate::timeout::Timing;
use crate::{Route, Step};

/// Whether the transport may send a request again without being asked.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Replay {
    /// Never, not even after a failed connect.
    Never,
    /// Any number of times: the effect is that of one request.
    Safe,
    /// Only if it certainly had no effect: no complete request was sent, or it was refused with 429.
    Unsent,
}

/// Which credential a call requires. A credential layer adds the one it holds and no other.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Credential {
    /// None, or one that the operation itself puts into its request.
    #[default]
    None,
    /// The OAuth access token of the upload host: `Authorization: Bearer <access token>`.
    OAuth,
    /// The API secret of the results host: `Authorization: Bearer <API secret>`.
    ApiSecret,
    /// The authorize token of a bank session: `flinks-auth-key`.
    AuthorizeToken,
    /// The API key of the legacy data calls: `x-api-key`.
    ApiKey,
}

/// What a call is, for every layer: its name, route, credential, replay safety and limits.
///
/// It travels in the request's extensions. A layer that replaces the request must copy them:
/// a request without them is refused before it is sent.
///
/// ```
/// use std::time::Duration;
///
/// use flinks_transport::{CallMeta, Credential, Replay, Route};
///
/// let meta = CallMeta::new("example.status", Route::get("/v3/{customerId}/status"), Replay::Safe)
///     .with_credential(Credential::ApiKey)
///     .with_attempt_timeout(Duration::from_secs(10));
/// assert_eq!(meta.route().to_string(), "GET /v3/{customerId}/status");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CallMeta {
    operation: &'static str,
    route: Route,
    credential: Credential,
    replay: Replay,
    step: Step,
    pub(crate) timing: Timing,
    pub(crate) deadline: Deadline,
    pub(crate) max_response_bytes: Option<usize>,
    min_token_ttl: Duration,
    bears_loss: bool,
}

/// How the whole call is timed, waits between attempts included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deadline {
    Default,
    None,
    Within(Duration),
}

impl CallMeta {
    /// A call without a credential and with the transport's limits. `operation` is `family.verb`,
    /// such as `upload.file`.
    #[must_use]
    pub const fn new(operation: &'static str, route: Route, replay: Replay) -> Self {
        Self {
            operation,
            route,
            credential: Credential::None,
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

    /// The method and the path template, without ids.
    #[must_use]
    pub const fn route(&self) -> Route {
        self.route
    }

    /// The credential that the call requires.
    #[must_use]
    pub const fn credential(&self) -> Credential {
        self.credential
    }

    /// Whether the transport may send the request again.
    #[must_use]
    pub const fn replay(&self) -> Replay {
        self.replay
    }

    /// Whether this is a token request or an API call.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// Sets the credential that the call requires.
    #[must_use]
    pub const fn with_credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// Sets whether the transport may send the request again.
    #[must_use]
    pub const fn with_replay(mut self, replay: Replay) -> Self {
        self.replay = replay;
        self
    }

    /// Marks the call as a token request or as an API call.
    #[must_use]
    pub const fn with_step(mut self, step: Step) -> Self {
        self.step = step;
        self
    }

    /// The remaining lifetime that a token must have when an attempt starts.
    #[must_use]
    pub const fn min_token_ttl(&self) -> Duration {
        self.min_token_ttl
    }

    /// Requires a token with at least this remaining lifetime; for calls that take long.
    #[must_use]
    pub const fn with_min_token_ttl(mut self, life: Duration) -> Self {
        self.min_token_ttl = life;
        self
    }

    /// Whether a pooled connection may be used: if the call is [`Replay::Safe`], or allowed it
    /// with [`with_reused_connection`](Self::with_reused_connection).
    #[must_use]
    pub const fn reuses_connection(&self) -> bool {
        self.bears_loss || matches!(self.replay, Replay::Safe)
    }

    /// Allows a pooled connection for a request that must not be repeated.
    ///
    /// A server may close such a connection while the request is sent; its outcome is then unknown.
    /// For calls whose caller can start over, such as a file of an upload session.
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

    /// Limits silence instead of duration: `idle` is the time in which the server takes no byte of
    /// the body, `answer` the time from its last byte to the answer. Waiting for the body's own
    /// source does not count.
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

    /// Removes the limit on the whole call; each attempt is still limited.
    #[must_use]
    pub const fn without_timeout(mut self) -> Self {
        self.deadline = Deadline::None;
        self
    }

    /// Limits the size of the answer. A larger one is an error with delivery
    /// [`Delivered`](crate::Delivery::Delivered).
    #[must_use]
    pub const fn with_max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = Some(limit);
        self
    }
}

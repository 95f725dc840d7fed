//! What a scripted service does with one request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::Frame;

use crate::{Body, BoxError, Error, ErrorKind};

/// What a [`ScriptedService`](super::ScriptedService) does with one request.
#[derive(Clone, Debug)]
pub struct Reply {
    outcome: Outcome,
    headers: HeaderMap,
    delay: Duration,
}

#[derive(Clone, Debug)]
enum Outcome {
    Answer(StatusCode, Bytes),
    Truncated(StatusCode, Bytes),
    Fail(Error),
    Disconnect { reads_body: bool },
    Hang,
}

impl Reply {
    /// Answers with a body of JSON.
    ///
    /// # Panics
    /// When `status` is not between 100 and 999.
    #[must_use]
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self::new(Outcome::Answer(code(status), body.into().into()))
            .header("content-type", "application/json")
    }

    /// Answers without a body.
    ///
    /// # Panics
    /// When `status` is not between 100 and 999.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::new(Outcome::Answer(code(status), Bytes::new()))
    }

    /// Answers with the beginning of a body, then breaks off.
    ///
    /// # Panics
    /// When `status` is not between 100 and 999.
    #[must_use]
    pub fn truncated(status: u16, part: impl Into<String>) -> Self {
        Self::new(Outcome::Truncated(code(status), part.into().into()))
    }

    /// Fails as if no connection could be made ([`ErrorKind::Connect`]); nothing is read.
    #[must_use]
    pub fn refuse() -> Self {
        Self::error(Error::new(ErrorKind::Connect, "connection refused"))
    }

    /// Fails with this error; nothing is read.
    #[must_use]
    pub fn error(error: Error) -> Self {
        Self::new(Outcome::Fail(error))
    }

    /// Breaks the connection before the body is read.
    #[must_use]
    pub fn disconnect_before_body() -> Self {
        Self::new(Outcome::Disconnect { reads_body: false })
    }

    /// Reads the whole request, then breaks the connection.
    #[must_use]
    pub fn disconnect() -> Self {
        Self::new(Outcome::Disconnect { reads_body: true })
    }

    /// Reads the whole request and never answers.
    #[must_use]
    pub fn hang() -> Self {
        Self::new(Outcome::Hang)
    }

    /// Adds a header to the answer, such as `retry-after`.
    ///
    /// # Panics
    /// If `value` is not a valid header value.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test double fails its test")]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header value");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// Answers after this time.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            headers: HeaderMap::new(),
            delay: Duration::ZERO,
        }
    }

    pub(super) fn reads_body(&self) -> bool {
        !matches!(
            self.outcome,
            Outcome::Fail(_) | Outcome::Disconnect { reads_body: false }
        )
    }

    pub(super) async fn answer(self) -> Result<Response<Body>, BoxError> {
        tokio::time::sleep(self.delay).await;
        let (status, body) = match self.outcome {
            Outcome::Answer(status, body) => (status, Body::from(body)),
            Outcome::Truncated(status, part) => (status, Body::from_stream(Truncated(Some(part)))),
            Outcome::Fail(error) => return Err(error.into()),
            Outcome::Disconnect { .. } => return Err("the connection broke".into()),
            Outcome::Hang => std::future::pending().await,
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = self.headers;
        Ok(response)
    }
}

#[expect(clippy::expect_used, reason = "a test double fails its test")]
fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status")
}

/// A body that breaks off after its first frame.
struct Truncated(Option<Bytes>);

impl http_body::Body for Truncated {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let part = self.0.take();
        Poll::Ready(Some(part.map_or_else(
            || Err("the connection broke".into()),
            |part| Ok(Frame::data(part)),
        )))
    }
}

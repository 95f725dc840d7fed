//! The one error of every call: what failed, what the service said, and whether it may have acted.

mod delivery;
mod display;
mod kind;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flinks_types::ApiError;
use http::uri::Scheme;
use http::{StatusCode, Uri};

use crate::{CallMeta, Replay, Route};

pub use delivery::{Delivery, Step};
pub use kind::ErrorKind;

/// A boxed error, as tower's services hand it on.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A failed call. Cheap to clone.
///
/// `Display` names the operation, the status, the host, what the service said and whether it may have
/// acted. After an answer it has the method and the path template ([`Error::route`]), and if the network
/// failed, the proxy. It never prints a body, a header value, an id or its source. [`Error::report`] adds the sources, and so does `Debug`, which is what `?` in `main`
/// prints; `{:#?}` prints the fields.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    step: Step,
    delivery: Delivery,
    operation: Option<&'static str>,
    route: Option<Route>,
    replay: Option<Replay>,
    origin: Option<String>,
    proxy: Option<Arc<str>>,
    proxy_status: Option<StatusCode>,
    message: Cow<'static, str>,
    status: Option<StatusCode>,
    api: Option<ApiError>,
    answer: Option<Bytes>,
    retry_after: Option<Duration>,
    attempts: u32,
    elapsed: Duration,
    is_wait_over: bool,
    /// Trying again cannot help, whatever the kind.
    is_final: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Creates an error of a request that was not sent, for layers and operations. If it may have
    /// been sent, set [`with_delivery`](Self::with_delivery).
    ///
    /// `message` is shown to people and written to logs, so it must not contain a secret or account
    /// data.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            step: Step::Call,
            delivery: Delivery::NotSent,
            operation: None,
            route: None,
            replay: None,
            origin: None,
            proxy: None,
            proxy_status: None,
            message: message.into(),
            status: None,
            api: None,
            answer: None,
            retry_after: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            is_wait_over: false,
            is_final: false,
            source: None,
        }))
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the service may have acted on the request.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// The operation that failed, such as `upload.file`.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The method and path template of the request that failed: the token request's if the
    /// [`step`](Self::step) is [`Step::Token`].
    #[must_use]
    pub fn route(&self) -> Option<Route> {
        self.0.route
    }

    /// Whether the call may be sent again by itself. [`delivery`](Self::delivery) says whether
    /// this one may have acted.
    #[must_use]
    pub fn replay(&self) -> Option<Replay> {
        self.0.replay
    }

    /// Where the request that failed was sent: `scheme://host`, with its port if the URL names one.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.0.origin.as_deref()
    }

    /// The proxy that the transport uses for this request, as `host:port`.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.0.proxy.as_deref()
    }

    /// The HTTP status with which the proxy refused to open a tunnel; the service never saw the request.
    #[must_use]
    pub fn proxy_status(&self) -> Option<StatusCode> {
        self.0.proxy_status
    }

    /// Whether it was the token request or the API call that failed.
    #[must_use]
    pub fn step(&self) -> Step {
        self.0.step
    }

    /// The HTTP status, when the service answered.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The error that the service described in its answer, if it could be read.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        self.0.api.as_ref()
    }

    /// The answer that could not be read, as it arrived and possibly incomplete: kept when the
    /// service may have acted, because an id in it may exist nowhere else.
    ///
    /// It holds account data. No `Debug`, `Display` or [`report`](Self::report) shows it, and it
    /// is not larger than the call's limit for answers.
    #[must_use]
    pub fn answer(&self) -> Option<&Bytes> {
        self.0.answer.as_ref()
    }

    /// The time that the service asked to wait (`Retry-After`).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How many attempts were made; 0 when the call never began.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the call took, waits between attempts included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Whether a wait returned this because its time was up, and not because of the failure itself.
    #[must_use]
    pub fn is_wait_over(&self) -> bool {
        self.0.is_wait_over
    }

    /// The whole chain on one line: this error, then each cause, never in the causes' `Debug` form.
    #[must_use]
    pub fn report(&self) -> impl fmt::Display + '_ {
        display::Report(self)
    }

    /// Sets the cause; for layers and services of the application.
    #[must_use]
    pub fn with_source(self, source: impl Into<BoxError>) -> Self {
        self.edit(|inner| inner.source = Some(Arc::from(source.into())))
    }

    /// Sets the operation; for errors that are found in an answer after its call ended.
    #[must_use]
    pub fn with_operation(self, operation: &'static str) -> Self {
        self.edit(|inner| inner.operation = Some(operation))
    }

    /// Sets whether the token request or the call itself failed.
    #[must_use]
    pub fn with_step(self, step: Step) -> Self {
        self.edit(|inner| {
            inner.step = step;
            if step == Step::Token {
                // It may hold a token, and nothing that could not be had again.
                inner.answer = None;
            }
        })
    }

    /// Sets the delivery; for layers that know whether the request was sent.
    #[must_use]
    pub fn with_delivery(self, delivery: Delivery) -> Self {
        self.edit(|inner| inner.delivery = delivery)
    }

    pub(crate) fn with_proxy_status(self, status: StatusCode) -> Self {
        self.edit(|inner| inner.proxy_status = Some(status))
    }

    /// Marks a failure that stays until a person changes something.
    pub(crate) fn with_no_retry(self) -> Self {
        self.edit(|inner| inner.is_final = true)
    }

    pub(crate) fn is_final(&self) -> bool {
        self.0.is_final
    }

    pub(crate) fn with_wait_over(self) -> Self {
        self.edit(|inner| inner.is_wait_over = true)
    }

    pub(crate) fn with_answer(
        self,
        status: StatusCode,
        api: Option<ApiError>,
        retry_after: Option<Duration>,
    ) -> Self {
        self.edit(|inner| {
            inner.status = Some(status);
            inner.api = api;
            inner.retry_after = retry_after;
        })
    }

    /// Keeps an answer that could not be read, if the service may have acted. What is kept later
    /// is closer to the wire.
    pub(crate) fn keeping(self, answer: &Bytes) -> Self {
        if answer.is_empty() || !self.delivery().may_have_acted() {
            return self;
        }
        self.edit(|inner| inner.answer = Some(answer.clone()))
    }

    /// Says which call failed. A failed token request has already said where it was sent.
    pub(crate) fn with_call(
        self,
        meta: &CallMeta,
        uri: Option<&Uri>,
        proxy: Option<&Arc<str>>,
    ) -> Self {
        let is_https = uri.is_some_and(|uri| uri.scheme() == Some(&Scheme::HTTPS));
        self.edit(|inner| {
            inner.proxy = proxy.filter(|_| is_https).cloned();
            inner.operation = Some(meta.operation());
            inner.replay = Some(meta.replay());
            if inner.step == Step::Call || inner.route.is_none() {
                inner.route = Some(meta.route());
                inner.origin = uri.and_then(origin_of);
            }
        })
    }

    /// Adds what only the boundary of the call knows.
    pub(crate) fn finish(self, delivery: Delivery, attempts: u32, elapsed: Duration) -> Self {
        self.edit(|inner| {
            inner.delivery = inner.delivery.max(delivery);
            inner.attempts = attempts;
            inner.elapsed = elapsed;
        })
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

/// Scheme, host and port; never the user's part of the authority.
fn origin_of(uri: &Uri) -> Option<String> {
    let authority = uri.authority()?.as_str();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    Some(format!("{}://{host}", uri.scheme_str()?))
}

impl From<crate::IdentityError> for Error {
    fn from(error: crate::IdentityError) -> Self {
        Self::new(ErrorKind::Config, error.to_string()).with_source(error)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(&self.report(), f);
        }
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("operation", &inner.operation)
            .field("step", &inner.step)
            .field("delivery", &inner.delivery)
            .field("status", &inner.status)
            .field("attempts", &inner.attempts)
            .field("elapsed", &inner.elapsed)
            .field("message", &inner.message)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: CallMeta =
        CallMeta::new("upload.file", Route::post("/api/v1/upload"), Replay::Unsent);

    #[test]
    fn a_failed_call_says_which_request_failed_and_where_it_was_sent() {
        const TOKEN: CallMeta =
            CallMeta::new("auth.token", Route::post("/api/v1/token"), Replay::Safe)
                .with_step(Step::Token);
        let uri = |text| Uri::from_static(text);
        let refused = || Error::new(ErrorKind::Api, "refused");
        let call = uri("https://user:canary@upload.example:8443/api/v1/upload?canary");
        let error = refused().with_call(&META, Some(&call), None);
        assert_eq!(error.origin(), Some("https://upload.example:8443"));
        assert_eq!(error.route(), Some(META.route()));
        assert_eq!(error.replay(), Some(Replay::Unsent));

        let token = refused().with_call(&TOKEN, Some(&uri("https://token.example/token")), None);
        let error = token
            .with_step(Step::Token)
            .with_call(&META, Some(&call), None);
        assert_eq!(error.operation(), Some("upload.file"));
        assert_eq!(error.replay(), Some(Replay::Unsent));
        assert_eq!(error.route(), Some(TOKEN.route()));
        assert_eq!(error.origin(), Some("https://token.example"));
    }

    #[test]
    fn display_names_everything_actionable_but_no_source() {
        let error = Error::new(ErrorKind::Api, "rejected")
            .with_answer(
                StatusCode::PAYLOAD_TOO_LARGE,
                ApiError::from_body(br#"{"FlinksCode":"TOO_BIG","Message":"too big"}"#),
                Some(Duration::from_secs(90)),
            )
            .with_source("the cause")
            .with_call(
                &META,
                Some(&Uri::from_static("https://upload.example")),
                None,
            )
            .finish(Delivery::Rejected, 2, Duration::from_millis(3));
        let text = error.to_string();
        for part in [
            "upload.file",
            "413",
            "too big",
            "TOO_BIG",
            "90 s",
            "2 attempts",
            "rejected: HTTP",
            "(POST https://upload.example/api/v1/upload)",
        ] {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
        assert!(!text.contains("the cause"));
        assert!(error.report().to_string().ends_with("the cause"));
    }

    #[test]
    fn display_says_once_whether_the_service_may_have_acted() {
        let fails = |kind, code| {
            let error = Error::new(kind, "failed");
            let error = error.with_delivery(Delivery::Rejected);
            match StatusCode::from_u16(code) {
                Ok(status) => error.with_answer(status, None, None),
                Err(_) => error.with_delivery(Delivery::NotSent),
            }
        };
        const READ: CallMeta = CallMeta::new("fraud.analysis", Route::get("/{id}"), Replay::Safe);
        let rows = [
            (fails(ErrorKind::Api, 401), META, Delivery::Rejected, ""),
            (
                fails(ErrorKind::Api, 401),
                META,
                Delivery::Unknown,
                "; the service may have acted on an earlier attempt",
            ),
            (
                fails(ErrorKind::Connect, 0),
                META,
                Delivery::NotSent,
                "; nothing was sent",
            ),
            (
                fails(ErrorKind::Timeout, 0),
                META,
                Delivery::NotSent,
                "; no changes were made",
            ),
            (
                fails(ErrorKind::Timeout, 0),
                META,
                Delivery::Unknown,
                "; the service may have acted",
            ),
            (fails(ErrorKind::Timeout, 0), READ, Delivery::Unknown, ""),
        ];
        for (error, meta, delivery, end) in rows {
            let error = error.with_call(&meta, None, None);
            let text = error.finish(delivery, 2, Duration::ZERO).to_string();
            assert!(text.ends_with(&format!("2 attempts{end}")), "{text}");
        }
    }

    #[test]
    fn an_error_that_main_returns_shows_what_the_service_said_and_the_causes() {
        let error = Error::new(ErrorKind::Api, "rejected")
            .with_answer(
                StatusCode::UNAUTHORIZED,
                ApiError::from_body(br#"{"error":"invalid_client","error_description":"No."}"#),
                None,
            )
            .with_source("the cause");
        let shown = format!("{:?}", Box::<dyn StdError>::from(error.clone()));
        assert_eq!(shown, error.report().to_string());
        assert!(
            shown.contains("invalid_client") && shown.ends_with("the cause"),
            "{shown}"
        );
        assert!(format!("{error:#?}").starts_with("Error {"));
    }

    #[test]
    fn a_report_leaves_out_what_only_programmers_read() {
        let report = |kind, source| {
            Error::new(kind, "it failed")
                .with_source(source)
                .report()
                .to_string()
        };
        let lost = report(
            ErrorKind::Connect,
            "no close_notify: https://docs.rs/rustls/x.html",
        );
        assert_eq!(lost, "it failed: no close_notify");
        let untrusted = report(
            ErrorKind::ServerCertificate,
            "Other(OtherError(CaUsedAsEndEntity))",
        );
        assert_eq!(untrusted, "it failed");
        assert_eq!(report(ErrorKind::Config, "it failed"), "it failed");
    }

    #[test]
    fn only_a_4xx_is_a_refusal() {
        for code in 100..1000 {
            let expected = match code / 100 {
                2 => Delivery::Delivered,
                4 => Delivery::Rejected,
                _ => Delivery::Unknown,
            };
            let status = StatusCode::from_u16(code).expect("a status");
            assert_eq!(Delivery::of_status(status), expected, "{code}");
        }
    }

    #[test]
    fn a_kept_answer_is_never_shown() {
        let canary = Bytes::from_static(b"canary");
        let rejected = Error::new(ErrorKind::Api, "refused")
            .with_delivery(Delivery::Rejected)
            .keeping(&canary);
        assert_eq!(rejected.answer(), None);
        let error = Error::new(ErrorKind::Decode, "unread")
            .with_delivery(Delivery::Delivered)
            .keeping(&canary);
        assert_eq!(error.answer(), Some(&canary));
        let shown = format!("{error} {error:?} {error:#?} {}", error.report());
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn an_earlier_unknown_outcome_is_not_forgotten() {
        let error = Error::new(ErrorKind::Api, "refused").with_delivery(Delivery::Rejected);
        let error = error.finish(Delivery::Unknown, 2, Duration::ZERO);
        assert_eq!(error.delivery(), Delivery::Unknown);
    }
}

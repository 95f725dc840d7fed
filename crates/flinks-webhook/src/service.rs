//! The tower service that receives webhooks: verifies, reads, handles each once, and answers.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use tower_service::Service;

use crate::seen::{Claim, MemoryStore, SeenStore};
use crate::signature::Verifier;
use crate::webhook::{BodyHash, Event, Webhook};

/// A year of transactions of many accounts has some megabytes.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Receives webhooks: a tower service for axum's `route_service`, for hyper (through hyper-util's
/// `TowerToHyperService`), or for any other tower server.
///
/// It verifies the signature of the raw body, reads the event, and calls the handler, at most once for
/// each webhook that the handler accepted. The handler is an async function from a [`Webhook`] to a
/// `Result`. Answers have no body:
///
/// | status | when |
/// |---|---|
/// | 200 | the handler returned `Ok`, now or on an earlier delivery |
/// | 400 | the body broke off |
/// | 401 | the signature is missing, malformed or wrong |
/// | 403 | the body is older than [`with_max_age`](Self::with_max_age) |
/// | 405 | the method is not POST |
/// | 409 | another delivery of this webhook is being handled |
/// | 413 | the body is larger than [`with_body_limit`](Self::with_body_limit) |
/// | 500 | the handler or the store failed |
///
/// Flinks takes anything but 200 as a failure, and delivers again: at most 10 times, 30 minutes apart.
/// A handler that fails is therefore called again. One that is cut off (the server drops its future
/// when the sender closes the connection) may have half done its work, so it should only put the
/// webhook in a queue. A webhook that cannot be read is given to the handler too:
/// [`Event::Unreadable`].
///
/// The service spawns nothing and logs no body, secret, signature or error of the handler. It does not
/// limit the time that a body may take: set a timeout in the server.
///
/// Source: docs.flinks.com, Webhooks.
///
/// ```
/// use flinks_webhook::{Secret, Verifier, Webhook, WebhookService};
///
/// async fn handle(webhook: Webhook) -> Result<(), std::io::Error> {
///     println!("{webhook:?}");
///     Ok(())
/// }
///
/// let verifier = Verifier::new(Secret::new("the secret that Flinks sent"))?;
/// let service = WebhookService::new(verifier, handle);
/// let app: axum::Router = axum::Router::new().route_service("/webhooks", service);
/// # drop(app);
/// # Ok::<(), flinks_webhook::SignatureError>(())
/// ```
pub struct WebhookService<H, S = MemoryStore> {
    shared: Arc<Shared<H>>,
    store: Arc<S>,
    body_limit: usize,
    max_age: Option<Duration>,
}

struct Shared<H> {
    verifier: Verifier,
    handler: H,
}

impl<H> WebhookService<H> {
    /// Receives webhooks that `verifier` accepts, with a [`MemoryStore`] that remembers them.
    pub fn new(verifier: Verifier, handler: H) -> Self {
        Self {
            shared: Arc::new(Shared { verifier, handler }),
            store: Arc::default(),
            body_limit: BODY_LIMIT,
            max_age: None,
        }
    }
}

impl<H, S> WebhookService<H, S> {
    /// Sets the store that remembers which webhooks were handled, such as a database that several
    /// processes share.
    #[must_use]
    pub fn with_store<T: SeenStore>(self, store: T) -> WebhookService<H, T> {
        WebhookService {
            shared: self.shared,
            store: Arc::new(store),
            body_limit: self.body_limit,
            max_age: self.max_age,
        }
    }

    /// Sets the largest body that is received, in bytes: 16 MiB by default. It is held in memory.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Refuses webhooks whose login was last refreshed longer ago than this; off by default.
    ///
    /// `Login.LastRefresh` is the only date that a body is known to have. A webhook without it is
    /// never too old. With a store that remembers webhooks for longer than `max_age`, one that has the
    /// date is never handled twice. Allow for the five hours of repeated deliveries, and for data that
    /// you request long after a refresh.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }
}

impl<H: Send + Sync, S: SeenStore> WebhookService<H, S> {
    async fn receive<B, F, E>(self, request: Request<B>) -> StatusCode
    where
        B: Body<Data: Send, Error: Into<BoxError>> + Send,
        H: Fn(Webhook) -> F,
        F: Future<Output = Result<(), E>> + Send,
    {
        let webhook = match self.verified(request).await {
            Ok(webhook) => webhook,
            Err((status, reason)) => {
                tracing::warn!(
                    name: "flinks.webhook_refused",
                    { http.response.status_code = status.as_u16(), error.type = reason },
                    "a webhook was refused"
                );
                return status;
            }
        };
        let (status, outcome) = self.handle_once(webhook).await;
        tracing::debug!(
            name: "flinks.webhook",
            { http.response.status_code = status.as_u16(), flinks.outcome = outcome },
            "a webhook was received"
        );
        status
    }

    async fn verified<B>(&self, request: Request<B>) -> Result<Webhook, (StatusCode, &'static str)>
    where
        B: Body<Data: Send, Error: Into<BoxError>> + Send,
    {
        let too_large = (StatusCode::PAYLOAD_TOO_LARGE, "body_limit");
        if request.method() != Method::POST {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "method"));
        }
        let (parts, body) = request.into_parts();
        // Before the body is read: strangers have no signature.
        let signatures = self.shared.verifier.signatures(&parts.headers);
        let signatures =
            signatures.map_err(|error| (StatusCode::UNAUTHORIZED, error.kind().as_str()))?;
        let length = parts.headers.get(CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > self.body_limit) {
            return Err(too_large);
        }
        let body = match Limited::new(body, self.body_limit).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(too_large),
            Err(_) => return Err((StatusCode::BAD_REQUEST, "body")),
        };
        let verified = signatures.verify(&body);
        verified.map_err(|error| (StatusCode::UNAUTHORIZED, error.kind().as_str()))?;
        let webhook = Webhook::read(body);
        if self
            .max_age
            .is_some_and(|max_age| webhook.is_older_than(max_age, now()))
        {
            return Err((StatusCode::FORBIDDEN, "max_age"));
        }
        Ok(webhook)
    }

    async fn handle_once<F, E>(&self, webhook: Webhook) -> (StatusCode, &'static str)
    where
        H: Fn(Webhook) -> F,
        F: Future<Output = Result<(), E>> + Send,
    {
        let hash = webhook.hash();
        match self.store.claim(hash).await {
            Ok(Claim::New) => {}
            Ok(Claim::InProgress) => return (StatusCode::CONFLICT, "in_progress"),
            Ok(Claim::Handled) => return (StatusCode::OK, "repeated"),
            Err(_) => return (StatusCode::INTERNAL_SERVER_ERROR, "store"),
        }
        if let Event::Unreadable(why) = webhook.event() {
            tracing::warn!(
                name: "flinks.webhook_unreadable",
                { flinks.json.line = why.line, flinks.json.column = why.column },
                "a webhook cannot be read"
            );
        }
        if (self.shared.handler)(webhook).await.is_err() {
            note("release", self.store.release(hash).await.is_ok(), hash);
            return (StatusCode::INTERNAL_SERVER_ERROR, "handler");
        }
        // It was handled: a failure here must not bring it back.
        note("confirm", self.store.confirm(hash).await.is_ok(), hash);
        (StatusCode::OK, "handled")
    }
}

fn note(step: &'static str, is_done: bool, hash: BodyHash) {
    if !is_done {
        tracing::warn!(
            name: "flinks.webhook_store_failed",
            { flinks.step = step, flinks.body.sha256 = %hash },
            "the store of webhooks failed"
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a body's date is compared with the time of day"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

impl<H, S, F, E, B> Service<Request<B>> for WebhookService<H, S>
where
    S: SeenStore,
    H: Fn(Webhook) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let status = service.receive(request).await;
            let mut response = Response::new(Empty::new());
            *response.status_mut() = status;
            if status == StatusCode::METHOD_NOT_ALLOWED {
                response
                    .headers_mut()
                    .insert(ALLOW, HeaderValue::from_static("POST"));
            }
            Ok(response)
        })
    }
}

impl<H, S> Clone for WebhookService<H, S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            store: Arc::clone(&self.store),
            body_limit: self.body_limit,
            max_age: self.max_age,
        }
    }
}

impl<H, S> fmt::Debug for WebhookService<H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookService")
            .field("verifier", &self.shared.verifier)
            .field("body_limit", &self.body_limit)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

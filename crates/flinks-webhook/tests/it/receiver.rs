//! A service whose handler records what it was given.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use flinks_webhook::{
    FLINKS_AUTHENTICITY_KEY, MemoryStore, Secret, SeenStore, Verifier, Webhook, WebhookService,
    sign,
};
use http::{Request, StatusCode};
use http_body_util::Full;
use tower::ServiceExt as _;

pub(crate) const SECRET: &str = "canary secret+/=4711";
pub(crate) const OLD_SECRET: &str = "canary former secret";

type BoxHandler = Box<dyn Fn() -> bool + Send + Sync>;
type BoxFuture = std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

pub(crate) struct Receiver<S = MemoryStore> {
    pub(crate) service: WebhookService<Box<dyn Fn(Webhook) -> BoxFuture + Send + Sync>, S>,
    given: Arc<Mutex<Vec<Webhook>>>,
}

impl Receiver {
    /// Accepts every webhook.
    pub(crate) fn new() -> Self {
        Self::handling(|| true)
    }

    /// Fails for a webhook when `is_handled` says so.
    pub(crate) fn handling(is_handled: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let given: Arc<Mutex<Vec<Webhook>>> = Arc::default();
        let noted = Arc::clone(&given);
        let is_handled: BoxHandler = Box::new(is_handled);
        let handler: Box<dyn Fn(Webhook) -> BoxFuture + Send + Sync> = Box::new(move |webhook| {
            noted.lock().unwrap().push(webhook);
            let result = if is_handled() {
                Ok(())
            } else {
                Err("canary error".to_owned())
            };
            Box::pin(std::future::ready(result))
        });
        let verifier = Verifier::new(Secret::new(SECRET))
            .and_then(|verifier| verifier.with_secret(Secret::new(OLD_SECRET)));
        Self {
            service: WebhookService::new(verifier.unwrap(), handler),
            given,
        }
    }
}

impl<S: SeenStore> Receiver<S> {
    /// Returns what the handler was given so far.
    pub(crate) fn given(&self) -> Vec<Webhook> {
        self.given.lock().unwrap().clone()
    }

    /// Sends a request, whose answer never has a body.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> StatusCode {
        self.service
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .status()
    }
}

/// A request with these headers.
pub(crate) fn delivery(body: &[u8], headers: &[(&str, String)]) -> Request<Full<Bytes>> {
    let mut request = Request::post("/flinks");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(Full::from(body.to_vec())).unwrap()
}

/// A request as Flinks signs it.
pub(crate) fn signed(body: &[u8]) -> Request<Full<Bytes>> {
    delivery(
        body,
        &[(FLINKS_AUTHENTICITY_KEY.as_str(), signature(SECRET, body))],
    )
}

pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    sign(&Secret::new(secret), body)
        .to_str()
        .unwrap()
        .to_owned()
}

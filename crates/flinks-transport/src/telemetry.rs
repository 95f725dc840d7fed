//! The spans and events of the transport, and their fields, which `guide/observability.md` documents.
//!
//! Numbers are `i64`: OpenTelemetry has no unsigned integers, so its layer exports a `u64` as text.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, StatusCode, Uri};
use tracing::Span;
use tracing::field::Empty;

use crate::{CallMeta, Delivery, Error, Route, TlsVersion};

/// Makes the span of a request for a tracing layer of the application: method, path template and
/// host, and no id. The default of such layers logs the whole URL, and URLs hold LoginIds.
///
/// ```
/// use flinks_transport::{Transport, request_span};
/// use tower_http::trace::TraceLayer;
///
/// # fn main() -> Result<(), flinks_transport::Error> {
/// let builder = Transport::builder()
///     .attempt_layer(TraceLayer::new_for_http().make_span_with(request_span));
/// # let service = tower::service_fn(|_: http::Request<flinks_transport::Body>| async {
/// #     Ok::<_, flinks_transport::BoxError>(http::Response::new(flinks_transport::Body::empty()))
/// # });
/// # let builder = builder.service(service);
/// let transport = builder.build()?;
/// # Ok(())
/// # }
/// ```
pub fn request_span<B>(request: &Request<B>) -> Span {
    let meta = request.extensions().get::<CallMeta>();
    let route = meta.map(CallMeta::route);
    let (address, port) = server(request.uri());
    tracing::info_span!(
        "flinks.request",
        flinks.operation = meta.map(CallMeta::operation),
        http.request.method = request.method().as_str(),
        url.template = route.as_ref().map(Route::path),
        server.address = address,
        server.port = port,
    )
}

/// The span of a whole call.
pub(crate) fn call_span(meta: &CallMeta, uri: Option<&Uri>) -> Span {
    let route = meta.route();
    let (address, port) = uri.map(server).unwrap_or_default();
    tracing::info_span!(
        "flinks.call",
        otel.name = meta.operation(),
        otel.status_code = Empty,
        flinks.operation = meta.operation(),
        flinks.attempts = Empty,
        flinks.delivery = Empty,
        http.request.method = route.method(),
        http.request.body.size = Empty,
        http.response.status_code = Empty,
        http.response.body.size = Empty,
        url.template = route.path(),
        server.address = address,
        server.port = port,
        error.type = Empty,
    )
}

/// The span of one attempt; `retries` is the number of attempts before it.
pub(crate) fn attempt_span(meta: Option<&CallMeta>, uri: &Uri, retries: u32) -> Span {
    let route = meta.map(CallMeta::route);
    let (address, port) = server(uri);
    tracing::info_span!(
        "flinks.attempt",
        otel.name = route.as_ref().map(tracing::field::display),
        otel.kind = "client",
        otel.status_code = Empty,
        flinks.operation = meta.map(CallMeta::operation),
        flinks.delivery = Empty,
        http.request.method = route.as_ref().map(Route::method),
        http.request.resend_count = (retries > 0).then_some(i64::from(retries)),
        http.request.body.size = Empty,
        http.response.status_code = Empty,
        http.response.body.size = Empty,
        url.template = route.as_ref().map(Route::path),
        server.address = address,
        server.port = port,
        error.type = Empty,
    )
}

/// How a call or an attempt ended.
#[derive(Clone, Copy)]
pub(crate) struct Ending<'a> {
    pub(crate) status: Option<StatusCode>,
    pub(crate) error_type: Option<&'a str>,
    /// `None` after a layer of the application failed.
    pub(crate) delivery: Option<Delivery>,
    /// Bytes of all request bodies and answers.
    pub(crate) bytes: (u64, u64),
}

impl Ending<'_> {
    pub(crate) fn record(self, span: &Span) {
        if span.is_disabled() {
            return;
        }
        if let Some(status) = self.status {
            span.record("http.response.status_code", i64::from(status.as_u16()));
        }
        if let Some(error_type) = self.error_type {
            span.record("error.type", error_type);
            span.record("otel.status_code", "ERROR");
        }
        if let Some(delivery) = self.delivery {
            span.record("flinks.delivery", delivery.as_str());
        }
        let size = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
        span.record("http.request.body.size", size(self.bytes.0));
        span.record("http.response.body.size", size(self.bytes.1));
    }
}

/// The host and the port of a URL.
fn server(uri: &Uri) -> (Option<&str>, Option<i64>) {
    let default = if uri.scheme_str() == Some("http") {
        80
    } else {
        443
    };
    let port = uri.port_u16().unwrap_or(default);
    (uri.host(), Some(i64::from(port)))
}

pub(crate) fn retrying(meta: Option<&CallMeta>, retries: u32, wait: Duration) {
    tracing::info!(
        name: "flinks.retry",
        {
            flinks.operation = meta.map(CallMeta::operation),
            flinks.wait_seconds = wait.as_secs_f64(),
            http.request.resend_count = i64::from(retries),
        },
        "the call is sent again"
    );
}

pub(crate) fn poll_failed(meta: &CallMeta, error: &Error) {
    tracing::debug!(
        name: "flinks.poll_failed",
        { flinks.operation = meta.operation(), error.type = error.kind().as_str() },
        "a poll failed; the wait continues"
    );
}

pub(crate) fn identity_replaced() {
    tracing::info!(name: "flinks.identity_replaced", "the client identity was replaced");
}

/// A connection was opened, or failed. `peer` is the host, or the proxy.
pub(crate) fn connection(
    uri: &Uri,
    peer: Option<SocketAddr>,
    tls: Option<TlsVersion>,
    took: Duration,
    error_type: Option<&str>,
) {
    let (address, port) = server(uri);
    let tls = tls.map(|version| match version {
        TlsVersion::Tls12 => "1.2",
        TlsVersion::Tls13 => "1.3",
    });
    tracing::debug!(
        name: "flinks.connection",
        {
            server.address = address,
            server.port = port,
            network.peer.address = peer.map(|peer| tracing::field::display(peer.ip())),
            network.peer.port = peer.map(|peer| i64::from(peer.port())),
            tls.protocol.version = tls,
            flinks.seconds = took.as_secs_f64(),
            error.type = error_type,
        },
        "a connection was opened or failed"
    );
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// The names of the fields that were recorded as signed and as unsigned integers.
    #[derive(Clone, Default)]
    struct Integers(Arc<Mutex<[Vec<&'static str>; 2]>>);

    impl Visit for Integers {
        fn record_i64(&mut self, field: &Field, _: i64) {
            self.0.lock().expect("lock")[0].push(field.name());
        }

        fn record_u64(&mut self, field: &Field, _: u64) {
            self.0.lock().expect("lock")[1].push(field.name());
        }

        fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
    }

    impl Subscriber for Integers {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, attributes: &Attributes<'_>) -> Id {
            attributes.record(&mut self.clone());
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, values: &Record<'_>) {
            values.record(&mut self.clone());
        }

        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }

        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn integers_are_signed_as_opentelemetry_requires() {
        let integers = Integers::default();
        tracing::subscriber::with_default(integers.clone(), || {
            let uri = Uri::from_static("https://localhost:8443/");
            let span = attempt_span(None, &uri, 1);
            let ending = Ending {
                status: Some(StatusCode::OK),
                error_type: None,
                delivery: None,
                bytes: (1, 2),
            };
            ending.record(&span);
            let peer = SocketAddr::from(([127, 0, 0, 1], 8443));
            connection(&uri, Some(peer), None, Duration::ZERO, None);
            retrying(None, 1, Duration::ZERO);
        });
        let [signed, unsigned] = integers.0.lock().expect("lock").clone();
        assert_eq!(signed.len(), 8, "{signed:?}");
        assert!(unsigned.is_empty(), "{unsigned:?}");
    }
}

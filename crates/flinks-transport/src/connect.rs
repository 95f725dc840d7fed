//! The hyper client at the bottom of the stack: its connect timeout, its pool, and its errors.

mod certificate_requests;
mod dial;
mod handshake;
mod host;
mod monitored;
mod renegotiation;
mod tunnel;

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use tokio::time::Instant;
use tower_service::Service;

pub(crate) use self::certificate_requests::CertificateRequests;
pub(crate) use self::host::{Network, ProxyRoute};
pub(crate) use self::renegotiation::RenegotiationRequested;

use self::dial::{NoAddress, Tried, Unreachable};
use self::handshake::version as tls_version;
use self::host::{HostConnector, HostStream};
use self::monitored::MonitoredIo;
use crate::attempt::AttemptState;
use crate::connection::Failures;
use crate::endpoint::is_loopback;
use crate::service::HttpService;
use crate::telemetry;
use crate::tls::{TlsFailure, TlsSettings, classify};
use crate::{Body, BoxError, CallMeta, ClientIdentity, Delivery, Error, ErrorKind};

/// Shorter than the idle timeout of common load balancers, so that we close first.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// How long pooled connections to a host are not used after one of them lost a request: the others
/// were probably closed as well.
const DISTRUST: Duration = Duration::from_secs(60);

/// How connections are made, whatever the client's identity.
pub(crate) struct Settings {
    pub(crate) tls: TlsSettings,
    pub(crate) network: Network,
    /// The limit for name resolution, TCP and TLS together.
    pub(crate) timeout: Duration,
}

impl Settings {
    /// Checks the dates of an identity and makes its connector: identities never share TLS sessions, or
    /// what was learned from failures.
    pub(crate) fn connector(&self, identity: Option<&ClientIdentity>) -> Result<Connector, Error> {
        if let Some(identity) = identity {
            identity.check()?;
        }
        let mut tls = self.tls.client_config(identity)?;
        let requests = identity.map(|_| CertificateRequests::watch(&mut tls));
        let failures = Failures::new(requests);
        Ok(Connector {
            network: self.network.clone(),
            tls: Arc::new(tls),
            verifier: Arc::clone(&self.tls.verifier),
            limit: self.timeout,
            failures,
        })
    }
}

/// Builds the client for one identity; certificates never share connections.
pub(crate) fn client(connector: Connector) -> HttpService {
    let failures = connector.failures.clone();
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE);
    let kept = builder.build(connector.clone());
    let fresh = builder.pool_max_idle_per_host(0).build(connector);
    HttpService::new(Clients {
        kept,
        fresh,
        failures,
        losses: Losses::default(),
    })
}

/// Two clients over one connector. A load balancer may close a pooled connection while a request is
/// in flight, and the outcome is then unknown. A request that must not be repeated therefore uses a
/// new connection, unless its call allows reuse.
#[derive(Clone)]
struct Clients {
    kept: Client<Connector, Body>,
    fresh: Client<Connector, Body>,
    failures: Failures,
    losses: Losses,
}

impl Service<Request<Body>> for Clients {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let uri = request.uri();
        if let Err(error) = check_scheme(uri) {
            return Box::pin(async { Err(error.into()) });
        }
        let host = uri.authority().cloned();
        let meta = request.extensions().get::<CallMeta>();
        let keeps = meta.is_some_and(CallMeta::reuses_connection) && !self.losses.recent(&host);
        let state = request.extensions().get::<Arc<AttemptState>>().cloned();
        if let Some(state) = &state {
            state.set_connection(capture_connection(&mut request));
        }
        let client = if keeps { &self.kept } else { &self.fresh };
        let answer = client.request(request);
        let failures = self.failures.clone();
        let unanswered = Unanswered {
            state,
            losses: self.losses.clone(),
            host,
        };
        Box::pin(async move {
            match answer.await {
                Ok(response) => {
                    unanswered.answered();
                    Ok(response)
                }
                Err(error) => {
                    let state = unanswered.state.as_deref();
                    Err(of_client(error, state, &failures).into())
                }
            }
        })
    }
}

/// A request without an answer yet. If it is dropped on a pooled connection, by an error or a
/// timeout, it counts as lost.
struct Unanswered {
    state: Option<Arc<AttemptState>>,
    losses: Losses,
    host: Option<Authority>,
}

impl Unanswered {
    fn answered(mut self) {
        self.state = None;
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        let state = self.state.as_deref();
        if state.is_some_and(AttemptState::is_on_kept_connection) {
            self.losses.note(self.host.take());
        }
    }
}

/// The hosts whose pooled connections lost a request, and when.
#[derive(Clone, Default)]
struct Losses(Arc<Mutex<HashMap<Option<Authority>, Instant>>>);

impl Losses {
    fn note(&self, host: Option<Authority>) {
        let mut losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        losses.insert(host, Instant::now());
    }

    fn recent(&self, host: &Option<Authority>) -> bool {
        let losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        losses
            .get(host)
            .is_some_and(|loss| loss.elapsed() < DISTRUST)
    }
}

/// The last check: plain http never leaves this machine, even if a layer changed the URL.
fn check_scheme(uri: &Uri) -> Result<(), Error> {
    let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.host().is_some_and(is_loopback);
    if uri.scheme() == Some(&Scheme::HTTPS) || plain {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::Config,
            "plain http is only allowed to this machine; use https",
        ))
    }
}

/// Converts hyper's error. Only the *outermost* hyper error shows whether a request was returned
/// unwritten: the causes below it are the same for a request that arrived.
fn of_client(error: ClientError, state: Option<&AttemptState>, failures: &Failures) -> Error {
    let lost = state.map_or(Delivery::Unknown, AttemptState::delivery_if_dropped);
    let unwritten = error
        .source()
        .and_then(|source| source.downcast_ref::<hyper::Error>())
        .is_some_and(hyper::Error::is_canceled);
    let not_sent = error.is_connect() || unwritten;
    if let Some(ours) = find::<Error>(&error).filter(|_| error.is_connect()) {
        return ours.clone();
    }
    let seen = state.and_then(|state| match state.stats() {
        Some(stats) => stats.failure(),
        None => failures.since(state.start()),
    });
    if error.is_connect() {
        return of_connect(error.into(), seen);
    }
    if let Some(failure) = classify(&error).or(seen) {
        // Certificates are checked before any request is read, so nothing was acted on.
        let delivery = if not_sent || failure.is_certificate() {
            Delivery::NotSent
        } else {
            lost
        };
        return Error::new(failure.error_kind(), failure.message())
            .with_delivery(delivery)
            .with_source(error);
    }
    if let Some(ours) = find::<Error>(&error) {
        return ours.clone();
    }
    let delivery = if not_sent { Delivery::NotSent } else { lost };
    let stats = state.and_then(AttemptState::stats);
    let note = stats.map_or("", |stats| stats.certificate_note());
    let message = format!("the connection failed{note}");
    Error::new(ErrorKind::Connection, message)
        .with_delivery(delivery)
        .with_source(error)
}

/// Converts the error of a connection that was not opened; `seen` is what TLS reported.
fn of_connect(error: BoxError, seen: Option<TlsFailure>) -> Error {
    let cause = &*error;
    if let Some(ours) = find::<Error>(cause) {
        return ours.clone();
    }
    if let Some(failure) = classify(cause).or(seen) {
        return Error::new(failure.error_kind(), failure.message()).with_source(error);
    }
    let message = if find::<NoAddress>(cause).is_some() {
        Cow::Borrowed("the host name could not be resolved")
    } else {
        match find::<Unreachable>(cause) {
            Some(failed) if failed.tried > 1 => {
                format!("could not connect to any of {} addresses", failed.tried).into()
            }
            Some(_) | None => Cow::Borrowed("could not connect"),
        }
    };
    Error::new(ErrorKind::Connect, message).with_source(error)
}

fn find<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// A connector with a timeout for name resolution, TCP, tunnel and TLS together. Its connections
/// keep a [`ConnectionStats`](crate::connection::ConnectionStats).
#[derive(Clone)]
pub(crate) struct Connector {
    network: Network,
    tls: Arc<ClientConfig>,
    verifier: Arc<dyn ServerCertVerifier>,
    limit: Duration,
    failures: Failures,
}

impl Service<Uri> for Connector {
    type Response = MonitoredIo<MaybeHttpsStream<HostStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let host = HostConnector::new(&this.network, &uri);
            let (start, tried) = (Instant::now(), host.tried());
            let opened = host.open(uri.clone(), this.tls, this.limit).await;
            log(&uri, &opened, &tried, start.elapsed());
            Ok(MonitoredIo::new(opened?, this.failures))
        })
    }
}

/// Logs a connection that was opened or failed.
fn log(
    uri: &Uri,
    opened: &Result<MaybeHttpsStream<HostStream>, BoxError>,
    tried: &Tried,
    took: Duration,
) {
    let (tls, failed) = match opened {
        Ok(MaybeHttpsStream::Http(_)) => (None, None),
        Ok(MaybeHttpsStream::Https(io)) => {
            let (_, session) = io.inner().get_ref();
            (session.protocol_version().and_then(tls_version), None)
        }
        Err(error) => {
            let ours = find::<Error>(&**error).map(Error::kind);
            let kind = ours.or_else(|| classify(&**error).map(|failure| failure.error_kind()));
            (None, Some(kind.unwrap_or(ErrorKind::Connect).as_str()))
        }
    };
    telemetry::connection(uri, tried.connected(), tls, took, failed);
}

#[cfg(test)]
mod tests;

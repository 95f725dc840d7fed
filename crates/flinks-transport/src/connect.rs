//! The hyper client at the bottom of the stack: connect limit over TCP and TLS, and what a failure of it means.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::uri::Scheme;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{
    Connected, Connection, HttpConnector, capture_connection,
};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tower_service::Service;

use crate::endpoint::is_loopback;
use crate::progress::Flight;
use crate::service::HttpService;
use crate::tls::{TlsFailure, classify};
use crate::{Body, BoxError, Delivery, Error, ErrorKind};

/// Shorter than the idle limit of common front ends, so that we close before they do.
pub(crate) const POOL_IDLE: Duration = Duration::from_secs(20);

/// Builds the pooled client of one identity; a pool is never shared between two certificates.
pub(crate) fn pooled(tls: rustls::ClientConfig, connect_timeout: Duration) -> HttpService {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // Without it the last short segment of a body waits for a round trip.
    tcp.set_nodelay(true);
    let connector = Watching {
        inner: HttpsConnector::from((tcp, tls)),
        limit: connect_timeout,
    };
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        .build(connector);
    HttpService::new(Pooled { client })
}

#[derive(Clone)]
struct Pooled {
    client: Client<Watching, Body>,
}

impl Service<Request<Body>> for Pooled {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Err(error) = check_scheme(request.uri()) {
            return Box::pin(async { Err(error.into()) });
        }
        let flight = request.extensions().get::<Arc<Flight>>().cloned();
        if let Some(flight) = &flight {
            flight.watch(capture_connection(&mut request));
        }
        let answer = self.client.request(request);
        Box::pin(async move {
            answer
                .await
                .map_err(|error| of_client(error, flight.as_deref()).into())
        })
    }
}

/// The last guard: whatever a layer did to the URL, plain http leaves this machine never.
fn check_scheme(uri: &Uri) -> Result<(), Error> {
    let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.host().is_some_and(is_loopback);
    if uri.scheme() == Some(&Scheme::HTTPS) || plain {
        Ok(())
    } else {
        Err(Error::local(
            ErrorKind::Config,
            "only https is sent, or http to this machine",
        ))
    }
}

/// Says what hyper's error means. Only its *outermost* hyper error tells whether a request was
/// handed back unwritten: the causes below it look alike for a request that did arrive.
fn of_client(error: ClientError, flight: Option<&Flight>) -> Error {
    let lost = flight.map_or(Delivery::Unknown, Flight::if_lost);
    let unwritten = error
        .source()
        .and_then(|source| source.downcast_ref::<hyper::Error>())
        .is_some_and(hyper::Error::is_canceled);
    let not_sent = error.is_connect() || unwritten;
    let seen = flight
        .and_then(Flight::record)
        .and_then(|record| record.failure.get().cloned());
    if let Some(failure) = classify(&error).or(seen) {
        // Certificates are checked before any request is read, so nothing was acted on.
        let delivery = if not_sent || failure.is_certificate() {
            Delivery::NotSent
        } else {
            lost
        };
        return Error::at(failure.error_kind(), delivery, failure.message()).with_source(error);
    }
    if let Some(elapsed) = find::<ConnectElapsed>(&error) {
        let message = format!("no connection within {} s", elapsed.0.as_secs_f64());
        return Error::local(ErrorKind::Connect, message);
    }
    if error.is_connect() {
        return Error::local(ErrorKind::Connect, "could not connect").with_source(error);
    }
    let delivery = if not_sent { Delivery::NotSent } else { lost };
    Error::at(ErrorKind::Connection, delivery, "the connection failed").with_source(error)
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

/// A connector whose limit covers TCP and TLS, and whose connections keep a [`Record`].
#[derive(Clone)]
struct Watching {
    inner: HttpsConnector<HttpConnector>,
    limit: Duration,
}

impl Service<Uri> for Watching {
    type Response = Watched<<HttpsConnector<HttpConnector> as Service<Uri>>::Response>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, limit) = (self.inner.call(uri), self.limit);
        Box::pin(async move {
            let io = timeout(limit, connecting)
                .await
                .map_err(|_| ConnectElapsed(limit))??;
            Ok(Watched::new(io))
        })
    }
}

#[derive(Debug)]
struct ConnectElapsed(Duration);

impl std::fmt::Display for ConnectElapsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connect limit passed")
    }
}

impl StdError for ConnectElapsed {}

/// What a connection has seen that hyper does not hand on.
#[derive(Debug)]
pub(crate) struct Record {
    start: Instant,
    /// Milliseconds from `start` to the last byte that the connection accepted.
    written: AtomicU64,
    /// How often everything that was written had left for the socket.
    flushes: AtomicU64,
    /// `flushes` at the time of the latest read.
    flushes_at_read: AtomicU64,
    /// Under TLS 1.3 a refused client certificate shows up in a later read or write, where hyper
    /// may report no more than a broken pipe.
    failure: OnceLock<TlsFailure>,
}

impl Record {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            written: AtomicU64::new(0),
            flushes: AtomicU64::new(0),
            flushes_at_read: AtomicU64::new(0),
            failure: OnceLock::new(),
        }
    }

    pub(crate) fn last_write(&self) -> Instant {
        self.start + Duration::from_millis(self.written.load(Ordering::Acquire))
    }

    pub(crate) fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    /// As [`flushes`](Self::flushes), at the time of the latest read.
    pub(crate) fn flushes_at_read(&self) -> u64 {
        self.flushes_at_read.load(Ordering::Acquire)
    }

    fn wrote(&self) {
        let now = Instant::now()
            .saturating_duration_since(self.start)
            .as_millis();
        self.written
            .store(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Release);
    }

    fn failed(&self, error: &io::Error) {
        if let Some(failure) = classify(error) {
            // The first word is the server's; later errors only follow from it.
            self.failure.get_or_init(|| failure);
        }
    }
}

/// A connection that notes when bytes move and what TLS says when it fails.
struct Watched<T> {
    io: T,
    record: Arc<Record>,
    broken: Option<Broken>,
}

/// A write that failed, held back for a moment.
///
/// A server that refuses a request closes while we still write: its answer or its TLS alert then
/// lies unread in the socket. hyper reads it if it is given the time before it learns of the
/// failed write; otherwise a 413 and a refused certificate are both no more than a broken pipe.
struct Broken {
    error: Option<io::Error>,
    grace: Pin<Box<Sleep>>,
}

/// What the server sent before it closed is in the socket already, or at most one trip away.
const LAST_WORDS: Duration = Duration::from_millis(250);

impl<T> Watched<T> {
    fn new(io: T) -> Self {
        Self {
            io,
            record: Arc::new(Record::new()),
            broken: None,
        }
    }

    /// Passes a success on, and holds a failure back.
    fn wrote<O>(&mut self, cx: &mut Context<'_>, outcome: io::Result<O>) -> Poll<io::Result<O>> {
        match outcome {
            Ok(written) => {
                self.record.wrote();
                Poll::Ready(Ok(written))
            }
            Err(error) => {
                self.record.failed(&error);
                self.broken = Some(Broken {
                    error: Some(error),
                    grace: Box::pin(sleep(LAST_WORDS)),
                });
                self.poll_broken(cx).map(Err)
            }
        }
    }

    /// Pending while nothing is broken or the grace lasts.
    fn poll_broken(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(broken) = &mut self.broken else {
            return Poll::Pending;
        };
        ready!(broken.grace.as_mut().poll(cx));
        let again = || io::Error::from(io::ErrorKind::BrokenPipe);
        Poll::Ready(broken.error.take().unwrap_or_else(again))
    }
}

impl<T: Read + Write + Unpin> Read for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = ready!(Pin::new(&mut self.io).poll_read(cx, buffer));
        match &outcome {
            Ok(()) => {
                let flushes = self.record.flushes();
                self.record
                    .flushes_at_read
                    .store(flushes, Ordering::Release);
            }
            Err(error) => self.record.failed(error),
        }
        Poll::Ready(outcome)
    }
}

impl<T: Read + Write + Unpin> Write for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.broken.is_some() {
            return self.poll_broken(cx).map(Err);
        }
        let outcome = ready!(Pin::new(&mut self.io).poll_write(cx, bytes));
        self.wrote(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.broken.is_some() {
            return self.poll_broken(cx).map(Err);
        }
        let outcome = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices));
        self.wrote(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken.is_some() {
            return self.poll_broken(cx).map(Err);
        }
        let outcome = ready!(Pin::new(&mut self.io).poll_flush(cx));
        match outcome {
            Ok(()) => {
                // Flushing nothing moves nothing: this is no write.
                self.record.flushes.fetch_add(1, Ordering::AcqRel);
                Poll::Ready(Ok(()))
            }
            Err(error) => self.wrote(cx, Err(error)),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<T: Connection> Connection for Watched<T> {
    fn connected(&self) -> Connected {
        self.io.connected().extra(Arc::clone(&self.record))
    }
}

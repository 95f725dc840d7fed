//! Opens the TCP connection: tries all addresses of a host, and restricts plain http to this machine.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::sleep;
use tower_service::Service;

use crate::{AddressAttempt, AddressOutcome, BoxError, Error, ErrorKind};

/// How long to wait for an address before the next one is tried in parallel (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Resolves a host name: the system's resolver, except in tests.
pub(super) type Names = Arc<dyn Fn(String, u16) -> Lookup + Send + Sync>;

pub(super) fn system_names() -> Names {
    Arc::new(|host, port| {
        Box::pin(async move { Ok(lookup_host((host, port)).await?.collect::<Vec<_>>()) })
    })
}

/// Connects to the first address of a URL's host that answers, without a timeout.
#[derive(Clone)]
pub(crate) struct Dial {
    names: Names,
    tried: Tried,
    is_for_proxy: bool,
}

/// The addresses that have been tried so far.
#[derive(Clone, Default)]
pub(super) struct Tried(Arc<Mutex<Vec<AddressAttempt>>>);

impl Tried {
    pub(super) fn count(&self) -> usize {
        self.attempts().len()
    }

    pub(super) fn attempts(&self) -> Vec<AddressAttempt> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The address that was connected to.
    pub(super) fn connected(&self) -> Option<SocketAddr> {
        let attempts = self.attempts();
        let connected = |attempt: &&AddressAttempt| attempt.outcome == AddressOutcome::Connected;
        attempts
            .iter()
            .find(connected)
            .map(|attempt| attempt.address)
    }

    /// Connects to an address, and records what becomes of it.
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let record = |outcome| {
            let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match attempts.iter_mut().find(|known| known.address == address) {
                Some(attempt) => attempt.outcome = outcome,
                None => attempts.push(AddressAttempt { address, outcome }),
            }
        };
        record(AddressOutcome::NoAnswer);
        let connected = TcpStream::connect(address).await;
        record(match &connected {
            Ok(_) => AddressOutcome::Connected,
            Err(error) => AddressOutcome::Failed(error.kind()),
        });
        connected
    }
}

impl Dial {
    pub(super) fn new(names: Names) -> Self {
        Self {
            names,
            tried: Tried::default(),
            is_for_proxy: false,
        }
    }

    /// Also connects to other machines by plain http, which is how most proxies are reached: requests
    /// to them hold nothing but the name of a host.
    pub(super) fn for_proxy(self) -> Self {
        Self {
            is_for_proxy: true,
            ..self
        }
    }

    pub(super) fn tried(&self) -> Tried {
        self.tried.clone()
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, BoxError> {
        let plain = uri.scheme() == Some(&Scheme::HTTP);
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if plain { 80 } else { 443 });
        let mut addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => (self.names)(host.to_owned(), port)
                .await
                .map_err(NoAddress)?,
        };
        if plain && !self.is_for_proxy {
            // The resolver decides, even for `localhost`.
            addresses.retain(|address| address.ip().to_canonical().is_loopback());
            if addresses.is_empty() {
                let message = "plain http is only allowed to this machine, and the host name resolves to another address";
                return Err(Error::new(ErrorKind::Config, message).into());
            }
        }
        let stream = race(interleaved(addresses), |address| {
            self.tried.connect(address)
        })
        .await
        .map_err(|cause| Unreachable {
            tried: self.tried.count(),
            cause,
        })?;
        // Otherwise the last short segment of a body waits for a round trip.
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(stream))
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// Alternates IPv6 and IPv4, starting with the family of the first address: if one family is
/// unreachable, that costs a single head start.
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (mut first, mut second): (VecDeque<_>, VecDeque<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv4() == first_is_v4);
    let mut turns = VecDeque::new();
    while !(first.is_empty() && second.is_empty()) {
        turns.extend(first.pop_front());
        turns.extend(second.pop_front());
    }
    turns
}

/// Returns the first connection that succeeds. The next address is tried when the previous one has
/// failed or its head start is over; earlier attempts continue.
async fn race<T, F>(
    mut addresses: VecDeque<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut attempts: Vec<Pin<Box<F>>> = Vec::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        match addresses.pop_front() {
            Some(address) => attempts.push(Box::pin(connect(address))),
            None if attempts.is_empty() => return Err(last),
            None => {}
        }
        let mut head_start = std::pin::pin!(sleep(HEAD_START));
        let more = !addresses.is_empty();
        let ended = poll_fn(|cx| {
            let ended = attempts
                .iter_mut()
                .enumerate()
                .find_map(|(place, attempt)| match attempt.as_mut().poll(cx) {
                    Poll::Ready(outcome) => Some((place, outcome)),
                    Poll::Pending => None,
                });
            if ended.is_some() || (more && head_start.as_mut().poll(cx).is_ready()) {
                Poll::Ready(ended)
            } else {
                Poll::Pending
            }
        })
        .await;
        match ended {
            Some((_, Ok(connection))) => return Ok(connection),
            Some((place, Err(error))) => {
                drop(attempts.swap_remove(place));
                last = error;
            }
            None => {}
        }
    }
}

/// The host name has no addresses.
#[derive(Debug)]
pub(super) struct NoAddress(io::Error);

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dns error")
    }
}

impl StdError for NoAddress {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

/// No address accepted the connection; the source is the last address's error.
#[derive(Debug)]
pub(super) struct Unreachable {
    pub(super) tried: usize,
    cause: io::Error,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tcp connect error")
    }
}

impl StdError for Unreachable {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;

    fn addresses(texts: &[&str]) -> VecDeque<SocketAddr> {
        let address = |text: &&str| SocketAddr::new(text.parse().expect("an address"), 1);
        texts.iter().map(address).collect()
    }

    #[test]
    fn families_take_turns() {
        let turns = |texts: &[&str]| interleaved(addresses(texts).into());
        assert_eq!(
            turns(&["::1", "::2", "::3", "10.0.0.1", "10.0.0.2"]),
            addresses(&["::1", "10.0.0.1", "::2", "10.0.0.2", "::3"])
        );
        assert_eq!(turns(&["10.0.0.1", "::1"]), addresses(&["10.0.0.1", "::1"]));
        assert_eq!(turns(&[]), VecDeque::new());
    }

    /// Addresses in 10.0.0.0/8 are silent, those in 127.0.0.0/8 refuse, the others answer after a
    /// second.
    async fn fake(address: SocketAddr) -> io::Result<SocketAddr> {
        match address.ip() {
            IpAddr::V4(ip) if ip.octets()[0] == 10 => std::future::pending().await,
            IpAddr::V4(ip) if ip.is_loopback() => Err(io::ErrorKind::ConnectionRefused.into()),
            IpAddr::V4(_) | IpAddr::V6(_) => {
                sleep(Duration::from_secs(1)).await;
                Ok(address)
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_costs_a_head_start_and_a_refusal_nothing() {
        for (texts, winner, milliseconds) in [
            (&["192.0.2.1"][..], "192.0.2.1", 1000),
            (&["192.0.2.1", "192.0.2.2"], "192.0.2.1", 1000),
            (&["127.0.0.1", "192.0.2.1"], "192.0.2.1", 1000),
            (&["10.0.0.1", "192.0.2.1"], "192.0.2.1", 1250),
            (&["10.0.0.1", "10.0.0.2", "127.0.0.1", "::1"], "::1", 1500),
        ] {
            let start = Instant::now();
            let won = race(addresses(texts), fake).await.expect("a connection");
            assert_eq!(won, addresses(&[winner])[0], "{texts:?}");
            assert_eq!(start.elapsed().as_millis(), milliseconds, "{texts:?}");
        }
        let refused = race(addresses(&["127.0.0.1", "127.0.0.2"]), fake).await;
        let kind = refused.expect_err("no address answers").kind();
        assert_eq!(kind, io::ErrorKind::ConnectionRefused);
        race(VecDeque::new(), fake).await.expect_err("no address");
    }

    fn names(texts: &'static [&str]) -> Names {
        Arc::new(move |_, port| {
            let of = |text: &&str| SocketAddr::new(text.parse().expect("an address"), port);
            let found = texts.iter().map(of).collect();
            Box::pin(async move { Ok(found) })
        })
    }

    #[tokio::test]
    async fn plain_http_goes_to_this_machine_only_whatever_the_name_leads_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let plain: Uri = format!("http://localhost:{port}/").parse().expect("a URL");
        for remote in [&["192.0.2.1"][..], &["::ffff:192.0.2.1"], &[]] {
            let dial = Dial::new(names(remote));
            let error = dial
                .clone()
                .connect(plain.clone())
                .await
                .expect_err("refused");
            let error = error.downcast::<Error>().expect("our error");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert_eq!(dial.tried().count(), 0, "{remote:?}");
        }
        // On Unix this address leads to this machine, and counts as another one.
        if cfg!(unix) {
            let dial = Dial::new(names(&["0.0.0.0"]));
            let refused = dial.clone().connect(plain.clone()).await;
            refused.expect_err("another machine");
            let connected = dial.for_proxy().connect(plain.clone()).await;
            connected.expect("a proxy may be another machine");
        }
        for here in [&["127.0.0.1"][..], &["192.0.2.1", "127.0.0.1"]] {
            let dial = Dial::new(names(here));
            dial.clone().connect(plain.clone()).await.expect("here");
            assert_eq!(dial.tried().count(), 1, "{here:?}");
        }
    }

    #[tokio::test]
    async fn the_second_address_serves_when_the_first_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let uri: Uri = format!("https://two.test:{port}/").parse().expect("a URL");
        let dial = Dial::new(names(&["127.0.0.2", "127.0.0.1"]));
        let stream = dial.clone().connect(uri).await.expect("a connection");
        assert!(stream.inner().nodelay().expect("an option"));
        assert_eq!(dial.tried().count(), 2);
    }
}

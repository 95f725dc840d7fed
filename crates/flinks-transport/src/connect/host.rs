//! Connects to a host: directly, or through the tunnel of a proxy.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::dial::{Dial, Names, NoAddress, Tried, Unreachable, system_names};
use super::renegotiation::RenegotiationWatch;
use super::{find, tunnel};
use crate::tls::{TlsFailure, classify, is_tls};
use crate::{BoxError, Error, ErrorKind, Proxy};

/// TCP, or TLS over TCP to a proxy.
pub(super) type Tunnel = MaybeHttpsStream<TokioIo<TcpStream>>;

/// What carries the TLS with the service.
pub(crate) type HostStream = RenegotiationWatch<Tunnel>;

/// How hosts are reached; shared by all connections of a transport.
#[derive(Clone)]
pub(crate) struct Network {
    pub(super) names: Names,
    proxy: Option<ProxyRoute>,
}

impl Network {
    pub(crate) fn new(proxy: Option<ProxyRoute>) -> Self {
        Self {
            names: system_names(),
            proxy,
        }
    }
}

/// A proxy, and how TLS to it is set up: with the transport's roots and without an identity.
#[derive(Clone)]
pub(crate) struct ProxyRoute {
    pub(crate) proxy: Proxy,
    pub(crate) uri: Uri,
    pub(crate) tls: Arc<ClientConfig>,
}

/// Opens one connection to a host, without a timeout.
#[derive(Clone)]
pub(crate) struct HostConnector {
    dial: Dial,
    proxy: Option<ProxyRoute>,
    /// How far a connection through the proxy has come.
    stage: Arc<AtomicU8>,
}

/// The proxy has to answer: it is connected, over TLS if its URL says so.
const ANSWER: u8 = 1;
/// The tunnel is open.
const OPEN: u8 = 2;

impl HostConnector {
    /// Plain http, which goes to this machine only, does not use the proxy.
    pub(crate) fn new(network: &Network, uri: &Uri) -> Self {
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        Self {
            dial: Dial::new(Arc::clone(&network.names)),
            proxy: network.proxy.clone().filter(|_| is_https),
            stage: Arc::default(),
        }
    }

    /// Returns the proxy that this connection goes through, without credentials.
    pub(super) fn proxy(&self) -> Option<String> {
        self.proxy.as_ref().map(|route| route.proxy.to_string())
    }

    /// Returns the addresses of the host, or else of the proxy, that are being tried.
    pub(super) fn tried(&self) -> Tried {
        self.dial.tried()
    }

    /// Connects within `limit`, and over TLS if the scheme of `uri` says so.
    pub(super) async fn open(
        self,
        uri: Uri,
        tls: Arc<ClientConfig>,
        limit: Duration,
    ) -> Result<MaybeHttpsStream<HostStream>, BoxError> {
        let connecting = HttpsConnector::from((self.clone(), tls)).call(uri);
        match timeout(limit, connecting).await {
            Ok(connected) => connected.map_err(|error| self.explain(error)),
            Err(_) => Err(self.elapsed(limit).into()),
        }
    }

    fn reached(&self, stage: u8) -> bool {
        self.stage.load(Ordering::Relaxed) >= stage
    }

    /// Returns the error of a connection that was not complete within `limit`.
    fn elapsed(&self, limit: Duration) -> Error {
        let (limit, tried) = (limit.as_secs_f64(), self.dial.tried().count());
        let addresses = if tried > 1 {
            format!("; {tried} addresses were tried")
        } else {
            String::new()
        };
        let Some(proxy) = self.proxy.as_ref().map(|route| route.proxy.authority()) else {
            let message = match tried {
                0 => format!("the host name was not resolved within {limit} s"),
                _ => format!("no connection within {limit} s{addresses}"),
            };
            return Error::new(ErrorKind::Connect, message);
        };
        if self.reached(OPEN) {
            let message = format!("the TLS handshake was not complete within {limit} s");
            return Error::new(ErrorKind::Connect, message);
        }
        let message = if self.reached(ANSWER) {
            format!("the proxy {proxy} did not open a tunnel within {limit} s")
        } else if tried == 0 {
            format!("the name of the proxy {proxy} was not resolved within {limit} s")
        } else {
            format!("no connection to the proxy {proxy} within {limit} s{addresses}")
        };
        Error::new(ErrorKind::Proxy, message)
    }

    /// Names the proxy in the error of a TLS handshake that broke off inside the tunnel.
    fn explain(&self, error: BoxError) -> BoxError {
        let Some(route) = &self.proxy else {
            return error;
        };
        if !self.reached(OPEN) || error.is::<Error>() || is_tls(&*error) {
            return error;
        }
        let message = format!(
            "the tunnel through the proxy {} was closed during the TLS handshake: the proxy, a \
             firewall or the host ended it",
            route.proxy.authority()
        );
        Error::new(ErrorKind::Proxy, message)
            .with_source(error)
            .into()
    }

    async fn connect(mut self, uri: Uri) -> Result<HostStream, BoxError> {
        let Some(route) = self.proxy.clone() else {
            let stream = self.dial.call(uri).await?;
            return Ok(RenegotiationWatch::new(MaybeHttpsStream::Http(stream)));
        };
        let mut to_proxy =
            HttpsConnector::from((self.dial.clone().for_proxy(), Arc::clone(&route.tls)));
        let stream = to_proxy.call(route.uri.clone()).await;
        let mut stream = stream.map_err(|error| unreachable_proxy(&route.proxy, error))?;
        self.stage.store(ANSWER, Ordering::Relaxed);
        tunnel::open(&mut stream, &route.proxy, &uri).await?;
        self.stage.store(OPEN, Ordering::Relaxed);
        Ok(RenegotiationWatch::new(stream))
    }
}

impl Service<Uri> for HostConnector {
    type Response = HostStream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<HostStream, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// Returns the error of TLS with the proxy itself.
pub(super) fn tls_with_proxy(proxy: &Proxy, failure: &TlsFailure) -> Error {
    let name = proxy.authority();
    let message = if failure.error_kind() == ErrorKind::ClientCertificate {
        format!(
            "the proxy {name} requires a client certificate, and a proxy is never presented one"
        )
    } else {
        format!("TLS with the proxy {name} failed: {}", failure.message())
    };
    Error::new(ErrorKind::Proxy, message).with_no_retry()
}

/// Returns the error of a proxy to which there is no connection.
fn unreachable_proxy(proxy: &Proxy, error: BoxError) -> Error {
    let name = proxy.authority();
    let cause: &(dyn StdError + 'static) = &*error;
    if let Some(failure) = classify(cause) {
        return tls_with_proxy(proxy, &failure);
    }
    if find::<NoAddress>(cause).is_some() {
        let message = format!("the name of the proxy {name} could not be resolved");
        return Error::new(ErrorKind::Proxy, message).with_source(error);
    }
    let message = match find::<Unreachable>(cause) {
        Some(failed) if failed.tried > 1 => {
            let tried = failed.tried;
            format!("could not connect to any of {tried} addresses of the proxy {name}")
        }
        Some(_) => format!("could not connect to the proxy {name}"),
        None => format!("TLS with the proxy {name} failed"),
    };
    Error::new(ErrorKind::Proxy, message).with_source(error)
}

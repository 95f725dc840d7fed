//! Builds a transport: identity, roots, layers, limits. Settings are checked before anything is sent.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use tower::retry::budget::TpsBudget;
use tower_layer::Layer;

use crate::exchange::Settings;
use crate::service::{ErasedLayer, HttpService, IntoHttpService, erase};
use crate::transport::{IdentityGeneration, Parts};
use crate::{
    ClientIdentity, CryptoProvider, Error, ErrorKind, RetryConfig, Roots, TlsVersion, Transport,
    connect, tls,
};

/// Builds a [`Transport`].
///
/// ```
/// use std::time::Duration;
///
/// use flinks_transport::{RetryConfig, Transport};
/// # use flinks_transport::{Body, BoxError};
///
/// # fn main() -> Result<(), flinks_transport::Error> {
/// # let service = tower::service_fn(|_: http::Request<Body>| async {
/// #     Ok::<_, BoxError>(http::Response::new(Body::empty()))
/// # });
/// let transport = Transport::builder()
/// #   .service(service)
///     .layer(tower::limit::ConcurrencyLimitLayer::new(4))
///     .retry(RetryConfig::new().max_attempts(2))
///     .timeout(Duration::from_secs(60))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct TransportBuilder {
    service: Option<HttpService>,
    identity: Option<ClientIdentity>,
    roots: Roots,
    tls_version: Option<TlsVersion>,
    crypto: Option<CryptoProvider>,
    layers: Vec<ErasedLayer>,
    attempt_layers: Vec<ErasedLayer>,
    headers: HeaderMap,
    retry: RetryConfig,
    connect_timeout: Duration,
    attempt_timeout: Duration,
    deadline: Duration,
    max_response_bytes: usize,
}

impl TransportBuilder {
    pub(crate) fn new() -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("flinks-rs/", env!("CARGO_PKG_VERSION"))),
        );
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // Without it any coding is acceptable (RFC 9110, section 12.5.3), and nothing is unpacked.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Self {
            service: None,
            identity: None,
            roots: Roots::default(),
            tls_version: None,
            crypto: None,
            layers: Vec::new(),
            attempt_layers: Vec::new(),
            headers,
            retry: RetryConfig::default(),
            connect_timeout: Duration::from_secs(10),
            attempt_timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(5 * 60),
            max_response_bytes: 16 << 20,
        }
    }

    /// Presents this client certificate. The upload host requires one on every connection.
    pub fn identity(mut self, identity: ClientIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Trusts these root certificates; [`Roots::default`] otherwise.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Speaks only this version of TLS; by default 1.2 and 1.3.
    pub fn tls_version(mut self, version: TlsVersion) -> Self {
        self.tls_version = Some(version);
        self
    }

    /// Uses this implementation of cryptography, whatever is installed for the process.
    pub fn crypto(mut self, provider: CryptoProvider) -> Self {
        self.crypto = Some(provider);
        self
    }

    /// Replaces the HTTP client by any tower service: a test double or another HTTP stack.
    ///
    /// The service sees credentials and sealed bodies, and does its own TLS: an identity beside it
    /// is refused. A success of a service that read the request's body only in
    /// part is an error: its delivery is [`Unknown`](crate::Delivery::Unknown).
    pub fn service<S, B>(mut self, service: S) -> Self
    where
        S: IntoHttpService<B>,
    {
        self.service = Some(HttpService::new(service));
        self
    }

    /// Adds a tower layer that runs once a call, outside the retries. Layers added first are
    /// outermost. Layers never see credentials, and can read no sealed body.
    pub fn layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<HttpService, Service: IntoHttpService<B>> + Send + Sync + 'static,
    {
        self.layers.push(erase(layer));
        self
    }

    /// Adds a tower layer that runs once an attempt, inside the retries; else as [`layer`](Self::layer).
    pub fn attempt_layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<HttpService, Service: IntoHttpService<B>> + Send + Sync + 'static,
    {
        self.attempt_layers.push(erase(layer));
        self
    }

    /// Sends this header with every request that does not carry it already.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets how often and how soon a request is sent again, if its [`Replay`](crate::Replay) allows it.
    pub fn retry(mut self, retry: RetryConfig) -> Self {
        self.retry = retry;
        self
    }

    /// Limits the time for name resolution, TCP and TLS together; 10 s by default.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Limits each attempt of calls without a limit of their own; 30 s by default.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }

    /// Limits each call without a timeout of its own, pauses between attempts included; 5 minutes
    /// by default.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Limits the size of answers of calls without a limit of their own; 16 MiB by default.
    pub fn max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = limit;
        self
    }

    /// Checks the settings and builds the transport; nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the identity has expired or is not valid yet, there is no root
    /// certificate, or no crypto provider is compiled in.
    pub fn build(self) -> Result<Transport, Error> {
        let leaf = match self.service {
            Some(_) if self.identity.is_some() => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "an identity has no effect on a service of your own: give it to that service",
                ));
            }
            Some(service) => service,
            None => {
                if let Some(identity) = &self.identity {
                    identity.check()?;
                }
                let identity = self.identity.as_ref();
                let (version, crypto) = (self.tls_version, self.crypto);
                let config = tls::client_config(identity, &self.roots, version, crypto)?;
                connect::client(config, self.connect_timeout)
            }
        };
        Ok(Transport::assemble(Parts {
            leaf,
            layers: self.layers,
            attempt_layers: self.attempt_layers,
            credentials: None,
            exchange: Arc::new(Settings {
                attempt_timeout: self.attempt_timeout,
                max_response_bytes: self.max_response_bytes,
                headers: self.headers,
            }),
            retry: self.retry,
            budget: Arc::new(TpsBudget::default()),
            deadline: self.deadline,
            identity_generation: IdentityGeneration::next(),
        }))
    }
}

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBuilder")
            .field("identity", &self.identity)
            .field("layers", &self.layers.len())
            .field("attempt_layers", &self.attempt_layers.len())
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

//! The builder of a transport: identity, roots, layers, limits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use tower::retry::budget::TpsBudget;
use tower_layer::Layer;

use crate::connect::{self, Network, ProxyRoute};
use crate::exchange::Settings;
use crate::identity_generation::CurrentIdentity;
use crate::metrics::Recorder;
use crate::service::{ErasedLayer, HttpService, IntoHttpService, erase};
use crate::tls::TlsSettings;
use crate::transport::Parts;
use crate::{
    ClientIdentity, CryptoProvider, Error, ErrorKind, Proxy, RetryConfig, Roots, TlsVersion,
    Transport,
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
    proxy: Option<Proxy>,
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
    recorder: Option<Arc<dyn Recorder>>,
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
            proxy: None,
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
            recorder: None,
        }
    }

    /// Sets the client certificate. The upload host requires one on every connection. It can be
    /// replaced later: [`Transport::replace_identity`].
    pub fn identity(mut self, identity: ClientIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Sets the trusted root certificates; [`Roots::default`] by default.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Connects to `https` hosts through this proxy; by default no proxy is used, whatever the
    /// environment says.
    ///
    /// The roots are also trusted for TLS with the proxy; the identity is never presented to it.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Restricts TLS to this version; by default 1.2 and 1.3 are enabled.
    pub fn tls_version(mut self, version: TlsVersion) -> Self {
        self.tls_version = Some(version);
        self
    }

    /// Sets the crypto provider, regardless of rustls's process default.
    pub fn crypto(mut self, provider: CryptoProvider) -> Self {
        self.crypto = Some(provider);
        self
    }

    /// Replaces the HTTP client with any tower service, such as a test double or another HTTP
    /// stack.
    ///
    /// The service sees credentials and sealed bodies, and does its own TLS: combined with an
    /// identity or a proxy, [`build`](Self::build) fails. If the service returns success without
    /// reading the whole request body, the call fails with delivery
    /// [`Unknown`](crate::Delivery::Unknown).
    pub fn service<S, B>(mut self, service: S) -> Self
    where
        S: IntoHttpService<B>,
    {
        self.service = Some(HttpService::new(service));
        self
    }

    /// Adds a tower layer that runs once per call, outside the retries. Layers added first are
    /// outermost. Layers never see credentials and cannot read sealed bodies.
    ///
    /// ```
    /// use flinks_transport::Transport;
    /// use tower::limit::ConcurrencyLimitLayer;
    ///
    /// # fn main() -> Result<(), flinks_transport::Error> {
    /// // At most four calls run at the same time.
    /// let builder = Transport::builder().layer(ConcurrencyLimitLayer::new(4));
    /// # let service = tower::service_fn(|_: http::Request<flinks_transport::Body>| async {
    /// #     Ok::<_, flinks_transport::BoxError>(http::Response::new(flinks_transport::Body::empty()))
    /// # });
    /// # let builder = builder.service(service);
    /// let transport = builder.build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<HttpService, Service: IntoHttpService<B>> + Send + Sync + 'static,
    {
        self.layers.push(erase(layer));
        self
    }

    /// Adds a tower layer that runs once per attempt, inside the retries; otherwise as
    /// [`layer`](Self::layer).
    ///
    /// ```
    /// use flinks_transport::{Body, Transport};
    /// use http::{HeaderValue, Request};
    /// use tower::util::MapRequestLayer;
    ///
    /// # fn main() -> Result<(), flinks_transport::Error> {
    /// // Every attempt has a header for the company's proxy.
    /// let mark = MapRequestLayer::new(|mut request: Request<Body>| {
    ///     let value = HeaderValue::from_static("statements");
    ///     request.headers_mut().insert("x-department", value);
    ///     request
    /// });
    /// let builder = Transport::builder().attempt_layer(mark);
    /// # let service = tower::service_fn(|_: Request<Body>| async {
    /// #     Ok::<_, flinks_transport::BoxError>(http::Response::new(Body::empty()))
    /// # });
    /// # let builder = builder.service(service);
    /// let transport = builder.build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn attempt_layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<HttpService, Service: IntoHttpService<B>> + Send + Sync + 'static,
    {
        self.attempt_layers.push(erase(layer));
        self
    }

    /// Adds a header to every request that does not already have it.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Configures retries of requests whose [`Replay`](crate::Replay) allows them.
    pub fn retry(mut self, retry: RetryConfig) -> Self {
        self.retry = retry;
        self
    }

    /// Limits the total time for name resolution, TCP, the tunnel of a proxy, and TLS; 10 s by
    /// default.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Limits each attempt, unless the call has its own limit; 30 s by default.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }

    /// Limits each call, including waits between attempts, unless the call has its own timeout;
    /// 5 minutes by default.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Limits the size of an answer, unless the call has its own limit; 16 MiB by default.
    pub fn max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = limit;
        self
    }

    /// Reports every call and attempt to `recorder`, token requests included; by default to none.
    /// [`Metrics`](crate::metrics::Metrics) is one for Prometheus.
    pub fn metrics(mut self, recorder: impl Recorder + 'static) -> Self {
        self.recorder = Some(Arc::new(recorder));
        self
    }

    /// Checks the settings and builds the transport; nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the identity has expired or is not valid yet, no root certificate was
    /// found, or no crypto provider is compiled in.
    pub fn build(self) -> Result<Transport, Error> {
        let identity = match self.service {
            Some(_) if self.identity.is_some() => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "an identity cannot be combined with a custom service: configure it in that service",
                ));
            }
            Some(_) if self.proxy.is_some() => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "a proxy cannot be combined with a custom service: configure it in that service",
                ));
            }
            Some(service) => CurrentIdentity::custom(service),
            None => {
                let tls = |version| TlsSettings::new(&self.roots, version, self.crypto);
                let proxy = match &self.proxy {
                    Some(proxy) => Some(ProxyRoute {
                        proxy: proxy.clone(),
                        uri: proxy.uri()?,
                        tls: Arc::new(tls(None)?.client_config(None)?),
                    }),
                    None => None,
                };
                let settings = connect::Settings {
                    tls: tls(self.tls_version)?,
                    network: Network::new(proxy),
                    timeout: self.connect_timeout,
                };
                CurrentIdentity::new(settings, self.identity.as_ref())?
            }
        };
        Ok(Transport::assemble(Parts {
            identity: Arc::new(identity),
            pinned: None,
            layers: self.layers,
            attempt_layers: self.attempt_layers,
            credentials: None,
            exchange: Arc::new(Settings {
                attempt_timeout: self.attempt_timeout,
                max_response_bytes: self.max_response_bytes,
                headers: self.headers,
                recorder: self.recorder,
            }),
            retry: self.retry,
            budget: Arc::new(TpsBudget::default()),
            deadline: self.deadline,
            proxy: self.proxy.as_ref().map(Proxy::shared_authority),
        }))
    }
}

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBuilder")
            .field("identity", &self.identity)
            .field("proxy", &self.proxy)
            .field("layers", &self.layers.len())
            .field("attempt_layers", &self.attempt_layers.len())
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

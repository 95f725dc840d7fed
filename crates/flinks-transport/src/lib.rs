//! A thin hyper and tower stack for the Flinks API: mutual TLS, retries that never act twice,
//! timeouts that really stop, streamed bodies, and one error that says what may have happened.
//!
//! ```toml
//! [dependencies]
//! flinks-transport = "0.1"
//! ```
//!
//! Every call is an [`Operation`]: a value that builds its request and reads its answer, without
//! I/O. A [`Transport`] sends it:
//!
//! ```
//! use bytes::Bytes;
//! use flinks_transport::{
//!     Body, CallMeta, DecodeError, Endpoint, Error, Operation, Replay, Route, Transport,
//! };
//! use http::{Request, Response};
//!
//! /// An endpoint that the SDK does not know yet.
//! struct Status(Endpoint);
//!
//! impl Operation for Status {
//!     type Output = String;
//!
//!     fn meta(&self) -> CallMeta {
//!         CallMeta::new("example.status", Route::get("/v3/status"), Replay::Safe)
//!     }
//!
//!     fn request(&self) -> Result<Request<Body>, Error> {
//!         let mut request = Request::new(Body::empty());
//!         *request.uri_mut() = self.0.join(["v3", "status"])?;
//!         Ok(request)
//!     }
//!
//!     fn decode(&self, response: Response<Bytes>) -> Result<String, DecodeError> {
//!         String::from_utf8(response.into_body().to_vec())
//!             .map_err(|_| DecodeError::Malformed("not UTF-8".to_owned()))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! // Any tower service can replace the network.
//! let answering = tower::service_fn(|_: Request<Body>| async {
//!     Ok::<_, std::convert::Infallible>(Response::new(Body::from("up".to_owned())))
//! });
//! let transport = Transport::builder().service(answering).build()?;
//! let endpoint = Endpoint::new("https://toolbox-api.private.fin.ag")?;
//! assert_eq!(transport.call(Status(endpoint)).await?, "up");
//! # Ok(())
//! # }
//! ```
//!
//! # Layers
//!
//! Outermost first: span, deadline, the user's [`layer`](TransportBuilder::layer)s, retry, attempt
//! span, the user's [`attempt_layer`](TransportBuilder::attempt_layer)s, credentials, unsealing,
//! attempt timeout, static headers, bounded collect, and the pooled hyper client. Layers added
//! first are outermost, see [`CallMeta`] in the request's extensions, and see no credential.
//!
//! # Guide
//!
//! [Identities and renewal](guide::identities), [layers](guide::layers), [observability](guide::observability),
//! [retries and delivery](guide::retries).
//!
//! # Features
//!
//! Features only add; none changes what another crate in the same program gets by default.
//!
//! `ring` (default): [`CryptoProvider::ring`], which is used unless another one is chosen.
//! `aws-lc-rs`: `CryptoProvider::aws_lc_rs`, which is the default only without `ring`.
//! `platform-roots` (default): [`Roots::platform`], which is trusted unless other roots are given.
//! `webpki-roots`: `Roots::bundled`, which is the default only without `platform-roots`.
//! `pfx`: PKCS#12 identities.
//! `testing`: a scripted service and a hostile layer for tests, in `[dev-dependencies]`.

// Crates are documented in parallel: a link to one that has no local page yet leads there.
#![doc(html_root_url = "https://docs.rs/flinks-transport/latest")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attempt;
mod body;
mod builder;
mod call_meta;
mod clock;
mod collect;
mod connect;
mod connection;
mod crypto;
mod customer;
mod decode;
mod endpoint;
mod error;
mod exchange;
#[cfg(any(doc, doctest))]
pub mod guide;
mod handshake;
mod identity;
mod identity_generation;
pub mod metrics;
mod observed_call;
mod operation;
mod page;
pub mod poll;
mod progress;
mod proxy;
mod redact;
mod request;
mod retry;
mod retry_after;
mod route;
mod service;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod timeout;
mod tls;
mod transport;

pub use body::Body;
pub use builder::TransportBuilder;
pub use call_meta::{CallMeta, Credential, Replay};
pub use crypto::CryptoProvider;
pub use customer::CustomerEndpoint;
pub use endpoint::Endpoint;
pub use error::{BoxError, Delivery, Error, ErrorKind, Step};
pub use handshake::{AddressAttempt, AddressOutcome, ClientAuth, Handshake, ServerCertificate};
pub use identity::{ClientIdentity, IdentityError, IdentityErrorKind, IdentityPart};
pub use identity_generation::{IdentityGeneration, IdentitySnapshot};
pub use operation::{DecodeError, Operation};
pub use proxy::Proxy;
pub use redact::KnownSecrets;
pub use request::{json_request, try_clone_request};
pub use retry::RetryConfig;
pub use route::Route;
pub use service::{HttpService, IntoHttpService};
pub use telemetry::request_span;
pub use tls::{Roots, TlsVersion};
pub use transport::{Call, Transport};

//! Credentials for the Flinks API: the OAuth token cache, the API secret, and the layers that add
//! them below every other layer.
//!
//! ```toml
//! [dependencies]
//! flinks-auth = "0.1"
//! flinks-transport = "0.1"
//! ```
//!
//! The service has two bearers that must not be mixed up, so they are two types here:
//! [`ClientCredentials`] open the upload host by way of an [`AccessToken`], and an [`ApiSecret`]
//! opens the results host. The calls of the legacy flow each want one of their own
//! [`LegacyKeys`].
//!
//! ```
//! use flinks_auth::{ApiSecret, ApiSecretAuth, AuthLayer};
//! use flinks_transport::{Endpoint, Transport};
//!
//! # fn main() -> Result<(), flinks_transport::Error> {
//! let endpoint = Endpoint::instance("toolbox")?;
//! let auth = ApiSecretAuth::new(endpoint, &ApiSecret::new("the key that Flinks sent"))?;
//! # let transport = Transport::builder().service(tower::service_fn(
//! #     |_: http::Request<flinks_transport::Body>| async {
//! #         Ok::<_, std::convert::Infallible>(http::Response::new(flinks_transport::Body::empty()))
//! #     },
//! # )).build()?;
//! let transport = transport.with_credentials(AuthLayer::new(auth));
//! # Ok(())
//! # }
//! ```

// Crates are documented in parallel: a link to one that has no local page yet leads there.
#![doc(html_root_url = "https://docs.rs/flinks-auth/latest")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api_secret;
mod authenticate;
mod authorize_token;
mod client_credentials;
mod legacy_keys;
mod oauth;
mod token_cache;

pub use api_secret::{ApiSecret, ApiSecretAuth};
pub use authenticate::{Auth, AuthLayer, Authenticate};
pub use authorize_token::{AuthorizeTokenRequest, AuthorizeTokenSlot};
pub use client_credentials::{AccessToken, ClientCredentials, TokenRequest};
pub use legacy_keys::{LegacyKeys, LegacyKeysAuth};
pub use oauth::OAuth;

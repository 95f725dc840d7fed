//! The TLS configuration of a transport: provider, versions, roots and client certificate.

mod failure;
mod roots;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::SingleCertAndKey;

pub(crate) use failure::{TlsFailure, classify, is_tls};
pub use roots::Roots;

use crate::crypto::{CryptoProvider, provider};
use crate::identity::{ClientIdentity, IdentityError, IdentityErrorKind, IdentityPart};

/// A version of TLS.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2: a rejected client certificate fails the handshake.
    Tls12,
    /// TLS 1.3: a rejected client certificate is reported after the client's handshake is complete.
    Tls13,
}

/// The TLS configuration of a transport.
pub(crate) struct TlsSetup {
    pub(crate) config: ClientConfig,
    /// The verifier in `config`, which does not give it back.
    pub(crate) verifier: Arc<dyn ServerCertVerifier>,
}

/// Configures both versions, or the given one, for HTTP/1.1 only. The identity, if any, is
/// presented when the server requests one.
pub(crate) fn client_config(
    identity: Option<&ClientIdentity>,
    roots: &Roots,
    version: Option<TlsVersion>,
    crypto: Option<CryptoProvider>,
) -> Result<TlsSetup, IdentityError> {
    let provider = provider(crypto)?;
    let versions = match version {
        None => &[&rustls::version::TLS13, &rustls::version::TLS12][..],
        Some(TlsVersion::Tls12) => &[&rustls::version::TLS12],
        Some(TlsVersion::Tls13) => &[&rustls::version::TLS13],
    };
    let verifier = roots.verifier(&provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|_| {
            let message = "the crypto provider has no cipher suite for the requested TLS version";
            IdentityError::new(IdentityErrorKind::Provider, IdentityPart::Tls, message)
        })?
        // The verifiers are rustls's own; only the method that accepts a shared one is named so.
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier));
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(
            identity.certified(crypto)?,
        ))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsSetup { config, verifier })
}

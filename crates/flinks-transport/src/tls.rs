//! The TLS configuration of a transport: provider, versions, roots and client certificate.

mod failure;
mod roots;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider as Provider;
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

/// The settings of TLS that do not depend on the client's identity.
pub(crate) struct TlsSettings {
    crypto: Option<CryptoProvider>,
    provider: Arc<Provider>,
    version: Option<TlsVersion>,
    pub(crate) verifier: Arc<dyn ServerCertVerifier>,
}

impl TlsSettings {
    /// Enables both versions of TLS, or the given one. Loads the roots, which may block.
    pub(crate) fn new(
        roots: &Roots,
        version: Option<TlsVersion>,
        crypto: Option<CryptoProvider>,
    ) -> Result<Self, IdentityError> {
        let provider = provider(crypto)?;
        Ok(Self {
            crypto,
            version,
            verifier: roots.verifier(&provider)?,
            provider,
        })
    }

    /// Returns a configuration for HTTP/1.1 only, which presents the identity, if any, when the server
    /// requests one. Each configuration has its own store of TLS sessions: a resumed session
    /// would keep the identity that it began with.
    pub(crate) fn client_config(
        &self,
        identity: Option<&ClientIdentity>,
    ) -> Result<ClientConfig, IdentityError> {
        let versions = match self.version {
            None => &[&rustls::version::TLS13, &rustls::version::TLS12][..],
            Some(TlsVersion::Tls12) => &[&rustls::version::TLS12],
            Some(TlsVersion::Tls13) => &[&rustls::version::TLS13],
        };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(versions)
            .map_err(|_| {
                let message =
                    "the crypto provider has no cipher suite for the requested TLS version";
                IdentityError::new(IdentityErrorKind::Provider, IdentityPart::Tls, message)
            })?
            // The verifiers are rustls's own; only the method that accepts a shared one is named so.
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.verifier));
        let mut config = match identity {
            Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(
                identity.certified(self.crypto)?,
            ))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

//! A certificate authority, and a TLS server that demands its client certificates.

use std::sync::Arc;

use flinks_transport::{ClientIdentity, Roots};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{WantsServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier, crypto::ring,
};

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    pub(crate) fn identity(&self) -> ClientIdentity {
        let (certificate, key) = self.issue("client");
        let pem = (certificate.pem(), key.serialize_pem());
        ClientIdentity::from_pem(pem.0.as_bytes(), pem.1.as_bytes()).unwrap()
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::pem(self.0.pem().as_bytes()).unwrap()
    }

    /// Demands client certificates of this authority.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .unwrap();
        self.acceptor_with(|builder| builder.with_client_cert_verifier(verifier))
    }

    pub(crate) fn acceptor_with(
        &self,
        client_auth: impl FnOnce(
            ConfigBuilder<ServerConfig, WantsVerifier>,
        ) -> ConfigBuilder<ServerConfig, WantsServerCert>,
    ) -> TlsAcceptor {
        let (certificate, key) = self.issue("localhost");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = client_auth(builder)
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

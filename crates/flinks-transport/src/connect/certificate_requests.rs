//! Whether servers request the client certificate that a transport has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};

/// Whether any server has requested the client certificate of one configuration. It is not known of
/// single connections: rustls only resumes sessions that began with the same resolver.
#[derive(Clone, Debug)]
pub(crate) struct CertificateRequests(Arc<AtomicBool>);

impl CertificateRequests {
    pub(super) fn watch(tls: &mut ClientConfig) -> Self {
        let requests = Self(Arc::default());
        tls.client_auth_cert_resolver = Arc::new(Resolver {
            inner: Arc::clone(&tls.client_auth_cert_resolver),
            requests: requests.clone(),
        });
        requests
    }

    /// Returns what to add to the message of a call without an answer.
    pub(crate) fn note(&self) -> &'static str {
        if self.0.load(Ordering::Relaxed) {
            ""
        } else {
            NEVER
        }
    }
}

const NEVER: &str = "; the server did not ask for the client certificate in the handshake: is a \
     TLS-inspecting proxy in between, or is this another host? Renegotiation and post-handshake \
     authentication are not supported";

#[derive(Debug)]
struct Resolver {
    inner: Arc<dyn ResolvesClientCert>,
    requests: CertificateRequests,
}

impl ResolvesClientCert for Resolver {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.requests.0.store(true, Ordering::Relaxed);
        self.inner.resolve(root_hint_subjects, sigschemes)
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}

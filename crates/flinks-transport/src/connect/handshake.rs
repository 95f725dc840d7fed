//! Opens a connection for a report: with a resolver and a verifier that record what they see.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBuf};
use hyper_rustls::MaybeHttpsStream;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error as TlsError, ProtocolVersion, SignatureScheme,
};
use tokio::time::timeout;

use super::host::HostConnector;
use super::{Connector, of_connect};
use crate::identity::is_issued_by;
use crate::{ClientAuth, Handshake, ServerCertificate, TlsVersion};

/// How long to wait for the alert of a server that refuses the client certificate after the
/// handshake. A server that accepts it is silent until it has a request.
const LATE_ALERT: Duration = Duration::from_millis(500);

impl Connector {
    /// Opens a connection, reports what it showed, and closes it.
    pub(crate) async fn handshake(&self, uri: Uri) -> Handshake {
        let seen = Arc::new(Seen::default());
        let mut config = (*self.tls).clone();
        config.client_auth_cert_resolver = Arc::new(RecordingResolver {
            inner: Arc::clone(&config.client_auth_cert_resolver),
            seen: Arc::clone(&seen),
        });
        let verifier = RecordingVerifier {
            inner: Arc::clone(&self.verifier),
            seen: Arc::clone(&seen),
        };
        // The decision stays with the transport's own verifier.
        config
            .dangerous()
            .set_certificate_verifier(Arc::new(verifier));
        // A resumed session shows no certificates.
        config.resumption = Resumption::disabled();
        let host = HostConnector::new(&self.network, &uri);
        let (proxy, tried) = (host.proxy(), host.tried());
        let connected = Box::pin(host.open(uri, Arc::new(config), self.limit)).await;
        let mut report = Handshake {
            proxy,
            addresses: tried.attempts(),
            ..Handshake::default()
        };
        match connected {
            Ok(MaybeHttpsStream::Http(_)) => {}
            Ok(MaybeHttpsStream::Https(mut io)) => {
                let (_, session) = io.inner().get_ref();
                report.tls_version = session.protocol_version().and_then(version);
                let suite = session.negotiated_cipher_suite();
                report.cipher_suite = suite.and_then(|suite| suite.suite().as_str());
                report.client = Some(seen.client_auth());
                if report.client != Some(ClientAuth::NotRequested) {
                    let late = timeout(LATE_ALERT, first_read(&mut io)).await;
                    report.error = late.ok().and_then(Result::err).and_then(|error| {
                        let error = of_connect(error.into(), None);
                        // Any other end of a connection without a request is not a refusal.
                        (error.kind() == crate::ErrorKind::ClientCertificate).then_some(error)
                    });
                }
            }
            Err(error) => {
                let is_known = seen.locked().is_verifying;
                report.client = is_known.then(|| seen.client_auth());
                report.error = Some(of_connect(error, None));
            }
        }
        let seen = seen.locked();
        report.server = ServerCertificate::of(&seen.chain, seen.is_trusted);
        report
    }
}

/// Waits for the first bytes, the end, or the error of a connection.
async fn first_read(io: &mut (impl Read + Unpin)) -> std::io::Result<()> {
    let mut space = [0; 64];
    let mut buffer = ReadBuf::new(&mut space);
    std::future::poll_fn(|cx| std::pin::Pin::new(&mut *io).poll_read(cx, buffer.unfilled())).await
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the configuration enables no other version"
)]
pub(super) fn version(version: ProtocolVersion) -> Option<TlsVersion> {
    match version {
        ProtocolVersion::TLSv1_2 => Some(TlsVersion::Tls12),
        ProtocolVersion::TLSv1_3 => Some(TlsVersion::Tls13),
        _ => None,
    }
}

/// What the callbacks of one handshake saw.
#[derive(Debug, Default)]
struct Seen(Mutex<Facts>);

#[derive(Debug, Default)]
struct Facts {
    /// Set once the server has requested a client certificate.
    client: Option<ClientAuth>,
    /// The server's certificate is verified after its request for ours, so its absence is known.
    is_verifying: bool,
    is_trusted: bool,
    chain: Vec<CertificateDer<'static>>,
}

impl Seen {
    fn locked(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client_auth(&self) -> ClientAuth {
        self.locked().client.unwrap_or(ClientAuth::NotRequested)
    }
}

#[derive(Debug)]
struct RecordingResolver {
    inner: Arc<dyn ResolvesClientCert>,
    seen: Arc<Seen>,
}

impl ResolvesClientCert for RecordingResolver {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let certified = self.inner.resolve(root_hint_subjects, sigschemes);
        let sent = certified
            .as_ref()
            .filter(|certified| certified.key.choose_scheme(sigschemes).is_some());
        self.seen.locked().client = Some(match sent {
            None => ClientAuth::NotSent,
            Some(certified) => ClientAuth::Sent {
                issuer_accepted: (!root_hint_subjects.is_empty())
                    .then(|| is_issued_by(&certified.cert, root_hint_subjects)),
            },
        });
        certified
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}

#[derive(Debug)]
struct RecordingVerifier {
    inner: Arc<dyn ServerCertVerifier>,
    seen: Arc<Seen>,
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verified = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let mut seen = self.seen.locked();
        seen.is_verifying = true;
        seen.is_trusted = verified.is_ok();
        let chain = std::iter::once(end_entity).chain(intermediates);
        seen.chain = chain.map(|der| der.clone().into_owned()).collect();
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}

#[cfg(test)]
mod tests;

//! TLS handshakes: which clients get through, and why one failed.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    AlertDescription, CertificateError, DigitallySignedStruct, DistinguishedName, InvalidMessage,
    SignatureScheme,
};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificates::serial;
use crate::config::OnUntrusted;

/// The time that a client has for its handshake.
const LIMIT: Duration = Duration::from_secs(10);

tokio::task_local! {
    /// The serial number of the certificate that the client of this handshake has sent.
    static SENT: RefCell<Option<String>>;
}

/// Accepts the connections of one host.
#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(super) tls: TlsAcceptor,
    /// Says which certificates are trusted, on the upload host.
    pub(super) trusted: Option<Arc<dyn ClientCertVerifier>>,
}

/// A client that got through.
pub(super) struct Accepted {
    pub(super) tls: TlsStream<TcpStream>,
    /// The serial number of its certificate.
    pub(super) serial: Option<String>,
    /// Why its certificate is not trusted.
    pub(super) untrusted: Option<String>,
}

/// A client that did not get through.
pub(super) struct Refused {
    /// The connection, which holds the alert that says why.
    pub(super) tcp: Option<TcpStream>,
    pub(super) serial: Option<String>,
    pub(super) reason: String,
}

impl Acceptor {
    pub(super) async fn accept(&self, tcp: TcpStream) -> Result<Accepted, Refused> {
        let handshake = async {
            let accepted = timeout(LIMIT, self.tls.accept(tcp).into_fallible()).await;
            (accepted, SENT.with(RefCell::take))
        };
        let (accepted, sent) = SENT.scope(RefCell::default(), handshake).await;
        let tls = match accepted {
            Ok(Ok(tls)) => tls,
            Ok(Err((error, tcp))) => {
                return Err(Refused {
                    tcp: Some(tcp),
                    serial: sent,
                    reason: reason(&error),
                });
            }
            Err(_) => {
                return Err(Refused {
                    tcp: None,
                    serial: sent,
                    reason: "the client did not finish the handshake in 10 s".to_owned(),
                });
            }
        };
        let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
        // Again, because a resumed session is not verified.
        let untrusted = chain.split_first().and_then(|(own, issuers)| {
            let trusted = self.trusted.as_ref()?;
            let verified = trusted.verify_client_cert(own, issuers, UnixTime::now());
            verified.err().map(|error| refusal(&error))
        });
        Ok(Accepted {
            serial: chain.first().and_then(serial),
            untrusted,
            tls,
        })
    }
}

/// Asks for a client certificate, and accepts one that is not trusted if requests are to be answered
/// with 403. The client has to prove that it has the private key in any case.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) trusted: Arc<dyn ClientCertVerifier>,
    pub(super) on_untrusted: OnUntrusted,
}

impl ClientCertVerifier for Clients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        match self.on_untrusted {
            // Many clients send no certificate whose issuer is not named here.
            OnUntrusted::Forbid => &[],
            OnUntrusted::Alert => self.trusted.root_hint_subjects(),
        }
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        // Fails only outside of a handshake.
        let _ = SENT.try_with(|sent| *sent.borrow_mut() = serial(own));
        match self.trusted.verify_client_cert(own, issuers, now) {
            Err(rustls::Error::InvalidCertificate(error))
                if self.on_untrusted == OnUntrusted::Forbid
                    && error != CertificateError::BadEncoding =>
            {
                Ok(ClientCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trusted.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trusted.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trusted.supported_verify_schemes()
    }
}

/// Says why a client certificate is not trusted.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other errors say what is wrong"
)]
fn refusal(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(error) = error else {
        return error.to_string();
    };
    match error {
        CertificateError::UnknownIssuer => "it was not issued by the sandbox's CA".to_owned(),
        CertificateError::BadSignature => "it was not signed by the sandbox's CA".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        error => error.to_string(),
    }
}

/// Says why a handshake failed.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other errors say what is wrong"
)]
fn reason(error: &io::Error) -> String {
    use rustls::Error;

    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let Some(inner) = inner else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => "the client closed the connection".to_owned(),
            io::ErrorKind::ConnectionReset => "the client reset the connection".to_owned(),
            _ => error.to_string(),
        };
    };
    match inner {
        Error::NoCertificatesPresented => "the client sent no certificate".to_owned(),
        Error::InvalidCertificate(_) => {
            format!("the client certificate is not trusted: {}", refusal(inner))
        }
        Error::AlertReceived(alert) => {
            let cause = match alert {
                AlertDescription::UnknownCA => ": it does not trust the sandbox's CA (ca.pem)",
                AlertDescription::DecryptError => {
                    ": it trusts another CA of the same name, perhaps that of an earlier sandbox"
                }
                AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => {
                    ": it does not accept the server's certificate or its host name"
                }
                AlertDescription::CertificateExpired => ": its clock may be wrong",
                _ => "",
            };
            format!("the client ended the handshake with the alert {alert:?}{cause}")
        }
        Error::PeerIncompatible(missing) => {
            format!("the client and the sandbox have too little in common: {missing:?}")
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what the client sent is not TLS; the URL has to begin with https:".to_owned()
        }
        error => error.to_string(),
    }
}

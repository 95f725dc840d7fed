//! What a TLS failure means, and what to do about it.

mod certificate;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, Error as TlsError, InvalidMessage};

use crate::ErrorKind;

/// A failure of TLS that someone can mend.
#[derive(Clone, Debug)]
pub(crate) struct TlsFailure {
    fault: Fault,
    message: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    /// The server refused the client's certificate or asked for one in vain.
    ClientCertificate,
    /// The two sides found no common ground.
    Handshake,
    /// The server's certificate is not trusted.
    ServerCertificate,
}

impl TlsFailure {
    fn new(fault: Fault, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            fault,
            message: message.into(),
        }
    }

    pub(crate) fn error_kind(&self) -> ErrorKind {
        match self.fault {
            Fault::ClientCertificate => ErrorKind::ClientCertificate,
            Fault::Handshake => ErrorKind::Connect,
            Fault::ServerCertificate => ErrorKind::ServerCertificate,
        }
    }

    /// Is it about a certificate, whichever side's? Those are checked before any request is read.
    pub(crate) fn is_certificate(&self) -> bool {
        match self.fault {
            Fault::ClientCertificate | Fault::ServerCertificate => true,
            Fault::Handshake => false,
        }
    }

    /// What happened and what to do. Of what the other side sent, only names in its certificate are
    /// shown.
    pub(crate) fn message(&self) -> Cow<'static, str> {
        self.message.clone()
    }
}

/// Finds the TLS failure that caused `error`, if one did that says what to do.
///
/// `None` for failures of TLS that say nothing of the kind, such as a record that cannot be
/// decrypted: those are broken connections like any other.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls adds variants at will"
)]
pub(crate) fn classify(error: &(dyn StdError + 'static)) -> Option<TlsFailure> {
    match find(error)? {
        TlsError::AlertReceived(alert) => of_alert(*alert),
        TlsError::InvalidCertificate(reason) => Some(TlsFailure::new(
            Fault::ServerCertificate,
            certificate::explain(reason),
        )),
        TlsError::NoCertificatesPresented => Some(TlsFailure::new(
            Fault::ServerCertificate,
            "the server presented no certificate; check the host and port",
        )),
        TlsError::UnsupportedNameType => Some(TlsFailure::new(
            Fault::ServerCertificate,
            "the server's certificate cannot be checked for this kind of host name",
        )),
        TlsError::PeerIncompatible(_) => Some(TlsFailure::new(Fault::Handshake, NOTHING_IN_COMMON)),
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => Some(TlsFailure::new(
            Fault::Handshake,
            "the server did not answer in TLS: is this the port of a plain HTTP server or proxy?",
        )),
        _ => None,
    }
}

const NOTHING_IN_COMMON: &str = "the server speaks no version of TLS or cipher suite in common \
     with this client, which takes TLS 1.2 and 1.3; check the host and port, and what stands \
     between";

/// What a server's alert says.
///
/// Alerts that name a certificate can only mean ours, and `decrypt_error` is what a server sends
/// whose check of our certificate's signature fails. `handshake_failure` stays a matter of the
/// handshake: servers send it under TLS 1.2 when they got no client certificate, but also when
/// there is no cipher suite in common.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "most alerts say nothing to act on"
)]
fn of_alert(alert: AlertDescription) -> Option<TlsFailure> {
    use AlertDescription as Alert;

    let (fault, message) = match alert {
        Alert::CertificateRequired | Alert::NoCertificate => (
            Fault::ClientCertificate,
            "the server demands a client certificate and got none: configure the certificate \
             Flinks returned and its private key",
        ),
        Alert::CertificateExpired => (
            Fault::ClientCertificate,
            "the server says that the client certificate has expired or is not valid yet: check \
             its dates and the clock of this machine, or ask Flinks for a new one",
        ),
        Alert::CertificateRevoked => (
            Fault::ClientCertificate,
            "the server says that the client certificate is revoked: ask Flinks for a new one",
        ),
        Alert::UnknownCA | Alert::DecryptError => (
            Fault::ClientCertificate,
            "the server does not trust who issued the client certificate: present the one Flinks \
             returned, with the chain that came with it, to the environment it was issued for",
        ),
        Alert::UnsupportedCertificate => (
            Fault::ClientCertificate,
            "the server does not take this kind of client certificate: ask Flinks which key types \
             and uses it accepts",
        ),
        Alert::BadCertificate | Alert::CertificateUnknown | Alert::AccessDenied => (
            Fault::ClientCertificate,
            "the server refused the client certificate, or got none: present the certificate \
             Flinks returned (not the CSR) with the private key it was made from",
        ),
        Alert::HandshakeFailure => (
            Fault::Handshake,
            "the server ended the TLS handshake without saying why: usually it demands a client \
             certificate and got none, or there is no cipher suite in common",
        ),
        Alert::ProtocolVersion | Alert::InsufficientSecurity => {
            (Fault::Handshake, NOTHING_IN_COMMON)
        }
        Alert::UnrecognisedName => (
            Fault::Handshake,
            "the server does not know the host name it was asked for; check the base URL",
        ),
        Alert::NoApplicationProtocol => (
            Fault::Handshake,
            "the server does not speak HTTP/1.1 on this port",
        ),
        _ => return None,
    };
    Some(TlsFailure::new(fault, message))
}

/// Walks to the error of rustls. `io::Error::source` skips the error that an `io::Error` wraps, and
/// TLS errors come wrapped in two of them.
fn find<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e TlsError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<TlsError>() {
            return Some(found);
        }
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

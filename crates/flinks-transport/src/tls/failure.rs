//! Classifies TLS failures and describes the fix.

mod certificate;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, Error as TlsError, HandshakeType, InvalidMessage};

use crate::ErrorKind;
use crate::connect::RenegotiationRequested;

/// A TLS failure that can be fixed by configuration.
#[derive(Clone, Debug)]
pub(crate) struct TlsFailure {
    fault: Fault,
    message: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    /// The server rejected the client's certificate, or required one and got none.
    ClientCertificate,
    /// The server asked for the client's certificate after the handshake, which is not supported.
    LateRequest,
    /// The two sides have no version or cipher suite in common.
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
            Fault::ClientCertificate | Fault::LateRequest => ErrorKind::ClientCertificate,
            Fault::Handshake => ErrorKind::Connect,
            Fault::ServerCertificate => ErrorKind::ServerCertificate,
        }
    }

    /// Returns whether a certificate of either side failed. Those are checked before any request is
    /// read.
    pub(crate) fn is_certificate(&self) -> bool {
        match self.fault {
            Fault::ClientCertificate | Fault::ServerCertificate => true,
            // It may have read a request by then.
            Fault::LateRequest | Fault::Handshake => false,
        }
    }

    /// Returns what happened and the fix. Of the data that the server sent, it shows only names in
    /// the certificate.
    pub(crate) fn message(&self) -> Cow<'static, str> {
        self.message.clone()
    }
}

/// Finds the TLS failure that caused `error`, if it can be fixed by configuration.
///
/// Returns `None` for other TLS failures, such as a record that cannot be decrypted: those are
/// ordinary broken connections.
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
        TlsError::InappropriateHandshakeMessage {
            got_type: HandshakeType::CertificateRequest,
            ..
        } => Some(TlsFailure::new(Fault::LateRequest, LATE_REQUEST)),
        TlsError::Other(other) if other.0.is::<RenegotiationRequested>() => {
            Some(TlsFailure::new(Fault::LateRequest, LATE_REQUEST))
        }
        TlsError::PeerIncompatible(_) => Some(TlsFailure::new(Fault::Handshake, NOTHING_IN_COMMON)),
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => Some(TlsFailure::new(
            Fault::Handshake,
            "the server did not answer in TLS: is this the port of a plain HTTP server or proxy?",
        )),
        _ => None,
    }
}

const NOTHING_IN_COMMON: &str = "the server and this client have no TLS version or cipher suite \
     in common; this client supports TLS 1.2 and 1.3; check the host and port, and any proxy in \
     between";

const LATE_REQUEST: &str = "the server asked for renegotiation or post-handshake authentication, which \
     this client does not support: the server has to ask for the client certificate in the handshake";

/// Interprets a server's alert.
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
            "the server requires a client certificate and got none: configure the certificate \
             Flinks returned and its private key",
        ),
        Alert::CertificateExpired => (
            Fault::ClientCertificate,
            "the server says that the client certificate has expired or is not valid yet: check \
             its dates and this machine's clock, or ask Flinks for a new one",
        ),
        Alert::CertificateRevoked => (
            Fault::ClientCertificate,
            "the server says that the client certificate is revoked: ask Flinks for a new one",
        ),
        Alert::UnknownCA | Alert::DecryptError => (
            Fault::ClientCertificate,
            "the server does not trust the issuer of the client certificate: use the certificate that \
             Flinks returned, with its chain, in the environment it was issued for",
        ),
        Alert::UnsupportedCertificate => (
            Fault::ClientCertificate,
            "the server does not accept this kind of client certificate: ask Flinks which key \
             types and key usages it accepts",
        ),
        Alert::BadCertificate | Alert::CertificateUnknown | Alert::AccessDenied => (
            Fault::ClientCertificate,
            "the server rejected the client certificate, or got none: use the certificate that \
             Flinks returned (not the CSR) with its private key",
        ),
        Alert::HandshakeFailure => (
            Fault::Handshake,
            "the server ended the TLS handshake without a reason: usually it requires a client \
             certificate and got none, or there is no cipher suite in common",
        ),
        Alert::ProtocolVersion | Alert::InsufficientSecurity => {
            (Fault::Handshake, NOTHING_IN_COMMON)
        }
        Alert::UnrecognisedName => (
            Fault::Handshake,
            "the server does not recognize the requested host name; check the base URL",
        ),
        Alert::NoApplicationProtocol => (
            Fault::Handshake,
            "the server does not speak HTTP/1.1 on this port",
        ),
        _ => return None,
    };
    Some(TlsFailure::new(fault, message))
}

/// Returns whether `error` is about the contents of TLS, and not about the connection below it.
pub(crate) fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    find(error).is_some()
}

/// Finds the rustls error in the chain of sources. `io::Error::source` skips the error that an
/// `io::Error` wraps, and TLS errors come wrapped in two of them.
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

//! What one TLS handshake with a host shows, for checks of a setup and for monitoring.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use rustls::pki_types::CertificateDer;

use crate::identity::{CertificateFields, now};
use crate::{Endpoint, Error, TlsVersion, Transport};

/// What one connection to a host showed: addresses, TLS version, certificates of both sides.
///
/// It is complete as far as the connection came: after a failure, what was not reached is `None`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Handshake {
    /// The proxy that was used, as `scheme://host:port`.
    pub proxy: Option<String>,
    /// The addresses of the host, or else of the proxy, that were tried, in order.
    pub addresses: Vec<AddressAttempt>,
    /// The negotiated version; `None` also over plain http.
    pub tls_version: Option<TlsVersion>,
    /// The negotiated cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher_suite: Option<&'static str>,
    /// The certificate of the server, also when it is not trusted.
    pub server: Option<ServerCertificate>,
    /// Whether the client certificate was requested and sent.
    pub client: Option<ClientAuth>,
    /// Why the handshake failed, if it did.
    pub error: Option<Error>,
}

/// An attempt to connect to one address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AddressAttempt {
    /// The address and port.
    pub address: SocketAddr,
    /// The outcome of the attempt.
    pub outcome: AddressOutcome,
}

/// The outcome of an attempt to connect to one address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AddressOutcome {
    /// The TCP connection was opened.
    Connected,
    /// The TCP connection failed.
    Failed(std::io::ErrorKind),
    /// The address had not answered when another one did, or when the time was over.
    NoAnswer,
}

/// The certificate that a server presented.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerCertificate {
    /// The subject, such as `CN=upload.test, O=Example`; at most 200 characters, without those that
    /// could control a terminal.
    pub subject: String,
    /// The issuer, in the same form.
    pub issuer: String,
    /// The start of its validity.
    pub not_before: SystemTime,
    /// The end of its validity.
    pub not_after: SystemTime,
    /// The number of certificates that the server sent, this one included.
    pub chain_length: usize,
    /// Whether the certificate names itself as its issuer.
    pub self_signed: bool,
    /// Whether it leads to a trusted root, and is valid now and for this host; if not,
    /// [`Handshake::error`] has the reason.
    pub trusted: bool,
}

impl ServerCertificate {
    /// Reads the first certificate of a chain; `None` if it cannot be read.
    pub(crate) fn of(chain: &[CertificateDer<'_>], trusted: bool) -> Option<Self> {
        let fields = CertificateFields::of(chain.first()?)?;
        Some(Self {
            subject: fields.subject,
            issuer: fields.issuer,
            not_before: fields.not_before,
            not_after: fields.not_after,
            chain_length: chain.len(),
            self_signed: fields.self_signed,
            trusted,
        })
    }

    /// Returns how long the certificate is still valid, according to this machine's clock; zero once it
    /// has expired.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.not_after.duration_since(now()).unwrap_or_default()
    }
}

/// Whether the client certificate was requested and sent in a handshake.
///
/// That it was sent does not mean that the server accepts it: only an answer of the service proves
/// that, because a server may also check the certificate after the handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// The server did not request a certificate. It may want one later, by renegotiation or by
    /// post-handshake authentication, which are not supported.
    NotRequested,
    /// The server requested a certificate, and none was sent: the transport has no identity, or its
    /// key fits none of the signature algorithms that the server accepts.
    NotSent,
    /// The certificate of the transport's identity was sent.
    Sent {
        /// Whether the server named an issuer of the certificate among the authorities that it
        /// accepts; `None` if it named no authorities.
        issuer_accepted: Option<bool>,
    },
}

impl Transport {
    /// Opens one connection to `endpoint` as a call would, with the same proxy, identity, roots and
    /// connect timeout, and reports what it showed. Sends no request; the connection is closed afterwards.
    ///
    /// A failure is part of the report, so this never fails. Under TLS 1.3 a server refuses a client
    /// certificate only after the handshake: the report then has the server's alert if it arrives
    /// within half a second.
    ///
    /// ```no_run
    /// use flinks_transport::{Endpoint, Transport};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), flinks_transport::Error> {
    /// let transport = Transport::builder().build()?;
    /// let endpoint = Endpoint::new("https://toolbox-api.private.fin.ag")?;
    /// let handshake = transport.handshake(&endpoint).await;
    /// if let Some(server) = handshake.server {
    ///     let left = server.expires_in();
    ///     println!("{}: {} days left", server.issuer, left.as_secs() / 86_400);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn handshake(&self, endpoint: &Endpoint) -> Handshake {
        let uri = match endpoint.path("/") {
            Ok(uri) => uri,
            Err(error) => return Handshake::failed(error),
        };
        match self.connector() {
            Some(connector) => connector.handshake(uri).await,
            None => Handshake::failed(Error::new(
                crate::ErrorKind::Config,
                "this transport has a custom service, which makes its own connections",
            )),
        }
    }
}

impl Handshake {
    fn failed(error: Error) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }
}

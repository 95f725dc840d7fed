//! The kinds of failures.

#[cfg(doc)]
use super::Error;

/// The kind of a failure: who can fix it, and how.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The service answered with an error. *What to do:* read [`Error::api`] and the status.
    Api,
    /// The server refused the client certificate, or none was presented.
    /// *What to do:* present the certificate that Flinks returned (not the CSR) with the private key
    /// it was made from, and check that it has not expired.
    ClientCertificate,
    /// A setting cannot be right: a base URL, an identity, a limit. Nothing was sent.
    Config,
    /// No connection came about: name resolution, TCP, or TLS short of certificates. Nothing was sent.
    Connect,
    /// The connection broke after it was made. [`Error::delivery`] says what that means.
    Connection,
    /// The answer could not be read. The service has acted.
    Decode,
    /// An argument cannot be sent. Nothing was sent.
    Input,
    /// A layer or service of the application failed; [`Error::report`] has its own words.
    Layer,
    /// This machine failed, not the call: the source of a request's body, or a file that a crate
    /// above this one keeps. The message or the source says why.
    Local,
    /// The proxy could not be reached, or opened no tunnel to the service. Nothing was sent.
    /// *What to do:* check the proxy's URL, user and password, and whether it may connect to the host
    /// and port of [`Error::origin`]; [`Error::proxy_status`] is its answer.
    Proxy,
    /// The server's certificate is not trusted. Nothing was sent.
    /// *What to do:* check the host name and the root certificates.
    ServerCertificate,
    /// A time limit passed: an attempt, a stalled upload, or the deadline of the whole call.
    Timeout,
}

impl ErrorKind {
    /// The kind in `snake_case`, as the program's JSON output and the fixtures name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::ClientCertificate => "client_certificate",
            Self::Config => "config",
            Self::Connect => "connect",
            Self::Connection => "connection",
            Self::Decode => "decode",
            Self::Input => "input",
            Self::Layer => "layer",
            Self::Local => "local",
            Self::Proxy => "proxy",
            Self::ServerCertificate => "server_certificate",
            Self::Timeout => "timeout",
        }
    }

    /// Whether a connection failed, so that it matters where it led.
    pub(super) const fn is_of_network(self) -> bool {
        matches!(
            self,
            Self::ClientCertificate
                | Self::Connect
                | Self::Connection
                | Self::Proxy
                | Self::ServerCertificate
                | Self::Timeout
        )
    }

    /// Whether such a failure precedes every request, if the request was not sent.
    pub(super) const fn is_before_sending(self) -> bool {
        matches!(
            self,
            Self::Config | Self::Connect | Self::Input | Self::Proxy | Self::ServerCertificate
        )
    }
}
